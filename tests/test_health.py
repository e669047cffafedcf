"""Whether the process answers, can serve, and what it is; and that it turns red before it goes."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from bot.cases import Store
from bot.health import Readiness, livez, turning_red, version
from knowledge.shelf import Shelf
from rules.diagnose import VERSION


async def answers() -> object:
    return []


async def fails() -> object:
    raise OSError("no such host")


def readiness(shelf: Shelf, ask: Callable[[], Awaitable[object]] = answers) -> Readiness:
    return Readiness(ask, shelf)


async def test_a_process_that_has_all_it_needs_is_ready(shelf: Shelf) -> None:
    ready = await readiness(shelf).ready()
    assert (ready.status, ready.told()) == (200, {"status": "ready"})
    assert ready.told(verbose=True)["checks"] == {"staying": "ok", "knowledge": "ok", "database": "ok"}


async def test_a_database_that_fails_makes_it_red_and_is_asked_again(shelf: Shelf) -> None:
    working = False

    async def ask() -> object:
        return await (answers() if working else fails())

    its = readiness(shelf, ask)
    ready = await its.ready()
    assert (ready.status, ready.told()) == (503, {"status": "not ready"})
    assert ready.told(verbose=True)["checks"]["database"] == "failed"
    working = True
    assert (await its.ready()).status == 200


async def test_a_database_that_hangs_makes_it_red_and_is_asked_once(shelf: Shelf) -> None:
    asked = 0
    goes_on = asyncio.Event()

    async def ask() -> object:
        nonlocal asked
        asked += 1
        return await goes_on.wait()

    its = readiness(shelf, ask)
    assert [(await its.ready(0.01)).status for _ in range(3)] == [503] * 3
    assert asked == 1
    goes_on.set()
    assert (await its.ready()).status == 200


async def test_no_probe_waits_for_an_earlier_one_longer_than_for_itself(shelf: Shelf) -> None:
    its = readiness(shelf, asyncio.Event().wait)
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(its.ready(0.05) for _ in range(20)))
    assert {one.status for one in found} == {503}


async def test_the_real_store_answers(shelf: Shelf, tmp_path: Path) -> None:
    async with Store.open(f"sqlite:///{tmp_path}/cases.sqlite3") as store:
        its = Readiness(lambda: store.list("", limit=1), shelf)
        assert (await its.ready()).status == 503  # there are no tables yet
        await store.migrate()
        assert (await its.ready()).status == 200


async def test_without_knowledge_it_is_not_ready() -> None:
    assert (await readiness(Shelf()).ready()).told(verbose=True)["checks"]["knowledge"] == "failed"


async def test_a_process_that_goes_is_not_ready(shelf: Shelf) -> None:
    its = readiness(shelf)
    its.going()
    ready = await its.ready()
    assert ready.status == 503
    assert ready.told(verbose=True)["checks"] == {"staying": "failed", "knowledge": "ok", "database": "ok"}


@pytest.fixture
def ended() -> Iterator[asyncio.Event]:
    """What the server's own handler does: it tells that it was called."""
    event = asyncio.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        event.set()

    before = signal.signal(signal.SIGTERM, end)
    yield event
    signal.signal(signal.SIGTERM, before)


async def test_it_turns_red_first_and_goes_then(shelf: Shelf, ended: asyncio.Event) -> None:
    its = readiness(shelf)
    with turning_red(its, grace_s=0.2):
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await its.ready()).status == 503
        assert not ended.is_set()
        async with asyncio.timeout(5):
            await ended.wait()


async def test_whoever_is_told_twice_goes_at_once(shelf: Shelf, ended: asyncio.Event) -> None:
    with turning_red(readiness(shelf), grace_s=3600):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        assert not ended.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await ended.wait()


async def test_without_grace_it_goes_at_once(shelf: Shelf, ended: asyncio.Event) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with turning_red(readiness(shelf)):
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await ended.wait()
    assert signal.getsignal(signal.SIGTERM) is before


def test_beside_the_main_thread_signals_are_left_alone(shelf: Shelf) -> None:
    found: list[object] = []

    def serve() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with turning_red(readiness(shelf)):
            found.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join(10)
    assert found == [True]


def test_it_is_alive_and_says_what_it_is(shelf: Shelf) -> None:
    assert livez() == {"status": "alive"}
    assert version(shelf) == {
        "version": VERSION,
        "knowledge": {"version": VERSION, "hash": shelf.hash},
        "python": platform.python_version(),
    }
