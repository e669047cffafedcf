"""The store: cases that last, each an append-only list of events, in SQLite or PostgreSQL.

Several processes may serve one database. Transactions are short; nothing is diagnosed inside one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Result, Row, Select, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.case_events import CaseEvent, KeptCase, Leading, Numbered, State, Summary, read_event
from bot.queueing import OneAtATime
from bot.sqlite_file import SqliteFile
from bot.tables import (
    CASES,
    EVENTS,
    ID_LENGTH,
    REPLIES,
    WEBHOOKS,
    WRITES,
    Busy,
    empty_the_log,
    is_up_to_date,
    keep_a_log,
    migrated,
    open_engine,
    open_file,
    patiently,
)
from knowledge.model import SymptomId
from rules.case import Standing

MOST_EVENTS = 2_000
"""Events of one case."""
LONGEST_PAGE = 100
"""Cases of one page of a list."""

_BATCH = 500
"""Cases deleted in one transaction, so that others do not wait long; and ids read at once."""
_ID = re.compile(rf"[a-z2-7]{{{ID_LENGTH}}}")
_KEY = re.compile(r"[!-~]{1,255}")
_CURSOR = re.compile(rf"([0-9]{{1,16}})-([a-z2-7]{{{ID_LENGTH}}})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")


class NoSuchCase(LookupError):
    """There is no such case in this workspace."""


class Stale(Exception):
    """The case went on since it was read; `version` is its version now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the case is at version {version} by now")
        self.version = version


class CaseFull(Exception):
    """The case has as many events as a case may have."""


class KeyReused(Exception):
    """The Idempotency-Key came with another request before."""


class WrongCursor(ValueError):
    """The cursor is none that a list gave."""


