"""Whose turn it is where only one at a time may: in the order they came, those in a hurry before the others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class OneAtATime:
    """Lets one through at a time, in one loop.

    Of those who wait, whoever is in a hurry comes before the others, but not twice in a row: nobody waits for ever.
    """

    def __init__(self) -> None:
        self._taken = False
        self._hurried_last = False
        self._hurried: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, hurried: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        if self._taken:
            await self._wait(self._hurried if hurried else self._others)
        self._taken, self._hurried_last = True, hurried
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        called = asyncio.get_running_loop().create_future()
        line.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # it was our turn already
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Call the next one; the turn stays taken until somebody is found who still waits, or nobody is."""
        lines = (self._others, self._hurried) if self._hurried_last else (self._hurried, self._others)
        for line in lines:
            while line:
                called = line.popleft()
                if not called.done():
                    called.set_result(None)
                    return
        self._taken = False
