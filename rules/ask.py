"""Which question to ask next: the highest expected information gain per effort, under the weights of `weigh`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Clause, Value, typed
from knowledge.model import Cause, Effort, Feature
from knowledge.shelf import Shelf
from rules.rule import Clued, Rule, RuleBook
from rules.weigh import ESTABLISHED, LOG_ODDS, shares, standing

Known = Mapping[str, Value]
Consequences = Callable[[Known], Known]
"""Gives the facts that comparisons and inferences add to what is known."""

EFFORTS: Mapping[Effort, float] = {"glance": 1.0, "lookup": 1.5, "command": 2.5, "capture": 4.0}
"""How much an answer costs, a glance at the same log being 1 (judgement)."""

_ALIVE = 0.002
"""Share under which a cause cannot make a question worth asking."""
_WORTH_ASKING = 0.01
"""Expected gain (nats) under which a question decides nothing."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A question beside its expected gain per effort, and what each answer would do to the ranking."""

    feature: Feature
    gain: float
    after: Mapping[Value, Sequence[float]]


class Asking:
    """What can be asked about the causes of one rule book, indexed once."""

    def __init__(self, shelf: Shelf, book: RuleBook, causes: Sequence[Cause]) -> None:
        self._index = {cause.id: place for place, cause in enumerate(causes)}
        self._clues: dict[str, list[Clued]] = defaultdict(list)
        for clue in book.clues:
            for clause in clue.rule.clauses:
                self._clues[clause.feature].append(clue)
        self._leading = _leading_features(shelf, book)
        self._askable = [
            feature
            for feature in shelf.features.values()
            if feature.question and (feature.id in self._clues or feature.id in self._leading)
        ]

    def outlooks(
        self, known: Known, closed: frozenset[str], now: Sequence[float], follow: Consequences
    ) -> list[Outlook]:
        """Judge every open question, best first. `closed` features are known or declined."""
        found = [
            self._outlook(feature, known, now, follow)
            for feature in self._askable
            if feature.id not in closed and feature.id not in known
        ]
        worth = [one for one in found if one.gain > _WORTH_ASKING]
        return sorted(worth, key=lambda one: (-one.gain, one.feature.id))

    def _outlook(self, feature: Feature, known: Known, now: Sequence[float], follow: Consequences) -> Outlook:
        values = answers_of(feature)
        shifts = [self._shift({feature.id: value}, known, feature, follow) for value in values]
        gain = _expected_gain(now, shifts) / (EFFORTS[feature.question.effort] if feature.question else 1.0)
        after = {value: moved(now, shift) for value, shift in zip(values, shifts, strict=True)}
        return Outlook(feature, gain, after)

    def _shift(self, new: dict[str, Value], known: Known, feature: Feature, follow: Consequences) -> dict[int, float]:
        """Give the log-odds that an answer would add to each cause, its consequences included."""
        if feature.id in self._leading:
            told = {**known, **new}
            new |= {name: value for name, value in follow(told).items() if name not in told}
        shift: dict[int, float] = defaultdict(float)
        for clue in self._touched(new):
            if _met(clue.rule.clauses, new, known):
                shift[self._index[clue.cause]] += LOG_ODDS[clue.strength]
        return shift

    def _touched(self, new: Mapping[str, Value]) -> list[Clued]:
        if len(new) == 1:
            return self._clues.get(next(iter(new)), [])
        return list({clue.rule.name: clue for name in new for clue in self._clues.get(name, [])}.values())


def _met(clauses: Sequence[Clause], new: Known, known: Known) -> bool:
    for clause in clauses:
        value = new[clause.feature] if clause.feature in new else known.get(clause.feature)
        if value is None or not clause.holds(value):
            return False
    return True


def _leading_features(shelf: Shelf, book: RuleBook) -> frozenset[str]:
    """Features whose answer lets other facts follow: those inferences look at, and those comparisons do."""
    inferring = {clause.feature for rule in book.inferences for clause in rule.clauses}
    return frozenset(inferring | {"timing.idle_s", "log.product"}) & frozenset(shelf.features)


def answers_of(feature: Feature) -> list[Value]:
    """List the answers that are offered."""
    if feature.type == "yes-no":
        return [True, False]
    return [typed(feature, value) for value in feature.choices]


def moved(now: Sequence[float], shift: Mapping[int, float]) -> list[float]:
    """Give the shares after log-odds were added to some of them."""
    odds = list(now)
    for place, amount in shift.items():
        odds[place] *= math.exp(amount)
    total = math.fsum(odds)
    return [one / total for one in odds]


def _expected_gain(now: Sequence[float], shifts: Sequence[Mapping[int, float]]) -> float:
    """Give the expected information gain in nats (Lindley 1956): the mean divergence of the shares after an answer.

    How probable an answer is under a cause follows from the same log-odds: in proportion to what it would add.
    """
    touched = sorted({place for shift in shifts for place in shift if now[place] > _ALIVE})
    if not touched:
        return 0.0
    rest = 1.0 - math.fsum(now[place] for place in touched)
    likely = {place: shares([shift.get(place, 0.0) for shift in shifts]) for place in touched}
    gain = 0.0
    for number, shift in enumerate(shifts):
        chance = rest / len(shifts) + math.fsum(now[place] * likely[place][number] for place in touched)
        gain += chance * _divergence(now, shift, touched, rest)
    return gain


def _divergence(now: Sequence[float], shift: Mapping[int, float], touched: Sequence[int], rest: float) -> float:
    total = rest + math.fsum(now[place] * math.exp(shift.get(place, 0.0)) for place in touched)
    kept = math.log(total)
    moves = math.fsum(
        now[place] * math.exp(shift.get(place, 0.0)) / total * (shift.get(place, 0.0) - kept) for place in touched
    )
    return moves - rest / total * kept


def changes_something(outlook: Outlook, now: Sequence[float]) -> bool:
    """Tell whether some answer would put another cause first, or give the first one another standing."""
    leader = max(range(len(now)), key=now.__getitem__)
    word = _word(now[leader])
    return any(
        max(range(len(after)), key=after.__getitem__) != leader or _word(after[leader]) != word
        for after in outlook.after.values()
    )


def _word(share: float) -> str:
    return standing(share, ()) if share < 0.5 else "established" if share >= ESTABLISHED else "likely"


def follow_rules(rules: Sequence[Rule], known: Known) -> dict[str, Value]:
    """Chain inferences over what is known, without the engine; the tests hold both to the same result."""
    found = dict(known)
    new = True
    while new:
        new = False
        for rule in rules:
            if rule.then and rule.then[0] not in found and _met(rule.clauses, {}, found):
                found[rule.then[0]] = rule.then[1]
                new = True
    return found
