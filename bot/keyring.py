"""The keys of the store that is set, opened for one command; what is wrong with it is told in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from bot.calls import fail
from bot.cases import Store
from bot.keys import Keys, NoSuchKey
from bot.tables import Busy

T = TypeVar("T")


def with_keys(url: str, work: Callable[[Keys], Awaitable[T]]) -> T:
    """Do work on the keys of the store at an address. Raises typer.Exit, with what is wrong told."""
    try:
        store = Store.open(url)
    except ValueError as wrong:
        raise fail(f"WHYDROP_DATABASE_URL: {wrong}") from None
    except OSError as wrong:
        raise fail(f"WHYDROP_DATABASE_URL: {wrong.strerror}", 1) from None
    return asyncio.run(_done(store, work))


async def _done(store: Store, work: Callable[[Keys], Awaitable[T]]) -> T:
    async with store:
        await _reached(store)
        try:
            return await work(Keys(store))
        except ValueError as wrong:
            raise fail(str(wrong)) from None
        except NoSuchKey:
            raise fail("there is no key with this id; `keys list` lists them all") from None
        except Busy:
            raise fail("the database is busy; try again", 1) from None


async def _reached(store: Store) -> None:
    """Bring the tables up to date. What is wrong is told without the address, which holds a password."""
    try:
        await store.migrate()
    except Busy:
        raise fail("the database is busy; try again", 1) from None
    except OSError as wrong:
        raise fail(f"the database cannot be reached: {wrong.strerror or type(wrong).__name__}", 1) from None
    except asyncpg.PostgresError as wrong:
        raise fail(f"the database refuses: {wrong}", 1) from None
    except (SQLAlchemyError, asyncpg.InterfaceError, ValueError) as wrong:
        raise fail(f"the database cannot be used: {type(wrong).__name__}", 1) from None
