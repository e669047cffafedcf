"""Whatever is pasted or told is text in a ticket, as a real reader of Markdown sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.markdown import code, fenced, inline, ours

PAYLOADS = [
    "# heading",
    "====",
    "---",
    "- item",
    "1. item",
    "2) item",
    "> quote",
    "<script>alert(1)</script>",
    "<!-- hidden",
    "<https://evil.example>",
    "[link](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "[ref]: https://evil.example",
    "[^1]: note",
    "see https://evil.example/x?y=1 now",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "ftp://evil.example",
    "mail somebody@evil.example",
    "@everyone look",
    "(@octocat)",
    "fixes #123",
    "org/repo#123",
    "GH-123",
    "!12 $34 ~bug %v1 &7",
    "0123456789abcdef0123456789abcdef01234567",
    ":rotating_light: :+1:",
    "**bold** _soft_ ~~gone~~ `code` ``x`",
    "| a | b |",
    "&lt;b&gt; &#64;octocat &amp;",
    "$x^2$",
    "\\",
    "\\@octocat \\#1",
    "`",
    "``` evil",
    "~~~",
    "`@octocat`",
    "`` ` #1",
    "a\nb\r\n# c\rd\u2028# e",
    "\x1b[31mred\x1b[0m \u202eevil\u2066 \x00 \ufeff",
    "    indented",
    "\ttab",
]


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or []


REFERS = re.compile(r"[@#]\w|://|www\.|:[a-z+-][\w+-]*:|\bgh-\d|[0-9a-f]{7}", re.IGNORECASE)


def harmless(text: str) -> list[Token]:
    """Parse Markdown; what comes of it is paragraphs of text and code, without anything to follow or to load."""
    found = list(tokens(text))
    assert {one.type for one in found} <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "code_inline",
    }, [one.type for one in found]
    texts = "".join(one.content for one in found if one.type == "text")
    assert not REFERS.search(texts)
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_comes_of_a_payload(payload: str) -> None:
    harmless(inline(payload))
    harmless(inline(f"x {payload} y"))


@settings(deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PAYLOADS), max_size=4).map(" ".join))
def test_any_text_says_what_it_says_and_nothing_else(text: str) -> None:
    found = harmless(inline(text))
    said = "".join(one.content for one in found if one.type in ("text", "text_special", "code_inline"))
    kept = re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd\ud800-\udfff]",
        "",
        text,
    )
    assert squeezed(said).replace("\ufffd", "") == squeezed(kept)


@pytest.mark.parametrize("payload", [*PAYLOADS, "```\nout\n```", "````\n# out\n````\n", "~~~\nout"])
def test_a_fence_cannot_be_left(payload: str) -> None:
    found = [one.type for one in tokens(fenced(f"{payload}\n{payload}"))]
    assert found == ["fence"]


def test_lines_in_a_fence_stand_as_they_are() -> None:
    lines = "  indented <b> & `x`\n\n\ttab ```` # no heading"
    (fence,) = tokens(fenced(lines))
    assert fence.content == lines + "\n"


@pytest.mark.parametrize("payload", ["a", "`a", "a`", "``", "a ` b", "` `` `"])
def test_code_is_one_span_with_all_of_it(payload: str) -> None:
    spans = [one.content for one in tokens(code(payload)) if one.type == "code_inline"]
    assert spans == [payload]


def test_plain_sentences_stay_plain() -> None:
    plain = "Line 1, Cisco ASA: 192.0.2.10:443 to 198.51.100.7:51515; flags SYN+ACK; reason “Deny TCP (no connection)”."
    assert inline(plain) == plain


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_comes_of_a_payload_in_words_of_ours_either(payload: str) -> None:
    harmless(ours(payload))
    harmless(ours(f"`x` {payload} `y`"))


@settings(deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from([*PAYLOADS, "`x`", "`"]), max_size=5).map(" ".join))
def test_words_of_ours_are_never_more_than_text_and_code(text: str) -> None:
    harmless(ours(text))


def test_commands_in_words_of_ours_are_code() -> None:
    spans = [
        one.content
        for one in tokens(ours("1) read with `show conn *`, (`x y`). Not a`b`"))
        if one.type == "code_inline"
    ]
    assert spans == ["show conn *", "x y"]
    assert "`show conn`" not in inline("read with `show conn`")
