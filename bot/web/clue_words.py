"""A clue of the handbook in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.clause import Bounds, Clause, Value, parse_clause, plain
from knowledge.model import STRENGTHS, Clue, Feature, Strength
from knowledge.shelf import Shelf
from rules.answers import said
from rules.weigh import FOR


@dataclass(frozen=True, slots=True)
class ClueWords:
    """A clue: what it says of the cause, why, and under which conditions."""

    strength: Strength
    because: str
    conditions: Sequence[tuple[str, str, str]]
    source: str | None

    @property
    def rank(self) -> int:
        """Its place among those that speak the same way: the strongest come first."""
        place = STRENGTHS.index(self.strength)
        return place if self.strength in FOR else -place


def clue_words(clue: Clue, shelf: Shelf) -> ClueWords:
    """Put a clue into words; `conditions` are features, their titles and what is asked of them."""
    clauses = [parse_clause(shelf.features[name], raw) for name, raw in clue.clauses.items()]
    conditions = [(one.feature, shelf.features[one.feature].title, _asked(one, shelf)) for one in clauses]
    return ClueWords(clue.strength, clue.because, conditions, clue.source)


def _asked(clause: Clause, shelf: Shelf) -> str:
    feature = shelf.features[clause.feature]
    if isinstance(clause.test, Bounds):
        return _bounds(clause.test, f" {feature.unit}" if feature.unit else "")
    order = {str(name): place for place, name in enumerate(feature.choices)}
    values = sorted(clause.test, key=lambda one: (order.get(plain(one), 0), plain(one).zfill(12)))
    return " or ".join(_said(feature, value) for value in values)


def _said(feature: Feature, value: Value) -> str:
    return plain(value) if feature.type == "yes-no" else said(feature, value)


def _bounds(test: Bounds, unit: str) -> str:
    if test.low is not None and test.high is not None:
        return f"{plain(test.low)} to {plain(test.high)}{unit}"
    if test.low is not None:
        return f"{'more than' if test.strict else 'at least'} {plain(test.low)}{unit}"
    return f"{'less than' if test.strict else 'at most'} {plain(test.high or 0.0)}{unit}"
