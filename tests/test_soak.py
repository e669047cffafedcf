"""Many diagnoses in one process, from eight threads: each the same as alone, and memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from bot.rest import create_app
from rules.case import Case
from rules.diagnose import Expert
from rules.prove import case_of, worked_cases
from tests.service import HOST, set_up

pytestmark = pytest.mark.early

THREADS = 8
SHORT, LONG, PART = 1_000, 50_000, 10_000
"""Diagnoses in the ordinary tests, in the soak, and in each of the soak's parts whose memory is compared."""
CHUNK = 250
GROWTH = 8_000_000
"""Bytes that the 20,000 diagnoses between the middle part and the last may add to the process: 400 for each."""

Entrance = Callable[[Case], str]
"""A way to a diagnosis, written out as JSON."""


@contextmanager
def _by_expert(expert: Expert, _folder: Path) -> Iterator[Entrance]:
    yield lambda case: expert.diagnose(case).model_dump_json(by_alias=True)


@contextmanager
def _by_service(expert: Expert, folder: Path) -> Iterator[Entrance]:
    """Go through the whole service, which works in threads of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    transport = httpx.ASGITransport(
        app=create_app(set_up(folder / "cases.sqlite3", threads=THREADS, rate=1_000_000), expert)
    )
    client = httpx.AsyncClient(transport=transport, base_url=HOST)

    def diagnosed(case: Case) -> str:
        answers = {name: value for name, value in case.answers.items() if name != "log.event"}  # no answer, a line's
        wanted = {"paste": case.paste, "product": answers.pop("log.product", None), "answers": answers}
        answer = asyncio.run_coroutine_threadsafe(client.post("/v1/diagnoses", json=wanted), loop).result()
        assert answer.status_code == 200
        return answer.text

    yield diagnosed
    asyncio.run_coroutine_threadsafe(client.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module", params=[_by_expert, _by_service], ids=["pure function", "service"])
def entrance(
    request: pytest.FixtureRequest, expert: Expert, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Entrance]:
    make: Callable[[Expert, Path], AbstractContextManager[Entrance]] = request.param
    with make(expert, tmp_path_factory.mktemp("soak")) as made:
        yield made


@pytest.fixture(scope="module")
def cases(expert: Expert) -> Sequence[Case]:
    """Every worked case of the shelf, every sample of a dialect, and two in which nothing fires."""
    worked = [case_of(example, cause, expert.shelf) for _, (cause, example) in worked_cases(expert.shelf)]
    samples = [sample.line for dialect in expert.shelf.dialects.values() for sample in dialect.samples]
    return [*worked, *(Case(paste=line) for line in samples), Case(), Case(paste="no dialect reads this")]


def unlike_alone(entrance: Entrance, cases: Sequence[Case], count: int) -> Iterator[list[Case]]:
    """Diagnose so many cases, over and over, from all threads; give, chunk by chunk, those answered unlike alone."""
    alone = [entrance(case) for case in cases]
    turns = itertools.islice(itertools.cycle(range(len(cases))), count)
    with ThreadPoolExecutor(THREADS) as pool:
        while chunk := list(itertools.islice(turns, CHUNK)):
            answers = pool.map(lambda turn: entrance(cases[turn]), chunk)
            yield [cases[turn] for turn, answer in zip(chunk, answers, strict=True) if answer != alone[turn]]


def resident() -> int:
    """Give the bytes of memory that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")


def test_eight_threads_get_the_answers_that_one_gets(entrance: Entrance, cases: Sequence[Case]) -> None:
    some = cases[::5]
    assert len(some) < SHORT, "each comes again"
    assert list(itertools.chain.from_iterable(unlike_alone(entrance, some, SHORT))) == []


def test_an_answer_that_differs_is_found(cases: Sequence[Case]) -> None:
    counter = itertools.count()
    assert len(list(itertools.chain.from_iterable(unlike_alone(lambda _: str(next(counter)), cases, 100)))) == 100


@needs_proc
def test_memory_that_is_kept_is_seen() -> None:
    before = resident()
    kept = b"x" * (8 * GROWTH)
    assert resident() - before > GROWTH
    assert kept


@needs_proc
@pytest.mark.soak
def test_fifty_thousand_diagnoses_are_all_right_and_leave_nothing_behind(
    entrance: Entrance, cases: Sequence[Case]
) -> None:
    held = []
    for wrong in unlike_alone(entrance, cases, LONG):
        assert wrong == []
        held.append(resident())
    parts = [
        min(held[at : at + PART // CHUNK]) for at in range(0, len(held), PART // CHUNK)
    ]  # the least: what threads hold passes
    assert (len(held) * CHUNK, parts[-1] - parts[2] < GROWTH) == (LONG, True), f"bytes held, part by part: {parts}"
