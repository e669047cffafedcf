"""Tune what the words of entries weigh on labelled cases, and measure it on cases that had no part in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from knowledge.model import Cause
from knowledge.shelf import Shelf
from rules.case import Case, Finding
from rules.diagnose import Expert
from rules.score import Labelled, Score, consult, split, told
from rules.weigh import WEIGHTS, Weights, weigh

GRID: Mapping[str, Sequence[float]] = {
    "shows": (50.0, 100.0, 200.0, 400.0),
    "points_to": (5.0, 7.0, 10.0, 14.0, 20.0),
    "supports": (2.0, 2.5, 3.0, 4.0),
    "weakens": (2.0, 3.0, 4.5),
    "excludes": (100.0, 1000.0),
    "uncommon": (1.5, 2.0, 3.0, 4.0),
    "rare": (4.0, 7.0, 10.0, 20.0),
}
"""The factors that are tried; few and far apart, for there are only some dozen cases."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Weighable:
    """A case with all that its engineer knows told: what was found, and which causes are right."""

    causes: Sequence[Cause]
    findings: Mapping[str, Sequence[Finding]]
    right: Sequence[str]


def weighable(expert: Expert, labelled: Labelled) -> Weighable:
    """Find what speaks for and against each cause once everything is told: no weight changes that."""
    case = Case(paste=labelled.paste, answers=told(labelled, expert.shelf))
    thought = expert.think(case, expert.read(case.paste))
    return Weighable(thought.family.causes, thought.findings, labelled.causes)


def surprise(weights: Weights, cases: Sequence[Weighable]) -> float:
    """Give the mean surprise (nats) at the right causes: the log loss."""
    return -math.fsum(math.log(max(_share(weights, one), 1e-9)) for one in cases) / max(len(cases), 1)


def _share(weights: Weights, one: Weighable) -> float:
    shares = weigh(one.causes, one.findings, weights)
    return math.fsum(share for cause, share in zip(one.causes, shares, strict=True) if cause.id in one.right)


def tuned(cases: Sequence[Weighable], start: Weights = WEIGHTS) -> Weights:
    """Give the weights that surprise least, one factor after the other over the grid."""
    best = start
    for _ in range(_ROUNDS):
        for name, values in GRID.items():
            tried = [replace(best, **{name: value}) for value in values]
            best = min((best, *tried), key=lambda one: surprise(one, cases))
    return best


def held_out(shelf: Shelf, cases: Mapping[str, Labelled], folds: int) -> Score:
    """Tune without each fold, and go through the cases of that fold with what was found."""
    plain = Expert(shelf)
    ready = {id_: weighable(plain, labelled) for id_, labelled in cases.items()}
    outcomes = []
    for others, fold in split(cases, folds):
        expert = Expert(shelf, tuned([ready[id_] for id_ in others]))
        outcomes += [consult(expert, id_, labelled) for id_, labelled in fold.items()]
    return Score(outcomes)
