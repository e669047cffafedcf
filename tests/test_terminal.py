"""A conversation in the terminal: asked, answered, explained, taken back, left."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from rich.console import Console

from bot.case_events import Answered, replayed
from bot.conversation import Conversation, Passing, beginning, meant
from bot.terminal import fitted, show, whole_page
from bot.wording import QuestionWords, page
from rules.answers import make_case
from rules.case import Asked, Case, Diagnosis
from rules.diagnose import Expert

ROOT = Path(__file__).parent.parent
FACTS = {"symptom": "out-of-state", "packet.flags": "SA"}
SETTLED = {**FACTS, "handshake.syn_seen": "no", "timing.worked": "never", "route.second_path": "yes"}


def _talk(expert: Expert, *typed: str, facts: dict[str, str] | None = None, paste: str = "") -> tuple[Diagnosis, str]:
    lines: Iterator[str] = iter(typed)

    def read_line() -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    out = Console(file=io.StringIO(), width=100, highlight=False)
    case = make_case(expert.shelf, paste, FACTS if facts is None else facts)
    told = beginning(case)
    result = Conversation(expert, out, read_line, Passing(expert, told), since=len(told)).run()
    assert isinstance(out.file, io.StringIO)
    return result, " ".join(out.file.getvalue().split())


def _first(expert: Expert) -> Asked:
    question = expert.diagnose(make_case(expert.shelf, "", FACTS)).question
    assert question is not None
    return question


def test_the_question_comes_with_why_how_and_its_choices(expert: Expert) -> None:
    asked = _first(expert)
    _result, said = _talk(expert)
    for part in ("Question 1", asked.text, f"Why: {asked.why}", "How: ", f"1 {asked.choices[0].label} 2 "):
        assert " ".join(part.split()) in said


def test_an_answer_leads_to_the_verdict_with_proof_and_steps(expert: Expert) -> None:
    result, said = _talk(expert, "unknown", facts=SETTLED)
    assert result.verdict is not None
    assert result.verdict.cause == "asymmetric-routing"
    for part in (
        "Verdict",
        "For “Asymmetric routing”",
        "you said",
        "What would refute it",
        "Next steps",
        "Undo: ",
        "Check: ",
        "Sources",
    ):
        assert part in said


def test_why_says_what_each_answer_would_change_and_asks_on(expert: Expert) -> None:
    _result, said = _talk(expert, "why", "unknown")
    assert f"“{_first(expert).choices[0].label}”: “" in said
    assert "would lead with" in said
    assert "Question 2" in said


def test_why_a_cause_names_the_facts_it_stands_on_and_what_they_follow_from(expert: Expert) -> None:
    facts = {"symptom": "reset", "scope.special": "probe"}
    _result, said = _talk(expert, "why health check", facts=facts)
    assert "“the other end is a health check, monitor or scanner” follows from [you said: " in said
    assert "What would refute it: " in said
    _result, said = _talk(expert, "why gremlins")
    assert "unknown cause" in said


def test_what_an_answer_did_to_the_ranking_is_said(expert: Expert) -> None:
    facts = {"symptom": "out-of-state", "session.closed_before": "idle-timeout", "timing.idle_s": "1"}
    _result, said = _talk(expert, "3600", facts=facts)
    assert "Idle timeout at the firewall" in said
    assert " % → " in said
    _result, said = _talk(expert, "unknown")
    assert "That changes little." in said


def test_why_not_names_what_speaks_against_a_cause(expert: Expert) -> None:
    _result, said = _talk(expert, "why not idle timeout?")
    assert "“Idle timeout at the firewall” stands at under 1 % (excluded)" in said
    assert "Against it: " in said


def test_why_not_of_a_cause_nobody_knows_lists_those_there_are(expert: Expert) -> None:
    _result, said = _talk(expert, "why not gremlins")
    assert "unknown cause" in said


def test_why_not_os_fingerprinting_tells_the_claim_and_what_is_better_known(expert: Expert) -> None:
    _result, said = _talk(expert, "why not os fingerprinting", facts={"symptom": "reset"})
    assert "It is never offered as a cause" in said


def test_unknown_goes_on_to_another_question(expert: Expert) -> None:
    _result, said = _talk(expert, "unknown")
    assert "Question 2" in said


def test_back_takes_the_last_answer_back(expert: Expert) -> None:
    result, said = _talk(expert, "back", "unknown", "back", "1", "back", "quit")
    assert "There is no answer to take back" in said
    plain, _said = _talk(expert, "quit")
    assert result == plain


def test_quit_leaves_something_useful(expert: Expert) -> None:
    result, said = _talk(expert, "quit")
    assert result.verdict is None
    assert "As it stands" in said
    assert "“Asymmetric routing” leads" in said


def test_what_is_not_understood_says_what_is_allowed_and_asks_on(expert: Expert) -> None:
    _result, said = _talk(expert, "", "banana", "help", "unknown")
    assert (
        f"'banana' is none of the answers: one of the {len(_first(expert).choices)} in the list, or unknown. Or: why"
        in said
    )
    assert "why not CAUSE" in said
    assert "Question 2" in said


def test_facts_are_listed_with_their_origin(expert: Expert) -> None:
    _result, said = _talk(expert, "facts")
    assert "TCP flags of the dropped packet: SA (SYN+ACK: the answer to an opening) (you said)" in said


def test_contradictory_answers_are_asked_again(expert: Expert) -> None:
    _result, said = _talk(expert, "2", facts={**FACTS, "timing.worked": "then-broke"})
    assert "This does not go together" in said


def test_pasted_control_characters_never_reach_the_terminal(expert: Expert) -> None:
    _result, said = _talk(
        expert, paste="Not a Valid SYN packet [SA] \x1b]0;owned\x07 \x1b[2J \x9b31m [bold]x[/bold]", facts={}
    )
    assert "\x1b" not in said
    assert "\x9b" not in said


def test_a_duration_is_asked_without_numbers_that_could_be_taken_for_one(expert: Expert) -> None:
    contradictory = {"symptom": "out-of-state", "session.closed_before": "idle-timeout", "timing.idle_s": "1"}
    _result, said = _talk(expert, "5", facts=contradictory)
    assert "A duration, such as 3605, 90s, 1h, or: none, it was busy; some seconds; about a minute" in said
    assert "→ 5 s" in said


def test_an_answer_is_repeated_as_it_was_understood(expert: Expert) -> None:
    _result, said = _talk(expert, "1", "unknown")
    assert f"→ {_first(expert).choices[0].label}" in said
    assert "→ I don't know" in said


def test_a_slip_is_no_answer(expert: Expert) -> None:
    _result, said = _talk(expert, "h", "no", facts={"symptom": "out-of-state", "packet.flags": "PA"})
    assert "'h' is none of the answers" in said
    assert "'no' is none of the answers" in said


def test_a_question_mark_is_help_and_not_an_answer(expert: Expert) -> None:
    _result, said = _talk(expert, "?")
    assert "Answer with a number" in said
    assert "Question 2" not in said


def test_why_not_without_a_cause_asks_which(expert: Expert) -> None:
    _result, said = _talk(expert, "why not", "why not close")
    assert "Why not which cause?" in said
    assert "'close' may be" in said


def test_a_line_of_neither_kind_says_so(expert: Expert) -> None:
    denied = '%ASA-4-106023: Deny tcp src a:192.0.2.9/2406 dst b:198.51.100.1/22 by access-group "x" [0x0, 0x0]'
    result, said = _talk(expert, "unknown", facts={}, paste=denied)
    assert "a rule refused the packet" in said
    assert (result.question, result.verdict) == (None, None)


def test_other_connections_in_the_paste_are_told(expert: Expert) -> None:
    other = (
        "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
    )
    paste = f"Not a Valid SYN Packet [PA] 192.0.2.40:51822 -> 198.51.100.20:1521\n{other}\n" + f"{other}\n" * 20
    _result, said = _talk(expert, facts={}, paste=paste)
    assert "This is about line 1. Other connections stand in line 2, 3, 4, 5, 6 and 16 more" in said
    assert "and 12 more lines" in said


@pytest.mark.parametrize("width", [1, 20, 40, 80, 300])
def test_no_width_loses_the_causes(expert: Expert, width: int) -> None:
    out = Console(file=io.StringIO(), width=width)
    words = page(expert.diagnose(make_case(expert.shelf, "", FACTS)), expert.shelf)
    out.width = fitted(width)
    out.print(whole_page(words, out.width))
    assert isinstance(out.file, io.StringIO)
    shown = " ".join(out.file.getvalue().split())
    assert "Asymmetric" in shown
    assert "likely" in shown


@pytest.mark.parametrize("width", [30, 80])
def test_no_line_of_a_command_is_broken_or_cut(expert: Expert, width: int) -> None:
    out = Console(file=io.StringIO(), width=width)
    line = (
        "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
    )
    words = page(expert.diagnose(make_case(expert.shelf, line, SETTLED)), expert.shelf)
    show(out, whole_page(words, width))
    assert isinstance(out.file, io.StringIO)
    shown = [one.strip() for one in out.file.getvalue().splitlines()]
    commands = [one.strip() for step in words.steps for one in (step.command or "").strip().splitlines()]
    assert max(map(len, commands)) > 80
    assert set(commands) <= set(shown)


def _heed_ctrl_c() -> None:
    """Listen to it again: what a shell starts in the background is started deaf."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("leave", ["\x04", "\x03"])
