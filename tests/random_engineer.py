"""A random engineer: answers at random and in any order, changes answers, takes them back, or knows nothing at all.

`consultation` plays one case from its number, which always gives the same case, and tells what is wrong with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.labelled import labelled_cases
from knowledge.clause import Value
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.answers import answered, askable, asked_again, make_case, withdrawn
from rules.ask import answers_of
from rules.case import Asked, Case, Contradicted, Diagnosis
from rules.diagnose import Expert
from rules.rule import clauses_of
from tests.oracles.random_rules import seeded

CASES = Path(__file__).parent / "cases"
RESTLESS = 4
"""Moves of one case that nobody asked for."""
MOVES = ("volunteer", "contradict", "change", "withdraw")


@dataclass(frozen=True, slots=True)
class Style:
    """How likely an engineer is to do each thing in a turn; what is left is to answer what was asked."""

    unknown: float = 0.2
    volunteer: float = 0.0
    contradict: float = 0.0
    change: float = 0.0
    withdraw: float = 0.0


STYLES: Mapping[str, Style] = {
    "answers at random": Style(),
    "answers in any order": Style(volunteer=0.5),
    "contradicts": Style(contradict=0.5),
    "changes answers": Style(change=0.4),
    "takes answers back": Style(withdraw=0.4),
    "knows nothing": Style(unknown=1.0),
    "does all of it": Style(unknown=0.3, volunteer=0.15, contradict=0.15, change=0.15, withdraw=0.15),
}


@dataclass(frozen=True)
class Ground:
    """What cases start from, what can be answered in them, and the answers that contradictions of the shelf look at."""

    shelf: Shelf
    samples: Sequence[str]
    pastes: Sequence[str]
    askable: Sequence[Feature]
    contrary: Sequence[tuple[str, Sequence[Value]]]


def ground(shelf: Shelf) -> Ground:
    """Collect the samples of all dialects, the pastes of the labelled cases, and the features with a question."""
    samples = [sample.line for dialect in shelf.dialects.values() for sample in dialect.samples]
    pastes = [one.paste for one in labelled_cases(CASES).values() if one.paste]
    features = [shelf.features[name] for name in askable(shelf)]
    return Ground(shelf, samples, pastes, features, list(_contrary(shelf)))


def _contrary(shelf: Shelf) -> Iterator[tuple[str, Sequence[Value]]]:
    """Give, clause by clause of every contradiction, the answers that meet it."""
    for entry in shelf.contradictions.values():
        for clause in clauses_of(shelf, entry.when):
            feature = shelf.features[clause.feature]
            met = [value for value in answers_of(feature) if clause.holds(value)] if feature.question else []
            if met:
                yield feature.id, met


@dataclass
class Memory:
    """What the engineer remembers, apart from the case: what was answered, and what was answered twice."""

    told: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    did: Counter[str] = field(default_factory=Counter)

    def answer(self, feature: str, *, again: bool) -> None:
        """Remember an answer, "I don't know" included."""
        self.told.add(feature)
        if again:
            self.confirmed.add(feature)

    def withdraw(self, feature: str) -> None:
        """Forget an answer."""
        self.told.discard(feature)
        self.confirmed.discard(feature)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one case: what is wrong, with the case in which it is so; what the engineer and the expert did."""

    wrong: Sequence[str]
    did: Mapping[str, int]


def consultation(expert: Expert, where: Ground, style: str, number: int) -> Played:
    """Play one case to its end, or to the first thing that is wrong."""
    chance = seeded(f"{style}/{number}")
    case, memory = first_case(where, chance), Memory()
    most = 2 * (len(where.askable) + RESTLESS)  # each question once, and once because of a contradiction
    for _ in range(most + RESTLESS):
        diagnosis = expert.diagnose(case)
        if found := list(wrong(where.shelf, case, diagnosis, memory)):
            return Played([f"{style} {number}: {one}; case: {case!r}" for one in found], memory.did)
        _count(memory.did, diagnosis)
        following = next_case(where, case, diagnosis, STYLES[style], memory, chance)
        if following is None:
            return Played([], memory.did)
        case = following
    return Played([f"{style} {number}: no end after {most} turns; case: {case!r}"], memory.did)


def first_case(where: Ground, chance: Random) -> Case:
    """Start from nothing, a labelled case's paste, or one to three samples; sometimes the product is told."""
    kind = chance.choice(("nothing", "labelled", "sample", "sample", "samples"))
    paste = ""
    if kind == "labelled":
        paste = chance.choice(where.pastes)
    elif kind != "nothing":
        paste = "\n".join(chance.sample(where.samples, 1 if kind == "sample" else chance.randint(2, 3)))
    product = chance.choice(sorted(where.shelf.products)) if chance.random() < 0.2 else None
    return make_case(where.shelf, paste, {}, product)


