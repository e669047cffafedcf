from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack import token_views as views
from bot.slack.case_token import Carried, decode, encode
from bot.slack.token_blocks import CUT, Message
from bot.wording import page
from knowledge.clause import Value
from knowledge.load import load_shelf
from knowledge.model import Cause
from rules.answers import answered, withdrawn
from rules.case import Case, Fact
from rules.diagnose import Expert
from tests.loopback_slack import Fields, buttons, labelled, labels, problems
from tests.test_case_token import CASES

EXPERT = Expert(load_shelf())
SYN_ACK = (
    Fact(feature="symptom", value="out-of-state", origin="line 1", kind="seen"),
    Fact(feature="packet.flags", value="SA", origin="line 1", kind="seen"),
)


def shown(case: Case, action: str = "go") -> Fields:
    return views.after(EXPERT, action, encode(Carried(case, "Line 1"))).body()


def pressed(message: Fields, label: str) -> Fields:
    """Press a button and give the message that follows."""
    button = labelled(message, label)
    return views.after(EXPERT, button["action_id"].split(":")[1], button["value"]).body()


def case_of(message: Fields, label: str) -> Case:
    """Give the case that a button carries."""
    return decode(labelled(message, label)["value"], EXPERT.shelf).case


@given(CASES, st.sampled_from(["go", "why", "change"]))
@settings(deadline=None, max_examples=60)
def test_every_case_makes_messages_within_the_limits(case: Case, action: str) -> None:
    body = shown(case, action)
    assert problems(body) == []
    assert all(decode(button["value"], EXPERT.shelf) for button in buttons(body))


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=100)
def test_every_paste_makes_a_message_within_the_limits(paste: str) -> None:
    assert problems(views.answer(EXPERT, paste).body()) == []


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP", "?", "--help"])
def test_help_is_short(text: str) -> None:
    message = views.answer(EXPERT, text)
    assert message is views.HELP
    assert "/whydrop" in message.body()["text"]


def test_a_question_has_its_answers_as_buttons() -> None:
    message = shown(Case(observed=SYN_ACK))
    question = EXPERT.diagnose(Case(observed=SYN_ACK)).question
    assert question
    assert question.text in message["text"]
    assert labels(message)[:-1] == [*(choice.label for choice in question.choices), "I don't know"]
    assert labels(message)[-1] == "Why do you ask?"


def test_an_answer_is_part_of_the_case_that_its_button_carries() -> None:
    question = EXPERT.diagnose(Case(observed=SYN_ACK)).question
    assert question
    message = shown(Case(observed=SYN_ACK))
    for choice in question.choices:
        assert case_of(message, choice.label) == Case(observed=SYN_ACK, answers={question.feature: choice.value})
    assert case_of(message, "I don't know") == Case(observed=SYN_ACK, declined=frozenset({question.feature}))


def test_why_tells_the_reason_the_way_and_what_each_answer_changes() -> None:
    question = EXPERT.diagnose(Case(observed=SYN_ACK)).question
    assert question
    message = pressed(shown(Case(observed=SYN_ACK)), "Why do you ask?")
    for words in ("Why I ask", question.why, "How to find out", "What each answer would change", "would lead with"):
        assert words.split("\n")[0][:40] in message["text"]
    assert labels(message)[: len(question.choices)] == [choice.label for choice in question.choices]
    assert pressed(message, "Back") == shown(Case(observed=SYN_ACK))


def test_an_answer_that_is_taken_back_leaves_no_trace() -> None:
    before = shown(Case(observed=SYN_ACK))
    answer = labels(before)[0]
    listed = pressed(pressed(before, answer), "Change an answer")
    assert labels(listed) == ["Take back", "Back"]
    assert pressed(listed, "Take back") == before


def test_i_dont_know_can_be_taken_back_too() -> None:
    before = shown(Case(observed=SYN_ACK))
    listed = pressed(pressed(before, "I don't know"), "Change an answer")
    assert "I don't know" in listed["text"]
    assert pressed(listed, "Take back") == before


CONTRADICTED = Case(observed=SYN_ACK, answers={"timing.worked": "then-broke"})


