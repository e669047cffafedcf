"""The shipped knowledge holds everything it claims, and each check that says so can fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.clause import parse_clause
from knowledge.coverage import coverage
from knowledge.model import Cause, Clue, Example, Feature, Inference, Question
from knowledge.shelf import Shelf
from rules.ask import answers_of
from rules.case import Case
from rules.diagnose import Expert
from rules.prove import case_of, prove, question_decides, worked_cases
from tests.shipped import shipped_shelf

pytestmark = pytest.mark.early

SHELF = shipped_shelf()
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


@pytest.fixture(scope="module")
def complaints(shelf: Shelf) -> list[str]:
    """Prove the shelf with several mistakes in it, all at once: to prove it takes ten seconds."""
    cause = shelf.causes["idle-timeout"]
    wrong = Example(name="this is a scan", facts={"scope.one_source_many_targets": True, "packet.flags": "A"})
    own = Example(name="really idle", facts=dict(cause.examples[0].facts))
    never = Clue(supports={"timing.idle_s": "123456..123457"}, because="nobody ever waits that long")
    changed = cause.model_copy(
        update={
            "examples": [*cause.examples, wrong],
            "lookalikes": [*cause.lookalikes, own],
            "clues": [*cause.clues, never],
        }
    )
    few = shelf.causes["asymmetric-routing"]
    rule = Inference(
        when={"timing.idle_s": "123456..123457"}, then={"scope.under_load": True}, because="x", source="house"
    )
    asked = Question(text="Is it Tuesday?", why="no reason", effort="glance")
    tuesday = Feature(id="case.tuesday", title="Tuesday", type="yes-no", question=asked)
    mistaken = _with(
        shelf,
        causes={
            **shelf.causes,
            cause.id: changed,
            few.id: few.model_copy(update={"examples": few.examples[:1]}),
        },
        inferences={**shelf.inferences, "never": rule},
        features={**shelf.features, tuesday.id: tuesday},
    )
    return [f"{one.id}: {one.message}" for one in prove(Expert(mistaken))]


NUMBER = len(SHELF.causes["idle-timeout"].clues) + 1


@pytest.mark.parametrize(
    "complaint",
    [
        "idle-timeout: example 'this is a scan': ack-scan comes first, not idle-timeout",
        "idle-timeout: lookalike 'really idle': idle-timeout comes first",
        f"idle-timeout: no example meets clue {NUMBER}, 'nobody ever waits that long'",
        "asymmetric-routing: it has 1 examples; at least 2 are needed",
        "never: no example meets it",
        "case.tuesday: no answer to it changes any ranking",
    ],
)
def test_a_mistake_is_found(complaints: list[str], complaint: str) -> None:
    assert complaint in complaints


def test_nothing_is_found_that_is_none(complaints: list[str]) -> None:
    about = {one.partition(":")[0] for one in complaints}
    assert about == {"idle-timeout", "asymmetric-routing", "never", "case.tuesday"}
    assert len([one for one in complaints if one.startswith("idle-timeout")]) == 3


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
