"""Cases that are kept while they are talked through: real terminals on a real database."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from typer.testing import CliRunner, Result

from bot.case_events import Answered, CaseEvent, Concluded, Pasted, Withdrawn
from bot.cases import Store
from bot.cli import app
from rules.diagnose import Expert

pytest_plugins = ["tests.postgres"]

ROOT = Path(__file__).parents[1]
LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
PROMPT = r"\n> "


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expert: Expert) -> str:
    monkeypatch.setattr("bot.cli.our_expert", lambda: expert)  # the terminals load their own
    address = f"sqlite:///{tmp_path / 'cases.sqlite3'}"
    monkeypatch.setenv("WHYDROP_DATABASE_URL", address)
    return address


def _heed_ctrl_c() -> None:
    """Listen to it again: what a shell starts in the background is started deaf."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


Terminal = pexpect.spawn


class Terminals:
    """Starts terminals and ends those that are left."""

    def __init__(self) -> None:
        self.open: list[Terminal[str]] = []

    def __call__(self, *words: str) -> Terminal[str]:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "bot", "diagnose", *words],
            cwd=str(ROOT),
            timeout=60,
            encoding="utf-8",
            preexec_fn=_heed_ctrl_c,
            dimensions=(60, 100),
        )
        self.open.append(child)
        return child


@pytest.fixture
def terminal() -> Iterator[Terminals]:
    terminals = Terminals()
    yield terminals
    for child in terminals.open:
        child.close(force=True)


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, ["diagnose", *words])
    assert "Traceback" not in result.output
    return result


def kept_id(text: str) -> str:
    found = re.search(r"--case ([a-z2-7]{26})", text)
    assert found
    return found[1]


def events(url: str, case: str, workspace: str = "local") -> list[CaseEvent]:
    async def read() -> list[CaseEvent]:
        async with Store.open(url) as store:
            return [one.event for one in (await store.read(workspace, case)).events]

    return asyncio.run(read())


def told(url: str, case: str) -> list[CaseEvent]:
    return [one for one in events(url, case) if isinstance(one, Answered | Withdrawn)]


def ended(child: Terminal[str]) -> str:
    """Read until the end; give what was printed since the last look."""
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before)


# Without being asked


def test_a_case_is_kept_and_its_id_is_told_beside_the_diagnosis(url: str) -> None:
    result = run(LINE, "--keep", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(run(LINE, "--json").stdout)
    case = kept_id(result.stderr)
    assert events(url, case)[0] == Pasted(paste=LINE)


def test_a_kept_case_is_told_answers_and_goes_on(url: str) -> None:
    case = kept_id(run(LINE, "--keep", "--no-ask").stderr)
    result = run("--case", case, "--answer", "handshake.syn_seen=no", "--answer", "timing.worked=never", "--json")
    assert json.loads(result.stdout)["verdict"]["cause"] == "asymmetric-routing"
    assert isinstance(events(url, case)[-1], Concluded)
    shown = run("--case", case, "--no-ask")
    assert shown.exit_code == 0
    for part in (f"Case {case}", "concluded", "So far", "→ never, every attempt fails", "Verdict"):
        assert part in shown.stdout


def test_a_kept_case_takes_another_paste_and_a_product(url: str) -> None:
    case = kept_id(run("tcp-rst-from-server", "--keep", "--no-ask").stderr)
    assert json.loads(run("--case", case, LINE, "--json").stdout)["symptom"] == "out-of-state"
    run("--case", case, "--product", "fortigate", "--no-ask")
    assert [one for one in events(url, case) if isinstance(one, Pasted)] == [
        Pasted(paste="tcp-rst-from-server"),
        Pasted(paste=LINE),
        Pasted(paste=LINE, product="fortigate"),
    ]


def test_a_case_belongs_to_its_workspace(url: str) -> None:
    case = kept_id(run(LINE, "--keep", "--no-ask", "--workspace", "us").stderr)
    assert events(url, case, "us")
    assert run("--case", case, "--no-ask").exit_code == 2
    assert run("--case", case, "--no-ask", "--workspace", "us").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--case", "a" * 26], "there is no such case in this workspace"),
        (["--case", "../etc"], "there is no such case in this workspace"),
        ([LINE, "--workspace", "us"], "--workspace needs --keep or --case"),
        ([LINE, "--keep", "--answer", "packet.flag=SA"], "did you mean 'packet.flags'"),
        (["x\n" * 20_001, "--keep"], "Filter it by the addresses"),
        ([LINE, "--keep", "--workspace", "a b"], "no blank"),
        ([LINE, "--keep", "--workspace", ""], "no blank"),
        (["", "--keep"], "nothing was pasted"),
        ([" \n", "--keep", "--product", "cisco-asa"], "nothing was pasted"),
    ],
)
def test_a_wrong_call_is_status_2_and_keeps_nothing(words: list[str], says: str) -> None:
    result = run(*words, "--no-ask")
    assert result.exit_code == 2
    assert says in result.stderr
    listed = CliRunner().invoke(app, ["cases", "list", "--json"])
    assert listed.stdout == ""


