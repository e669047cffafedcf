"""Patterns that match in linear time, whatever is pasted. The only importer of re2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast

import re2


class Match(Protocol):
    """The part of a match that is used."""

    def group(self, name: str | int = 0) -> str | None:
        """Give a group's text, or None where it took no part."""

    def groupdict(self) -> dict[str, str | None]:
        """Give all named groups."""

    def start(self) -> int:
        """Give where the match begins."""

    def end(self) -> int:
        """Give where the match ends."""


class Pattern(Protocol):
    """The part of a compiled pattern that is used."""

    def search(self, text: str) -> Match | None:
        """Find the first match."""

    def fullmatch(self, text: str) -> Match | None:
        """Match the whole text."""

    def finditer(self, text: str) -> Iterator[Match]:
        """Find all matches."""


@cache
def pattern(text: str) -> Pattern:
    """Compile a pattern once. Raises ValueError with what RE2 does not accept (no look-around, no back-references)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return cast(Pattern, re2.compile(text, options))
    except re2.error as wrong:
        raise ValueError(f"pattern {text!r}: {wrong.args[0].decode(errors='replace')}") from None
