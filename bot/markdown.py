"""Text that nobody has checked, as Markdown: it says what it says, and nothing else comes of it."""

from __future__ import annotations

import re

_LEAST_FENCE = 3
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Controls, and marks that turn the direction of writing or hide in it."""
_MEANS = re.compile(r"[\\`*_{}\[\]<>|~$&]")
"""What Markdown takes for more than itself, wherever it stands."""
_NUMBER = re.compile(r"\d+[.)]")
_REFERS = re.compile(
    r"[@#!$~&%^]\w"  # people, issues, milestones, labels, formulas
    r"|:/|www\.|:[a-z+-][\w+-]*:"  # addresses, and names of emoji
    r"|\bgh-\d|(?<![\w-])[0-9a-f]{7,40}(?![\w-])",  # issues and commits
    re.IGNORECASE,
)
"""What the places that show Markdown make a reference of; they do so after a backslash, too, but never in code."""


def inline(text: str) -> str:
    """Write a text on one line that is text wherever it is shown: no heading, link, image, mention or HTML."""
    words = [_word(one) for one in shown(text).split()]
    if words and not words[0].startswith("`"):
        words[0] = _begun(words[0])
    return " ".join(words)


def fenced(text: str) -> str:
    """Write lines as they are: the fence is longer than any that stands in them."""
    lines = [shown(line).rstrip("\n") for line in text.rstrip("\n").split("\n")]
    fence = "`" * max(_LEAST_FENCE, _run("\n".join(lines)) + 1)
    return "\n".join([fence, *lines, fence])


def code(text: str) -> str:
    """Write a text on one line as code."""
    content = " ".join(shown(text).split())
    ticks = "`" * (_run(content) + 1)
    room = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{ticks}{room}{content}{room}{ticks}" if content else ""


def shown(text: str) -> str:
    """Show what cannot be shown as U+FFFD; a line that ends as Windows ends it ends once."""
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _word(text: str) -> str:
    if _REFERS.search(text):  # its punctuation marks stay outside
        behind = text.rstrip(")”,.;:")
        word = behind.lstrip("(“")
        return behind[: len(behind) - len(word)] + code(word) + text[len(behind) :]
    return _MEANS.sub(r"\\\g<0>", text)


def _begun(word: str) -> str:
    """Keep the first word of a line from being a heading, a list or a line below a heading."""
    if number := _NUMBER.match(word):
        return f"{word[: number.end() - 1]}\\{word[number.end() - 1 :]}"
    return "\\" + word if word[0] in "-+#=" else word


def _run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
