"""A file of SQLite: transactions in one hop, which wait for nothing else; connections that end with their owner."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sqlite_file import SqliteFile
from bot.tables import open_file


def opened(folder: Path) -> SqliteFile:
    path = folder / "x.sqlite3"
    path.touch()
    file = open_file(f"sqlite:///{path}")
    assert file
    return file


async def made(connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE one (number INTEGER)"))
    await connection.execute(text("INSERT INTO one VALUES (1)"))


async def counted(connection: AsyncConnection) -> Any:
    return await connection.scalar(text("SELECT count(*) FROM one"))


async def test_a_transaction_is_done_whole_or_not_at_all(tmp_path: Path) -> None:
    file = opened(tmp_path)

    async def broken(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO one VALUES (2)"))
        raise ZeroDivisionError

    for lasting in (True, False):
        if lasting:
            await file.write(made, lasting=True)
        with pytest.raises(ZeroDivisionError):
            await file.write(broken, lasting=lasting)
        assert await file.read(counted) == 1
    file.close()


async def test_rows_may_be_read_after_the_transaction(tmp_path: Path) -> None:
    file = opened(tmp_path)
    await file.write(made, lasting=False)
    rows = await file.read(lambda connection: connection.execute(text("SELECT number FROM one")))
    file.close()
    assert [row.number for row in rows] == [1]


async def test_work_that_waits_for_something_else_is_refused(tmp_path: Path) -> None:
    file = opened(tmp_path)

    async def waits(connection: AsyncConnection) -> None:
        await made(connection)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="something else than its database"):
        await file.write(waits, lasting=True)
    with pytest.raises(Exception, match="no such table"):
        await file.read(counted)
    file.close()


async def test_connections_end_with_an_owner_who_did_not_close_them(tmp_path: Path) -> None:
    file = opened(tmp_path)
    drivers: list[Any] = []
    await file.write(made, lasting=True)

    async def noted(connection: AsyncConnection) -> None:
        await connection.run_sync(lambda one: drivers.append(one.connection.driver_connection))

    await file.read(noted)
    del file
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        drivers[0].execute("SELECT 1")