def next_case(
    where: Ground, case: Case, diagnosis: Diagnosis, style: Style, memory: Memory, chance: Random
) -> Case | None:
    """Give the case after the engineer's turn; None where there is nothing left to say."""
    move = _move(style, chance) if sum(memory.did[one] for one in MOVES) < RESTLESS else "answer"
    settled = sorted({*case.answers, *case.declined})
    if move in ("change", "withdraw") and not settled:
        move = "answer"
    if move == "answer" and diagnosis.question is None:
        return None
    memory.did[move] += 1
    if move == "withdraw":
        feature = chance.choice(settled)
        memory.withdraw(feature)
        return withdrawn(case, feature)
    name, value = _words(where, settled, diagnosis, move, chance)
    if move != "contradict" and chance.random() < style.unknown:
        value = None
    memory.did["declined"] += value is None
    again = asked_again(diagnosis, name)
    memory.answer(name, again=again)
    return answered(case, name, value, again=again)


def _words(
    where: Ground, settled: Sequence[str], diagnosis: Diagnosis, move: str, chance: Random
) -> tuple[str, Value | None]:
    """Give what is answered in this turn, and the answer."""
    if move == "contradict":
        read = [
            one.feature for one in diagnosis.facts if one.kind == "seen" and where.shelf.features[one.feature].question
        ]
        if not read or chance.random() < 0.7:
            name, values = chance.choice(where.contrary)
            return name, chance.choice(values)
        settled = read
    if move == "answer" and diagnosis.question:
        name = diagnosis.question.feature
    else:
        name = chance.choice(where.askable).id if move == "volunteer" else chance.choice(settled)
    return name, an_answer(where.shelf.features[name], chance)


def an_answer(feature: Feature, chance: Random) -> Value:
    """Give one of the offered answers, or another number where a number is asked for."""
    if feature.type == "number" and chance.random() < 0.3:
        return chance.choice((0.0, round(10 ** chance.uniform(-2, 7), 2)))
    return chance.choice(answers_of(feature))


def _move(style: Style, chance: Random) -> str:
    likely = (style.volunteer, style.contradict, style.change, style.withdraw)
    return chance.choices((*MOVES, "answer"), (*likely, 1.0 - sum(likely)))[0]


def _count(did: Counter[str], diagnosis: Diagnosis) -> None:
    did["diagnosed"] += 1
    did["contradicted"] += bool(diagnosis.contradictions)
    did["concluded"] += diagnosis.verdict is not None
    did["asked"] += diagnosis.question is not None


def wrong(shelf: Shelf, case: Case, diagnosis: Diagnosis, memory: Memory) -> Iterator[str]:
    """Tell all that is wrong with a diagnosis, given what the engineer has answered before."""
    yield from _wrong_shares(diagnosis)
    yield from _unnamed(shelf, case, diagnosis)
    if diagnosis.question is None:
        return
    yield from _asked_twice(diagnosis.question, diagnosis, memory)
    if diagnosis.verdict:
        yield f"{diagnosis.verdict.cause} is the verdict while {diagnosis.question.feature} is asked"


def _wrong_shares(diagnosis: Diagnosis) -> Iterator[str]:
    shares = [one.probability for one in diagnosis.hypotheses]
    if shares and not math.isclose(math.fsum(shares), 1.0, abs_tol=1e-9):
        yield f"the probabilities sum to {math.fsum(shares)!r}"
    if not all(0.0 <= one <= 1.0 for one in shares):
        yield "a probability is none"
    if bool(shares) != bool(diagnosis.facts):
        yield "there are hypotheses without facts, or facts without hypotheses"


def _unnamed(shelf: Shelf, case: Case, diagnosis: Diagnosis) -> Iterator[str]:
    """Find what contradicts and is not named, as the shelf's entries say, apart from the engine."""
    known = {fact.feature: fact.value for fact in diagnosis.facts}
    named = [(set(one.facts), one.because, one.ask_again) for one in diagnosis.contradictions]
    for id_, entry in shelf.contradictions.items():
        met = entry.when.keys() <= known.keys() and all(
            one.holds(known[one.feature]) for one in clauses_of(shelf, entry.when)
        )
        stands = met and entry.ask_again not in case.confirmed | case.declined
        if stands != ((set(entry.when), entry.because, entry.ask_again) in named):
            yield f"the contradiction {id_} is {'not ' if stands else ''}named"
    if diagnosis.contradictions and not _names(diagnosis.contradictions, diagnosis.question):
        yield "there is a contradiction, and something else is asked"


def _names(contradictions: Sequence[Contradicted], question: Asked | None) -> bool:
    return question is not None and any(
        one.ask_again == question.feature and one.because in question.why for one in contradictions
    )


def _asked_twice(question: Asked, diagnosis: Diagnosis, memory: Memory) -> Iterator[str]:
    """Find a question whose answer is known, unless a contradiction that names it is the reason."""
    known = {fact.feature for fact in diagnosis.facts}
    name = question.feature
    if name in memory.confirmed:
        yield f"{name} is asked a third time"
    if name not in known | memory.told:
        return
    reasons = [one for one in diagnosis.contradictions if one.ask_again == name]
    if not any(name in one.facts and known.issuperset(one.facts) for one in reasons):
        yield f"{name} is asked again, and no contradiction names it"
    elif not _names(reasons, question):
        yield f"{name} is asked again without saying why"
