"""Whatever a random engineer does, a consultation ends, asks nothing twice, and names what does not go together."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import pytest

from knowledge.clause import Value
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from tests.random_engineer import MOVES, STYLES, Ground, Memory, Played, consultation, ground, wrong
from tests.shipped import shipped_shelf

SHORT, LONG = 280, 20_000
"""Cases in the ordinary tests, and in the soak, over all styles."""
CHUNK = 100


@pytest.fixture(scope="module")
def where(expert: Expert) -> Ground:
    return ground(expert.shelf)


@pytest.fixture(scope="module")
def played(expert: Expert, where: Ground) -> dict[str, list[Played]]:
    """The first cases of every style."""
    count = -(-SHORT // len(STYLES))
    return {style: [consultation(expert, where, style, number) for number in range(count)] for style in STYLES}


@pytest.mark.parametrize("style", STYLES)
def test_every_consultation_ends_and_nothing_goes_wrong_with_an_engineer_who(
    played: dict[str, list[Played]], style: str
) -> None:
    assert [problem for one in played[style] for problem in one.wrong] == []


def test_the_engineer_does_everything_and_meets_everything(played: dict[str, list[Played]]) -> None:
    did = Counter[str]()
    for one in (one for cases in played.values() for one in cases):
        did.update(one.did)
    rare = [name for name in ("answer", "declined", *MOVES) if did[name] < 100]
    rare += [name for name in ("asked", "contradicted", "concluded") if did[name] < 50]
    assert rare == [], did


def test_who_knows_nothing_is_soon_left_alone(played: dict[str, list[Played]]) -> None:
    assert all(one.did["declined"] == one.did["asked"] <= 8 for one in played["knows nothing"])


def _found(expert: Expert, case: Case, diagnosis: Diagnosis, *told: str) -> str:
    return "; ".join(wrong(expert.shelf, case, diagnosis, Memory(told=set(told))))


SYN_ACK: dict[str, Value] = {"symptom": "out-of-state", "packet.flags": "SA"}
CONTRADICTED = Case(answers={**SYN_ACK, "packet.payload": True})


def test_a_question_that_was_answered_before_is_found(expert: Expert) -> None:
    case = Case(answers=SYN_ACK)
    diagnosis = expert.diagnose(case)
    assert diagnosis.question is not None
    assert _found(expert, case, diagnosis) == ""
    name = diagnosis.question.feature
    assert _found(expert, case, diagnosis, name) == f"{name} is asked again, and no contradiction names it"


def test_a_contradiction_that_is_not_named_is_found(expert: Expert) -> None:
    diagnosis = expert.diagnose(CONTRADICTED)
    assert _found(expert, CONTRADICTED, diagnosis, "packet.payload") == ""
    silent = diagnosis.model_copy(update={"contradictions": []})
    assert "an-opening-with-data is not named" in _found(expert, CONTRADICTED, silent)
    assert "packet.payload is asked again, and no contradiction names it" in _found(expert, CONTRADICTED, silent)


def test_a_question_asked_a_third_time_is_found(expert: Expert) -> None:
    memory = Memory(told={"packet.payload"}, confirmed={"packet.payload"})
    found = list(wrong(expert.shelf, CONTRADICTED, expert.diagnose(CONTRADICTED), memory))
    assert found == ["packet.payload is asked a third time"]


def test_probabilities_that_do_not_sum_to_one_are_found(expert: Expert) -> None:
    case = Case(answers=SYN_ACK)
    diagnosis = expert.diagnose(case)
    fewer = diagnosis.model_copy(update={"hypotheses": diagnosis.hypotheses[1:]})
    assert "the probabilities sum to 0." in _found(expert, case, fewer)


@cache
def _of_this_process() -> tuple[Expert, Ground]:
    shelf = shipped_shelf()
    return Expert(shelf), ground(shelf)


def problems_of(style: str, numbers: range) -> list[str]:
    """Play so many cases in whichever process this is."""
    expert, where = _of_this_process()
    return [problem for number in numbers for problem in consultation(expert, where, style, number).wrong]


def _chunks(count: int) -> Iterator[tuple[str, range]]:
    each = -(-count // len(STYLES))
    for begin in range(0, each, CHUNK):
        for style in STYLES:
            yield style, range(begin, min(begin + CHUNK, each))


@pytest.mark.soak
def test_nothing_goes_wrong_in_twenty_thousand_consultations() -> None:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as processes:
        found = [processes.submit(problems_of, style, numbers) for style, numbers in _chunks(LONG)]
        assert [problem for one in found for problem in one.result()] == []