def test_a_case_may_begin_with_answers_alone(url: str) -> None:
    case = kept_id(run("", "--keep", "--no-ask", "--answer", "packet.flags=SA").stderr)
    assert len(told(url, case)) == 1


def test_the_way_back_can_be_pasted_into_a_shell() -> None:
    result = run(LINE, "--keep", "--no-ask", "--workspace", "a;b")
    assert result.stderr.endswith(" --workspace 'a;b'\n")


def test_what_cannot_be_read_is_status_3_in_a_kept_case_too() -> None:
    assert run("good morning", "--keep", "--json").exit_code == 3


def test_without_keep_nothing_touches_a_database(tmp_path: Path) -> None:
    assert run(LINE, "--no-ask").exit_code == 0
    assert not list(tmp_path.iterdir())


def test_postgresql_keeps_cases_as_well(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYDROP_DATABASE_URL", postgres_url)
    case = kept_id(run(LINE, "--keep", "--no-ask").stderr)
    result = run("--case", case, "--answer", "handshake.syn_seen=no", "--answer", "timing.worked=never", "--json")
    assert json.loads(result.stdout)["verdict"]["cause"] == "asymmetric-routing"
    assert len(told(postgres_url, case)) == 2


# In a terminal


def test_what_is_told_is_kept_before_the_next_question_is_shown(url: str, terminal: Terminals) -> None:
    child = terminal(LINE, "--keep")
    child.expect(r"Case ([a-z2-7]{26})")
    case = child.match.group(1) if isinstance(child.match, re.Match) else ""
    child.expect(PROMPT)
    for number, typed in enumerate(["unknown", "1", "unknown"], start=1):
        child.sendline(typed)
        child.expect(f"Question {number + 1}")
        assert len(told(url, case)) == number
        child.expect(PROMPT)
    child.kill(signal.SIGKILL)
    child.wait()
    assert len(told(url, case)) == 3
    again = terminal("--case", case)
    again.expect("So far")
    again.expect("→ I don't know")
    again.expect("Question 4")
    again.expect(PROMPT)
    again.sendline("quit")
    assert "As it stands" in ended(again)


@pytest.mark.parametrize("leave", ["quit\n", "\x04", "\x03"])
def test_however_one_leaves_the_way_back_is_told(terminal: Terminals, leave: str) -> None:
    child = terminal(LINE, "--keep")
    child.expect(PROMPT)
    for _ in range(5):  # Ctrl-C just before Python waits for input is seen only with the next key
        child.send(leave)
        if child.expect(["As it stands", pexpect.TIMEOUT], timeout=5) == 0:
            break
    case = kept_id(ended(child))
    assert child.exitstatus == 0
    assert run("--case", case, "--no-ask").exit_code == 0


def test_back_takes_an_answer_back_in_the_case_that_is_kept(url: str, terminal: Terminals) -> None:
    child = terminal(LINE, "--keep")
    child.expect(PROMPT)
    child.sendline("unknown")
    child.expect("Question 2")
    child.expect(PROMPT)
    child.sendline("back")
    child.expect("← I don't know")
    child.expect("Question 1")
    child.expect(PROMPT)
    child.sendline("back")
    child.expect("There is no answer to take back")
    child.sendline("quit")
    case = kept_id(ended(child))
    first, second = told(url, case)
    assert isinstance(first, Answered)
    assert second == Withdrawn(feature=first.feature)


def test_an_answer_of_an_earlier_time_is_taken_back_when_a_case_is_resumed(url: str, terminal: Terminals) -> None:
    case = kept_id(run(LINE, "--keep", "--no-ask", "--answer", "timing.worked=never").stderr)
    child = terminal("--case", case)
    child.expect("Question 2")
    child.expect(PROMPT)
    child.sendline("back")
    child.expect("← never, every attempt fails")
    child.expect("Question 1")
    child.expect(PROMPT)
    child.sendline("quit")
    ended(child)
    assert told(url, case)[-1] == Withdrawn(feature="timing.worked")


def test_two_terminals_on_one_case_hear_of_each_other(url: str, terminal: Terminals) -> None:
    one = terminal(LINE, "--keep")
    one.expect(PROMPT)
    listed = CliRunner().invoke(app, ["cases", "list", "--json"])
    case = json.loads(listed.stdout)["id"]
    other = terminal("--case", case)
    other.expect(PROMPT)
    other.sendline("there are two lines")
    other.expect("Question 2")
    other.expect(PROMPT)
    one.sendline("16")
    one.expect("Meanwhile this case went on elsewhere:")
    one.expect("Is any of these the case.*→ there are two")
    one.expect("What you say now stands")
    one.expect("→ none of these")
    one.expect("Question 2")
    one.expect(PROMPT)
    other.sendline("unknown")
    other.expect("Meanwhile this case went on elsewhere:")
    other.expect("→ none of these")
    one.sendline("quit")
    other.sendline("quit")
    ended(one)
    ended(other)
    assert [getattr(one, "value", None) for one in told(url, case)] == ["two-ways", "none", None]


def test_a_case_that_is_deleted_meanwhile_is_told_on_one_line(terminal: Terminals) -> None:
    child = terminal(LINE, "--keep")
    child.expect(PROMPT)
    case = json.loads(CliRunner().invoke(app, ["cases", "list", "--json"]).stdout)["id"]
    assert CliRunner().invoke(app, ["cases", "delete", case, "--yes"]).exit_code == 0
    child.sendline("unknown")
    child.expect("whydrop: there is no such case in this workspace")
    rest = ended(child)
    assert "Traceback" not in rest
    assert "The case is kept" not in rest
    assert "The case was deleted meanwhile; nothing of it is kept." in rest
    assert child.exitstatus == 2


def test_whoever_leaves_a_case_that_was_deleted_is_told_so(terminal: Terminals) -> None:
    child = terminal(LINE, "--keep")
    child.expect(PROMPT)
    case = json.loads(CliRunner().invoke(app, ["cases", "list", "--json"]).stdout)["id"]
    assert CliRunner().invoke(app, ["cases", "delete", case, "--yes"]).exit_code == 0
    child.sendline("quit")
    rest = ended(child)
    assert "The case is kept" not in rest
    assert "The case was deleted meanwhile; nothing of it is kept." in rest


def test_the_words_of_a_conversation_work_in_a_kept_case(terminal: Terminals) -> None:
    case = kept_id(run(LINE, "--keep", "--no-ask").stderr)
    child = terminal("--case", case)
    child.expect(PROMPT)
    for typed, says in (
        ("why", "would lead with"),
        ("why asymmetric routing", "What would refute it"),
        ("why not idle timeout", "Not met|Against it|Not known"),
        ("facts", "TCP flags of the dropped packet"),
        ("picture", "SYN.ACK: dropped here"),
    ):
        child.sendline(typed)
        child.expect(says)
        child.expect(PROMPT)
    child.sendline("quit")
    ended(child)


def test_a_concluded_case_is_shown_with_its_verdict_when_it_is_resumed(terminal: Terminals) -> None:
    answers = ["--answer", "handshake.syn_seen=no", "--answer", "timing.worked=never"]
    case = kept_id(run(LINE, "--keep", "--no-ask", *answers).stderr)
    text = ended(terminal("--case", case))
    for part in ("So far", "What happened", "Verdict", "Next steps", f"--case {case}"):
        assert part in text


def test_every_paste_of_a_kept_case_is_readable_by_its_owner_alone(url: str) -> None:
    run(LINE, "--keep", "--no-ask")
    assert Path(url.removeprefix("sqlite:///")).stat().st_mode & 0o077 == 0
