"""Whether the process answers, whether it can serve, and what it is."""

from __future__ import annotations

import asyncio
import platform
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from knowledge.shelf import Shelf
from rules.case import KnowledgeStamp
from rules.diagnose import VERSION

PATIENCE_S = 2.0
"""Seconds in which the database has to answer."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether it can serve, check by check."""

    checks: Mapping[str, bool]

    @property
    def status(self) -> int:
        """200, or 503 where a check failed."""
        return 200 if all(self.checks.values()) else 503

    def told(self, verbose: bool = False) -> dict[str, Any]:
        """Give the answer; with `verbose` each check."""
        told: dict[str, Any] = {"status": "ready" if self.status == 200 else "not ready"}
        if verbose:
            told["checks"] = {name: "ok" if holds else "failed" for name, holds in self.checks.items()}
        return told


class Readiness:
    """Whether a process can serve. `ask_database` does the least that a database has to answer."""

    def __init__(self, ask_database: Callable[[], Awaitable[object]], shelf: Shelf) -> None:
        self._ask_database = ask_database
        self._shelf = shelf
        self._asked: asyncio.Task[object] | None = None
        self._going = False

    @property
    def is_going(self) -> bool:
        """Whether the process is about to end."""
        return self._going

    def going(self) -> None:
        """Say that the process is about to end."""
        self._going = True

    async def ready(self, patience_s: float = PATIENCE_S) -> Ready:
        """Check everything."""
        return Ready(
            {
                "staying": not self._going,
                "knowledge": bool(self._shelf.causes),
                "database": await self._database_answers(patience_s),
            }
        )

    async def _database_answers(self, patience_s: float) -> bool:
        # A database that hangs is asked once, not once by every probe.
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(_answered(self._ask_database))
        done, _ = await asyncio.wait([self._asked], timeout=patience_s)
        return bool(done) and self._asked.exception() is None


@contextmanager
def turning_red(readiness: Readiness, grace_s: float = 0) -> Iterator[None]:
    """On SIGTERM turn red first, and end `grace_s` seconds later, so that whoever sends requests here notices.

    Called in the lifespan: by then the server has its own handler, which is called after. A second signal ends at once.
    """
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread alone
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)

    def heed(number: int, frame: FrameType | None) -> None:
        again = readiness.is_going
        readiness.going()
        if again or not grace_s:
            end(number, frame)
        else:
            loop.call_soon_threadsafe(loop.call_later, grace_s, end, number, None)

    signal.signal(signal.SIGTERM, heed)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def livez() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "alive"}


def version(shelf: Shelf) -> dict[str, Any]:
    """Tell what is running."""
    return {
        "version": VERSION,
        "knowledge": KnowledgeStamp(version=VERSION, hash=shelf.hash).model_dump(),
        "python": platform.python_version(),
    }


async def _answered(ask: Callable[[], Awaitable[object]]) -> object:
    return await ask()