def test_a_contradiction_is_asked_again_and_then_stands() -> None:
    diagnosis = EXPERT.diagnose(CONTRADICTED)
    assert diagnosis.question
    assert diagnosis.question.feature == diagnosis.contradictions[0].ask_again == "timing.worked"
    message = shown(CONTRADICTED)
    assert "does not go together" in message["text"]
    again = case_of(message, EXPERT.shelf.features["timing.worked"].choices["then-broke"])
    assert again == CONTRADICTED.model_copy(update={"confirmed": frozenset({"timing.worked"})})
    assert EXPERT.diagnose(again).contradictions == []


def test_i_dont_know_ends_a_contradiction() -> None:
    after = EXPERT.diagnose(case_of(shown(CONTRADICTED), "I don't know"))
    assert after.contradictions == []
    assert after.question is None or after.question.feature != "timing.worked"


def test_answers_replace_each_other() -> None:
    case = answered(Case(), "packet.flags", "SA")
    assert answered(case, "packet.flags", "A").answers == {"packet.flags": "A"}
    assert answered(case, "packet.flags", None) == Case(declined=frozenset({"packet.flags"}))
    assert answered(answered(case, "packet.flags", None), "packet.flags", "SA") == case
    assert withdrawn(answered(case, "packet.flags", "A", again=True), "packet.flags") == Case()


def test_what_was_understood_stays_in_every_message() -> None:
    line = (
        "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"
    )
    message = views.answer(EXPERT, line).body()
    for _ in range(40):
        assert "192.0.2.10:443 to 198.51.100.7:51515" in message["text"]
        if "I don't know" not in labels(message):
            break
        message = pressed(message, "I don't know")
    else:
        pytest.fail("forty questions")


def test_a_line_that_nobody_reads_is_shown_and_questions_go_on() -> None:
    message = views.answer(EXPERT, "hello world\n" * 7).body()
    assert "What I could not read" in message["text"]
    assert "and 4 more lines" in message["text"]
    assert "I don't know" in labels(message)


def test_a_paste_beyond_the_limit_says_what_to_do() -> None:
    message = views.answer(EXPERT, "x\n" * 20_001)
    assert "Filter it" in message.body()["text"]


def test_details_that_do_not_fit_are_missed_out_loud() -> None:
    noise = "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))
    long = Fact(feature="packet.interface", value=noise, origin="line 1", kind="seen")
    message: Message = views._diagnosed(  # a token cannot carry it, so no button leads here
        EXPERT,
        Carried(Case(observed=(*SYN_ACK, long))),
        EXPERT.diagnose(Case(observed=SYN_ACK)),
        page(EXPERT.diagnose(Case(observed=SYN_ACK)), EXPERT.shelf),
    )
    assert "Some details of the lines were left out" in message.body()["text"]


@pytest.mark.parametrize(("action", "token"), [("go", "garbled"), ("gone", encode(Carried(Case()))), ("go", "None")])
def test_a_message_of_another_version_says_so(action: str, token: str) -> None:
    assert views.after(EXPERT, action, token) is views.OLDER


def ended(cause: Cause, product: str) -> Case:
    """Make a case that points to a cause and in which nothing is left to ask."""
    told: dict[str, Value] = {}
    for clue in cause.clues:
        for name, raw in (clue.points_to or clue.supports or {}).items():
            first = raw[0] if isinstance(raw, list) else raw
            if EXPERT.shelf.features[name].type in ("choice", "yes-no") and isinstance(first, str | bool):
                told.setdefault(name, first)
    rest = frozenset(EXPERT.shelf.features) - told.keys()
    return Case(answers={"symptom": cause.symptoms[0]} | told, product=product, declined=rest, confirmed=rest)


@pytest.mark.parametrize("product", EXPERT.shelf.products)
def test_the_end_of_no_case_has_to_be_shortened(product: str) -> None:
    for cause in EXPERT.shelf.causes.values():
        body = shown(ended(cause, product))
        assert CUT not in json.dumps(body["blocks"], ensure_ascii=False)
