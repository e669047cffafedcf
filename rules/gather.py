"""From physical lines to logical ones: JSON printed over many lines is put together, lists of JSON are taken apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rules.case import Unread
from rules.clean import clean

_MOST_LINES = 2000
_MOST_CHARACTERS = 200_000
_LISTS = ("records", "Records", "events", "entries", "value", "results", "logEvents")
"""Keys under which clouds deliver several log lines in one piece."""
_LIST = re.compile(f'"(?:{"|".join(_LISTS)})"')


@dataclass(frozen=True, slots=True)
class Logical:
    """One line to be read, and the physical lines it stands on (both counted from 1)."""

    first: int
    last: int
    text: str

    def unread(self, why: str) -> Unread:
        """Report the line as one that gave nothing."""
        last = self.last if self.last != self.first else None
        return Unread(line=self.first, last_line=last, text=self.text, why=why)


def gather(lines: Iterable[str]) -> Iterator[Logical]:
    """Number the lines, clean them, leave empty ones out, and put JSON together."""
    waiting: list[Logical] = []
    depth = Depth()
    for number, text in enumerate(lines, start=1):
        line = Logical(number, number, clean(text.rstrip("\n")))
        if waiting or (opens(line.text) and not _whole(line.text)):
            waiting.append(line)
            if not depth.follow(line.text):
                yield from _together(waiting)
            elif len(waiting) < _MOST_LINES and depth.characters < _MOST_CHARACTERS:
                continue
            else:
                yield from _apart(waiting)
            waiting, depth = [], Depth()
        else:
            yield from _lines(line)
    yield from _apart(waiting)


def opens(text: str) -> bool:
    """Tell whether a line can be the first of printed JSON."""
    bare = text.strip()
    return bare in ("{", "[", "[{") or (bare.startswith(("{", "[{")) and bare.endswith(("{", "[", ",", '"')))


def _whole(text: str) -> bool:
    return not Depth().follow(text)


class Depth:
    """How deep in brackets a text ends that is given line by line."""

    def __init__(self) -> None:
        self.characters = 0
        self._depth = 0

    def follow(self, text: str) -> int:
        """Go on with a line; give how many brackets are open at its end."""
        self.characters += len(text)
        quoted = escaped = False  # JSON's texts do not go over the end of a line
        for sign in text:
            if quoted:
                escaped, quoted = (sign == "\\" and not escaped), (sign != '"' or escaped)
            elif sign == '"':
                quoted = True
            elif sign in "{[":
                self._depth += 1
            elif sign in "}]":
                self._depth -= 1
        return max(self._depth, 0)


def _together(lines: Sequence[Logical]) -> Iterator[Logical]:
    text = "\n".join(line.text for line in lines)
    try:
        content = json.loads(text.strip().rstrip(","))
    except (ValueError, RecursionError):
        yield from _apart(lines)
        return
    for item in _items(content) or [content]:
        yield Logical(lines[0].first, lines[-1].last, json.dumps(item, ensure_ascii=False))


def _apart(lines: Sequence[Logical]) -> Iterator[Logical]:
    for line in lines:
        yield from _lines(line)


def _lines(line: Logical) -> Iterator[Logical]:
    if not line.text.strip("`> \t"):
        return
    bare = line.text.strip()
    items = _items_of(bare) if bare.startswith("[{") or _LIST.search(bare, 0, 200) else None
    if not items:
        yield line
        return
    for item in items:
        yield Logical(line.first, line.last, json.dumps(item, ensure_ascii=False))


def _items_of(text: str) -> list[Any] | None:
    try:
        return _items(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _items(content: Any) -> list[Any] | None:
    """Give the log lines in a delivery: a list of objects, or an object that holds one under a usual key."""
    if isinstance(content, dict):
        content = next((content[name] for name in _LISTS if isinstance(content.get(name), list)), None)
    found = content if isinstance(content, list) else []
    return found if found and all(isinstance(one, dict) for one in found) else None
