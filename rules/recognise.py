"""Find whose line it is: all recognisers in one pass; and for a line that nobody knows, the nearest dialect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from knowledge.model import Dialect
from knowledge.pattern import PatternSet, pattern
from knowledge.shelf import Shelf
from rules.gather import Logical

_NEAR = 0.1
"""What the marks that a line bears of a dialect must weigh to call it near; a mark of one dialect alone weighs 1."""
_TYPICAL = 2
"""Samples of each dialect that marks are weighed on; the first of them are the usual ones."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A line beside what it says once it is taken out of its packing, and whose it is."""

    at: Logical
    text: str
    dialect: Dialect | None


class Recogniser:
    """The dialects of a shelf, compiled to be looked for at once."""

    def __init__(self, shelf: Shelf) -> None:
        self._own = [one for one in shelf.dialects.values() if not one.fallback]
        self._fallbacks = [one for one in shelf.dialects.values() if one.fallback]
        self._set = PatternSet([one.recognise for one in self._own])
        self._marks = [(one, name, text) for one in self._own for name, text in one.marks.items()]
        self._mark_set = PatternSet([text for _, _, text in self._marks])

    def claims(self, text: str) -> list[Dialect]:
        """Give every dialect that claims a line; more than one is a mistake in the knowledge."""
        claimed = [self._own[place] for place in self._set.matching(text)]
        return [one for one in claimed if not _steps_back(one, text)]

    def known(self, text: str) -> Dialect | None:
        """Give the dialect of a line, those marked as fallback left out."""
        if found := self.claims(text):
            return found[0]
        if "\t" in text and (found := self.claims(text.replace("\t", " "))):  # some chats turn blanks into tabs
            return found[0]
        return None

    def fallback(self, text: str) -> Dialect | None:
        """Give the dialect that reads what no other knows, such as plain words."""
        spelled = text.replace("\t", " ")
        return next((one for one in self._fallbacks if _is_of(one, spelled)), None)

    def nearest(self, text: str) -> str:
        """Say which dialect an unknown line resembles most, and what it lacks of it."""
        weights: dict[str, float] = defaultdict(float)
        here: dict[str, set[str]] = defaultdict(set)
        for place in self._mark_set.matching(text.replace("\t", " ")):
            dialect, name, _ = self._marks[place]
            weights[dialect.id] += self._weights[place]
            here[dialect.id].add(name)
        near = [one for one in self._own if weights.get(one.id, 0.0) >= _NEAR]
        if not near:
            return "no dialect recognises this line"
        best = max(near, key=lambda one: (weights[one.id], len(here[one.id]) / len(one.marks)))
        return f"no dialect recognises this line; it is nearest to {best.title}, {_lacking(best, here[best.id])}"

    @cached_property
    def _weights(self) -> list[float]:
        """Weigh each mark: the fewer dialects have lines that bear it, the more it tells."""
        bearers = [{dialect.id} for dialect, _, _ in self._marks]
        for dialect in self._own:
            for sample in dialect.samples[:_TYPICAL]:
                for place in self._mark_set.matching(sample.line.replace("\t", " ")):
                    bearers[place].add(dialect.id)
        return [1 / len(one) for one in bearers]


def _lacking(dialect: Dialect, here: set[str]) -> str:
    missing: Sequence[str] = [name for name in dialect.marks if name not in here]
    return f"but lacks {', '.join(missing)}" if missing else "but it is cut or ordered differently"


def _is_of(dialect: Dialect, text: str) -> bool:
    return pattern(dialect.recognise).search(text) is not None and not _steps_back(dialect, text)


def _steps_back(dialect: Dialect, text: str) -> bool:
    return dialect.unless is not None and pattern(dialect.unless).search(text) is not None
