"""Processes that diagnose: the same answers, whatever becomes of them, and short pastes never wait for long ones."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot import thinker
from bot.thinking import LONG, Thinkers
from bot.threads import Threads
from rules.case import Case
from rules.diagnose import Expert
from rules.read import PasteTooLarge

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.1/443 to 192.0.2.9/51000 flags ACK on interface inside"
LONG_PASTE = "\n".join([LINE] * (4 * LONG // len(LINE)))
PATIENCE_S = 60


async def ready(thinkers: Thinkers) -> Thinkers:
    """Wait until processes diagnose."""
    async with asyncio.timeout(PATIENCE_S):
        while not thinkers.ready:  # noqa: ASYNC110  (another thread says so)
            await asyncio.sleep(0.02)
    return thinkers


@pytest.fixture(scope="module")
def shared(expert: Expert) -> Iterator[Thinkers]:
    thinkers = Thinkers(expert, Threads(2), 2, None)
    yield thinkers
    thinkers.close()


async def test_they_say_what_this_process_would_say(shared: Thinkers, expert: Expert) -> None:
    await ready(shared)
    for case in (Case(paste=LINE), Case(paste=LONG_PASTE), Case(answers={"timing.worked": "never"}), Case()):
        assert await shared(case) == expert.diagnose(case)


async def test_what_is_refused_here_is_refused_there_in_the_same_words(shared: Thinkers, expert: Expert) -> None:
    await ready(shared)
    case = Case(paste="x" * 20_000_000)
    with pytest.raises(PasteTooLarge) as here:
        expert.diagnose(case)
    with pytest.raises(PasteTooLarge) as there:
        await shared(case)
    assert str(there.value) == str(here.value)


async def test_a_short_paste_does_not_wait_for_long_ones(shared: Thinkers) -> None:
    await ready(shared)
    done: list[str] = []

    async def through(name: str, paste: str) -> None:
        await shared(Case(paste=paste))
        done.append(name)

    long = [asyncio.create_task(through("long", LONG_PASTE + f"\n{one}")) for one in range(4)]
    await asyncio.sleep(0)
    await through("short", LINE)
    await asyncio.gather(*long)
    assert done.index("short") < done.index("long", 1)
    assert shared.waiting == 0


async def test_one_that_is_killed_is_replaced_and_its_case_diagnosed(shared: Thinkers, expert: Expert) -> None:
    await ready(shared)
    for pool, paste in zip(shared._pools, (LINE, LONG_PASTE), strict=True):
        case = Case(paste=paste)
        os.kill(await asyncio.to_thread(pool.ask, thinker.pid), signal.SIGKILL)
        assert await shared(case) == expert.diagnose(case)


async def test_one_that_stands_still_is_replaced_too(
    shared: Thinkers, expert: Expert, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(shared)
    pool = shared._pools[0]
    standing = await asyncio.to_thread(pool.ask, thinker.pid)
    monkeypatch.setattr(pool, "patience_s", 2.0)
    os.kill(standing, signal.SIGSTOP)
    assert await shared(Case(paste=LINE + " x")) == expert.diagnose(Case(paste=LINE + " x"))
    await ready(shared)
    assert not _lives(standing)


async def test_threads_do_it_where_there_are_no_processes(expert: Expert) -> None:
    alone = Thinkers(expert, Threads(1), 0, None)
    assert await alone(Case(paste=LINE)) == expert.diagnose(Case(paste=LINE))
    assert await alone.apart(thinker.pid) == os.getpid()
    assert not alone.ready
    alone.close()


async def test_other_work_is_done_in_a_process_too(shared: Thinkers) -> None:
    await ready(shared)
    assert await shared.apart(thinker.pid) != os.getpid()


async def test_processes_with_other_knowledge_are_not_asked(expert: Expert, caplog: pytest.LogCaptureFixture) -> None:
    other = Expert(replace(expert.shelf, hash="another"))
    thinkers = Thinkers(other, Threads(1), 1, None)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while "no process can diagnose" not in caplog.text:  # noqa: ASYNC110  (another thread says so)
                await asyncio.sleep(0.02)
        assert (await thinkers(Case(paste=LINE))).knowledge.hash == "another"
        assert not thinkers.ready
    finally:
        thinkers.close()


_PARENT = """
import asyncio, sys, time
from bot import thinker
from bot.thinking import Thinkers
from bot.threads import Threads
from knowledge.load import load_shelf
from rules.diagnose import Expert

thinkers = Thinkers(Expert(load_shelf()), Threads(1), 1, None)
print(thinkers._pools[0].ask(thinker.pid), flush=True)
time.sleep(600)
"""


def test_they_end_when_whoever_they_think_for_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ends = time.monotonic() + PATIENCE_S
    while _lives(child):
        assert time.monotonic() < ends, "it lives on"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
