"""Run labelled cases with an engineer who answers only what the case states, and measure what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from knowledge.clause import Value, typed
from knowledge.complaint import unknown
from knowledge.model import Entry, Scalar, SymptomId, Text
from knowledge.shelf import Shelf
from rules.answers import answered, asked_again
from rules.case import Case
from rules.diagnose import Expert

_MOST_QUESTIONS = 200
"""No consultation asks as much; one that does has no end."""
BANDS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0)
"""Where the calibration table is divided."""


class Labelled(Entry):
    """A case whose cause is known. `facts` is what its engineer can answer if asked; `causes` are the right answers.

    `together` are causes that are at work at the same time: all of them have to come out among the first three, or be
    named beside the leading one.
    `weak` says why a case tells less than a real question.
    """

    name: Text
    paste: str = ""
    symptom: SymptomId
    facts: dict[str, Scalar] = Field(default_factory=dict)
    causes: Annotated[list[Text], Field(min_length=1)]
    together: list[Text] = Field(default_factory=list)
    weak: Text | None = None
    reference: Text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one labelled case."""

    id: str
    labelled: Labelled
    ranking: Sequence[tuple[str, float]]
    asked: Sequence[str]
    verdict: bool
    beside: Sequence[str] = ()

    @property
    def top(self) -> int:
        """The place of the first right cause, from 1; 0 where none came out."""
        return next((at for at, (cause, _) in enumerate(self.ranking, 1) if cause in self.labelled.causes), 0)

    @property
    def sure(self) -> float:
        """The probability of the leading cause."""
        return self.ranking[0][1] if self.ranking else 0.0

    @property
    def right(self) -> bool:
        """Whether a right cause leads; and all at work together are among the first three, or named beside it."""
        first = {*(cause for cause, _ in self.ranking[:3]), *self.beside}
        return self.top == 1 and first.issuperset(self.labelled.together)


@dataclass(frozen=True, slots=True)
class Band:
    """Cases whose leading cause had a probability between two bounds, and how many of them were right."""

    low: float
    high: float
    cases: int
    right: int
    mean: float


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of many cases."""

    outcomes: Sequence[Outcome]

    def share(self, within: int) -> float:
        """Give the share of the cases whose right cause came out among the first so many."""
        return _share(sum(0 < one.top <= within for one in self.outcomes), len(self.outcomes))

    @property
    def questions(self) -> float:
        """The mean number of questions."""
        return _share(sum(len(one.asked) for one in self.outcomes), len(self.outcomes))

    @property
    def abstained(self) -> int:
        """Cases that ended without a verdict."""
        return sum(not one.verdict for one in self.outcomes)

    def misses(self) -> list[Outcome]:
        """Give the cases in which no right cause leads."""
        return [one for one in self.outcomes if not one.right]

    def confusion(self) -> list[tuple[str, str, int]]:
        """Give which cause was taken for which, the most frequent first: right, taken, how often."""
        taken = Counter(
            (one.labelled.causes[0], one.ranking[0][0] if one.ranking else "nothing") for one in self.misses()
        )
        return [(right, wrong, count) for (right, wrong), count in taken.most_common()]

    def bands(self) -> list[Band]:
        """Say for each range of probabilities how often the leading cause was right."""
        found = []
        for low, high in pairwise(BANDS):
            inside = [
                one for one in self.outcomes if low <= one.sure < high or (high == BANDS[-1] and one.sure == high)
            ]
            mean = _share(sum(one.sure for one in inside), len(inside))
            found.append(Band(low, high, len(inside), sum(one.top == 1 for one in inside), mean))
        return found

    def at_least(self, probability: float) -> tuple[int, int]:
        """Give how many cases had a leader of at least this probability, and how many of those were wrong."""
        inside = [one for one in self.outcomes if one.sure >= probability]
        return len(inside), sum(one.top != 1 for one in inside)


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def told(labelled: Labelled, shelf: Shelf) -> Mapping[str, Value]:
    """Give what the engineer of a case knows. Raises ValueError for what is no feature, value or cause of ours."""
    for cause in (*labelled.causes, *labelled.together):
        if cause not in shelf.causes:
            raise ValueError(unknown("cause", cause, shelf.causes))
    known: dict[str, Value] = {"symptom": labelled.symptom}
    for name, raw in labelled.facts.items():
        if name not in shelf.features:
            raise ValueError(unknown("feature", name, shelf.features))
        known[name] = typed(shelf.features[name], raw)
    return known


def consult(expert: Expert, id_: str, labelled: Labelled, *, silent: bool = False) -> Outcome:
    """Go through one case; `silent` answers nothing but which symptom it is. Raises ValueError, PasteTooLarge."""
    known = told(labelled, expert.shelf)
    if silent:
        known = {"symptom": labelled.symptom}
    case, asked = Case(paste=labelled.paste), list[str]()
    diagnosis = expert.diagnose(case)
    while diagnosis.question and len(asked) < _MOST_QUESTIONS:
        feature = diagnosis.question.feature
        if feature != "symptom":
            asked.append(feature)
        told_now = known.get(feature, implied(expert.shelf, feature, known))
        case = answered(case, feature, told_now, again=asked_again(diagnosis, feature))
        diagnosis = expert.diagnose(case)
    ranking = [(one.cause, one.probability) for one in diagnosis.hypotheses]
    beside = [one.cause for one in diagnosis.beside]
    return Outcome(id_, labelled, ranking, asked, diagnosis.verdict is not None, beside)


def implied(shelf: Shelf, feature: str, known: Mapping[str, Value]) -> Value | None:
    """Give the answer to a question over a list of facts: the choice that stands for one that is known."""
    for one in shelf.inferences.values() if shelf.features[feature].broad else ():
        if list(one.when) == [feature] and all(known.get(name) == value for name, value in one.then.items()):
            return typed(shelf.features[feature], one.when[feature])
    return None


def score(expert: Expert, cases: Mapping[str, Labelled], *, silent: bool = False) -> Score:
    """Go through all cases."""
    return Score([consult(expert, id_, labelled, silent=silent) for id_, labelled in cases.items()])


OURS = "ours"
"""The reference of a case that we made ourselves."""


def groups(cases: Mapping[str, Labelled]) -> dict[str, dict[str, Labelled]]:
    """Divide cases into the strict ones, those that tell less than a real question, further ones, and our own."""
    found: dict[str, dict[str, Labelled]] = {"strict": {}, "weak": {}, "further": {}, "our own": {}}
    for id_, one in cases.items():
        further = "further" if id_.startswith("further/") else "strict"
        found["our own" if one.reference == OURS else "weak" if one.weak else further][id_] = one
    return {name: group for name, group in found.items() if group}


def split(cases: Mapping[str, Labelled], folds: int) -> Iterator[tuple[dict[str, Labelled], dict[str, Labelled]]]:
    """Divide cases into folds, by turns in the order of their ids; give the others, and the fold that is held out."""
    ids = sorted(cases)
    for fold in range(folds):
        out = set(ids[fold::folds])
        yield {id_: cases[id_] for id_ in ids if id_ not in out}, {id_: cases[id_] for id_ in ids if id_ in out}
