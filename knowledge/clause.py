"""A clause compares one feature with constants: a value, a list of values, `>= 1800`, `< 60`, `40..80`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledge.model import Feature

Value = bool | float | str
"""What a feature can be worth: yes or no, a finite number, or one of its choices."""

_BOUND = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of numbers, either end open (None); an end is part of the range unless it is strict."""

    low: float | None = None
    high: float | None = None
    strict: bool = False

    def holds(self, value: Value) -> bool:
        """Tell whether a number lies inside; nothing else does."""
        if isinstance(value, (bool, str)):
            return False
        above = self.low is None or value > self.low or (value == self.low and not self.strict)
        below = self.high is None or value < self.high or (value == self.high and not self.strict)
        return above and below


@dataclass(frozen=True, slots=True)
class Clause:
    """One feature and the constants it is compared with."""

    feature: str
    test: frozenset[Value] | Bounds

    def holds(self, value: Value) -> bool:
        """Tell whether a known value meets the clause. Unknown is the caller's third value."""
        return value in self.test if isinstance(self.test, frozenset) else self.test.holds(value)

    def __str__(self) -> str:
        return f"{self.feature} {describe(self.test)}"


def describe(test: frozenset[Value] | Bounds) -> str:
    """Write a test the way an entry writes it."""
    if isinstance(test, frozenset):
        return "is " + " or ".join(sorted(plain(value) for value in test))
    if test.low is not None and test.high is not None:
        return f"is {plain(test.low)}..{plain(test.high)}"
    sign = ">" if test.high is None else "<"
    end = test.low if test.high is None else test.high
    return f"{sign}{'' if test.strict else '='} {plain(end if end is not None else math.nan)}"


def plain(value: Value) -> str:
    """Write a value as an entry or an answer would: yes, no, 3600, SA."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse_clause(feature: Feature, raw: object) -> Clause:
    """Make a clause of what an entry says; raises ValueError with what is allowed."""
    if feature.type == "number" and isinstance(raw, str):
        test: frozenset[Value] | Bounds = _parse_bounds(raw)
    else:
        test = frozenset(typed(feature, one) for one in (raw if isinstance(raw, list) else [raw]))
    constants = [test.low, test.high] if isinstance(test, Bounds) else test
    if any(isinstance(one, float) and 0 < abs(one) < _SMALLEST for one in constants):
        raise ValueError(f"{raw!r} is too small to compare with; the smallest is {_SMALLEST}")
    return Clause(feature.id, test)


def _parse_bounds(raw: str) -> Bounds:
    if span := _SPAN.fullmatch(raw):
        return Bounds(float(span[1]), float(span[2]))
    if bound := _BOUND.fullmatch(raw):
        sign, end = bound[1], float(bound[2])
        strict = sign in "<>"
        return Bounds(end, None, strict) if sign[0] == ">" else Bounds(None, end, strict)
    raise ValueError(f"{raw!r} is no comparison; write a number, '>= 1800', '< 60' or '40..80'")


def typed(feature: Feature, raw: object) -> Value:
    """Give a raw value the feature's type; raises ValueError with what is allowed."""
    if feature.type == "yes-no":
        if isinstance(raw, bool):
            return raw
        raise ValueError(f"{raw!r} is not a value of {feature.id}; allowed: true, false")
    if feature.type == "number":
        return _number(feature, raw)
    if isinstance(raw, str) and (feature.type == "text" or raw in feature.choices):
        return raw
    raise ValueError(f"{raw!r} is not a value of {feature.id}; allowed: {', '.join(map(str, feature.choices))}")


_LARGEST = 1e15
_SMALLEST = 0.0001
"""Beyond these a number is written with an exponent, which durable_rules cannot read in a rule."""


def _number(feature: Feature, raw: object) -> float:
    lowest = 0 if feature.unit == "s" else -_LARGEST  # there are no negative durations
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and lowest <= raw <= _LARGEST:
        return float(raw)
    raise ValueError(
        f"{str(raw)[:40]} is not a value of {feature.id}; allowed: a finite number, {lowest:.0f} to {_LARGEST:.0e}"
    )
