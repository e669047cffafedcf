"""What Slack shows fits Slack's limits whatever was pasted, and says the same in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.case_events import Answered, CaseEvent, Outcome
from bot.casebook import Consulted
from bot.slack.buttons import ButtonValue, read_button
from bot.slack.modals import answer_modal, outcome_modal
from bot.slack.parts import TEXT, Message
from bot.slack.views import (
    Showing,
    addresses_message,
    asks,
    case_message,
    change_message,
    edit_message,
    why_message,
)
from bot.wording import page
from rules.ask import answers_of
from rules.case import Diagnosis
from rules.diagnose import Expert
from rules.explain import what_if
from tests.slack.limits import blocks_problems, message_problems, refused, view_problems
from tests.slack.moments import IDLE, LINE, NEVER, NOT_SEEN, TWO_ENDS, consulted, pasted, settled

ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["<!channel>", "<@U1>", "```", "`", "*b* _i_ ~s~", "&amp;<>", "\u202e\u200b", "@here", "x" * 4000, "a b\n" * 900]
)
LONG = st.lists(ODD, min_size=1, max_size=4).map("".join)
PASTES = st.lists(st.sampled_from([LINE, IDLE, TWO_ENDS]) | ODD, min_size=1, max_size=12).map("\n".join)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def buttons_of(message: Message) -> list[dict[str, Any]]:
    return [
        one
        for block in message.blocks
        for one in [*block.get("elements", []), block.get("accessory")]
        if one and "action_id" in one
    ]


def labels_of(message: Message) -> list[str]:
    return [one["text"]["text"] for one in buttons_of(message) if one["type"] == "button"]


def values_of(message: Message) -> Iterator[ButtonValue]:
    for one in buttons_of(message):
        for value in [one["value"]] if "value" in one else [option["value"] for option in one["options"]]:
            yield read_button(value)


def showings() -> st.SearchStrategy[Showing]:
    moved = st.just("") | LONG
    links = st.sampled_from([None, "https://whydrop.example/cases/x", "javascript:alert(1)"])
    return st.builds(
        Showing,
        link=links,
        alone=st.booleans(),
        aliases=st.booleans(),
        moved=moved,
        stopped=st.sampled_from([None, False, True]),
        whole=st.booleans(),
    )


def told(expert: Expert, paste: str, picks: list[int]) -> Consulted:
    """Answer whatever is asked by numbers: the one after the last choice is "I don't know"."""
    events: list[CaseEvent] = [pasted(paste)]
    for pick in picks:
        found = consulted(expert, *events)
        asked = found.diagnosis.question
        if asked is None:
            break
        values = [*(one.value for one in asked.choices), None]
        events.append(Answered(feature=asked.feature, value=values[pick % len(values)]))
    return consulted(expert, *events)


def sound(message: Message, *allowed: str) -> None:
    problems = message_problems(message.body(), allowed)
    assert problems == [], problems
    assert message_problems({"text": message.whole}, allowed)[1:] == []
    assert refused(message_problems({"text": message.whole}, allowed)) == []
    ids = [one["action_id"] for one in buttons_of(message)]
    assert len(ids) == len(set(ids))
    assert list(values_of(message)) or not ids


@QUICK
@given(paste=PASTES, picks=st.lists(st.integers(0, 20), max_size=8), showing=showings())
def test_every_message_about_a_case_fits(expert: Expert, paste: str, picks: list[int], showing: Showing) -> None:
    found = told(expert, paste, picks)
    for message in (
        case_message(found, expert.shelf, showing),
        case_message(found, expert.shelf, replace(showing, shared_by="U0ASKER")),
        change_message(found, expert.shelf),
        addresses_message(found),
    ):
        sound(message, "<@U0ASKER>")
    assert refused(view_problems(outcome_modal(found, expert.shelf), "modal")) == []


@QUICK
@given(texts=st.lists(LONG, min_size=1, max_size=5), showing=showings(), ended=st.booleans())
def test_a_diagnosis_of_any_length_fits(expert: Expert, texts: list[str], showing: Showing, ended: bool) -> None:
    plain = settled(expert) if ended else consulted(expert, pasted(LINE), NOT_SEEN)
    odd = Consulted(plain.kept, strange(plain.diagnosis, texts))
    sound(case_message(odd, expert.shelf, showing))
    if odd.diagnosis.question:
        sound(why_message(odd, expert.shelf, [], alone=showing.alone))


WORDS = """title summary explanation because label text why how command reading do caution undo check raw reason
refuted_by address trust origin ip device"""
SENTENCES = frozenset(WORDS.split())


def strange(diagnosis: Diagnosis, texts: list[str]) -> Diagnosis:
    """Put odd texts wherever a diagnosis has words."""
    taken = iter(range(10**9))

    def odd(name: str, value: Any) -> Any:
        match value:
            case str() if name in SENTENCES:
                return texts[next(taken) % len(texts)]
            case dict():
                return {one: odd(one, inner) for one, inner in value.items()}
            case list():
                return [odd(name, inner) for inner in value]
        return value

    return Diagnosis.model_validate(odd("", diagnosis.model_dump(by_alias=True)))


def test_every_question_can_be_asked_changed_and_typed(expert: Expert) -> None:
    found = settled(expert)
    for feature in expert.shelf.features.values():
        if not feature.question:
            continue
        asked = expert.asked(found.case, feature.id)
        for alone in (True, False):
            message = edit_message(found, expert.shelf, asked, alone=alone)
            sound(message)
            answers = [one.value for one in values_of(message) if one.does == "answer"]
            assert answers == [*(one.value for one in asked.choices), None]
            assert {one.value for one in asked.choices} <= set(answers_of(feature))
        assert refused(view_problems(answer_modal(asked, found, expert.shelf), "modal")) == []


def test_each_answer_has_a_number_in_words_that_typing_takes(expert: Expert) -> None:
    message = case_message(consulted(expert, pasted(LINE)), expert.shelf, Showing())
    asked = consulted(expert, pasted(LINE)).diagnosis.question
    assert asked is not None
    for number, choice in enumerate(asked.choices, start=1):
        assert f"\n{number}. {choice.label}" in message.text


def test_words_of_durations_bear_no_numbers_of_their_own(expert: Expert) -> None:
    asked = expert.asked(settled(expert).case, "timing.idle_s")
    text = edit_message(settled(expert), expert.shelf, asked, alone=False).text
    assert "about an hour" in text
    assert "1. " not in text


def test_a_duration_that_nobody_can_type_in_the_thread_is_typed_in_a_modal(expert: Expert) -> None:
    asked = expert.asked(settled(expert).case, "timing.idle_s")
    assert "Another duration…" in labels_of(edit_message(settled(expert), expert.shelf, asked, alone=True))


def test_the_first_reply_says_what_was_understood_and_what_leads(expert: Expert) -> None:
    found = consulted(expert, pasted(LINE))
    words = page(found.diagnosis, expert.shelf)
    text = case_message(found, expert.shelf, Showing()).text
    for said in (*words.understood, words.headline, words.ranking[0].title):
        assert said in text


def test_a_verdict_says_all_of_it_in_words_even_while_it_shows_less(expert: Expert) -> None:
    found = settled(expert)
    words = page(found.diagnosis, expert.shelf)
    short = case_message(found, expert.shelf, Showing())
    whole = " ".join(short.whole.split())
    for said in (words.headline, words.explanation, words.refuted_by, *words.reasons_for, *words.disputed):
        assert " ".join(said.split()) in whole
    for step in words.steps:
        assert step.title in whole
    shown = json.dumps(case_message(found, expert.shelf, Showing(whole=True)).blocks, ensure_ascii=False)
    for step in words.steps:
        assert all(note in shown for note in step.notes if note.startswith("Undo: "))
    assert len(short.text) <= TEXT
    assert len(short.blocks) < len(json.loads(shown))


def test_a_verdict_offers_what_comes_after_it(expert: Expert) -> None:
    shared = labels_of(case_message(settled(expert), expert.shelf, Showing("https://x.example/c", aliases=True)))
    assert shared == [
        "This solved it",
        "It was something else…",
        "All of it",
        "Export",
        "Change an answer",
        "Show addresses (only to me)",
        "Open the page",
    ]
    alone = labels_of(case_message(settled(expert), expert.shelf, Showing(alone=True)))
    assert "Share with the channel" in alone
    assert "Open the page" not in alone


def test_an_address_that_is_none_leads_nowhere(expert: Expert) -> None:
    body = json.dumps(case_message(settled(expert), expert.shelf, Showing("javascript:alert(1)")).body())
    assert "javascript" not in body


def test_a_case_whose_end_was_told_asks_no_more_unless_somebody_wants_it(expert: Expert) -> None:
    open_one = consulted(expert, pasted(LINE))
    told = consulted(expert, pasted(LINE), Outcome(solved=True, cause=None, note="a switch"))
    assert asks(open_one, Showing(None))
    assert not asks(told, Showing(None))
    assert "a switch" in case_message(told, expert.shelf, Showing(None)).text
    assert asks(told, Showing(None, stopped=False))


def test_what_an_answer_moved_is_told_with_it(expert: Expert) -> None:
    found = consulted(expert, pasted(IDLE), Answered(feature="scope.special", value="none"))
    text = case_message(found, expert.shelf, Showing(moved="Idle timeout 20 % → 41 %")).text
    assert "→ none of these\n↳ Idle timeout 20 % → 41 %" in text
    for other in (consulted(expert, pasted(IDLE)), settled(expert)):
        assert (
            "↳ the file was not read" in case_message(other, expert.shelf, Showing(moved="the file was not read")).text
        )


def test_why_names_only_the_answers_that_would_change_the_lead_where_there_are_many(expert: Expert) -> None:
    found = consulted(expert, pasted(LINE))
    asked = found.diagnosis.question
    assert asked is not None
    assert len(asked.choices) > 5
    message = why_message(found, expert.shelf, what_if(expert, found.case, asked.feature), alone=False)
    sound(message)
    assert "Every other answer leaves “Asymmetric routing” in the lead" in message.text
    assert asked.why in message.text


def test_long_pastes_are_shown_by_three_lines(expert: Expert) -> None:
    found = consulted(expert, pasted("\n".join([LINE] * 40 + ["what is this?"] * 9)))
    text = case_message(found, expert.shelf, Showing()).text
    assert text.count("Line ") <= 8
    assert "more lines" in text


@pytest.mark.parametrize("hostile", ["<!channel> @here", "*bold* `code`", "\u202ereversed"])
def test_nothing_pasted_acts(expert: Expert, hostile: str) -> None:
    found = consulted(expert, pasted(f"{LINE}\n{hostile}"), NEVER)
    blocks = case_message(found, expert.shelf, Showing()).blocks
    assert blocks_problems(blocks, "message") == []
    assert hostile not in json.dumps(blocks, ensure_ascii=False)


def test_no_id_but_a_person_is_mentioned(expert: Expert) -> None:
    found = settled(expert)
    for hostile in ("!channel", "U1> <!channel", "u1", "<@U1>"):
        sound(case_message(found, expert.shelf, Showing(shared_by=hostile)))
    sound(case_message(found, expert.shelf, Showing(shared_by="U0ASKER")), "<@U0ASKER>")


def test_less_leads_back_to_where_it_was_asked_for(expert: Expert) -> None:
    open_, ended = consulted(expert, pasted(IDLE)), settled(expert)
    for found, does in ((open_, "stop"), (ended, "show")):
        message = case_message(found, expert.shelf, Showing(whole=True))
        less = [one for one in buttons_of(message) if one["text"]["text"] == "Less"]
        assert [read_button(one["value"]).does for one in less] == [does]
