"""Between codec and record: the raw names of a line, the record fields they fill, and what rules ask of both."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from knowledge.model import FieldRule
from knowledge.pattern import Choices
from rules.codecs import Raw
from rules.gather import Logical

LONGEST_FIELD = 4096

Tests = Sequence[tuple[str, str, Choices]]
"""Names, each with a pattern that the whole of its text must fit, among all that are asked of this name."""


class Line:
    """A line on its way to a record: its raw names, and its record fields, all still as texts."""

    __slots__ = ("_fitting", "at", "fields", "raw", "text", "transport")

    def __init__(self, at: Logical, text: str, raw: Raw, fields: Mapping[str, str], transport: str | None) -> None:
        self.at, self.text, self.raw, self.fields, self.transport = at, text, raw, fields, transport
        self._fitting: dict[str, Container[str]] = {}

    def fits(self, tests: Tests) -> bool:
        """Tell whether each name has a text, and the whole of it fits. Raw names win over record fields."""
        for name, pattern, choices in tests:
            fitting = self._fitting.get(name)
            if fitting is None:  # found out once, as many rules ask about the same name
                value = self.raw[name] if name in self.raw else self.fields.get(name)
                fitting = self._fitting[name] = () if value is None else choices.fitting(value)
            if pattern not in fitting:
                return False
        return True


def is_plain(where: str | Sequence[str] | FieldRule) -> TypeGuard[str]:
    """Tell whether a record field is one raw name as it stands, as most are."""
    return isinstance(where, str) and "+" not in where


@dataclass(frozen=True, slots=True)
class Field:
    """Where a record field comes from: the first raw name that has a value; several joined by `+` count as one."""

    names: Sequence[Sequence[str]]
    renamed: Mapping[str, str]

    @staticmethod
    def of(where: str | Sequence[str] | FieldRule) -> Field:
        raw = where.raw if isinstance(where, FieldRule) else where
        names = [raw] if isinstance(raw, str) else raw
        return Field([name.split("+") for name in names], where.map if isinstance(where, FieldRule) else {})

    def text(self, raw: Raw) -> str | None:
        for parts in self.names:
            if len(parts) == 1:
                value = raw.get(parts[0])
            else:
                found = [raw.get(part) for part in parts]
                value = " ".join(part for part in found if part) if all(found) else None
            if value:
                value = value[:LONGEST_FIELD]
                return self.renamed.get(value, value)
        return None
