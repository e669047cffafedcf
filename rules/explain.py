"""Why this, why not that, and what an answer would change: read off the same rules, nothing is made up afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Clause
from knowledge.complaint import unknown
from knowledge.model import Dispute
from rules.case import Case, Diagnosis, Fact, Finding, Hypothesis
from rules.diagnose import Expert
from rules.rule import Clued
from rules.think import Thought
from rules.weigh import FOR


@dataclass(frozen=True, slots=True)
class Unmet:
    """A clue for a cause that was not met: the clauses that failed, and those whose fact is missing."""

    because: str
    failed: tuple[Clause, ...]
    missing: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a cause does not lead: where it stands, what speaks against it, and what would speak for it."""

    hypothesis: Hypothesis
    against: Sequence[Finding]
    failed: Sequence[Unmet]
    missing: Sequence[Unmet]


@dataclass(frozen=True, slots=True)
class Moved:
    """How one cause stood before an answer, and how it stands after it."""

    cause: str
    title: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one answer would do: the cause that would lead then, and its probability."""

    label: str
    leader: str
    probability: float


def cause_named(expert: Expert, text: str) -> str:
    """Find a cause by id or by the words of its title. Raises ValueError with the ids that are known."""
    wanted = text.strip().lower()
    names = {cause.id: cause.id for cause in expert.shelf.causes.values()}
    names |= {cause.title.lower(): cause.id for cause in expert.shelf.causes.values()}
    if (dashed := wanted.replace(" ", "-")) in names:
        return names[dashed]
    near = {id_ for name, id_ in names.items() if wanted and (wanted in name or dashed in name)}
    if len(near) == 1:
        return near.pop()
    if near:
        raise ValueError(f"{text.strip()!r} may be {', '.join(sorted(near))}; say which")
    raise ValueError(unknown("cause", text.strip()[:60], expert.shelf.causes))


def not_a_cause(expert: Expert, text: str) -> Dispute | None:
    """Find a claim that is kept, with the reason why it is never offered as a cause."""
    wanted = text.strip().lower().replace(" ", "-")
    for symptom in expert.shelf.symptoms.values():
        for name, dispute in symptom.not_causes.items():
            if wanted and wanted in name:
                return dispute
    return None


def why_not(expert: Expert, case: Case, cause: str) -> WhyNot:
    """Explain why a cause does not lead. Raises LookupError for a cause that is none of the case's hypotheses."""
    hypothesis = _hypothesis(expert, case, cause)
    thought = expert.think(case, expert.read(case.paste))
    unmet = [_unmet(clue, thought.facts) for clue in _silent_clues_for(thought, cause)]
    return WhyNot(
        hypothesis,
        hypothesis.against,
        [one for one in unmet if one.failed],
        [one for one in unmet if not one.failed],
    )


def _hypothesis(expert: Expert, case: Case, cause: str) -> Hypothesis:
    diagnosis = expert.diagnose(case)
    hypothesis = next((one for one in diagnosis.hypotheses if one.cause == cause), None)
    if hypothesis is not None:
        return hypothesis
    title = expert.shelf.causes[cause].title
    if diagnosis.symptom is None:
        raise LookupError(
            f"No cause stands anywhere yet, {title} neither: it is not known whether this is a drop without a "
            "connection or a reset. Paste the line that reports it, or answer the question"
        )
    raise LookupError(f"{title} explains another kind of message than this one")


def _silent_clues_for(thought: Thought, cause: str) -> list[Clued]:
    return [
        clue
        for clue in thought.family.book.clues
        if clue.cause == cause and clue.strength in FOR and clue.rule.name not in thought.run.fired
    ]


def _unmet(clue: Clued, facts: Mapping[str, Fact]) -> Unmet:
    known = [clause for clause in clue.rule.clauses if clause.feature in facts]
    return Unmet(
        clue.because,
        tuple(clause for clause in known if not clause.holds(facts[clause.feature].value)),
        tuple(clause for clause in clue.rule.clauses if clause.feature not in facts),
    )


def what_if(expert: Expert, case: Case, feature_id: str) -> list[WhatIf]:
    """Say what each answer to a question would change, by diagnosing with it."""
    feature = expert.shelf.features[feature_id]
    found = []
    thought = expert.think(case, expert.read(case.paste))
    for value in thought.family.asking.offered(feature):
        told = case.model_copy(update={"answers": {**case.answers, feature_id: value}})
        diagnosis = expert.diagnose(told)
        label = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else None
        if diagnosis.hypotheses:
            leader = diagnosis.hypotheses[0]
            label = label or feature.choices.get(value if isinstance(value, str) else int(value), str(value))
            found.append(WhatIf(label, leader.title, leader.probability))
    return found


_MOVED = 0.05
"""Shares that change by less have not moved."""


def moved(before: Diagnosis, after: Diagnosis) -> list[Moved]:
    """Say what an answer, given, changed or taken back, did to the ranking: the largest change first."""
    once = {one.cause: one.probability for one in before.hypotheses}
    found = [Moved(one.cause, one.title, once.get(one.cause, 0.0), one.probability) for one in after.hypotheses]
    told = [one for one in found if abs(one.after - one.before) >= _MOVED]
    return sorted(told, key=lambda one: (-abs(one.after - one.before), one.title))


def grounds(expert: Expert, case: Case, cause: str) -> tuple[Hypothesis, Mapping[str, Sequence[str]]]:
    """Give a hypothesis, and for each inferred fact behind it the features it follows from. Raises LookupError."""
    hypothesis = _hypothesis(expert, case, cause)
    thought = expert.think(case, expert.read(case.paste))
    return hypothesis, {
        rule.then[0]: [clause.feature for clause in rule.clauses]
        for rule in thought.family.book.inferences
        if rule.then and rule.name in thought.run.fired and rule.then[0] in thought.run.derived
    }
