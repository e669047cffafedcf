"""Where work runs that takes long: beside the loop that serves, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Threads:
    """Worker threads, a bounded number, so that a long paste keeps nobody else waiting."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Give what the function gives."""
        if self._limiter is None:  # a limiter belongs to a running loop
            self._limiter = anyio.CapacityLimiter(self._threads)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
