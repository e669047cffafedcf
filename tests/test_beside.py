"""Causes at work together: a sign that the leading cause leaves unexplained is named, and nothing else."""

from __future__ import annotations

from rules.beside import beside
from rules.case import Case, Diagnosis, Finding, Hypothesis
from tests.shipped import shipped_expert

EXPERT = shipped_expert()
POOL = "tcp-rst-from-server: pool connections that were idle for a minute are reset at the next query"


def finding(strength: str, *facts: str) -> Finding:
    return Finding.model_validate({"clue": "c", "strength": strength, "because": "b", "facts": list(facts)})


def hypothesis(cause: str, *for_: Finding, against: tuple[Finding, ...] = ()) -> Hypothesis:
    return Hypothesis(
        cause=cause, title=cause, probability=0.5, standing="possible", for_=[*for_], against=[*against], refuted_by="x"
    )


LEADER = hypothesis("a", finding("points to", "one"), finding("supports", "two"))


def test_a_strong_sign_that_the_leader_leaves_open_is_named() -> None:
    assert [one.cause for one in beside(LEADER, [hypothesis("b", finding("points to", "three"))])] == ["b"]


def test_what_the_leader_explains_and_weak_signs_and_the_symptom_itself_name_nothing() -> None:
    others = [
        hypothesis("b", finding("points to", "one", "three")),
        hypothesis("c", finding("supports", "three")),
        hypothesis("d", finding("points to", "packet.flags")),
    ]
    assert beside(LEADER, others) == []


def test_an_exclusion_counts_unless_it_rests_on_what_the_leader_explains() -> None:
    sign = finding("points to", "three")
    out = hypothesis("b", sign, against=(finding("excludes", "four"),))
    back = hypothesis("c", sign, against=(finding("excludes", "two"),))
    assert [one.cause for one in beside(LEADER, [out, back])] == ["c"]


def test_at_most_two_are_named_each_for_a_sign_of_its_own() -> None:
    assert len(beside(LEADER, [hypothesis(name, finding("points to", f"three {name}")) for name in "bcd"])) == 2
    assert len(beside(LEADER, [hypothesis(name, finding("points to", "three")) for name in "bcd"])) == 1


def concluded(**answers: bool | float | str) -> Diagnosis:
    case = Case(paste=POOL, answers=answers)
    while (diagnosis := EXPERT.diagnose(case)).question:
        case = case.model_copy(update={"declined": case.declined | {diagnosis.question.feature}})
    return diagnosis


def test_an_overloaded_server_is_named_beside_a_short_timer() -> None:
    both, alone = concluded(**{"server.busy": True}), concluded()
    assert both.verdict
    assert both.verdict.cause == "server-idle-close"
    assert [one.cause for one in both.beside] == ["service-overloaded"]
    assert alone.verdict
    assert alone.verdict.cause == "server-idle-close"
    assert "beside" not in alone.model_dump()
