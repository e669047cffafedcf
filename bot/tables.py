"""The tables of the store, and the database that holds them: a file of SQLite, or PostgreSQL."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    URL,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.sqlite_file import SqliteFile

ID_LENGTH = 26
WRITES = "whydrop_writes"
"""Execution option of transactions that write: SQLite has to know from their beginning."""
BUSY_TIMEOUT_S = 5
"""Seconds that SQLite waits for another writer."""

_MIGRATING = 0x77_68_79_64
"""PostgreSQL's advisory lock that a migration holds."""
_TRIES = 5
_PAUSE_S = 0.1
_CONFLICTS = {"40001", "40P01"}
"""PostgreSQL's codes of a failed serialization and of a deadlock."""
_MIGRATIONS = Path(__file__).with_name("migrations")

_SQLITE = {"sqlite", "sqlite+aiosqlite"}

T = TypeVar("T")

# At DEBUG it logs every statement with what is to be stored: pastes, secrets. Engines hide it, this driver does not.
logging.getLogger("aiosqlite").setLevel(logging.INFO)


class Utc(TypeDecorator[datetime]):
    """A time in UTC; SQLite would lose the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Write a time that knows its zone."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read a time."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Newer(Exception):
    """The tables were made by a version of whydrop that is newer than this one."""


class Busy(Exception):
    """The database was locked by others for too long; trying again later may help."""


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

CASES = Table(
    "cases",
    METADATA,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Utc, nullable=False),
    Column("updated", Utc, nullable=False),
    Column("symptom", Text),
    Column("cause", Text),
    Column("standing", Text),
    Column("product", Text),
    Column("state", Text, nullable=False),
)
Index("ix_cases_listed", CASES.c.workspace, CASES.c.created.desc(), CASES.c.id)
Index(None, CASES.c.updated)

EVENTS = Table(
    "events",
    METADATA,
    Column("case", ForeignKey(CASES.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("kind", Text, nullable=False),
    # Not JSONB: that refuses NUL, which a paste may hold and JSON writes as an escape.
    Column("body", Text, nullable=False),
)

REPLIES = Table(
    "replies",
    METADATA,
    Column("workspace", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    # A reply tells what its case holds: it goes with it.
    Column("case", ForeignKey(CASES.c.id, ondelete="CASCADE"), index=True),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Utc, nullable=False, index=True),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("workspace", Text, nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("created", Utc, nullable=False),
    Column("expires", Utc),
    Column("revoked", Utc),
    Column("used", Utc),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("workspace", Text, nullable=False, index=True),
    Column("url", Text, nullable=False),
    # Not hashed as keys are: it signs, so it has to be known.
    Column("secret", Text, nullable=False),
    Column("former", Text),
    Column("former_until", Utc),
    Column("created", Utc, nullable=False),
    Column("failing", Utc),
    Column("disabled", Utc),
    Column("why", Text),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("webhook", ForeignKey(WEBHOOKS.c.id, ondelete="CASCADE"), nullable=False),
    # A delivery tells what its case holds: it goes with it.
    Column("case", ForeignKey(CASES.c.id, ondelete="CASCADE"), index=True),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Utc, nullable=False, index=True),
    # When it is tried (again): also the end of the lease of whoever is trying. None: never again.
    Column("due", Utc, index=True),
    Column("tries", Integer, nullable=False),
    Column("tried", Utc),
    Column("status", Integer),
    Column("outcome", Text),
    Column("delivered", Utc),
)
Index("ix_deliveries_listed", DELIVERIES.c.webhook, DELIVERIES.c.created.desc(), DELIVERIES.c.id)


def open_engine(url: str) -> AsyncEngine:
    """Open a database; nothing is read yet. Raises ValueError for an address that is neither, OSError for a wrong path.

    Errors of the engine never show what was to be stored.
    """
    scheme, _, rest = url.partition("://")
    if scheme in {"postgres", "postgresql", "postgresql+asyncpg"}:
        # asyncpg reads the address itself: it knows sslmode, several hosts, and sockets.
        return create_async_engine(
            "postgresql+asyncpg://",
            connect_args={"dsn": f"postgresql://{rest}"},
            pool_pre_ping=True,
            hide_parameters=True,
        )
    if scheme in _SQLITE:
        return _sqlite(_file(url))
    raise ValueError("a database is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def _file(url: str) -> Path:
    try:
        name = make_url(url).database
    except ArgumentError:
        name = None
    if not name or name == ":memory:":
        raise ValueError("SQLite needs a file: sqlite:///FILE, or sqlite:////FOLDER/FILE")
    return Path(name)


def _sqlite(file: Path) -> AsyncEngine:
    # Others on this machine may not read what was pasted; SQLite gives its further files the same rights.
    file.touch(mode=0o600)
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(file)), hide_parameters=True)
    _listen(engine.sync_engine, file)
    return engine


def open_file(url: str) -> SqliteFile | None:
    """Open a file of SQLite's for the transactions of the store; None for another database. Raises as open_engine."""
    if url.partition("://")[0] not in _SQLITE:
        return None
    file = _file(url)
    lasting, passing = (create_engine(URL.create("sqlite", database=str(file)), hide_parameters=True) for _ in range(2))
    _listen(lasting, file)
    _listen(passing, file, lasting=False)
    return SqliteFile(lasting, passing, WRITES)


