"""Where work runs that takes long: beside the loop that serves, a bounded number at a time."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import anyio

MOST_WAITING = 256
"""Pieces of work that may wait, for each thread."""
LEAVING: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("whydrop_leaving", default=None)
"""Waits until the client has gone away for whom work is done; it is asked only while the work waits."""

T = TypeVar("T")


def listen_closely() -> None:
    """Set this process up so that the loop hears whoever comes soon, whatever threads think about; call it once ready.

    A thread that computes keeps the interpreter for five milliseconds each time unless told otherwise, and one request
    waits for it several times. Diagnoses form no cycles, but are many objects, and looking through them for garbage
    stops all threads: through those that are new it is done often, so that they are few (with fifty times as many it
    took up to 77 ms), through those that are remembered seldom (70 ms), through the knowledge never (100 ms).
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(1_000, 10, 2_000)
    gc.freeze()


class TooBusy(Exception):
    """So much work waits already that more would wait too long. Nothing was done."""

    retry_after_s = 1


class ClientGone(Exception):
    """Whoever wanted the work went away before it was begun."""


class Threads:
    """Worker threads, a bounded number, so that a long paste keeps nobody else waiting.

    `most` is how many pieces of work may wait; 256 for each thread unless it is given.
    """

    def __init__(self, threads: int, most: int | None = None) -> None:
        self._threads = threads
        self._most = threads * MOST_WAITING if most is None else most
        self._limiter: anyio.CapacityLimiter | None = None
        self._unlimited: anyio.CapacityLimiter | None = None

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for a thread."""
        return self._limiter.statistics().tasks_waiting if self._limiter else 0

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Give what the function gives. Raises TooBusy at once, ClientGone, and what the function raises."""
        if self._limiter is None or self._unlimited is None:  # a limiter belongs to a running loop
            self._limiter = anyio.CapacityLimiter(self._threads)
            self._unlimited = anyio.CapacityLimiter(math.inf)
        place = object()
        try:
            self._limiter.acquire_on_behalf_of_nowait(place)
        except anyio.WouldBlock:
            await self._wait(self._limiter, place)
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._unlimited)
        finally:
            self._limiter.release_on_behalf_of(place)

    async def _wait(self, limiter: anyio.CapacityLimiter, place: object) -> None:
        """Wait for a thread, as long as somebody wants it."""
        if self.waiting >= self._most:
            raise TooBusy("too much work waits already")
        leaving = LEAVING.get()
        if leaving is None:
            await limiter.acquire_on_behalf_of(place)
            return
        taken = False
        async with anyio.create_task_group() as group:
            group.start_soon(_given_up, leaving, group.cancel_scope)
            await limiter.acquire_on_behalf_of(place)
            taken = True
            group.cancel_scope.cancel()
        if not taken:
            raise ClientGone


async def _given_up(leaving: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    await leaving()
    scope.cancel()
