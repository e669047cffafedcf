"""What is checked of words: text objects, the escapes of mrkdwn, and mentions that nobody meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.slack.shapes import Check, Problem, flag, shape, string, typed

# docs.slack.dev/messaging/formatting-message-text: "&", "<" and ">" are control characters and must be escaped
# where they are not meant as such.
_MENTION = re.compile(r"<(?:@[UWB][A-Z0-9]*|#[CGD][A-Z0-9]*|!subteam\^[A-Z0-9]*|![a-z]+)(?:\|[^<>]*)?>")
_LINK = re.compile(r"<(?:https?://|mailto:|tel:)[^<>|\s]+(?:\|[^<>\n]*)?>")
_DATE = re.compile(r"<!date\^[0-9]+\^[^|<>]+\|[^<>]+>")
_QUOTE = re.compile(r"^>(?:>>)? ?", re.MULTILINE)
_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)")
PAGE = "formatting-message-text"


def mentions(text: str, at: str) -> Iterator[Problem]:
    """Find what would call people or name channels."""
    for found in _MENTION.finditer(text):
        called = found.group().split("|")[0].rstrip(">") + ">"
        yield Problem(at, f"mentions {called}", PAGE, refused=False, mention=called)


def escapes(text: str, at: str) -> Iterator[Problem]:
    """Find control characters that are no control sequence."""
    rest = _MENTION.sub("", _DATE.sub("", _LINK.sub("", text)))
    rest = _QUOTE.sub("", rest)
    yield from (
        Problem(at, f"{sign} is not escaped", PAGE, refused=False)
        for sign, there in (("<", "<" in rest), (">", ">" in rest), ("&", _AMPERSAND.search(rest)))
        if there
    )


def mrkdwn_words(text: Any, at: str) -> Iterator[Problem]:
    """Check words that Slack reads as mrkdwn."""
    if isinstance(text, str):
        yield from escapes(text, at)
        yield from mentions(text, at)


def _mrkdwn(most: int) -> Check:
    def words(value: Any, at: str) -> Iterator[Problem]:
        yield from string(most)(value, at)
        yield from mrkdwn_words(value, at)

    return shape("text-object", {"text": words}, {"verbatim": flag})


def plain(most: int = 3000) -> Check:
    """Check a text object that must be plain_text."""
    # text-object: 1 to 3,000 characters; `emoji` is a boolean, and for plain_text only.
    return typed("text-object", {"plain_text": shape("text-object", {"text": string(most)}, {"emoji": flag})})


def mrkdwn(most: int = 3000) -> Check:
    """Check a text object that must be mrkdwn."""
    return typed("text-object", {"mrkdwn": _mrkdwn(most)})


def text(most: int = 3000) -> Check:
    """Check a text object of either kind."""
    kinds = {"plain_text": shape("text-object", {"text": string(most)}, {"emoji": flag}), "mrkdwn": _mrkdwn(most)}
    return typed("text-object", kinds)
