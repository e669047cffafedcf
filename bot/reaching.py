"""The store of the settings, opened for one command; what is wrong with it is told on one line."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.calls import fail, our_settings
from bot.cases import CaseFull, NoSuchCase, Store
from bot.tables import Busy, Newer

T = TypeVar("T")

_NO_ADDRESS = "WHYDROP_DATABASE_URL is no address that can be used"
_SAID: Mapping[type[Exception], str] = {
    NoSuchCase: "there is no such case in this workspace; `cases list` lists them",
    CaseFull: "the case is full: it has as many events as a case may have",
    Busy: "the database is busy; try again",
    Newer: "the database was made by a newer whydrop; use that one, or another database",
    asyncpg.InterfaceError: _NO_ADDRESS,
}
_SHUT = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""SQLite's codes where it may not do with the file, or beside it, what it has to do even for reading."""

TROUBLE: tuple[type[Exception], ...] = (
    Busy,
    Newer,
    SQLAlchemyError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
"""What is wrong with a database, and not with what is asked of it."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Tell what is wrong with a case or with the database on one line, without what was to be stored or a password.

    Only the work on the database stands in it: an output that fails is an OSError as well.
    """
    try:
        yield
    except tuple(_SAID) as wrong:
        raise fail(next(text for kind, text in _SAID.items() if isinstance(wrong, kind))) from None
    except (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError) as wrong:
        # What SQLAlchemy adds to the driver's own words is the statement.
        cause = wrong.orig if isinstance(wrong, DBAPIError) else wrong
        shut = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SHUT
        hint = "; you must be able to write the file and its folder, for reading too" if shut else ""
        raise fail(f"the database: {_first_line(cause)}{hint}") from None
    except OSError as wrong:
        raise fail(f"the database cannot be reached: {wrong.strerror or _first_line(wrong)}") from None


def _first_line(wrong: BaseException | None) -> str:
    return next(iter(str(wrong).splitlines()), type(wrong).__name__)


class PlainRunner:
    """Runs the work of a command on its store, in one loop."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it to its end. Raises typer.Exit, with what is wrong with the database told, and what else it raises."""
        with told_plainly():
            return self._runner.run(work)


@contextmanager
def our_store() -> Iterator[tuple[Store, PlainRunner]]:
    """Open the store of the settings, and a loop to run it in. Raises typer.Exit, with what is wrong told."""
    with asyncio.Runner() as loop:
        store, runner = _opened(), PlainRunner(loop)
        try:
            _migrate(store, runner)
            yield store, runner
        finally:
            runner.run(store.close())


def _opened() -> Store:
    with told_plainly():
        try:
            return Store.open(our_settings().database_url.get_secret_value())
        except ValueError as wrong:
            raise fail(f"WHYDROP_DATABASE_URL: {wrong}") from None


def _migrate(store: Store, runner: PlainRunner) -> None:
    try:
        runner.run(store.migrate())
    except (ValueError, OverflowError):  # the driver's words about the address may show its password
        raise fail(_NO_ADDRESS) from None


def reach_our_store() -> None:
    """Look whether the store can be used, and bring it up to date. Raises typer.Exit, with what is wrong told."""
    with our_store():
        pass
