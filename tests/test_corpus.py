"""Real log lines of public projects are read as their projects read them. None of them is in this repository."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.case import Case, Record
from rules.diagnose import Expert
from rules.read import read

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "lines.jsonl"
VENDORS = {"Forcepoint", "Palo Alto Networks", "Fortinet", "Check Point", "Cisco"}
OTHER_FAMILIES = {"IOS", "IOS ACL", "IOS zone firewall", "Meraki MX"}
AT_LEAST = 0.95

Entry = Mapping[str, Any]


@pytest.fixture(scope="module")
def corpus() -> list[Entry]:
    if not CORPUS.exists():
        pytest.skip(f"the corpus of real log lines is not at {CORPUS}; its licences keep it out of the repository")
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def ours(corpus: list[Entry]) -> list[Entry]:
    return [one for one in corpus if one["vendor"] in VENDORS and one["product"] not in OTHER_FAMILIES]


def _record(entry: Entry, shelf: Shelf) -> Record | None:
    lines = read(entry["line"], shelf).lines
    return lines[0].record if lines else None


def _event(entry: Entry, shelf: Shelf) -> str:
    record = _record(entry, shelf)
    return (record.event if record else None) or "irrelevant"


def test_no_real_line_is_too_much(corpus: list[Entry], shelf: Shelf) -> None:
    for entry in corpus:
        reading = read(entry["line"], shelf)
        assert reading.lines or reading.unread


def test_every_real_line_can_be_diagnosed(corpus: list[Entry], expert: Expert) -> None:
    for entry in corpus:
        diagnosis = expert.diagnose(Case(paste=entry["line"]))
        json.loads(diagnosis.model_dump_json(by_alias=True))


def test_lines_without_doubt_give_the_event_they_are_labelled_with(ours: list[Entry], shelf: Shelf) -> None:
    sure = [entry for entry in ours if not entry["doubt"]]
    right = [entry for entry in sure if _event(entry, shelf) == entry["event"]]
    print(_table(sure, right))  # noqa: T201 - shown with -s, and when it fails
    assert len(right) >= AT_LEAST * len(sure)


def _table(sure: list[Entry], right: list[Entry]) -> str:
    total = Counter((entry["vendor"], entry["product"]) for entry in sure)
    good = Counter((entry["vendor"], entry["product"]) for entry in right)
    rows = [f"{' '.join(key):45} {good[key]:3} of {total[key]:3}" for key in total]
    return "\n".join(sorted(rows))


def test_addresses_and_ports_are_those_of_the_published_parse(ours: list[Entry], shelf: Shelf) -> None:
    wrong = [
        (entry["id"], name, value, _parsed(record)[name])
        for entry in ours
        if (record := _record(entry, shelf)) is not None and record.event
        for name, value in (entry.get("expected") or {}).items()
        if _parsed(record)[name] != value
    ]
    assert wrong == []


def _parsed(record: Record) -> Mapping[str, object]:
    return {
        "src_ip": record.source.ip,
        "src_port": record.source.port,
        "dst_ip": record.destination.ip,
        "dst_port": record.destination.port,
        "transport": record.transport,
    }


def test_a_line_names_its_vendor(ours: list[Entry], shelf: Shelf) -> None:
    for entry in ours:
        if (record := _record(entry, shelf)) is not None:
            assert record.vendor == entry["vendor"]


def test_lines_of_other_families_are_not_taken_for_ours(corpus: list[Entry], ours: list[Entry], shelf: Shelf) -> None:
    known = {entry["id"] for entry in ours}
    own = [dialect for dialect in shelf.dialects.values() if shelf.products.get(dialect.product, None) is not None]
    wanted = [dialect for dialect in own if shelf.products[dialect.product].vendor in VENDORS]
    for entry in corpus:
        if entry["id"] not in known:
            assert [one.id for one in wanted if pattern(one.recognise).search(entry["line"])] == []


def test_no_two_dialects_claim_the_same_real_line(corpus: list[Entry], shelf: Shelf) -> None:
    named = [dialect for dialect in shelf.dialects.values() if not dialect.fallback]
    for entry in corpus:
        assert len([one.id for one in named if pattern(one.recognise).search(entry["line"])]) <= 1


def test_no_real_line_is_in_the_repository(corpus: list[Entry], shelf: Shelf) -> None:
    samples = {sample.line.strip() for dialect in shelf.dialects.values() for sample in dialect.samples}
    assert [entry["id"] for entry in corpus if entry["line"].strip() in samples] == []
