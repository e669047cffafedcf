"""Real log lines of public projects are read as their projects read them. None of them is in this repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge.shelf import Shelf
from rules.case import Case
from rules.diagnose import Expert
from rules.envelope import carried
from rules.read import read, reader_of
from rules.recognise import Recogniser
from tests.corpus import Entry

ROOT = Path(__file__).parents[1]
AT_LEAST = 0.97
NAMED_AT_LEAST = 0.99
NO_VENDOR = {"Linux applications (loghub)": "loghub is a collection; its lines are named after their programs"}
FORMAT_ALONE = {
    "sk-0076": "a message without any value",
    "el-0085": "breaks off behind names that the format prescribes",
    **dict.fromkeys(
        ("ix-0024", "ix-0026", "ix-0027", "ix-0029", "ix-0030"), "pfirewall.log: numbers and three fixed words"
    ),
}
"""Lines that every sample of their format must equal up to digits, and why."""
KNOWN_DIFFERENCES = {
    ("sk-0037", "dst_ip"): "the line names the upstream by its address; the published parse takes the host of the URL",
}
"""Lines and fields that we read otherwise than their project does, and why."""
Record = Mapping[str, Any]
PARSED = {
    "src_ip": ("source", "ip"),
    "src_port": ("source", "port"),
    "dst_ip": ("destination", "ip"),
    "dst_port": ("destination", "port"),
    "transport": ("transport",),
}
"""Where the fields of a published parse stand in a record of ours."""
TEXTS = {".py", ".yaml", ".md", ".toml", ".json", ".txt", ".log", ".sh", ".html", ""}

Records = Mapping[str, Record | None]
"""What each line of the corpus gave, by its id; None where it gave no record."""


@pytest.fixture(scope="module")
def alone(corpus: list[Entry], shelf: Shelf) -> Records:
    """Read each line by itself."""
    found: dict[str, Record | None] = {}
    for entry in corpus:
        lines = read(entry["line"], shelf).lines
        found[entry["id"]] = lines[0].record.model_dump() if lines else None
    return found


@pytest.fixture(scope="module")
def together(corpus: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Read all lines as one file, by the command: what shows in a run of lines only, shows here."""
    path = tmp_path_factory.mktemp("corpus") / "all.log"
    path.write_text("".join(f"{entry['line']}\n" for entry in corpus), encoding="utf-8")
    command = [sys.executable, "-m", "bot", "read", "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    found: dict[str, Record | None] = {entry["id"]: None for entry in corpus}
    ids = dict(zip(_numbers(corpus), found, strict=True))
    for text in done.stdout.decode().splitlines():
        one = json.loads(text)
        if "event" in one and one["line"] in ids and found[ids[one["line"]]] is None:
            found[ids[one["line"]]] = one
    return found


def _numbers(corpus: Sequence[Entry]) -> Iterator[int]:
    """Give the line on which each entry begins in a file of all."""
    number = 1
    for entry in corpus:
        yield number
        number += len(entry["line"].splitlines())


def _event(record: Record | None) -> str:
    return (record and record["event"]) or "irrelevant"


def _table(entries: Sequence[Entry], right: Sequence[Entry]) -> str:
    """Count by product how many are right: shown with -s, and when the test fails."""
    total = Counter((entry["vendor"], entry["product"]) for entry in entries)
    good = Counter((entry["vendor"], entry["product"]) for entry in right)
    rows = [f"{' '.join(key):60} {good[key]:3} of {count:3}" for key, count in sorted(total.items())]
    return "\n".join([*rows, f"{'all':60} {len(right):3} of {len(entries):3}"])


def test_lines_read_as_one_file_give_the_events_they_are_labelled_with(corpus: list[Entry], together: Records) -> None:
    sure = [entry for entry in corpus if not entry["doubt"]]
    right = [entry for entry in sure if _event(together[entry["id"]]) == entry["event"]]
    print(_table(sure, right))  # noqa: T201
    assert len(right) >= AT_LEAST * len(sure)


def test_lines_read_alone_give_the_events_that_take_no_run_to_see(corpus: list[Entry], alone: Records) -> None:
    sure = [entry for entry in corpus if not entry["doubt"] and entry["event"] != "scan"]
    right = [entry for entry in sure if _event(alone[entry["id"]]) == entry["event"]]
    print(_table(sure, right))  # noqa: T201
    assert len(right) >= AT_LEAST * len(sure)


@pytest.mark.parametrize("how", ["alone", "together"])
def test_a_line_about_something_else_gives_no_event(
    corpus: list[Entry], how: str, request: pytest.FixtureRequest
) -> None:
    records: Records = request.getfixturevalue(how)
    nothing = [entry["id"] for entry in corpus if entry["event"] == "irrelevant" and not entry["doubt"]]
    assert len(nothing) > 50
    assert {id_: _event(records[id_]) for id_ in nothing if _event(records[id_]) != "irrelevant"} == {}


def test_the_vendor_of_a_relevant_line_is_named(corpus: list[Entry], alone: Records) -> None:
    relevant = [entry for entry in corpus if entry["event"] != "irrelevant"]
    right = [entry for entry in relevant if _names_vendor(entry, alone[entry["id"]])]
    print(_table(relevant, right))  # noqa: T201
    assert len(right) >= NAMED_AT_LEAST * len(relevant)


def _names_vendor(entry: Entry, record: Record | None) -> bool:
    named = record["vendor"] if record else "unknown"
    return named == entry["vendor"] or (entry["vendor"] in NO_VENDOR and named != "unknown")


def test_addresses_ports_and_transport_are_those_of_the_published_parse(corpus: list[Entry], alone: Records) -> None:
    compared = [
        (entry["id"], name, value, _parsed(alone[entry["id"]], name))
        for entry in corpus
        if entry["event"] != "irrelevant"
        for name, value in (entry.get("expected") or {}).items()
    ]
    wrong = {(id_, name): (got, value) for id_, name, value, got in compared if _plain(got) != _plain(value)}
    assert len(compared) > 500
    assert {key: both for key, both in wrong.items() if key not in KNOWN_DIFFERENCES} == {}
    assert [key for key in KNOWN_DIFFERENCES if key not in wrong] == []


def _parsed(record: Record | None, name: str) -> object:
    part: Any = record
    for step in PARSED[name]:
        part = part[step] if part else None
    return part


def _plain(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def test_no_two_dialects_claim_the_same_real_line(corpus: list[Entry], shelf: Shelf) -> None:
    recogniser = reader_of(shelf).recogniser
    claimed = {entry["id"]: [_claims(text, recogniser) for text in carried(entry["line"])] for entry in corpus}
    assert {id_: forms for id_, forms in claimed.items() if any(len(ids) > 1 for ids in forms)} == {}
    assert sum(any(forms) for forms in claimed.values()) > len(corpus) // 2


def _claims(text: str, recogniser: Recogniser) -> list[str]:
    return [one.id for one in recogniser.claims(text)]


def test_every_real_line_can_be_diagnosed(corpus: list[Entry], expert: Expert) -> None:
    for entry in corpus:
        diagnosis = expert.diagnose(Case(paste=entry["line"]))
        assert diagnosis.records or diagnosis.unread or any(fact.kind == "told" for fact in diagnosis.facts)
        json.loads(diagnosis.model_dump_json(by_alias=True))


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", text).strip()


def _texts(shelf: Shelf) -> Iterator[str]:
    """Give every text of the repository, and every sample once more, free of the quoting of its file."""
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if path.suffix in TEXTS and not any(part.startswith(".") for part in inside[:-1]) and path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace")
    for dialect in shelf.dialects.values():
        yield "\n".join(sample.line for sample in dialect.samples)


def test_no_real_line_is_in_the_repository_not_even_with_other_digits(corpus: list[Entry], shelf: Shelf) -> None:
    texts = [_shape(text) for text in _texts(shelf)]
    assert any(_shape("sample 12 of these very tests") in text for text in texts)
    found = {entry["id"] for entry in corpus if any(_shape(entry["line"]) in text for text in texts)}
    assert sorted(found - FORMAT_ALONE.keys()) == []
