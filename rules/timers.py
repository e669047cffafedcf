"""The idle-timer fingerprint: a silence compared with every default idle timer that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Value, plain
from knowledge.shelf import Shelf
from rules.case import Fact

TOLERANCE = 0.05
"""Of a timer: silences are measured by hand, and timers are swept in steps (domain judgement)."""


@dataclass(frozen=True, slots=True)
class IdleTimer:
    """One default idle timer."""

    product: str
    title: str
    seconds: float
    source: str

    def __str__(self) -> str:
        return f"{self.title} ({plain(self.seconds)} s)"


class Timetable:
    """All idle timers of a shelf; features are compared with them, as rules cannot compare two facts."""

    def __init__(self, shelf: Shelf) -> None:
        self._timers = list(_idle_timers(shelf))

    def compare(self, known: Mapping[str, Value]) -> dict[str, Value]:
        """Say what a known silence means beside the timers of the product in the case, and of all others."""
        idle = known.get("timing.idle_s")
        if not isinstance(idle, float):
            return {}
        product = known.get("log.product")
        near = self._near(idle)
        found: dict[str, Value] = {"timing.idle_is_other_timer": any(one.product != product for one in near)}
        lasted = known.get("session.duration_s")
        if isinstance(lasted, float):
            found["timing.idle_longer_than_session"] = idle > lasted * (1 + TOLERANCE) + 1
        own = [one.seconds for one in self._timers if one.product == product]
        if own:
            found["timing.idle_is_own_timer"] = any(one.product == product for one in near)
            found["timing.idle_reached_own_timer"] = idle >= min(own) * (1 - TOLERANCE)
        if near:
            found["timing.matching_timers"] = _names(near)
        return found

    def facts(self, given: Mapping[str, Fact]) -> list[Fact]:
        """State the comparisons as facts, with their origin."""
        compared = self.compare({name: fact.value for name, fact in given.items()})
        idle = given.get("timing.idle_s")
        near = self._near(float(idle.value)) if idle else []
        because = f", within {TOLERANCE:.0%} of the default of {_names(near)}; source {_sources(near)}" if near else ""
        origin = f"inferred from the silence{because}"
        return [
            Fact(feature=name, value=value, origin=origin, kind="inferred")
            for name, value in compared.items()
            if name not in given
        ]

    def sources(self, idle: Value | None) -> list[str]:
        """Name the sources of the timers that a silence fits."""
        return [one.source for one in self._near(idle)] if isinstance(idle, float) else []

    def _near(self, idle: float) -> list[IdleTimer]:
        return [one for one in self._timers if abs(idle - one.seconds) <= TOLERANCE * one.seconds]


def _idle_timers(shelf: Shelf) -> Iterator[IdleTimer]:
    for id_, product in shelf.products.items():
        for name, timer in product.timers.items():
            if name.split("-")[0] == "idle":
                yield IdleTimer(id_, product.title, timer.seconds, timer.source)


def _names(timers: Sequence[IdleTimer]) -> str:
    return ", ".join(dict.fromkeys(map(str, timers)))


def _sources(timers: Sequence[IdleTimer]) -> str:
    return ", ".join(dict.fromkeys(timer.source for timer in timers))
