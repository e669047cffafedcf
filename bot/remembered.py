"""Diagnoses that were given lately: the same case has the same one, and whoever answers looks at it right after."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from knowledge.clause import Value
from rules.case import Case, Diagnosis

MOST = 256
"""How much is remembered: a diagnosis counts one, and one more for each WEIGHT characters of its paste."""
WEIGHT = 10_000


class _Key(NamedTuple):
    paste: str
    product: str | None
    told: frozenset[tuple[str, type, Value]]
    declined: frozenset[str]
    confirmed: frozenset[str]


class Remembered:
    """The diagnoses of one expert, those asked for last at the end. Not for several threads at once."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[_Key, Diagnosis] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, case: Case) -> Diagnosis | None:
        """Give the diagnosis of a case, if it is remembered."""
        key = _key(case)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, case: Case, diagnosis: Diagnosis) -> None:
        """Remember a diagnosis; those unused for longest are let go, and one that is too large is not kept at all."""
        key = _key(case)
        if key in self._kept or _weight(case.paste) > self._most:
            return
        self._kept[key] = diagnosis
        self._weight += _weight(case.paste)
        while self._weight > self._most:
            oldest, _ = self._kept.popitem(last=False)
            self._weight -= _weight(oldest.paste)


def _weight(paste: str) -> int:
    return 1 + len(paste) // WEIGHT


def _key(case: Case) -> _Key:
    # A number is not the yes or no that it equals.
    told = frozenset((name, type(value), value) for name, value in case.answers.items())
    return _Key(case.paste, case.product, told, case.declined, case.confirmed)
