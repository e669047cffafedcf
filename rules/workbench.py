"""What the knowledge as a whole is worth: what in it decides nothing, and pictures of it: the matrix and the tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from knowledge.clause import Bounds, Clause, Value, describe, plain
from knowledge.model import Cause, Clue, Feature, Strength, SymptomId
from knowledge.shelf import Shelf
from rules.case import Case, Standing
from rules.diagnose import Expert
from rules.prove import Unproven
from rules.reach import Reach, all_hold
from rules.rule import Clued, clauses_of
from rules.weigh import WEIGHTS

_FOR: Sequence[Strength] = ("shows", "points to", "supports")
_ALONE = (0, 0)
"""The place of a cause that nothing is ahead of, or level with."""
_WAYS = 8
"""Ways to meet one clue that are tried in a search."""
_STEPS = 12
"""Clues that are met one after the other in a search."""


def inspect(expert: Expert) -> Iterator[Unproven]:
    """Find clues that decide nothing, causes that never come first, and pairs of causes that nothing separates.

    Questions that separate nothing are found by `prove`: it has the worked cases to ask them in.
    """
    yield from undecided_clues(expert)
    yield from never_first(expert)
    yield from twins(expert.shelf)


def _symptoms(shelf: Shelf) -> list[SymptomId]:
    return sorted({symptom for cause in shelf.causes.values() for symptom in cause.symptoms})


def undecided_clues(expert: Expert) -> Iterator[Unproven]:
    """Find clues that no facts can meet, that an exclusion always outweighs, or that change no ranking."""
    reaches = [Reach(expert, symptom) for symptom in (*_symptoms(expert.shelf), None)]
    for cause in expert.shelf.causes.values():
        own = [one for one in reaches if one.symptom in (*cause.symptoms, None)]
        for index, clue in enumerate(cause.clues):
            if why := _undecided(f"{cause.id}/{index + 1}", own):
                message = f"clue {index + 1}, {clue.because!r}, decides nothing: {why}"
                yield Unproven("causes", cause.id, message, ("clues", index))


def _undecided(name: str, reaches: Sequence[Reach]) -> str | None:
    clue = reaches[0].clues[name]
    met = [reach for reach in reaches if _can_hold(reach, clue.rule.clauses)]
    if not met:
        alone = (one for one in clue.rule.clauses if not any(_can_hold(reach, [one]) for reach in reaches))
        never = next(alone, None)
        return f"in no case of this cause can it be known that {never}" if never else "its clauses never hold together"
    if number := _excluded_by(clue, reaches[0]):
        return f"whenever it is met, clue {number} excludes the cause"
    if all(_said_by_all(clue, reach) for reach in reaches if reach.symptom):
        return "it says the same of every cause"
    return None if any(_changes_a_ranking(clue, reach) for reach in met) else "it changes no ranking"


def _can_hold(reach: Reach, clauses: Sequence[Clause]) -> bool:
    return next(reach.ways(clauses), None) is not None


def _said_by_all(clue: Clued, reach: Reach) -> bool:
    same = {
        one.cause
        for one in reach.clues.values()
        if one.rule.clauses == clue.rule.clauses and one.strength == clue.strength
    }
    return len(same) == len(reach.causes) > 1


def _excluded_by(clue: Clued, reach: Reach) -> str | None:
    """Give the number of another clue of the cause that excludes it whenever this one is met."""
    for name, other in reach.clues.items():
        wider = _implies(clue.rule.clauses, other.rule.clauses)
        if other.cause != clue.cause or other.strength != "excludes" or other is clue or not wider:
            continue
        same = clue.strength == "excludes" and _implies(other.rule.clauses, clue.rule.clauses)
        if not same or _number(name) < _number(clue.rule.name):  # of two that say the same, the first one stands
            return str(_number(name))
    return None


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])


def _implies(narrow: Sequence[Clause], wide: Sequence[Clause]) -> bool:
    by_feature = {clause.feature: clause for clause in narrow}
    return all(one.feature in by_feature and _within(by_feature[one.feature], one) for one in wide)


def _within(narrow: Clause, wide: Clause) -> bool:
    if not isinstance(narrow.test, Bounds):
        return all(wide.holds(value) for value in narrow.test)
    if not isinstance(wide.test, Bounds):
        return False
    one, other = narrow.test, wide.test
    looser = one.strict < other.strict
    above = other.low is None or (one.low is not None and (one.low, not looser) >= (other.low, True))
    below = other.high is None or (one.high is not None and (one.high, looser) <= (other.high, False))
    return above and below


def _changes_a_ranking(clue: Clued, reach: Reach) -> bool:
    """Tell whether the cause stands elsewhere without the clue: by these facts alone, or beside those of another."""
    if len(reach.causes) == 1:
        return True  # there is no ranking
    ways = [*islice(reach.ways(clue.rule.clauses), _WAYS)]
    if any(_moves(clue, reach, facts) for facts in ways):
        return True
    others = (way for other in reach.clues.values() for way in islice(reach.ways(other.rule.clauses), 1))
    return any(_moves(clue, reach, {**other, **facts}) for other in others for facts in ways)


def _moves(clue: Clued, reach: Reach, facts: Mapping[str, Value]) -> bool:
    known = reach.closed(facts)
    if not all_hold(clue.rule.clauses, known) or reach.contradicted(known):
        return False
    scores = reach.scores(known)
    return reach.place(clue.cause, scores) != reach.place(clue.cause, scores, WEIGHTS.log_odds(clue.strength))


def never_first(expert: Expert) -> Iterator[Unproven]:
    """Find causes that no facts put first among the causes of one of their symptoms."""
    for reach in (Reach(expert, symptom) for symptom in _symptoms(expert.shelf)):
        for cause in reach.causes:
            if best_case(reach, cause.id) is None:
                message = f"no answers put it first among the causes of {reach.symptom}"
                yield Unproven("causes", cause.id, message, ("symptoms",))


def best_case(reach: Reach, cause: str) -> dict[str, Value] | None:
    """Look for facts that put a cause first, beginning with each of the clues for it; None if there seem to be none."""
    for_it = [one for one in reach.clues.values() if one.cause == cause and one.strength in _FOR]
    against_others = [one for one in reach.clues.values() if one.cause != cause and one.strength not in _FOR]
    for start in (reach.nothing, *(way for one in for_it for way in islice(reach.ways(one.rule.clauses), 1))):
        for moves in (for_it, [*for_it, *against_others]):
            found = _climbed(reach, cause, start, moves)
            if reach.place(cause, reach.scores(reach.closed(found))) == _ALONE:
                return found
    return None


def _climbed(reach: Reach, cause: str, start: Mapping[str, Value], moves: Sequence[Clued]) -> dict[str, Value]:
    """Meet one clue after the other, always that which helps most, until the cause is first or nothing helps."""
    facts = dict(start)
    for _ in range(_STEPS):
        scores = reach.scores(reach.closed(facts))
        if reach.place(cause, scores) == _ALONE:
            break
        options = [*_further(reach, facts, moves)]
        leads = [reach.lead(cause, reach.scores(reach.closed(option))) for option in options]
        best = max(leads, default=float("-inf"))
        if best <= reach.lead(cause, scores):
            break
        facts = options[leads.index(best)]
    return facts


def _further(reach: Reach, facts: Mapping[str, Value], moves: Sequence[Clued]) -> Iterator[dict[str, Value]]:
    for clue in moves:
        for way in islice(reach.ways(clue.rule.clauses), _WAYS):
            agrees = all(facts.get(name, value) == value for name, value in way.items())
            if agrees and way.keys() - facts.keys() and not reach.contradicted(reach.closed({**facts, **way})):
                yield {**facts, **way}


def twins(shelf: Shelf) -> Iterator[Unproven]:
    """Find pairs of causes of one symptom whose clues say the same, if perhaps not as strongly."""
    told: set[tuple[str, str]] = set()
    for symptom in _symptoms(shelf):
        said = {cause.id: _said(shelf, cause) for cause in shelf.causes.values() if symptom in cause.symptoms}
        for one, other in combinations(said, 2):
            if said[one] == said[other] and (one, other) not in told:
                told.add((one, other))
                yield Unproven("causes", other, f"nothing separates it from {one}: their clues say the same")


def _said(shelf: Shelf, cause: Cause) -> frozenset[tuple[tuple[Clause, ...], bool]]:
    return frozenset((clauses_of(shelf, clue.clauses), clue.strength in _FOR) for clue in cause.clues)


@dataclass(frozen=True, slots=True)
class Mark:
    """What one value says of one cause, and what must be known beside it."""

    strength: Strength
    because: str
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One value, or range of values, of one feature, with the marks of each cause it says something about."""

    feature: Feature
    value: str
    marks: Mapping[str, Sequence[Mark]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The evidence of one symptom beside its causes."""

    symptom: SymptomId
    causes: Sequence[Cause]
    rows: Sequence[Row]


def matrix(shelf: Shelf, symptom: SymptomId) -> Matrix:
    """Lay the clues out: a row for each value that any of them looks at, a column for each cause."""
    causes = [cause for cause in shelf.causes.values() if symptom in cause.symptoms]
    cells: dict[tuple[str, str], dict[str, list[Mark]]] = defaultdict(lambda: defaultdict(list))
    for cause in causes:
        for clue in cause.clues:
            for clause, mark in _marks(shelf, clue):
                for value in _values_of(shelf.features[clause.feature], clause):
                    cells[clause.feature, value][cause.id].append(mark)
    order = {id_: place for place, id_ in enumerate(shelf.features)}
    keys = sorted(cells, key=lambda key: (order[key[0]], _rank(shelf.features[key[0]], key[1]), key[1]))
    return Matrix(symptom, causes, [Row(shelf.features[name], value, cells[name, value]) for name, value in keys])


def _marks(shelf: Shelf, clue: Clue) -> Iterator[tuple[Clause, Mark]]:
    clauses = clauses_of(shelf, clue.clauses)
    for clause in clauses:
        beside = (_told(shelf.features[one.feature], one) for one in clauses if one is not clause)
        yield clause, Mark(clue.strength, clue.because, tuple(beside))


def _told(feature: Feature, clause: Clause) -> str:
    return f"{feature.title}: {' or '.join(_values_of(feature, clause))}"


def _values_of(feature: Feature, clause: Clause) -> list[str]:
    if isinstance(clause.test, Bounds):
        return [f"{describe(clause.test).removeprefix('is ')} {feature.unit or ''}".strip()]
    return sorted(label_of(feature, value) for value in clause.test)


def label_of(feature: Feature, value: Value) -> str:
    """Write a value as it is offered."""
    key = int(value) if isinstance(value, float) and value.is_integer() else value
    return feature.choices.get(key, plain(value)) if isinstance(key, (int, str)) else plain(value)


def _rank(feature: Feature, value: str) -> tuple[int, float]:
    """Sort values as they are offered, then ranges by their first number."""
    labels = ["yes", "no", *feature.choices.values()]
    if value in labels:
        return labels.index(value), 0.0
    numbers = [word for word in value.replace("..", " ").split() if word.lstrip("-").replace(".", "", 1).isdigit()]
    return len(labels), float(numbers[0]) if numbers else 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """What would be asked next, and what leads so far; without branches if nothing more is asked, or shown."""

    leader: str
    probability: float
    standing: Standing
    question: str | None = None
    contradiction: str | None = None
    branches: tuple[tuple[str, Node], ...] = ()


def tree(expert: Expert, symptom: SymptomId, depth: int = 3) -> Node:
    """Ask as the expert would, down to a depth, and go on from every answer; of lists only the first."""
    return _node(expert, Case(answers={"symptom": symptom}), depth, first=True)


def _node(expert: Expert, case: Case, depth: int, *, first: bool = False) -> Node:
    diagnosis = expert.diagnose(case)
    leader, asked = diagnosis.hypotheses[0], diagnosis.question
    leaf = Node(leader.title, leader.probability, leader.standing)
    if diagnosis.contradictions:
        return replace(leaf, contradiction=diagnosis.contradictions[0].because)
    if asked is None or not depth:
        return leaf
    if expert.shelf.features[asked.feature].broad and not first:
        return replace(leaf, question=asked.text)
    branches = tuple(
        (choice.label, _node(expert, _with(case, asked.feature, choice.value), depth - 1)) for choice in asked.choices
    )
    return replace(leaf, question=asked.text, branches=branches)


def _with(case: Case, feature: str, value: Value) -> Case:
    return case.model_copy(update={"answers": {**case.answers, feature: value}})
