"""What the step of a workflow gives."""

from __future__ import annotations

import pytest

from bot.phrases import percent
from bot.slack.outputs import outputs, unread
from rules.diagnose import Expert
from tests.slack.moments import LINE, LINK, TWO_ENDS, consulted, pasted, settled


def test_a_cause_is_given_in_words_and_by_its_name(expert: Expert) -> None:
    case = settled(expert)
    given = outputs(case, expert.shelf, LINK)
    first = case.diagnosis.hypotheses[0]
    assert (given["cause"], given["cause_code"]) == (first.title, "asymmetric-routing")
    assert given["confidence"] == f"{given['standing']}, {percent(first.probability)}"
    assert given["link"] == LINK
    assert given["case"] == case.kept.summary.id
    lines = given["summary"].splitlines()
    assert lines[0].startswith("Line 1, Cisco ASA")
    assert any(line.startswith(first.title) for line in lines)
    assert any(line.startswith("1. ") for line in lines)


@pytest.mark.parametrize("paste", [TWO_ENDS, LINE.replace("SYN ACK", "ACK")])
def test_a_mere_possibility_is_not_given_as_the_cause(expert: Expert, paste: str) -> None:
    given = outputs(consulted(expert, pasted(paste)), expert.shelf, None)
    assert {given[name] for name in ("cause", "cause_code", "standing", "confidence")} == {"unknown"}
    assert "The case goes on with a question: " in given["summary"]
    assert "link" not in given


@pytest.mark.parametrize("paste", ["", "hello", "\x00\n\n", "x" * 5000, "a\n" * 500])
def test_lines_that_cannot_be_read_are_told_as_such(expert: Expert, paste: str) -> None:
    given = outputs(consulted(expert, pasted(paste)), expert.shelf, None)
    assert given["cause"] == "unknown"
    assert given["summary"].startswith("No line of this was understood.")
    assert len(given["summary"]) <= 2000


def test_lines_that_were_not_even_looked_at_end_the_step_well() -> None:
    assert unread("The paste is too large") == {
        **dict.fromkeys(("cause", "cause_code", "standing", "confidence"), "unknown"),
        "summary": "The paste is too large",
    }
