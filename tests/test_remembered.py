"""What is remembered is what would be found anew, and it is bounded."""

from __future__ import annotations

from bot.remembered import WEIGHT, Remembered
from rules.case import Case
from rules.diagnose import Expert
from tests.service import LINE

CASE = Case(paste=LINE)


def test_a_diagnosis_is_remembered_for_the_same_case_alone(expert: Expert) -> None:
    remembered, diagnosis = Remembered(), expert.diagnose(CASE)
    remembered.keep(CASE, diagnosis)
    assert remembered.of(Case(paste=LINE)) is diagnosis
    for other in (
        Case(paste=LINE + " "),
        Case(paste=LINE, product="cisco-asa"),
        Case(paste=LINE, answers={"route.second_path": True}),
        Case(paste=LINE, declined=frozenset({"route.second_path"})),
        Case(paste=LINE, confirmed=frozenset({"route.second_path"})),
    ):
        assert remembered.of(other) is None


def test_a_number_is_not_the_yes_that_it_equals(expert: Expert) -> None:
    remembered = Remembered()
    remembered.keep(Case(answers={"timing.idle_s": 1.0}), expert.diagnose(CASE))
    assert remembered.of(Case(answers={"timing.idle_s": True})) is None


def test_what_was_unused_for_longest_is_let_go(expert: Expert) -> None:
    remembered, diagnosis = Remembered(most=3), expert.diagnose(CASE)
    cases = [Case(paste=f"{number}") for number in range(4)]
    for case in cases[:3]:
        remembered.keep(case, diagnosis)
    assert remembered.of(cases[0])
    remembered.keep(cases[3], diagnosis)
    assert [remembered.of(case) is not None for case in cases] == [True, False, True, True]


def test_long_pastes_count_for_more_and_too_long_ones_are_not_kept(expert: Expert) -> None:
    remembered, diagnosis = Remembered(most=3), expert.diagnose(CASE)
    for case in (CASE, Case(paste="x" * WEIGHT * 2), Case(paste="y" * WEIGHT * 3)):
        remembered.keep(case, diagnosis)
    assert len(remembered) == 1
    assert remembered.of(Case(paste="x" * WEIGHT * 2))
