"""Diagnosing beside the process that serves, so that it hears whoever comes, whatever is thought about.

Threads would share one interpreter with the loop: while a long paste was read, it heard others a tenth of a second
later. Short pastes never wait for long ones. What breaks a process takes nobody's service away.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Lock
from typing import TypeVar

from bot import thinker
from bot.threads import Threads
from rules.case import Case, Diagnosis
from rules.diagnose import Expert

log = logging.getLogger("whydrop")

LONG = 20_000
"""Characters of a paste from which on it is a long one: some tens of milliseconds."""

_SHORT_S, _LONG_S = 15.0, 120.0
"""Seconds after which a process stands still: a thousand times what is usual, and many times the largest paste."""

T = TypeVar("T")


class _Pool:
    """Some processes; broken ones are replaced. Nothing is asked of them before they are ready."""

    def __init__(self, processes: int, expert: Expert, folder: Path | None, *, patient: bool) -> None:
        self.turns = Threads(processes)
        self._processes = processes
        self.patience_s = _SHORT_S
        self._begin = (folder, expert.shelf.hash, patient)
        self._lock = Lock()
        self._pool = self._started()
        self.ready = False
        self._pool.submit(thinker.pid).add_done_callback(self._is_ready)

    def ask(self, work: Callable[..., T], *told: object) -> T:
        """Let one of them work, another one if it dies of that, or stands still.

        Raises BrokenProcessPool or TimeoutError if that one does, too.
        """
        pool = self._pool
        try:
            return pool.submit(work, *told).result(self.patience_s)
        except (BrokenProcessPool, TimeoutError) as wrong:
            log.error(
                "a process that diagnoses ended or stands still (%s); another one takes its place", type(wrong).__name__
            )
            return self._replaced(pool).submit(work, *told).result(self.patience_s)

    def _replaced(self, pool: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """Give a pool in the place of one that cannot go on; until it is ready, threads do what comes."""
        with self._lock:
            if self._pool is pool:
                for process in list((pool._processes or {}).values()):  # noqa: SLF001  (from 3.14: kill_workers)
                    process.kill()
                pool.shutdown(wait=False, cancel_futures=True)
                self._pool, self.ready = self._started(), False
                self._pool.submit(thinker.pid).add_done_callback(self._is_ready)
            return self._pool

    def close(self) -> None:
        """End them, once those that diagnose are through."""
        self._pool.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if hasattr(context, "set_forkserver_preload"):
            context.set_forkserver_preload(["bot.forked"])
        return ProcessPoolExecutor(self._processes, context, thinker.begin, self._begin)

    def _is_ready(self, found: Future[int]) -> None:
        if found.cancelled():
            return
        self.ready = found.exception() is None
        if not self.ready:
            log.error("no process can diagnose: %s; this one does", type(found.exception()).__name__)


class Here:
    """Threads of this process diagnose."""

    def __init__(self, expert: Expert, in_thread: Threads) -> None:
        self._expert = expert
        self._in_thread = in_thread

    async def __call__(self, case: Case) -> Diagnosis:
        """Diagnose a case. Raises PasteTooLarge, TooBusy, ClientGone."""
        return await self._in_thread(lambda: self._expert.diagnose(case))

    async def apart(self, work: Callable[..., T], *told: object) -> T:
        """Do work that keeps the interpreter for long: a function of a module, and what can be sent to another process.

        Raises TooBusy, ClientGone, and what the work raises.
        """
        return await self._in_thread(lambda: work(*told))


class Thinkers(Here):
    """Processes that diagnose: one for long pastes, the others for short ones. One per process that serves; close it.

    Until they have loaded the knowledge, and where there are none, threads of this process do it.
    """

    def __init__(self, expert: Expert, in_thread: Threads, processes: int, folder: Path | None) -> None:
        super().__init__(expert, in_thread)
        self._folder = folder
        sizes = [processes - 1, 1] if processes > 1 else [1] * processes
        # Whoever sent a long paste waits anyway; the others would wait for a processor.
        self._pools = [_Pool(size, expert, folder, patient=number > 0) for number, size in enumerate(sizes)]
        if self._pools:
            self._pools[-1].patience_s = _LONG_S

    async def __call__(self, case: Case) -> Diagnosis:
        """Diagnose a case. Raises PasteTooLarge, TooBusy, ClientGone, BrokenProcessPool."""
        pool = self._pool(long=len(case.paste) >= LONG)
        if pool is None:
            return await super().__call__(case)
        return await pool.turns(lambda: pool.ask(thinker.diagnose, self._folder, case))

    async def apart(self, work: Callable[..., T], *told: object) -> T:
        """Do work as Here does, in a process. Raises BrokenProcessPool, too."""
        pool = self._pool(long=False)
        if pool is None:
            return await super().apart(work, *told)
        return await pool.turns(lambda: pool.ask(work, *told))

    def _pool(self, *, long: bool) -> _Pool | None:
        pool = self._pools[-1 if long else 0] if self._pools else None
        return pool if pool and pool.ready else None

    @property
    def ready(self) -> bool:
        """Tell whether processes diagnose."""
        return bool(self._pools) and all(one.ready for one in self._pools)

    @property
    def waiting(self) -> int:
        """How many cases wait for a process."""
        return sum(one.turns.waiting for one in self._pools)

    def close(self) -> None:
        """End the processes; it waits for those that diagnose, so call it beside the loop."""
        for one in self._pools:
            one.close()
