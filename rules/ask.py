"""Which question to ask next: the highest expected information gain per effort, under the weights of `weigh`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Clause, Value, typed
from knowledge.model import Cause, Effort, Feature, Known
from knowledge.shelf import Shelf
from rules.rule import Clued, Rule, RuleBook
from rules.weigh import ESTABLISHED, LIKELY, WEIGHTS, Weights

Facts = Mapping[str, Value]
Compare = Callable[[Facts], Facts]
"""Gives the facts that comparisons (such as that of a silence with known timers) add to what is known."""

EFFORTS: Mapping[Effort, float] = {"glance": 1.0, "lookup": 2.0, "command": 4.0, "capture": 8.0}
"""How much an answer costs, a glance at the same log being 1 (judgement)."""
KNOWN: Mapping[Known, float] = {"usually": 4.0, "often": 2.0, "sometimes": 1.0, "seldom": 0.5}
"""How much likelier than others a question is to be answered by those who have the problem (from labelled cases)."""

_WORTH_ASKING = 0.015
"""Expected gain (nats) per effort under which a question is not asked (tried on labelled cases; docs/weighing.md)."""
_TIRING = 1.8
"""By how much each "I don't know", or list that was looked over in vain, raises that: more of them do not help."""

_COMPARED = frozenset({"timing.idle_s", "log.product", "session.duration_s"})
"""Features that comparisons look at."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A question beside its expected gain per effort, and the factor each answer puts on each cause's share."""

    feature: Feature
    gain: float
    factors: Sequence[Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class _Effect:
    """What one value of one feature does to the odds, as factors: at once, and where other clauses hold as well."""

    factors: Mapping[int, float]
    waiting: tuple[tuple[str, int, float, tuple[Clause, ...]], ...]


class Asking:
    """What can be asked about the causes of one rule book, indexed once."""

    def __init__(
        self, shelf: Shelf, book: RuleBook, causes: Sequence[Cause], compare: Compare, weights: Weights = WEIGHTS
    ) -> None:
        self._weights = weights
        self._index = {cause.id: place for place, cause in enumerate(causes)}
        self._compare = compare
        self._clues: dict[str, list[Clued]] = defaultdict(list)
        for clue in book.clues:
            for clause in clue.rule.clauses:
                self._clues[clause.feature].append(clue)
        self._inferences: dict[str, list[Rule]] = defaultdict(list)
        for rule in book.inferences:
            for clause in rule.clauses:
                self._inferences[clause.feature].append(rule)
        self._lists = lists_to_look_over(shelf)
        self._covered = {name: frozenset[str]().union(*leads.values()) for name, leads in self._lists.items()}
        self._follows: dict[tuple[str, Value], list[tuple[tuple[str, Value], tuple[Clause, ...]]]] = {}
        self._effects: dict[tuple[str, Value], _Effect] = {}
        self._askable = [
            (feature, self.offered(feature))
            for feature in shelf.features.values()
            if feature.question and (feature.id in self._clues or self._leads(feature.id))
        ]

    def outlooks(self, known: Facts, declined: frozenset[str], now: Sequence[float]) -> list[Outlook]:
        """Judge every open question, best first; what stood on a list looked over in vain is not asked again."""
        vain = [id_ for id_ in self._covered if known.get(id_) == NONE_OF_THESE]
        passed = declined.union(*(self._covered[id_] for id_ in (*vain, *(self._covered.keys() & declined))))
        found = [
            self._outlook(feature, values, known, now)
            for feature, values in self._askable
            if feature.id not in passed and feature.id not in known
        ]
        worth = [one for one in found if one.gain > _WORTH_ASKING * _TIRING ** (len(declined) + len(vain))]
        return sorted(worth, key=lambda one: (-one.gain, one.feature.id))

    def offered(self, feature: Feature) -> list[Value]:
        """List the answers that are offered; of a list to look over, those that lead to a clue."""
        answers = answers_of(feature)
        leads = self._lists.get(feature.id, {})
        return [
            one
            for one in answers
            if not feature.broad or one == NONE_OF_THESE or any(name in self._clues for name in leads.get(one, ()))
        ]

    def _leads(self, feature: str) -> bool:
        return feature in _COMPARED or feature in self._inferences

    def _outlook(self, feature: Feature, values: Sequence[Value], known: Facts, now: Sequence[float]) -> Outlook:
        factors = [self._factors(feature.id, value, known) for value in values]
        return Outlook(feature, expected_gain(now, factors) * _ease(feature), factors)

    def _factors(self, feature: str, value: Value, known: Facts) -> Mapping[int, float]:
        """Give the factor that an answer would put on the odds of each cause, its consequences included."""
        new = self.consequences(feature, value, known)
        effect = self._effect(feature, value)
        if len(new) == 1 and not any(_met(others, new, known) for _, _, _, others in effect.waiting):
            return effect.factors
        factors: dict[int, float] = {}
        met: set[str] = set()
        for name, worth in new.items():
            effect = self._effect(name, worth)
            for place, factor in effect.factors.items():
                factors[place] = factors.get(place, 1.0) * factor
            for clue, place, factor, others in effect.waiting:
                if clue not in met and _met(others, new, known):
                    met.add(clue)
                    factors[place] = factors.get(place, 1.0) * factor
        return factors

    def consequences(self, feature: str, value: Value, known: Facts) -> dict[str, Value]:
        """Give an answer beside the facts that would follow from it, by comparison and inference."""
        new = {feature: value}
        if not self._leads(feature):
            return new
        if feature in _COMPARED:
            compared = self._compare({**known, feature: value})
            new |= {name: worth for name, worth in compared.items() if name not in known}
        queue = list(new)
        while queue:
            name = queue.pop()
            for (then, worth), others in self._following(name, new[name]):
                if then not in new and then not in known and _met(others, new, known):
                    new[then] = worth
                    queue.append(then)
        return new

    def _following(self, feature: str, value: Value) -> Sequence[tuple[tuple[str, Value], tuple[Clause, ...]]]:
        """Give what one value leads to, and what else has to hold for that."""
        if (feature, value) not in self._follows:
            self._follows[feature, value] = [
                (rule.then, others)
                for rule in self._inferences.get(feature, ())
                for own, others in _parted(rule.clauses, feature)
                if rule.then and own.holds(value)
            ]
        return self._follows[feature, value]

    def _effect(self, feature: str, value: Value) -> _Effect:
        if (feature, value) not in self._effects:
            self._effects[feature, value] = self._compiled(feature, value)
        return self._effects[feature, value]

    def _compiled(self, feature: str, value: Value) -> _Effect:
        factors: dict[int, float] = {}
        waiting = []
        for clue, others in self._touched(feature, value):
            place, factor = self._index[clue.cause], math.exp(self._weights.log_odds(clue.strength))
            if others:
                waiting.append((clue.rule.name, place, factor, others))
            else:
                factors[place] = factors.get(place, 1.0) * factor
        return _Effect(factors, tuple(waiting))

    def _touched(self, feature: str, value: Value) -> Iterator[tuple[Clued, tuple[Clause, ...]]]:
        for clue in self._clues.get(feature, ()):
            for own, others in _parted(clue.rule.clauses, feature):
                if own.holds(value):
                    yield clue, others


def _parted(clauses: Sequence[Clause], feature: str) -> Iterator[tuple[Clause, tuple[Clause, ...]]]:
    """Give the clause of a feature, and the others beside it; a rule has one clause for each feature."""
    for own in clauses:
        if own.feature == feature:
            yield own, tuple(clause for clause in clauses if clause is not own)


NONE_OF_THESE = "none"
"""The choice of a list by which it was looked over in vain."""


def lists_to_look_over(shelf: Shelf) -> dict[str, dict[Value, frozenset[str]]]:
    """Give, for each list to look over and each of its choices, the features of which that choice states a value."""
    lists: dict[str, dict[Value, frozenset[str]]] = {one.id: {} for one in shelf.features.values() if one.broad}
    for one in shelf.inferences.values():
        for name in lists.keys() & one.when.keys():
            lists[name][typed(shelf.features[name], one.when[name])] = frozenset(one.then)
    return lists


def _ease(feature: Feature) -> float:
    """Weigh a question by how likely it is to be answered, and by what the answer costs."""
    question = feature.question
    return KNOWN[question.known] / EFFORTS[question.effort] if question else 1.0


def _met(clauses: Sequence[Clause], new: Facts, known: Facts) -> bool:
    for clause in clauses:
        value = new[clause.feature] if clause.feature in new else known.get(clause.feature)
        if value is None or not clause.holds(value):
            return False
    return True


def is_quick(feature: Feature) -> bool:
    """Tell whether a question is answered by looking, without typing or capturing anything."""
    return feature.question is not None and feature.question.effort in ("glance", "lookup")


def answers_of(feature: Feature) -> list[Value]:
    """List the answers that are offered."""
    if feature.type == "yes-no":
        return [True, False]
    return [typed(feature, value) for value in feature.choices]


def expected_gain(now: Sequence[float], factors: Sequence[Mapping[int, float]]) -> float:
    """Give the expected information gain in nats (Lindley 1956): the mean divergence of the shares after an answer.

    How probable an answer is under a cause follows from the same factors: in proportion to them.
    """
    sums: dict[int, float] = {}
    answers = float(len(factors))
    for one in factors:
        for place, factor in one.items():
            sums[place] = sums.get(place, answers) + factor - 1.0
    even = (1.0 - sum(now[place] for place in sums)) / len(factors) + sum(now[place] / sums[place] for place in sums)
    return sum(_share_of_gain(now, one, sums, even) for one in factors) if sums else 0.0


def _share_of_gain(now: Sequence[float], factors: Mapping[int, float], sums: Mapping[int, float], even: float) -> float:
    """Weigh one answer: its chance times the divergence it brings. `even` is its chance if it changed nothing."""
    chance, total, moves = even, 1.0, 0.0
    for place, factor in factors.items():
        share = now[place]
        chance += share * (factor - 1.0) / sums[place]
        total += share * (factor - 1.0)
        moves += share * factor * math.log(factor)
    return chance * (moves / total - math.log(total))


def moved(now: Sequence[float], factors: Mapping[int, float]) -> list[float]:
    """Give the shares after an answer."""
    odds = list(now)
    for place, factor in factors.items():
        odds[place] *= factor
    total = math.fsum(odds)
    return [one / total for one in odds]


_STRONG = 15.0
"""The factor from which a finding is strong enough to establish what already leads."""


def changes_something(outlook: Outlook, now: Sequence[float]) -> bool:
    """Tell whether some answer would put another cause first, or change the standing of the first one.

    A strong finding for the first one counts: it may be what is lacking to establish it.
    """
    leader = max(range(len(now)), key=now.__getitem__)
    word = _word(now[leader])
    for factors in outlook.factors:
        after = moved(now, factors)
        if max(after) > after[leader] or _word(after[leader]) != word:
            return True
        if factors.get(leader, 1.0) >= _STRONG and after[leader] >= ESTABLISHED:
            return True
    return False


def _word(share: float) -> str:
    return "established" if share >= ESTABLISHED else "likely" if share >= LIKELY else "open"


def follow_rules(rules: Sequence[Rule], known: Facts) -> dict[str, Value]:
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