def _listen(engine: Engine, file: Path, *, lasting: bool = True) -> None:
    event.listen(engine, "connect", partial(_prepare, "FULL" if lasting else "NORMAL"))
    event.listen(engine, "begin", partial(_begin, file, _identity(file)))


def _prepare(synchronous: str, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own, see _begin
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "foreign_keys = ON",
        f"synchronous = {synchronous}",  # FULL: what was acknowledged is on the disk
        "secure_delete = ON",  # what was deleted is overwritten
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _identity(file: Path) -> tuple[int, int]:
    """Tell which file it is, whatever its name."""
    found = file.stat()
    return found.st_dev, found.st_ino


def _begin(file: Path, identity: tuple[int, int], connection: Connection) -> None:
    """Take the lock at once where something will be written: one that is wanted later is refused without waiting.

    Raises OSError where the file was taken away: SQLite would go on writing into what nobody finds again.
    """
    if _identity(file) != identity:
        raise FileNotFoundError("the file of the database was replaced by another one")
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def migrated(connection: AsyncConnection) -> None:
    """Bring the tables up to date, in the connection's transaction; of several processes one does it."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
    await connection.run_sync(_upgrade)


async def is_up_to_date(connection: AsyncConnection) -> bool:
    """Tell whether nothing is left to do for `migrated` and `keep_a_log`. Raises Newer."""
    if connection.dialect.name == "sqlite":
        mode = await connection.exec_driver_sql("PRAGMA journal_mode")
        if mode.scalar() != "wal":
            return False
    return await connection.run_sync(_stands_at_head)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _stands_at_head(connection: Connection) -> bool:
    script = ScriptDirectory.from_config(_config())
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found - {one.revision for one in script.walk_revisions()}:
        raise Newer
    return found == set(script.get_heads())


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def keep_a_log(file: SqliteFile) -> None:
    """Let SQLite write into a log beside the file (WAL), so that reading and writing do not wait for each other.

    The file remembers it.
    """
    await file.alone("PRAGMA journal_mode = WAL")


async def empty_the_log(file: SqliteFile) -> None:
    """Bring SQLite's log into the file and cut it off, unless somebody reads it: what was deleted is there still."""
    await file.alone("PRAGMA wal_checkpoint(TRUNCATE)")


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do what needs a lock that others may hold, again from its beginning if they did. Raises Busy."""
    for tried in range(_TRIES):
        try:
            return await work()
        except (DBAPIError, sqlite3.OperationalError) as wrong:
            if not _in_the_way(wrong):
                raise
        await asyncio.sleep(random.uniform(0, _PAUSE_S * 2**tried))  # noqa: S311  (so that not all come back at once)
    raise Busy


def _in_the_way(wrong: DBAPIError | sqlite3.OperationalError) -> bool:
    """Tell whether others were in the way: a lock of SQLite's, however it was missed, or a conflict of PostgreSQL's."""
    cause = wrong.orig if isinstance(wrong, DBAPIError) else wrong
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(cause, "sqlstate", None) in _CONFLICTS


def trouble(wrong: Exception) -> str:
    """Name what is wrong with a database, without the words of the error: they may quote what was to be stored."""
    cause = wrong.orig if isinstance(wrong, DBAPIError) and wrong.orig else wrong
    name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    if isinstance(cause, OSError) and cause.errno:
        name = errno.errorcode.get(cause.errno)
    return f"{type(cause).__name__} {name or ''}".strip()
