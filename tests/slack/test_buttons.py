"""What a button carries comes back as it was written, and nothing else is taken for it."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.buttons import LONGEST_OPTION, ButtonValue, does_of, read_button
from knowledge.shelf import Shelf
from rules.ask import answers_of

CASE = "abcdefghijklmnopqrstuvwxyz"


def test_every_answer_of_the_knowledge_fits_into_an_option_and_comes_back(shelf: Shelf) -> None:
    for feature in shelf.features.values():
        for value in answers_of(feature) if feature.question else ():
            sent = ButtonValue(does="answer", case=CASE, version=10**9, feature=feature.id, value=value)
            assert len(sent.text) <= LONGEST_OPTION
            assert read_button(sent.text) == sent
            assert type(read_button(sent.text).value) is type(value)


def test_every_cause_fits_into_a_button(shelf: Shelf) -> None:
    for cause in shelf.causes:
        sent = ButtonValue(does="solved", case=CASE, version=1, value=cause)
        assert read_button(sent.text).press().value == cause


WRONG = [
    "",
    "null",
    "{}",
    "[]",
    '["answer"]',
    '["evil","",0,"",null]',
    '["answer","../x",0,"",null]',
    '["answer","",-1,"",null]',
    '["answer","",true,"",null]',
    '["answer","",0,"a b",null]',
    '["answer","",0,"",[]]',
    '["answer","",0,"",NaN]',
    '["answer","",0,"",1e999]',
    '["answer","",0,"","\\u202e"]',
    "[" * 100_000,
    json.dumps(["answer", "", 0, "", "x" * 3000]),
]


@pytest.mark.parametrize("text", WRONG)
def test_what_we_would_not_have_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"carries|Expecting|number|Extra data"):
        read_button(text)


@given(st.text() | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert read_button(text).text


def test_the_id_of_an_action_tells_what_it_does() -> None:
    assert does_of("whydrop:answer:3") == "answer"
    assert does_of("whydrop:other:3") == ""
    assert does_of("answer") == ""
