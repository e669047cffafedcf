"""Many diagnoses in one process, from eight threads: each the same as alone, and memory stays flat."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rules.case import Case
from rules.diagnose import Expert
from rules.prove import case_of, worked_cases

THREADS = 8
CHUNK = 250
GROWTH = 8_000_000
"""Bytes that 40,000 diagnoses may add to the process: 200 for each. One session of the engine left behind takes 400,000."""

Entrance = Callable[[Case], str]


def _expert_entrance(expert: Expert) -> Entrance:
    return lambda case: expert.diagnose(case).model_dump_json(by_alias=True)


ENTRANCES: dict[str, Callable[[Expert], Entrance]] = {"expert": _expert_entrance}


@pytest.fixture(scope="module")
def cases(expert: Expert) -> Sequence[Case]:
    """Every worked case of the shelf, every sample of a dialect, and what fires nothing."""
    worked = [case_of(example, cause, expert.shelf) for _, (cause, example) in worked_cases(expert.shelf)]
    samples = [sample.line for dialect in expert.shelf.dialects.values() for sample in dialect.samples]
    return [*worked, *(Case(paste=line) for line in samples), Case(), Case(paste="no dialect reads this")]


def together(entrance: Entrance, cases: Sequence[Case], alone: Sequence[str], count: int) -> Iterator[int]:
    """Diagnose case after case from all threads; give the number of those done after each chunk, all of them right."""
    turns = itertools.islice(itertools.cycle(zip(cases, alone, strict=True)), count)
    with ThreadPoolExecutor(THREADS) as pool:
        done = 0
        while chunk := list(itertools.islice(turns, CHUNK)):
            answers = pool.map(entrance, [case for case, _ in chunk])
            assert [answer for answer in answers if answer is None] == []
            yield (done := done + len(chunk))


def resident() -> int:
    """Give the bytes of memory that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