def test_a_real_terminal_conversation(leave: str) -> None:
    line = (
        "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
    )
    words = ["-m", "bot", "diagnose", line]
    child = pexpect.spawn(sys.executable, words, cwd=str(ROOT), timeout=60, encoding="utf-8", preexec_fn=_heed_ctrl_c)
    child.expect("Question 1")
    child.expect("> ")
    child.sendline("why")
    child.expect("would lead with")
    for _ in range(5):  # Ctrl-C just before Python waits for input is seen only with the next key
        child.send(leave)
        if child.expect(["As it stands", pexpect.TIMEOUT], timeout=5) == 0:
            break
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_number_stands_for_the_choice_on_the_screen(expert: Expert) -> None:
    case = Case(paste="tcp-rst-from-server", answers={"scope.service": "none", "timing.worked": "sporadic"})
    thought = expert.think(case, expert.read(case.paste))
    feature = expert.shelf.features["scope.capture"]
    offered = thought.family.asking.offered(feature)
    assert len(offered) < len(feature.choices)
    words = QuestionWords("scope.capture", "", "", "", None, "", [(one, str(one)) for one in offered])
    assert meant(words, feature, str(len(offered))) == "none"


def _drawn(expert: Expert, width: int, *typed: str, pictured: bool = True, paste: str = "") -> str:
    lines = iter([*typed, "quit"])
    out = Console(file=io.StringIO(), width=width)
    told = beginning(make_case(expert.shelf, paste, {} if paste else FACTS))
    Conversation(expert, out, lambda: next(lines), Passing(expert, told), len(told), pictured=pictured).run()
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_picture_is_shown_at_the_end_when_asked_for_and_on_request(expert: Expert) -> None:
    assert _drawn(expert, 80).count("What happened") == 1
    assert _drawn(expert, 80, pictured=False).count("What happened") == 0
    assert _drawn(expert, 80, "picture", pictured=False).count("SYN+ACK: dropped here") == 1


def test_no_line_of_a_picture_is_broken(expert: Expert) -> None:
    assert max(map(len, map(str.rstrip, _drawn(expert, 62, "picture").splitlines()))) <= 62
    assert "needs a terminal of 62 columns" in " ".join(_drawn(expert, 61, "picture").split())
    assert "dropped here" not in _drawn(expert, 61)


def test_what_cannot_be_drawn_is_said(expert: Expert) -> None:
    assert "There is nothing to draw yet." in _drawn(expert, 80, "picture", paste="good morning")


def test_back_lets_the_answer_stand_again_that_was_replaced(expert: Expert) -> None:
    told = beginning(make_case(expert.shelf, "", FACTS))
    ledger = Passing(expert, [*told, Answered(feature="timing.worked", value="never")])
    ledger.tell([Answered(feature="timing.worked", value="sporadic", again=True)])
    lines = iter(["back", "quit"])
    Conversation(expert, Console(file=io.StringIO()), lambda: next(lines), ledger).run()
    case = replayed(ledger.events)
    assert (case.answers["timing.worked"], case.confirmed) == ("never", frozenset())
