"""Hold the knowledge to its own proof: examples, lookalikes, samples, and that nothing in it is idle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from knowledge.clause import Value, typed
from knowledge.model import Cause, Example, Inference
from knowledge.shelf import Shelf
from knowledge.yamlfile import Where
from rules.ask import answers_of
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from rules.prose import misheard
from rules.rule import RuleBook, rule_book
from rules.samples import of_dialect

_AT_LEAST = 2
"""Examples and lookalikes that each cause must bring."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """What an entry claims and does not hold; `kind` and `id` say which entry, `where` the place in it."""

    kind: str
    id: str
    message: str
    where: Where = ()


def prove(expert: Expert) -> Iterator[Unproven]:
    """Find everything that the entries claim of themselves and that is not so."""
    cases = dict(worked_cases(expert.shelf))
    diagnoses = {key: expert.diagnose(case_of(example, cause, expert.shelf)) for key, (cause, example) in cases.items()}
    for (id_, group, name), diagnosis in diagnoses.items():
        if message := _misses(group, cases[id_, group, name][1], id_, diagnosis):
            yield Unproven("causes", id_, f"{group} {name!r}: {message}")
    yield from _too_few(expert.shelf)
    yield from _idle_rules(expert, cases)
    yield from idle_questions(expert, cases)
    for id_, at, message in misheard(expert.shelf):
        yield Unproven("phrases", id_, message, at)
    for dialect in expert.shelf.dialects.values():
        for where, message in of_dialect(dialect, expert.shelf):
            yield Unproven("dialects", dialect.id, message, where)


Key = tuple[str, str, str]
Worked = Mapping[Key, tuple[Cause, Example]]


def worked_cases(shelf: Shelf) -> Iterator[tuple[Key, tuple[Cause, Example]]]:
    """Give every example and lookalike: cause id, group, name."""
    for cause in shelf.causes.values():
        for example in cause.examples:
            yield (cause.id, "example", example.name), (cause, example)
        for lookalike in cause.lookalikes:
            yield (cause.id, "lookalike", lookalike.name), (cause, lookalike)


def case_of(example: Example, cause: Cause, shelf: Shelf) -> Case:
    """Make the case of an example: its paste and facts; without a paste, its symptom is told too."""
    told: dict[str, Value] = {name: typed(shelf.features[name], raw) for name, raw in example.facts.items()}
    if not example.paste:
        told.setdefault("symptom", example.symptom or cause.symptoms[0])
    return Case(paste=example.paste, answers=told)


def _misses(group: str, example: Example, cause: str, diagnosis: Diagnosis) -> str | None:
    first = diagnosis.hypotheses[0].cause if diagnosis.hypotheses else "nothing"
    wanted = cause if group == "example" else example.explained_by
    if wanted and first != wanted:
        return f"{first} comes first, not {wanted}"
    return f"{cause} comes first" if group == "lookalike" and first == cause else None


def _too_few(shelf: Shelf) -> Iterator[Unproven]:
    for cause in shelf.causes.values():
        for group, found in (("examples", cause.examples), ("lookalikes", cause.lookalikes)):
            if len(found) < _AT_LEAST:
                yield Unproven("causes", cause.id, f"it has {len(found)} {group}; at least {_AT_LEAST} are needed")


def _idle_rules(expert: Expert, cases: Worked) -> Iterator[Unproven]:
    """Find clues and inferences that no worked case fires, and choices of broad features that no clue looks at."""
    fired: set[str] = set()
    for cause, example in cases.values():
        case = case_of(example, cause, expert.shelf)
        fired |= expert.think(case, expert.read(case.paste)).run.fired
    for cause in expert.shelf.causes.values():
        for number, clue in enumerate(cause.clues, start=1):
            if f"{cause.id}/{number}" not in fired:
                yield Unproven("causes", cause.id, f"no example meets clue {number}, {clue.because!r}")
    yield from _idle_inferences(expert.shelf, fired)


def _idle_inferences(shelf: Shelf, fired: Set[str]) -> Iterator[Unproven]:
    weighed = weighed_features(rule_book(shelf))
    for id_, inference in shelf.inferences.items():
        if _is_a_choice(inference, shelf):
            if not weighed & inference.then.keys():
                yield Unproven("inferences", id_, f"it leads to {', '.join(inference.then)}, at which no clue looks")
        elif f"inference/{id_}" not in fired:
            yield Unproven("inferences", id_, "no example meets it")


def _is_a_choice(inference: Inference, shelf: Shelf) -> bool:
    """Tell whether an inference only says which fact a choice of a broad feature stands for: that needs no example."""
    return len(inference.when) == 1 and all(shelf.features[name].broad for name in inference.when)


def weighed_features(book: RuleBook) -> frozenset[str]:
    """Give the features that clues look at, and those from which inferences lead to them."""
    found = {clause.feature for clue in book.clues for clause in clue.rule.clauses}
    before = -1
    while len(found) > before:
        before = len(found)
        led = [rule.clauses for rule in book.inferences if rule.then and rule.then[0] in found]
        found |= {clause.feature for clauses in led for clause in clauses}
    return frozenset(found)


def idle_questions(expert: Expert, cases: Worked) -> Iterator[Unproven]:
    """Find questions whose answers change no ranking of any worked case."""
    for feature in expert.shelf.features.values():
        if feature.question and feature.id != "symptom" and not question_decides(expert, feature.id, cases):
            yield Unproven("features", feature.id, "no answer to it changes any ranking")


def question_decides(expert: Expert, feature_id: str, cases: Worked) -> bool:
    """Tell whether two answers to a question rank the causes of some worked case differently."""
    values = answers_of(expert.shelf.features[feature_id])
    for cause, example in cases.values():
        case = case_of(example, cause, expert.shelf)
        rankings = {tuple(_ranking(expert, case, feature_id, value)) for value in values}
        if len(rankings) > 1:
            return True
    return False


def _ranking(expert: Expert, case: Case, feature_id: str, value: Value) -> list[str]:
    told = case.model_copy(update={"answers": {**case.answers, feature_id: value}})
    return [one.cause for one in expert.diagnose(told).hypotheses]
