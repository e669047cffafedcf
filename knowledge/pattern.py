"""Patterns that match in linear time, whatever is pasted. The only importer of re2.

The wrapper classes of re2 cost ten times what its matching does, so matching goes to the engine's own object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any

import re2
from re2 import _re2

_SEARCH = _re2.RE2.Anchor.UNANCHORED
_WHOLE = _re2.RE2.Anchor.ANCHOR_BOTH
_NOTHING = (-1, -1)
_SET_MEMORY = 1 << 26
"""Bytes that the automaton of all recognisers may take; without enough of it a set would find nothing."""
_SMALL_SET_MEMORY = 1 << 25
"""The same for the patterns of one dialect."""
_FEW = 2
"""Up to so many patterns are tried one by one as fast as all at once."""

Span = tuple[int, int]


class Match:
    """One match. Offsets count bytes inside and characters outside."""

    __slots__ = ("_data", "_names", "_spans")

    def __init__(self, data: bytes, spans: Sequence[Span], names: Sequence[tuple[str, int]]) -> None:
        self._data, self._spans, self._names = data, spans, names

    @property
    def span(self) -> Span:
        """Give where the match begins and ends, in bytes."""
        return self._spans[0]

    def group(self, name: str | int = 0) -> str | None:
        """Give a group's text, or None where it took no part."""
        numbers = [name] if isinstance(name, int) else [number for one, number in self._names if one == name]
        return next((self._text(self._spans[at]) for at in numbers if self._spans[at] != _NOTHING), None)

    def groupdict(self) -> dict[str, str | None]:
        """Give all named groups."""
        found = dict.fromkeys(name for name, _ in self._names)
        return found | {name: self._text(self._spans[at]) for name, at in self._names if self._spans[at] != _NOTHING}

    def start(self) -> int:
        """Give where the match begins."""
        return len(self._data[: self._spans[0][0]].decode())

    def end(self) -> int:
        """Give where the match ends."""
        return len(self._data[: self._spans[0][1]].decode())

    def _text(self, span: Span) -> str | None:
        return None if span == _NOTHING else self._data[span[0] : span[1]].decode()


class Pattern:
    """One compiled pattern."""

    __slots__ = ("_names", "_regexp")

    def __init__(self, text: str) -> None:
        self._regexp: Any = _re2.RE2(text.encode(), _options())
        if not self._regexp.ok():
            raise ValueError(f"pattern {text!r}: {self._regexp.error().decode(errors='replace')}")
        self._names = _named_groups(text) if "(?P<" in text else []

    @property
    def groups(self) -> int:
        """Give how many groups it has, named or not."""
        return int(self._regexp.NumberOfCapturingGroups())

    def search(self, text: str) -> Match | None:
        """Find the first match."""
        return self._match(_SEARCH, text.encode("utf-8", "replace"))

    def fullmatch(self, text: str) -> Match | None:
        """Match the whole text."""
        return self._match(_WHOLE, text.encode("utf-8", "replace"))

    def found(self, text: str) -> dict[str, str] | None:
        """Give the named groups that took part in the first match; None where there is no match."""
        data = text.encode("utf-8", "replace")
        spans = self._regexp.Match(_SEARCH, data, 0, len(data))
        if spans[0] == _NOTHING:
            return None
        if len(data) == len(text):  # ASCII: bytes count as characters
            return {name: text[spans[at][0] : spans[at][1]] for name, at in self._names if spans[at] != _NOTHING}
        return {name: data[slice(*spans[at])].decode() for name, at in self._names if spans[at] != _NOTHING}

    def pairs(self, text: str) -> Iterator[tuple[str, str]]:
        """Give the first two groups of all matches, named or not; empty where one took no part."""
        data = text.encode("utf-8", "replace")
        position = 0
        while position <= len(data):
            (begin, end), first, second, *_ = self._regexp.Match(_SEARCH, data, position, len(data))
            if begin < 0:
                return
            yield _piece(data, first), _piece(data, second)
            position = end if end > begin else _next_character(data, end)

    def finditer(self, text: str) -> Iterator[Match]:
        """Find all matches."""
        data = text.encode("utf-8", "replace")
        position = 0
        while position <= len(data) and (match := self._match(_SEARCH, data, position)):
            yield match
            begin, end = match.span
            position = end if end > begin else _next_character(data, end)

    def _match(self, anchor: object, data: bytes, position: int = 0) -> Match | None:
        spans = self._regexp.Match(anchor, data, position, len(data))
        return None if spans[0] == _NOTHING else Match(data, spans, self._names)


_OPENING = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?P<(\w+)>|(\?))?", re.DOTALL)
"""What can open a group, and what hides a bracket that does not: an escape, a class of characters."""


def _named_groups(text: str) -> list[tuple[str, int]]:
    """Name the groups of a pattern with their numbers. RE2 tells only the first of a name in several alternatives."""
    opened = [match for match in _OPENING.finditer(text) if match.group().startswith("(") and not match.group(2)]
    return [(match.group(1), number) for number, match in enumerate(opened, start=1) if match.group(1)]


def _piece(data: bytes, span: Span) -> str:
    return "" if span == _NOTHING else data[span[0] : span[1]].decode()


def _next_character(data: bytes, position: int) -> int:
    position += 1
    while position < len(data) and data[position] & 0xC0 == 0x80:
        position += 1
    return position


class PatternSet:
    """Many patterns, looked for in one pass over the text; or, where they are for a `whole` text, fitted to it."""

    def __init__(self, texts: Sequence[str], *, whole: bool = False, memory: int = _SET_MEMORY) -> None:
        options = _options()
        options.max_mem = memory
        self._set = _re2.Set(_WHOLE if whole else _SEARCH, options)
        for text in texts:
            self._set.Add(text.encode())
        self._set.Compile()

    def matching(self, text: str) -> list[int]:
        """Give the places of all patterns that the text holds, in order."""
        return sorted(self._set.Match(text.encode("utf-8", "replace")))


class Patterns:
    """Patterns in their order, to be read from the same text: only those that match cost more than one common pass."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._patterns = [pattern(text) for text in texts]
        self._set = PatternSet(texts, memory=_SMALL_SET_MEMORY) if len(texts) > _FEW else None

    def found(self, text: str) -> Iterator[dict[str, str]]:
        """Give the named groups of each pattern that matches, in order."""
        places = range(len(self._patterns)) if self._set is None else self._set.matching(text)
        for place in places:
            if (found := self._patterns[place].found(text)) is not None:
                yield found


_SIGNS = frozenset(r".[]()*+?|\^${}")
"""A pattern without any of these stands for itself alone."""
_ANYTHING = (".+", "(?s).+")


class Choices:
    """Patterns that the whole of a text may fit: which ones, in one pass. A pattern's own text fits it as well."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(texts)
        self._anything = self._texts.intersection(_ANYTHING)
        self._regexes = [text for text in self._texts - self._anything if not _SIGNS.isdisjoint(text)]

    @cached_property
    def _set(self) -> PatternSet | None:
        return PatternSet(self._regexes, whole=True, memory=_SMALL_SET_MEMORY) if self._regexes else None

    def fitting(self, value: str) -> frozenset[str]:
        """Give the texts of all patterns that the whole value fits."""
        found = self._anything if value else frozenset[str]()
        if value in self._texts:
            found |= {value}
        if self._set is not None and (places := self._set.matching(value)):
            found = found.union([self._regexes[place] for place in places])
        return found


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


@cache
def pattern(text: str) -> Pattern:
    """Compile a pattern once. Raises ValueError with what RE2 does not accept (no look-around, no back-references)."""
    return Pattern(text)
