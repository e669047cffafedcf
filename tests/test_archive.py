"""The commands of kept cases, from outside: what they print, and with which status they end."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.case_events import Answered, CaseEvent, Concluded, Leading, Outcome, Pasted
from bot.cases import Store
from bot.cli import app
from rules.case import KnowledgeStamp
from rules.diagnose import Expert

ROOT = Path(__file__).parents[1]
LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
SETTLED: list[CaseEvent] = [
    Pasted(paste=LINE),
    Answered(feature="handshake.syn_seen", value=False),
    Answered(feature="timing.worked", value="never"),
]
OTHERWISE = Concluded(cause="port-closed", confidence=0.8, knowledge=KnowledgeStamp(version="0.0.9", hash="0123abcd"))
LEADING = Leading("out-of-state", "asymmetric-routing", "likely", "cisco-asa")


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expert: Expert) -> str:
    monkeypatch.setattr("bot.archive.our_expert", lambda: expert)
    monkeypatch.setattr("bot.archive.our_shelf", lambda: expert.shelf)
    address = f"sqlite:///{tmp_path / 'cases.sqlite3'}"
    monkeypatch.setenv("WHYDROP_DATABASE_URL", address)
    return address


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, ["cases", *words])
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def made(url: str, events: Sequence[CaseEvent] = SETTLED, workspace: str = "local", at: datetime | None = None) -> str:
    async def create() -> str:
        async with Store.open(url, (lambda: at) if at else None) as store:
            await store.migrate()
            return (await store.create(workspace, events, LEADING)).id

    return asyncio.run(create())


def test_a_list_shows_each_case_with_what_leads(url: str) -> None:
    case = made(url, at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    made(url, workspace="others")
    result = run("list")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{case}  2026-03-01 12:00:00 UTC  open",
        "  Asymmetric routing (likely), cisco-asa".ljust(len(result.stdout.splitlines()[1])),
    ]


def test_a_list_is_filtered_limited_and_given_as_json(url: str) -> None:
    cases = {made(url) for _ in range(3)}
    found = [json.loads(line) for line in run("list", "--json", "--cause", "asymmetric-routing").stdout.splitlines()]
    assert {one["id"] for one in found} == cases
    assert datetime.fromisoformat(found[0]["created"]).utcoffset() == timedelta(0)
    assert "There are no such cases." in run("list", "--state", "closed").stdout
    limited = run("list", "--limit", "2").stdout
    assert sum(case in limited for case in cases) == 2
    assert "There are more: raise --limit." in limited


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["list", "--state", "sleeping"], "--state 'sleeping'"),
        (["show", "nothing"], "there is no such case in this workspace"),
        (["export", "a" * 26], "there is no such case in this workspace"),
        (["delete", "a" * 26, "--yes"], "there is no such case in this workspace"),
        (["delete", "a" * 26], "nobody can be asked here: say --yes"),
        (["delete-workspace", "us"], "nobody can be asked here: say --yes"),
        (["expire"], "say --days, or set WHYDROP_RETENTION_DAYS"),
        (["export", "x", "--format", "pdf"], "pdf"),
        (["replay", "--since", "yesterday"], "yesterday"),
    ],
)
def test_a_wrong_call_is_status_2_and_says_what_is_wrong(words: list[str], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("mysql://db", "a database is sqlite:///FILE or postgresql://"),
        ("sqlite:////no/such/folder/x.sqlite3", "the database cannot be reached"),
        ("postgresql://us:secretword@127.0.0.1:1/db", "the database cannot be reached"),
        ("postgresql://us:secretword@127.0.0.1:secretword/db", "WHYDROP_DATABASE_URL is no address"),
        ("postgresql://us:secretword@127.0.0.1:99999/db", "WHYDROP_DATABASE_URL is no address"),
    ],
)
def test_a_database_that_is_not_there_is_one_line_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    monkeypatch.setenv("WHYDROP_DATABASE_URL", address)
    result = run("list")
    assert result.exit_code == 2
    assert says in result.stderr
    assert "secretword" not in result.output
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_no_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("these are notes\n" * 100)
    monkeypatch.setenv("WHYDROP_DATABASE_URL", f"sqlite:///{tmp_path / 'notes.txt'}")
    result = run("list")
    assert result.exit_code == 2
    assert result.stderr == "whydrop: the database: file is not a database\n"


@pytest.mark.parametrize(
    "words", [["cases", "list"], ["keys", "list"], ["diagnose", LINE, "--keep", "--no-ask"], ["serve", "--port", "0"]]
)
def test_a_database_of_a_newer_whydrop_is_told(url: str, words: list[str]) -> None:
    made(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute("update alembic_version set version_num = 'zzz999'")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert result.stderr.startswith("whydrop: the database was made by a newer whydrop")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (f"sqlite:///{__file__}", "file is not a database"),
        ("sqlite:////no/such/folder/x.sqlite3", "the database cannot be reached: No such file or directory"),
        ("postgresql://us:secretword@127.0.0.1:1/db", "the database cannot be reached"),
    ],
)
def test_serve_says_why_it_cannot_start(monkeypatch: pytest.MonkeyPatch, address: str, says: str) -> None:
    monkeypatch.setenv("WHYDROP_DATABASE_URL", address)
    result = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_where_the_tables_are_up_to_date_nothing_is_written_to_read(url: str) -> None:
    case = made(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("begin immediate")  # whoever wants to write waits, and gives up
        assert case in run("list").stdout


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made(url)

    async def read_only(_: object) -> None:
        wrong = sqlite3.OperationalError("attempt to write a readonly database")
        wrong.sqlite_errorcode = sqlite3.SQLITE_READONLY
        raise wrong

    monkeypatch.setattr(Store, "migrate", read_only)
    assert "you must be able to write the file and its folder" in run("list").stderr


def test_show_prints_the_case_as_it_stands(url: str) -> None:
    case = made(url, [*SETTLED, OTHERWISE, Outcome(cause=None, note="it was the \x1b[31mweather")])
    text = " ".join(run("show", case).stdout.split())
    for part in (
        f"Case {case}",
        "closed, begun",
        "Did this connection work before it broke? → never, every attempt fails",
        "with knowledge 0.0.9 0123abcd:",
        "solved; it was none of the known causes.",
        "What happened",
        "Verdict",
    ):
        assert part in text
    assert "\x1b" not in text
    assert "What happened" not in run("show", case, "--no-picture").stdout


def test_export_writes_markdown_with_a_link_or_json(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = made(url)
    assert run("export", case).stdout.startswith("# Asymmetric routing (established")
    monkeypatch.setenv("WHYDROP_PUBLIC_URL", "https://why.example")
    assert f"<https://why.example/cases/{case}>" in run("export", case).stdout
    found = json.loads(run("export", case, "--format", "json").stdout)
    assert found["summary"]["id"] == case
    assert found["diagnosis"]["verdict"]["cause"] == "asymmetric-routing"


def test_delete_and_delete_workspace_are_for_good(url: str) -> None:
    one, other = made(url), made(url)
    theirs = made(url, workspace="others")
    assert run("delete", one, "--yes").stdout == "1 case deleted.\n"
    assert run("show", one).exit_code == 2
    assert run("delete", theirs, "--yes").exit_code == 2
    assert run("delete-workspace", "local", "--yes").stdout == "1 case deleted.\n"
    assert run("show", other).exit_code == 2
    assert run("show", theirs, "--workspace", "others").exit_code == 0


def test_expire_deletes_what_is_old_in_all_workspaces(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made(url, at=datetime.now(UTC) - timedelta(days=10))
    made(url, workspace="others", at=datetime.now(UTC) - timedelta(days=3))
    new = made(url)
    assert run("expire", "--days", "7").stdout == "1 case deleted.\n"
    monkeypatch.setenv("WHYDROP_RETENTION_DAYS", "2")
    assert run("expire").stdout == "1 case deleted.\n"
    assert run("expire").stdout == "0 cases deleted.\n"
    assert run("show", new).exit_code == 0


def test_replay_lists_what_changes_and_says_so_by_its_status(url: str) -> None:
    assert run("replay").exit_code == 0
    case = made(url, [*SETTLED, OTHERWISE, Outcome(cause="asymmetric-routing")])
    result = run("replay")
    assert result.exit_code == 1
    assert case in result.stdout
    assert "→ Asymmetric routing over 99 %" in result.stdout
    assert "How it ended: Asymmetric routing; now agrees." in result.stdout
    assert result.stdout.splitlines()[-2:] == [
        "1 concluded case, 1 with another verdict.",
        "Of 1 it was told how they ended; verdicts that agree with it: then 0, now 1.",
    ]
    assert run("replay", "--workspace", "others").exit_code == 0
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert run("replay", "--since", tomorrow).exit_code == 0
    assert "1 some do" in run("replay", "--help").stdout


def test_replay_gives_one_object_a_line(url: str) -> None:
    case = made(url, [*SETTLED, OTHERWISE])
    result = run("replay", "--json")
    assert result.exit_code == 1
    changed, counts = map(json.loads, result.stdout.splitlines())
    assert (changed["case"], changed["workspace"]) == (case, "local")
    assert changed["then"]["cause"] == "port-closed"
    assert (changed["now"]["cause"], changed["now"]["agrees"], changed["outcome"]) == ("asymmetric-routing", None, None)
    assert counts == {"cases": 1, "changed": 1, "told": 0, "agreed_then": 0, "agree_now": 0}


def test_deleting_a_workspace_says_what_goes_with_it() -> None:
    assert "its webhooks" in " ".join(run("delete-workspace", "--help").stdout.split())


def test_an_output_that_cannot_be_written_is_not_the_database(url: str) -> None:
    made(url, [*SETTLED, OTHERWISE])
    for words in (["diagnose", LINE, "--keep", "--no-ask"], ["cases", "replay"], ["cases", "replay", "--json"]):
        with Path("/dev/full").open("w", encoding="utf-8") as full:
            found = subprocess.run(
                [sys.executable, "-m", "bot", *words],
                cwd=ROOT,
                env=os.environ,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert found.returncode == 1
        assert found.stderr.splitlines()[-1].startswith("whydrop: the output could not be written")
        assert "the database" not in found.stderr


def test_a_deletion_that_was_not_meant_deletes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = made(url)
    monkeypatch.setattr("bot.archive._somebody_there", lambda: True)
    result = CliRunner().invoke(app, ["cases", "delete", case], input="n\n")
    assert result.exit_code == 0
    assert "Nothing was deleted." in result.stdout
    assert run("show", case).exit_code == 0


def test_what_needs_no_database_loads_none() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from bot.cli import app; "
        f"result = CliRunner().invoke(app, ['diagnose', {LINE!r}, '--no-ask']); assert result.exit_code == 0, result; "
        "print([name for name in ('sqlalchemy', 'alembic', 'asyncpg', 'aiosqlite') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
