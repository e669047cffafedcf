"""Text that nobody has checked, as Markdown: it says what it says, and nothing else comes of it."""

from __future__ import annotations

import re

_LEAST_FENCE = 3
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Controls, and marks that turn the direction of writing or hide in it."""
_MEANS = re.compile(r"[\\`*_{}\[\]<>|~$&]")
"""What Markdown takes for more than itself, wherever it stands."""
_OUR_CODE = re.compile(r"(?:(?<=[\s(“])|^)`([^`\s](?:[^`]*[^`\s])?)`(?=[),.;:”]*(?:\s|$))")
"""Code in our own words: a span that stands alone, so that nothing else is taken for a part of it."""
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
    line = _words(" ".join(shown(text).split()))
    return line if line.startswith("`") else _begun(line)


def ours(text: str) -> str:
    """Write words of our own on one line: as `inline`, but what they set between backticks is code."""
    parts = _OUR_CODE.split(" ".join(shown(text).split()))
    line = "".join(code(part) if at % 2 else _words(part) for at, part in enumerate(parts))
    return line if line.startswith("`") else _begun(line)


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


def _words(line: str) -> str:
    return " ".join(map(_word, line.split(" ")))


def _word(text: str) -> str:
    if _REFERS.search(text):  # its punctuation marks stay outside
        behind = text.rstrip(")”,.;:")
        word = behind.lstrip("(“")
        return behind[: len(behind) - len(word)] + code(word) + text[len(behind) :]
    return _MEANS.sub(r"\\\g<0>", text)


def _begun(line: str) -> str:
    """Keep a line from being a heading, a list or a line below a heading."""
    if number := _NUMBER.match(line):
        return f"{line[: number.end() - 1]}\\{line[number.end() - 1 :]}"
    return "\\" + line if line.startswith(("-", "+", "#", "=")) else line


def _run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
