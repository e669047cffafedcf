from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.token_blocks import (
    BLOCKS,
    CUT,
    SECTION,
    SUM,
    TEXT,
    Button,
    Buttons,
    Message,
    Part,
    Prose,
    Quoted,
    blocks,
    cut,
    escape,
    quote,
    split,
    words,
)
from tests.loopback_slack import labels, problems

Fields = dict[str, Any]

NASTY = st.sampled_from(
    ["&", "<!channel>", "@here", "`", "```", "*", "_", "\n", " ", "\u202e", "\x00", "é", "🔥", "x" * 400]
)
TEXTS = (
    st.text(max_size=30) | st.lists(NASTY, max_size=60).map("".join) | st.integers(0, 50_000).map(lambda n: "& " * n)
)
BUTTON = st.builds(Button, TEXTS, st.sampled_from(["go", "why", "change"]), st.text("abc", min_size=1, max_size=2000))
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Prose, TEXTS, TEXTS.map(lambda text: text[:200]), st.booleans(), st.none() | BUTTON),
    st.builds(Quoted, TEXTS, TEXTS.map(lambda text: text[:200])),
    st.builds(Buttons, st.lists(BUTTON, min_size=1, max_size=30), st.just("Answers")),
)


@given(st.lists(PARTS, max_size=20) | st.lists(PARTS.filter(lambda one: not isinstance(one, Buttons)), max_size=80))
@settings(deadline=None, max_examples=200)
def test_whatever_is_shown_keeps_slacks_limits(parts: list[Part]) -> None:
    body = Message(parts).body()
    assert problems({**body, "blocks": body["blocks"] or [{"type": "actions", "elements": [ANY_BUTTON]}]}) == []
    assert sum(len(block["text"]["text"]) for block in body["blocks"] if block["type"] == "section") <= SUM


ANY_BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "x"}, "value": "x", "action_id": "x"}


@given(TEXTS)
def test_nothing_becomes_a_mention_or_a_link(text: str) -> None:
    for made in (escape(text), quote(text)):
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", made)
        assert not re.search(r"@(here|channel|everyone|group)\b", made, re.IGNORECASE)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\ud800-\udfff]", made)


@given(TEXTS)
def test_what_is_quoted_stays_in_its_code_block(text: str) -> None:
    for block in blocks([Quoted(text[:2000], "Title")]):
        inside = block["text"]["text"].removeprefix("*Title*\n")
        assert inside.startswith("```\n")
        assert inside.endswith("\n```")
        assert inside.count("`") == 6


@given(TEXTS, st.integers(20, 300))
def test_splitting_loses_only_space(text: str, longest: int) -> None:
    pieces = split(escape(text), longest)
    assert all(0 < len(piece) <= longest for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(escape(text).split())
    assert not any(re.search(r"&[a-z]{0,3}\Z", piece) for piece in pieces)


@given(TEXTS, st.integers(20, 300))
def test_cutting_keeps_entities_whole(text: str, longest: int) -> None:
    short = cut(escape(text), longest)
    assert len(short) <= longest
    assert not re.search(r"&(?!amp;|lt;|gt;)", short)


def test_a_long_text_is_split_at_line_ends() -> None:
    lines = "\n".join(f"line {number} of a long explanation" for number in range(200))
    texts = [block["text"]["text"] for block in blocks([Prose(lines)])]
    assert len(texts) == 3
    assert all(text.startswith("line ") and text.endswith("explanation") for text in texts)
    assert "\n".join(texts) == lines


def test_what_does_not_fit_is_left_out_and_that_is_said() -> None:
    shown = blocks([Prose("x" * SECTION)] * 10)
    assert shown[-1]["text"]["text"] == CUT
    assert len(shown) == 4


def test_buttons_stay_whatever_is_left_out() -> None:
    row = Buttons([Button("yes", "go", "1"), Button("no", "go", "2")], "Answers")
    body = Message([*[Prose("x" * SECTION)] * 10, *[Prose("short")] * 100, row]).body()
    assert labels(body) == ["yes", "no"]
    assert len(body["blocks"]) <= BLOCKS


def test_the_text_carries_everything_in_words() -> None:
    row = Buttons([Button("yes", "go", "1"), Button("I don't know", "go", "2")], "Answers")
    parts: list[Part] = [
        Prose("Asymmetric routing leads.", "So far"),
        Quoted("show conn | inc a&b"),
        row,
        Prose("", "Nothing"),
    ]
    assert words(parts) == (
        "*So far*\nAsymmetric routing leads.\n\n```\nshow conn | inc a&amp;b\n```\n\nAnswers: yes | I don't know"
    )


def test_the_text_is_cut_where_slack_would_cut_it() -> None:
    text = Message([Prose("x " * TEXT), Buttons([Button("yes", "go", "1")], "Answers")]).plain_body()["text"]
    assert len(text) <= TEXT
    assert CUT in text
    assert "python -m bot diagnose" in text


@pytest.mark.parametrize(
    ("raw", "made"), [("a & b < c", "a &amp; b &lt; c"), ("&amp;", "&amp;amp;"), ("@HERE", "@\u2009HERE")]
)
def test_escaping_is_slacks(raw: str, made: str) -> None:
    assert escape(raw) == made


def test_addresses_are_links_only_where_that_is_wanted() -> None:
    shown = blocks([Prose("https://docs.example/", links=True), Prose("https://pasted.example/")])
    assert [block["text"]["verbatim"] for block in shown] == [False, True]
