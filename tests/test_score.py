"""Labelled cases: what is measured is what an engineer who knows only the case's facts gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.labelled import labelled_cases
from bot.scoring import scored, tables
from rules.score import Labelled, Outcome, Score, consult, groups, implied, score, split
from rules.tune import surprise, tuned, weighable
from rules.weigh import WEIGHTS, Weights
from tests.shipped import shipped_expert, shipped_shelf

CASES = Path(__file__).parent / "cases"
SHELF = shipped_shelf()
EXPERT = shipped_expert()
ALL = labelled_cases(CASES)
IDLE = Labelled(
    name="a database pool in the morning",
    symptom="out-of-state",
    facts={"packet.flags": "PA", "timing.idle_s": 3600, "timing.worked": "then-broke", "app.long_lived": True},
    causes=["idle-timeout"],
    reference="ours",
)


def test_all_labelled_cases_name_what_is_known_here() -> None:
    assert len(groups(ALL)["strict"]) + len(groups(ALL)["weak"]) == 77
    assert len(groups(ALL)["our own"]) >= 120
    for labelled in ALL.values():
        weighable(EXPERT, labelled)


def test_every_cause_has_three_cases_of_our_own() -> None:
    own = [cause for one in groups(ALL)["our own"].values() for cause in one.causes]
    assert {cause: own.count(cause) for cause in SHELF.causes if own.count(cause) < 3} == {}


def test_only_what_the_case_states_is_answered() -> None:
    outcome = consult(EXPERT, "one", IDLE)
    assert outcome.top == 1
    assert outcome.verdict
    silent = consult(EXPERT, "one", IDLE, silent=True)
    assert silent.sure < outcome.sure


def test_a_question_over_a_list_is_answered_by_the_choice_that_stands_for_a_fact() -> None:
    assert implied(SHELF, "scope.special", {"route.hairpin": True}) == "beside"
    assert implied(SHELF, "scope.special", {"route.hairpin": False}) is None
    assert implied(SHELF, "packet.flags", {"packet.payload": True}) is None


def test_causes_at_work_together_have_to_come_out_together() -> None:
    ranking = [("a", 0.5), ("b", 0.3), ("c", 0.1), ("d", 0.1)]
    both = IDLE.model_copy(update={"causes": ["a"], "together": ["a", "c"]})
    apart = IDLE.model_copy(update={"causes": ["a"], "together": ["a", "d"]})
    assert Outcome("x", both, ranking, [], verdict=True).right
    assert not Outcome("x", apart, ranking, [], verdict=True).right


def test_figures_are_those_of_the_outcomes() -> None:
    def outcome(sure: float, *causes: str) -> Outcome:
        rest = [(cause, 0.01) for cause in causes[1:]]
        return Outcome("x", IDLE, [(causes[0], sure), *rest], ["q"] * 3, verdict=sure > 0.5)

    found = Score([outcome(0.95, "idle-timeout"), outcome(0.85, "failover", "idle-timeout"), outcome(0.3, "failover")])
    assert (found.share(1), found.share(3), found.questions, found.abstained) == (1 / 3, 2 / 3, 3.0, 1)
    assert (found.at_least(0.8), found.at_least(0.9)) == ((2, 1), (1, 0))
    assert [(band.cases, band.right) for band in found.bands()] == [(0, 0), (1, 0), (0, 0), (0, 0), (1, 0), (1, 1)]
    assert found.confusion() == [("idle-timeout", "failover", 2)]


def test_folds_hold_every_case_out_once() -> None:
    cases = {str(number): IDLE for number in range(7)}
    held = [id_ for _, out in split(cases, 3) for id_ in out]
    assert sorted(held) == sorted(cases)
    assert all(others.keys().isdisjoint(out) for others, out in split(cases, 3))


def test_tuning_surprises_less_on_what_it_has_seen() -> None:
    cases = [weighable(EXPERT, one) for one in groups(ALL)["strict"].values()]
    flat = Weights(1.1, 1.1, 1.1, 1.1, 1.1, 1.1)
    assert surprise(tuned(cases, flat), cases) < surprise(flat, cases)
    assert surprise(tuned(cases), cases) <= surprise(WEIGHTS, cases)


def test_real_cases_come_out_as_promised() -> None:
    found = score(EXPERT, groups(ALL)["strict"])
    assert found.share(1) >= 0.85
    assert found.share(3) >= 0.95
    assert found.questions <= 5.0
    sure, wrong = found.at_least(0.8)
    assert wrong * 4 <= sure
    assert found.at_least(0.9)[1] * 50 <= len(found.outcomes)


def test_without_any_answer_the_paste_alone_goes_far_and_never_too_far() -> None:
    found = score(EXPERT, groups(ALL)["strict"], silent=True)
    assert found.share(3) >= 0.60
    assert found.at_least(0.7)[1] == 0


def test_wrong_cases_are_refused_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no folder"):
        labelled_cases(tmp_path / "nowhere")
    (tmp_path / "one.yaml").write_text(
        "name: one\nsymptom: reset\ncauses: [x]\nreference: ours\nfact: {}\n", encoding="utf-8"
    )
    with pytest.raises(ValueError, match="fact: Extra inputs"):
        labelled_cases(tmp_path)
    with pytest.raises(ValueError, match="unknown cause 'x'"):
        score(EXPERT, {"one": IDLE.model_copy(update={"causes": ["x"]})})
    with pytest.raises(ValueError, match="unknown feature 'x'"):
        score(EXPERT, {"one": IDLE.model_copy(update={"facts": {"x": True}})})
    with pytest.raises(ValueError, match="no case"):
        scored(EXPERT, {})


def test_the_tables_name_every_miss() -> None:
    result = scored(EXPERT, {"one": IDLE.model_copy(update={"causes": ["backscatter"]})})
    assert len(list(tables(result))) >= 7
    assert [one.id for one in result.main.misses()] == ["one"]
