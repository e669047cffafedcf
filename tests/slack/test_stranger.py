"""What somebody who had never seen the app stumbled over: each conversation as it should go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rules.answers import NoAnswer, parse_answer
from rules.diagnose import Expert
from tests.shipped import shipped_shelf
from tests.slack.test_one_loop import LINE, Whole, answers, open_town

ABOUT = "Did this connection work"


@pytest.fixture
async def whole(tmp_path: Path, expert: Expert) -> AsyncIterator[Whole]:
    async with open_town(tmp_path, expert) as there:
        yield there


async def test_who_tells_how_it_ended_sees_that_and_no_further_question(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.mentions(ops, LINE)
    asked = alice.sees(ops)[-1]
    first = await alice.reads(ABOUT, ops, asked)
    await alice.presses("Stop here", first)
    await alice.reads("What speaks for it", ops, asked)
    await alice.presses("Tell how it ended…", first)
    await alice.submits(await alice.gets_modal("How did it end?"), {"Note": "a cable"})
    kept = await alice.reads("How it ended", ops, asked)
    assert "a cable" in kept.words()
    assert ABOUT not in kept.words()
    await alice.mentions(ops, "status", asked)
    await whole.town.until(lambda: len(answers(alice, ops, asked)) == 2)
    again = answers(alice, ops, asked)[-1]
    assert "How it ended" in again.words()
    await alice.presses("Go on asking", again)
    assert (await alice.reads(ABOUT, ops, asked)).ts == again.ts


async def test_several_lines_that_say_nothing_are_refused_in_whole_sentences(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.mentions(ops, LINE)
    asked = alice.sees(ops)[-1]
    await alice.reads(ABOUT, ops, asked)
    await alice.mentions(ops, "one word\nand another", asked)
    refused = await alice.reads("I did not understand that as an answer.", ops, asked)
    assert "answer. ." not in refused.words()
    assert "\n one word" not in refused.words()


async def test_a_bare_number_where_no_case_is_begins_none(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.mentions(ops, "2")
    await alice.reads("How to ask", ops, alice.sees(ops)[-1])


async def test_the_link_of_a_page_leads_to_its_case(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.mentions(ops, LINE)
    asked = alice.sees(ops)[-1]
    case = (await alice.reads(ABOUT, ops, asked)).shows().rpartition("Case ")[2].split()[0]
    for words in (f"https://whydrop.example/cases/{case}", f"case `{case}`"):
        await alice.types(f"/whydrop {words}", ops)
        await whole.town.until(lambda: any(one.private and f"Case {case}" in one.shows() for one in alice.sees(ops)))
        for one in [one for one in alice.sees(ops) if one.private]:
            one.message.deleted = True


async def test_an_answer_below_the_thread_of_a_direct_message_is_taken(whole: Whole) -> None:
    alice = whole.alice
    await alice.dms(LINE)
    asked = alice.sees(alice.dm)[0]
    first = await alice.reads(ABOUT, alice.dm, asked)
    await alice.dms("2")
    typed = alice.sees(alice.dm)[-1]
    second = await alice.reads("it worked, then broke", alice.dm, typed)
    assert "Your answers" in second.words()
    await whole.town.until(lambda: first.words() == "This case went on further down.")
    await alice.dms("idk", thread=typed)
    await whole.town.until(lambda: second.words() == "This case went on further down.")
    await alice.dms("hello")
    greeted = alice.sees(alice.dm)[-1]
    await alice.reads("How to ask", alice.dm, greeted)
    await alice.dms(LINE.replace("192.0.2.10", "192.0.2.77"))
    other = alice.sees(alice.dm)[-1]
    assert "Your answers" not in (await alice.reads("192.0.2.77", alice.dm, other)).words()


@pytest.mark.parametrize(
    ("typed", "seconds"), [("1,5 h", 5400), ("3,600 s", 3600), ("1h30", 5400), ("1 hr", 3600), ("1 h, 30 min", 5400)]
)
def test_a_duration_is_read_as_a_whole_or_not_at_all(typed: str, seconds: float) -> None:
    assert parse_answer(shipped_shelf().features["timing.idle_s"], typed) == seconds


@pytest.mark.parametrize(("typed", "meant"), [("yep", True), ("Yes!", True), ("nope.", False), ("nah", False)])
def test_yes_and_no_are_heard_as_people_type_them(typed: str, meant: bool) -> None:
    assert parse_answer(shipped_shelf().features["server.busy"], typed) is meant


def test_a_yes_is_no_duration() -> None:
    with pytest.raises(NoAnswer):
        parse_answer(shipped_shelf().features["timing.idle_s"], "yep")