class Filters(BaseModel):
    """Which cases are listed; None is any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symptom: SymptomId | None = None
    cause: Annotated[str, Field(pattern=r"^[\w.-]{1,200}$")] | None = None
    standing: Standing | None = None
    product: Annotated[str, Field(pattern=r"^[\w.-]{1,200}$")] | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, newest first; `cursor` leads to the next part, None where there is none."""

    cases: tuple[Summary, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to a request, to be answered again if it is repeated."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Change:
    """What is changed in one transaction: all of it or nothing. `case` is the one that was changed last."""

    connection: AsyncConnection
    workspace: str
    at: datetime
    case: str | None = field(default=None, init=False)

    async def create(self, events: Sequence[CaseEvent], leading: Leading | None = None) -> Summary:
        """Begin a case. Raises CaseFull, and ValueError without events."""
        empty = Summary(new_id(), 0, self.at, self.at)
        bodies = _bodies(empty, events, self.at)
        summary = empty.after(events, leading, self.at)
        await self.connection.execute(insert(CASES).values(workspace=self.workspace, **asdict(summary)))
        await self.connection.execute(insert(EVENTS), bodies)
        self.case = summary.id
        return summary

    async def append(
        self, case: str, events: Sequence[CaseEvent], expected: int | None = None, leading: Leading | None = None
    ) -> Summary:
        """Add events to a case. With `expected`, only at that version.

        Whoever comes second waits for the first, here, so that no two events get one number.
        Raises NoSuchCase, Stale, CaseFull, and ValueError without events.
        """
        chosen = select(CASES).where(_is(self.workspace, case)).with_for_update()
        found = (await self.connection.execute(chosen)).first()
        if found is None:
            raise NoSuchCase
        before = _summary(found)
        if expected not in {None, before.version}:
            raise Stale(before.version)
        at = max(self.at, before.updated)  # clocks differ, and may be set back
        bodies = _bodies(before, events, at)
        after = before.after(events, leading, at)
        await self.connection.execute(update(CASES).where(CASES.c.id == case).values(**asdict(after)))
        await self.connection.execute(insert(EVENTS), bodies)
        self.case = case
        return after

    async def delete(self, case: str, expected: int | None = None) -> None:
        """Delete a case, its events, and the replies that tell of it. With `expected`, only at that version.

        Raises NoSuchCase, Stale.
        """
        chosen = select(CASES.c.version).where(_is(self.workspace, case)).with_for_update()
        version = await self.connection.scalar(chosen)
        if version is None:
            raise NoSuchCase
        if expected not in {None, version}:
            raise Stale(version)
        await self.connection.execute(delete(CASES).where(_is(self.workspace, case)))


class Store:
    """The cases of all workspaces. A workspace sees its own only."""

    def __init__(
        self, engine: AsyncEngine, file: SqliteFile | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        self._engine = engine
        self._file = file
        self._writer = engine.execution_options(**{WRITES: True})
        # SQLite takes one writer at a time and lets the others poll: within a process they rather queue.
        self._writers = OneAtATime() if file else None
        self.now = now or _utc
        self._running: set[asyncio.Task[Any]] = set()

    @classmethod
    def open(cls, url: str, now: Callable[[], datetime] | None = None) -> Store:
        """Open a store by its address, sqlite:///FILE or postgresql://...; `now` is the clock, in UTC.

        Raises ValueError for another address, OSError for a file that cannot be made.
        """
        return cls(open_engine(url), open_file(url), now)

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for a library that keeps tables of its own here; it reads with this one."""
        return self._engine

    @property
    def writer(self) -> AsyncEngine:
        """The engine whose transactions write."""
        return self._writer

    async def close(self) -> None:
        """Close all connections, once the work that is under way is done."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()
        if self._file:
            self._file.close()

    async def answers(self) -> None:
        """Ask the database for the least that it has to answer. Raises what the database raises."""
        await self.read_with(lambda connection: connection.execute(select(1)))

    async def migrate(self) -> None:
        """Make the tables, or bring them up to date. Of several processes one does it, the others wait.

        Where nothing is left to do nothing is written. Raises Busy, Newer.
        """
        if await patiently(lambda: self.read_with(is_up_to_date)):
            return
        if file := self._file:
            await patiently(lambda: keep_a_log(file))
        await self.write_with(migrated)

    async def create(self, workspace: str, events: Sequence[CaseEvent], leading: Leading | None = None) -> Summary:
        """Begin a case. Raises ValueError without events, CaseFull, Busy."""
        return await self.change(workspace, lambda change: change.create(events, leading))

    async def append(
        self,
        workspace: str,
        case: str,
        events: Sequence[CaseEvent],
        expected: int | None = None,
        leading: Leading | None = None,
    ) -> Summary:
        """Add events to a case; see Change.append. Raises Busy too."""
        return await self.change(workspace, lambda change: change.append(case, events, expected, leading))

    async def delete(self, workspace: str, case: str, expected: int | None = None) -> None:
        """Delete a case, its events, and the replies that tell of it; see Change.delete. Raises Busy too."""
        await self.change(workspace, lambda change: change.delete(case, expected))
        await self._overwrite()

    async def change(self, workspace: str, work: Callable[[Change], Awaitable[T]]) -> T:
        """Do work in one transaction, again from its beginning if others were in the way. Raises Busy, and its own."""
        return await self.write_with(lambda connection: work(Change(connection, workspace, self.now())))

    async def once(
        self, workspace: str, key: str, fingerprint: str, work: Callable[[Change], Awaitable[Reply]]
    ) -> Reply:
        """Give the reply to a request with an Idempotency-Key: the one that is kept, or that of `work`, which is kept.

        The reply is kept in the transaction that does the work: both or neither. Diagnose before; others wait, and the
        work is done again from its beginning if they were in the way. Raises KeyReused if the key came with another
        fingerprint, ValueError for a key that is none, Busy, and what the work raises.
        """

        async def claimed(change: Change) -> Reply:
            if not await _claimed(change, key, fingerprint):
                kept = await _reply(change.connection, workspace, key, fingerprint)
                if kept is None:
                    raise Busy  # it was deleted since it was in the way
                return kept
            reply = await work(change)
            await _keep(change, key, reply)
            return reply

        return await self.change(workspace, claimed)

    async def reply(self, workspace: str, key: str, fingerprint: str) -> Reply | None:
        """Look whether a request was answered already, before work is done for it. Raises KeyReused, ValueError."""
        return await self.read_with(lambda connection: _reply(connection, workspace, key, fingerprint))

    async def read(self, workspace: str, case: str) -> KeptCase:
        """Read a case with all its events. Raises NoSuchCase, for other workspaces' cases too."""
        # One statement, so that the summary and the events are of one moment.
        chosen = select(CASES, EVENTS).join(EVENTS).where(_is(workspace, case)).order_by(EVENTS.c.number)
        rows = await self._rows(chosen)
        if not rows:
            raise NoSuchCase
        events = tuple(Numbered(row.number, row.at, read_event(row.body)) for row in rows)
        return KeptCase(_summary(rows[0]), events)

    async def list(
        self, workspace: str, filters: Filters | None = None, cursor: str | None = None, limit: int = 20
    ) -> Page:
        """List cases, newest first, at most `limit` (1 to 100). Raises WrongCursor, ValueError."""
        if not 1 <= limit <= LONGEST_PAGE:
            raise ValueError(f"a page has 1 to {LONGEST_PAGE} cases")
        wanted = [CASES.c.workspace == workspace, *_filtered(filters or Filters())]
        if cursor is not None:
            wanted.append(_behind(cursor))
        chosen = select(CASES).where(*wanted).order_by(CASES.c.created.desc(), CASES.c.id).limit(limit + 1)
        found = [_summary(row) for row in await self._rows(chosen)]
        cases = tuple(found[:limit])
        return Page(cases, _cursor(cases[-1]) if len(found) > limit else None)

    async def concluded(
        self, workspace: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[tuple[str, KeptCase]]:
        """Give all concluded and closed cases with their workspaces, of one or of all; one at a time is in memory.

        `since` leaves out those in which nothing happened since. What is kept meanwhile may be among them or not.
        """
        chosen = select(CASES.c.id, CASES.c.workspace).where(CASES.c.state.in_(("concluded", "closed")))
        if workspace is not None:
            chosen = chosen.where(CASES.c.workspace == workspace)
        if since is not None:
            chosen = chosen.where(CASES.c.updated >= since)
        last = ""
        while some := await self._rows(chosen.where(CASES.c.id > last).order_by(CASES.c.id).limit(_BATCH)):
            for row in some:
                with suppress(NoSuchCase):  # it was deleted since
                    yield row.workspace, await self.read(row.workspace, row.id)
            last = some[-1].id

    async def delete_workspace(self, workspace: str) -> int:
        """Delete all that a workspace has but its keys; gives the number of its cases. Raises Busy."""
        mine = select(CASES.c.id).where(CASES.c.workspace == workspace).order_by(CASES.c.id)
        gone = await self._delete(mine.with_for_update())
        await self.write_with(lambda connection: _forgotten(connection, workspace))
        await self._overwrite()
        return gone

    async def expire(self, older_than: datetime) -> int:
        """Delete the cases in which nothing happened since; gives their number. Raises Busy."""
        old = select(CASES.c.id).where(CASES.c.updated < older_than)
        # What another process is at work on is left for the next time, so that two of them never wait for each other.
        gone = await self._delete(old.with_for_update(skip_locked=True))
        if gone:
            await self._overwrite()
        return gone

    async def _overwrite(self) -> None:
        """Leave nothing of what was deleted in SQLite's log; PostgreSQL's vacuum sees to its own."""
        if self._file:
            async with self._turn():
                await empty_the_log(self._file)

    async def expire_replies(self, older_than: datetime) -> None:
        """Forget the replies, and their Idempotency-Keys, that were given before. Raises Busy."""
        replies = delete(REPLIES).where(REPLIES.c.created < older_than)
        await self.write_with(lambda connection: connection.execute(replies))

    async def _delete(self, chosen: Select[tuple[str]]) -> int:
        """Delete cases, some at a time, so that nobody waits long."""
        gone = some = await self.write_with(lambda connection: _deleted(connection, chosen.limit(_BATCH)))
        while some == _BATCH:
            some = await self.write_with(lambda connection: _deleted(connection, chosen.limit(_BATCH)))
            gone += some
        return gone

    async def _rows(self, chosen: Select[Any]) -> Sequence[Row[Any]]:
        found: Result[Any] = await self.read_with(lambda connection: connection.execute(chosen))
        return found.all()

    async def read_with(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Read in one transaction."""

        async def reading() -> T:
            if self._file:
                return await self._file.read(work)
            async with self._engine.connect() as connection:
                return await work(connection)

        return await self._to_its_end(reading())

    async def write_with(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, hurried: bool = False, lasting: bool = True
    ) -> T:
        """Write in one transaction, again from its beginning if others were in the way. Raises Busy, and its own.

        What is `hurried` comes before what waits in this process: somebody counts the milliseconds. What is not
        `lasting` may be lost with the power: it would be done once more.
        """

        async def attempt() -> T:
            if self._file:
                return await self._file.write(work, lasting=lasting)
            async with self._writer.begin() as connection:
                return await work(connection)

        async def writing() -> T:
            async with self._turn(hurried=hurried):
                return await patiently(attempt)

        return await self._to_its_end(writing())

    def _turn(self, *, hurried: bool = False) -> AbstractAsyncContextManager[None]:
        return self._writers.turn(hurried=hurried) if self._writers else nullcontext()

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that goes on when whoever asked gives up: a transaction cancelled halfway leaves its lock behind."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


async def _forgotten(connection: AsyncConnection, workspace: str) -> None:
    """Delete what a workspace has beside its cases; deliveries go with their webhook."""
    for table in (REPLIES, WEBHOOKS):
        await connection.execute(delete(table).where(table.c.workspace == workspace))


async def _deleted(connection: AsyncConnection, chosen: Select[tuple[str]]) -> int:
    some = (await connection.scalars(chosen)).all()
    await connection.execute(delete(CASES).where(CASES.c.id.in_(some)))
    return len(some)


async def _claimed(change: Change, key: str, fingerprint: str) -> bool:
    """Claim a key; whoever comes second waits here until the first is through."""
    table = sqlite.insert(REPLIES) if change.connection.dialect.name == "sqlite" else postgresql.insert(REPLIES)
    claim = table.values(
        workspace=change.workspace,
        key=_checked(key),
        fingerprint=fingerprint,
        status=0,
        headers="{}",
        body=b"",
        created=change.at,
    )
    return bool((await change.connection.execute(claim.on_conflict_do_nothing())).rowcount)


async def _keep(change: Change, key: str, reply: Reply) -> None:
    kept = {"status": reply.status, "headers": json.dumps(dict(reply.headers)), "body": reply.body, "case": change.case}
    await change.connection.execute(update(REPLIES).where(_keyed(change.workspace, key)).values(kept))


async def _reply(connection: AsyncConnection, workspace: str, key: str, fingerprint: str) -> Reply | None:
    found = (await connection.execute(select(REPLIES).where(_keyed(workspace, key)))).first()
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused
    return Reply(found.status, json.loads(found.headers), found.body)


def _keyed(workspace: str, key: str) -> ColumnElement[bool]:
    return and_(REPLIES.c.workspace == workspace, REPLIES.c.key == _checked(key))


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("an Idempotency-Key has 1 to 255 printable ASCII characters and no blank")
    return key


def new_id() -> str:
    """Make an id that cannot be guessed: 128 random bits."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def _is(workspace: str, case: str) -> ColumnElement[bool]:
    """Choose a case of a workspace. Raises NoSuchCase for what is no id: not all of it can be asked for."""
    if not _ID.fullmatch(case):
        raise NoSuchCase
    return and_(CASES.c.workspace == workspace, CASES.c.id == case)


def _bodies(before: Summary, events: Sequence[CaseEvent], at: datetime) -> Sequence[dict[str, object]]:
    if not events:
        raise ValueError("there is no event to keep")
    if before.version + len(events) > MOST_EVENTS:
        raise CaseFull
    return [
        {"case": before.id, "number": number, "at": at, "kind": event.kind, "body": event.model_dump_json()}
        for number, event in enumerate(events, start=before.version + 1)
    ]


def _summary(row: Row[Any]) -> Summary:
    return Summary(**{one.name: getattr(row, one.name) for one in fields(Summary)})


def _filtered(filters: Filters) -> Iterator[ColumnElement[bool]]:
    wanted = filters.model_dump(exclude_none=True)
    return (CASES.c[name] == value for name, value in wanted.items())


def _cursor(last: Summary) -> str:
    return f"{(last.created - _EPOCH) // _MICROSECOND}-{last.id}"


def _behind(cursor: str) -> ColumnElement[bool]:
    """Choose what comes behind a cursor. Raises WrongCursor."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise WrongCursor("this is no cursor of a list")
    time = _EPOCH + int(found[1]) * _MICROSECOND
    return or_(CASES.c.created < time, and_(CASES.c.created == time, CASES.c.id > found[2]))


def _utc() -> datetime:
    return datetime.now(UTC)
