"""The shipped knowledge holds everything it claims, and each check that says so can fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.clause import parse_clause
from knowledge.coverage import coverage
from knowledge.load import load_shelf
from knowledge.model import Cause, Clue, Example, Feature, Inference, Question
from knowledge.shelf import Shelf
from rules.ask import answers_of
from rules.case import Case
from rules.diagnose import Expert
from rules.prove import case_of, prove, question_decides, worked_cases

pytestmark = pytest.mark.early

SHELF = load_shelf()
WORKED = dict(worked_cases(SHELF))


def _examples(group: str) -> Sequence[object]:
    return [
        pytest.param(cause, example, id=f"{cause.id}: {example.name}")
        for (_, kind, _), (cause, example) in WORKED.items()
        if kind == group
    ]


@pytest.mark.parametrize(("cause", "example"), _examples("example"))
def test_an_example_ranks_its_cause_first(expert: Expert, cause: Cause, example: Example) -> None:
    diagnosis = expert.diagnose(case_of(example, cause, expert.shelf))
    assert diagnosis.hypotheses[0].cause == cause.id


@pytest.mark.parametrize(("cause", "example"), _examples("lookalike"))
def test_a_lookalike_does_not(expert: Expert, cause: Cause, example: Example) -> None:
    first = expert.diagnose(case_of(example, cause, expert.shelf)).hypotheses[0].cause
    assert first != cause.id
    assert example.explained_by in (None, first)


def test_nothing_in_the_knowledge_is_unproven(expert: Expert) -> None:
    assert [f"{one.kind} {one.id}: {one.message}" for one in prove(expert)] == []


@pytest.mark.parametrize("feature", [one for one in SHELF.features.values() if one.question], ids=lambda one: one.id)
def test_every_question_changes_some_ranking(expert: Expert, feature: Feature) -> None:
    if feature.id == "symptom":
        families = {
            tuple(one.cause for one in expert.diagnose(Case(answers={"symptom": value})).hypotheses)
            for value in answers_of(feature)
        }
        assert len(families) == 2
    else:
        assert question_decides(expert, feature.id, WORKED)


def test_both_founding_documents_are_covered_completely(shelf: Shelf) -> None:
    rows = coverage(shelf)
    assert {row.source for row in rows} == {"forcepoint-non-syn", "askvity-tcp-reset"}
    assert [row.statement for row in rows if not row.entries] == []


def test_a_statement_that_nobody_encodes_is_open(shelf: Shelf) -> None:
    source = shelf.sources["forcepoint-non-syn"]
    more = source.model_copy(update={"statements": {**source.statements, "new-claim": "Something new."}})
    changed = _with(shelf, sources={**shelf.sources, "forcepoint-non-syn": more})
    assert [row.statement for row in coverage(changed) if not row.entries] == ["new-claim"]


def test_os_fingerprinting_is_kept_as_a_claim_and_never_offered_as_a_cause(shelf: Shelf) -> None:
    assert "os-fingerprinting" in shelf.symptoms["reset"].not_causes
    assert not any("fingerprint" in cause.id for cause in shelf.causes.values())


def _with(shelf: Shelf, **changes: object) -> Shelf:
    kept = {name: getattr(shelf, name) for name in Shelf.__dataclass_fields__}
    return Shelf(**{**kept, **changes})


def _changed_cause(shelf: Shelf, id_: str, **changes: object) -> Expert:
    cause = shelf.causes[id_].model_copy(update=changes)
    return Expert(_with(shelf, causes={**shelf.causes, id_: cause}))


def _complaints(expert: Expert) -> list[str]:
    return [f"{one.id}: {one.message}" for one in prove(expert)]


def test_a_wrong_example_is_found(shelf: Shelf) -> None:
    wrong = Example(name="this is a scan", facts={"scope.one_source_many_targets": True, "packet.flags": "A"})
    cause = shelf.causes["idle-timeout"]
    complaints = _complaints(_changed_cause(shelf, "idle-timeout", examples=[*cause.examples, wrong]))
    assert complaints == ["idle-timeout: example 'this is a scan': ack-scan comes first, not idle-timeout"]


def test_a_lookalike_that_is_the_cause_is_found(shelf: Shelf) -> None:
    cause = shelf.causes["idle-timeout"]
    wrong = Example(name="really idle", facts=dict(cause.examples[0].facts))
    complaints = _complaints(_changed_cause(shelf, "idle-timeout", lookalikes=[*cause.lookalikes, wrong]))
    assert complaints == ["idle-timeout: lookalike 'really idle': idle-timeout comes first"]


def test_a_cause_with_too_few_examples_is_found(shelf: Shelf) -> None:
    complaints = _complaints(_changed_cause(shelf, "idle-timeout", examples=shelf.causes["idle-timeout"].examples[:1]))
    assert "idle-timeout: it has 1 examples; at least 2 are needed" in complaints


def test_a_clue_that_never_fires_is_found(shelf: Shelf) -> None:
    idle = Clue(supports={"timing.idle_s": "123456..123457"}, because="nobody ever waits that long")
    complaints = _complaints(_changed_cause(shelf, "idle-timeout", clues=[*shelf.causes["idle-timeout"].clues, idle]))
    number = len(shelf.causes["idle-timeout"].clues) + 1
    assert complaints == [f"idle-timeout: no example meets clue {number}, 'nobody ever waits that long'"]


def test_an_inference_that_never_fires_is_found(shelf: Shelf) -> None:
    rule = Inference(
        when={"timing.idle_s": "123456..123457"}, then={"scope.under_load": True}, because="x", source="house"
    )
    expert = Expert(_with(shelf, inferences={**shelf.inferences, "never": rule}))
    assert "never: no example meets it" in _complaints(expert)


def test_a_question_that_decides_nothing_is_found(shelf: Shelf) -> None:
    asked = Question(text="Is it Tuesday?", why="no reason", effort="glance")
    feature = Feature(id="case.tuesday", title="Tuesday", type="yes-no", question=asked)
    expert = Expert(_with(shelf, features={**shelf.features, "case.tuesday": feature}))
    assert "case.tuesday: no answer to it changes any ranking" in _complaints(expert)


def test_contradictory_facts_are_asked_again_and_a_confirmed_answer_stands(expert: Expert) -> None:
    case = Case(answers={"symptom": "out-of-state", "packet.flags": "SA", "timing.worked": "then-broke"})
    diagnosis = expert.diagnose(case)
    assert diagnosis.question is not None
    assert diagnosis.question.feature == diagnosis.contradictions[0].ask_again == "timing.worked"
    confirmed = expert.diagnose(case.model_copy(update={"confirmed": frozenset({"timing.worked"})}))
    assert confirmed.contradictions == []
    assert confirmed.question is None or confirmed.question.feature != "timing.worked"


@pytest.mark.parametrize("id_", sorted(SHELF.contradictions))
def test_every_contradiction_can_be_met_and_asks_again(expert: Expert, id_: str) -> None:
    one = SHELF.contradictions[id_]
    answers = {name: next(v for v in _values(name) if _holds(name, raw, v)) for name, raw in one.when.items()}
    answers.setdefault("symptom", "reset" if any(name.startswith("reset.") for name in one.when) else "out-of-state")
    diagnosis = expert.diagnose(Case(answers=answers))
    assert one.ask_again in {found.ask_again for found in diagnosis.contradictions}
    assert diagnosis.question is not None


def _values(name: str) -> list[bool | float | str]:
    return answers_of(SHELF.features[name])


def _holds(name: str, raw: object, value: bool | float | str) -> bool:
    return parse_clause(SHELF.features[name], raw).holds(value)


@pytest.mark.parametrize("cause", SHELF.causes.values(), ids=lambda one: one.id)
def test_every_risky_remedy_says_what_it_costs_and_how_to_undo_it(cause: Cause) -> None:
    for remedy in cause.remedies:
        assert remedy.risk == "none" or remedy.undo
        assert remedy.risk != "weakens-security" or remedy.caution


@pytest.mark.parametrize("cause", SHELF.causes.values(), ids=lambda one: one.id)
def test_no_remedy_gives_advice_that_is_never_right(cause: Cause) -> None:
    said = " ".join(f"{one.do} {' '.join(one.commands.values())}" for one in cause.remedies).lower()
    for never in ("tcp-reject-non-syn no", "fw_allow_out_of_state_tcp 1", "tcp_abort_on_overflow=1", "timeout 0:00:00"):
        assert never not in said
