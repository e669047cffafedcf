"""A file of SQLite's: each transaction is done in a thread as a whole, one hop from the loop that serves.

A driver for asyncio hops there and back for each statement, and for each of the three around them. A turn in Slack
took a hundred hops that way, and where threads think beside the loop, each hop has to wait for the interpreter.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, Executable, Result
from sqlalchemy.ext.asyncio import AsyncConnection

_THREADS = 4
"""One writes at a time, so the others read."""

T = TypeVar("T")


class SqliteFile:
    """Does transactions. Close it at the end."""

    def __init__(self, lasting: Engine, passing: Engine, writes: str) -> None:
        self._reader = passing
        self._lasting = lasting.execution_options(**{writes: True})
        self._passing = passing.execution_options(**{writes: True})
        self._threads = ThreadPoolExecutor(_THREADS, "whydrop-sqlite")
        # A pool that nobody closed would leave its connections to chance.
        weakref.finalize(self, _closed, lasting, passing)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do work that reads, in one transaction. Raises what it and the database raise."""
        return await self._do(self._reader.connect, work)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]], *, lasting: bool) -> T:
        """Do work that writes, in one transaction. Raises what it and the database raise.

        What is not `lasting` outlives the process, but perhaps not the machine: nobody waits for the disk.
        """
        return await self._do((self._lasting if lasting else self._passing).begin, work)

    async def _do(
        self, begin: Callable[[], AbstractContextManager[Connection]], work: Callable[[AsyncConnection], Awaitable[T]]
    ) -> T:
        def transaction() -> T:
            with begin() as connection:
                return _at_once(_done(work, connection))

        return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)

    async def alone(self, pragma: str) -> None:
        """Do what cannot be done in a transaction."""

        def done() -> None:
            with self._lasting.connect() as connection:
                driver: Any = connection.connection.driver_connection
                # A connection that has not read yet does not know that there is a log.
                driver.execute("SELECT count(*) FROM sqlite_master").fetchall()
                driver.execute(pragma).fetchall()

        await asyncio.get_running_loop().run_in_executor(self._threads, done)

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown()
        _closed(self._lasting, self._passing)


def _closed(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


async def _done(work: Callable[[AsyncConnection], Awaitable[T]], connection: Connection) -> T:
    # The part of it that transactions use; it is the same work for both databases.
    return await work(cast("AsyncConnection", _AtOnce(connection)))


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Do what never waits. Raises RuntimeError if it does."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    work.close()
    raise RuntimeError("a transaction waits for something else than its database")


class _AtOnce:
    """A connection as asyncio's: whoever awaits it has the answer at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        found = self._connection.execute(statement, parameters)
        # Rows are read after the connection is closed, too.
        return found.freeze()() if found.returns_rows else found

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalars()

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Result[Any]:
        found = self._connection.exec_driver_sql(statement, parameters)
        return found.freeze()() if found.returns_rows else found

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        return work(self._connection)
