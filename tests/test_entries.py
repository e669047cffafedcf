"""A wrong feature, product, inference or source is refused with its file and line, and with what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minimal import FEATURES, INFERENCES, MINIMAL, PRODUCT, SOURCES, Wrong, is_refused

WRONG: dict[str, Wrong] = {
    "a word for a yes-no": (
        INFERENCES,
        "then: {packet.payload: true}",
        "then: {packet.payload: 'maybe'}",
        "then: {packet.payload: 'maybe'}",
        "'maybe' is not a value of packet.payload; allowed: true, false",
    ),
    "an unknown source": (
        PRODUCT,
        "sources: [house]",
        "sources: [hause]",
        "sources: [hause]",
        "unknown source 'hause'; did you mean 'house'?",
    ),
    "a feature said twice": (
        FEATURES,
        "packet.payload:",
        "packet.flags:",
        "packet.flags:\n  title: Whether",
        "duplicate key 'packet.flags'; it stands on line 11 already",
    ),
    "a number that is asked for without choices": (
        FEATURES,
        "  choices:\n    10: some seconds\n    3600: an hour\n",
        "",
        "timing.idle_s:",
        "a number that is asked for needs choices, to be offered as buttons",
    ),
    "a choice with one choice": (
        FEATURES,
        "    PA: data\n",
        "",
        "packet.flags:",
        "a choice needs at least two choices",
    ),
    "a word among the choices of a number": (
        FEATURES,
        "10: some seconds",
        "ten: some seconds",
        "ten: some seconds",
        "choice 'ten' must be a number",
    ),
    "choices of a yes-no": (
        FEATURES,
        "  type: yes-no",
        "  type: yes-no\n  choices: {a: b}",
        "choices: {a: b}",
        "a feature of the type yes-no has no choices",
    ),
    "a template with an unknown field": (
        PRODUCT,
        "{client}",
        "{clinet}",
        "run: show session {clinet}",
        "unknown field 'clinet'; did you mean 'client'?",
    ),
    "a template that cannot be filled": (
        PRODUCT,
        "{client}",
        "{client",
        "run: show session {client ",
        "this template cannot be filled: ",
    ),
    "rival inferences that can both fire": (
        INFERENCES,
        "when: {packet.flags: SA}\n    then",
        "when: {symptom: reset}\n    then",
        "when: {symptom: reset}",
        "can fire together with 'push-means-data', which states another packet.payload",
    ),
    "a contradiction that asks for what it does not look at": (
        INFERENCES,
        "ask again: timing.idle_s",
        "ask again: symptom",
        "ask again: symptom",
        "unknown clause of this contradiction 'symptom'",
    ),
    "a contradiction that asks for what has no question": (
        INFERENCES,
        "ask again: timing.idle_s",
        "ask again: packet.flags",
        "ask again: packet.flags",
        "packet.flags has no question",
    ),
    "an inference without a source": (
        INFERENCES,
        "    because: PSH marks data\n    source: house\n",
        "    because: PSH marks data\n",
        "push-means-data:",
        "'source' is missing",
    ),
    "an unknown group of inferences": (
        INFERENCES,
        "contradictions:",
        "contradiction:",
        "contradiction:",
        "'contradiction' is not allowed; allowed: inferences, contradictions",
    ),
    "a feature that is a word": (
        FEATURES,
        "packet.payload:\n  title: Whether there was data\n  type: yes-no\n",
        "packet.payload: yes-no\n",
        "packet.payload: yes-no",
        "'packet.payload' must be a mapping of broad, choices, ",
    ),
    "an inference that is a list": (
        INFERENCES,
        MINIMAL[INFERENCES].partition("  an-answer")[0].partition("push-means-data:")[2],
        " [when, then]\n",
        "push-means-data: [when, then]",
        "'push-means-data' must be a mapping of because, source, then, when",
    ),
    "an entry that names a statement of a source that lists none": (
        SOURCES,
        "  statements:\n    a-fact: A fact of it\n",
        "",
        None,
        "unknown statement of house 'a-fact'",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_entry_is_refused_with_its_line(folder: Path, what: str) -> None:
    is_refused(folder, WRONG[what])
