"""Where cases stand in Slack: the threads, the messages that show them, what was posted, and a workspace's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.case_events import Summary
from bot.cases import NoSuchCase, Store
from bot.slack.inbox import Claimed, is_ours, settled
from bot.slack.tables import SLACK_INBOX, SLACK_PICTURES, SLACK_POSTS, SLACK_SETTINGS, SLACK_THREADS
from bot.slack.wishes import Wish
from bot.tables import CASES

_MOST_OWN = 20
_BATCH = 500


class Lost(Exception):
    """Somebody else took the wish since: what we were about to do is theirs to do."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and its case; `message` shows the case, "" as long as none does.

    A case that was begun without a thread has "" as its channel, and its own id as the thread.
    """

    team: str
    channel: str
    thread: str
    case: str
    asker: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of a reply: where it is to be seen, or "" while it may be on its way.

    `before` is the message that showed the case until then.
    """

    channel: str
    ts: str
    before: str = ""


class Places:
    """What the store knows of Slack, beside the inbox."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def thread(self, team: str, channel: str, thread: str) -> Thread | None:
        """Look a thread up."""
        chosen = select(SLACK_THREADS).where(_at(team, channel, thread))
        row = (await self.store.read_with(lambda connection: connection.execute(chosen))).first()
        return None if row is None else Thread(**row._mapping)  # noqa: SLF001  (SQLAlchemy's name for it)

    async def newest(self, team: str, channel: str) -> Thread | None:
        """Look for the thread of a channel whose case was shown last."""
        here = and_(SLACK_THREADS.c.team == team, SLACK_THREADS.c.channel == channel, SLACK_THREADS.c.message != "")
        chosen = select(SLACK_THREADS).where(here).order_by(SLACK_THREADS.c.message.desc()).limit(1)
        row = (await self.store.read_with(lambda connection: connection.execute(chosen))).first()
        return None if row is None else Thread(**row._mapping)  # noqa: SLF001

    async def shown_in(self, team: str, channel: str, case: str) -> Thread | None:
        """Look for the message that shows a case in a channel."""
        here = and_(SLACK_THREADS.c.team == team, SLACK_THREADS.c.channel == channel, SLACK_THREADS.c.case == case)
        chosen = select(SLACK_THREADS).where(here, SLACK_THREADS.c.message != "").limit(1)
        row = (await self.store.read_with(lambda connection: connection.execute(chosen))).first()
        return None if row is None else Thread(**row._mapping)  # noqa: SLF001

    async def answered(self, team: str, key: str, ts: str) -> bool:
        """Tell whether a message is our answer to that wish."""
        mine = and_(SLACK_POSTS.c.team == team, SLACK_POSTS.c.key == key, SLACK_POSTS.c.ts == ts)
        chosen = select(SLACK_POSTS.c.ts).where(mine)
        return await self.store.read_with(lambda connection: connection.scalar(chosen)) is not None

    async def own(self, team: str, asker: str) -> Sequence[Summary]:
        """List the cases that somebody began in Slack and that are not closed, those that changed last first."""
        columns = [CASES.c[name] for name in Summary.__dataclass_fields__]
        begun = select(SLACK_THREADS.c.case).where(SLACK_THREADS.c.team == team, SLACK_THREADS.c.asker == asker)
        mine = select(*columns).where(CASES.c.id.in_(begun), CASES.c.state != "closed")
        chosen = mine.order_by(CASES.c.updated.desc(), CASES.c.id).limit(_MOST_OWN)
        rows = (await self.store.read_with(lambda connection: connection.execute(chosen))).all()
        return [Summary(**row._mapping) for row in rows]  # noqa: SLF001

    async def aliases(self, team: str) -> bool:
        """Tell whether a workspace wants addresses shown under other names."""
        chosen = select(SLACK_SETTINGS.c.aliases).where(SLACK_SETTINGS.c.team == team)
        return bool(await self.store.read_with(lambda connection: connection.scalar(chosen)))

    async def set_aliases(self, team: str, *, aliases: bool) -> None:
        """Keep whether a workspace wants addresses shown under other names."""

        async def keep(connection: AsyncConnection) -> None:
            row = inserted(connection, SLACK_SETTINGS, {"team": team, "aliases": aliases})
            await connection.execute(
                row.on_conflict_do_update(index_elements=["team"], set_={"aliases": aliases})  # type: ignore[attr-defined]
            )

        await self.store.write_with(keep)

    async def sending(self, one: Claimed, before: str) -> Sent | None:
        """Write down that the reply to a wish is about to be sent; give what is known of it if that was done before.

        Raises Lost: whoever took the wish since will send it.
        """

        async def mark(connection: AsyncConnection) -> Sent | None:
            await _held(connection, one)
            found = (await connection.execute(select(SLACK_POSTS).where(_reply_to(one)))).first()
            if found is not None:
                return Sent(found.channel, found.ts, found.before)
            values = {"channel": "", "ts": "", "before": before, "at": self.store.now()}
            keyed = {"team": one.wish.team, "key": one.wish.key, **values}
            await connection.execute(inserted(connection, SLACK_POSTS, keyed))
            return None

        return await self.store.write_with(mark)

    async def still_ours(self, one: Claimed) -> None:
        """Hold that nobody else took a wish since. Raises Lost."""
        ours = select(SLACK_INBOX.c.number).where(is_ours(one))
        if await self.store.read_with(lambda connection: connection.scalar(ours)) is None:
            raise Lost

    async def not_sent(self, one: Claimed) -> None:
        """Write down that the reply was certainly not sent; not if somebody else took the wish since, and may send."""
        ours = select(SLACK_INBOX.c.number).where(is_ours(one)).exists()
        gone = delete(SLACK_POSTS).where(_reply_to(one), SLACK_POSTS.c.ts == "", ours)
        await self.store.write_with(lambda connection: connection.execute(gone), lasting=False)

    async def sent(self, one: Claimed, sent: Sent, thread: Thread | None = None, *, done: bool) -> None:
        """Write down where the reply is, that it shows a case there, and whether the wish is done with it.

        Raises Lost: whoever took the wish since found it there, and the conversation may have gone on.
        """

        async def keep(connection: AsyncConnection) -> None:
            await _held(connection, one)
            values = {"channel": sent.channel, "ts": sent.ts}
            await connection.execute(update(SLACK_POSTS).where(_reply_to(one)).values(values))
            if thread:
                await keep_thread(connection, thread)
            if done:
                await settled(connection, one, self.store.now())

        await self.store.write_with(keep, lasting=False)

    async def forget(self, wish: Wish, workspace: str) -> None:
        """Delete what is kept of the Slack workspace that wishes so, and that wish last. Raises Busy.

        In a workspace that others use as well, only the cases that were begun in Slack go.
        """
        team = wish.team
        # First, so that what is being thought through meanwhile is not kept any more.
        others = delete(SLACK_INBOX).where(SLACK_INBOX.c.team == team, SLACK_INBOX.c.key != wish.key)
        await self.store.write_with(lambda connection: connection.execute(others))
        if team == workspace:
            await self.store.delete_workspace(workspace)
        begun = select(SLACK_THREADS.c.case).where(SLACK_THREADS.c.team == team, SLACK_THREADS.c.asker != "")
        while cases := (await self.store.read_with(lambda one: one.execute(begun.distinct().limit(_BATCH)))).all():
            for row in cases:
                await self._deleted(workspace, row.case)

        async def rest(connection: AsyncConnection) -> None:
            for table in (SLACK_THREADS, SLACK_POSTS, SLACK_PICTURES, SLACK_INBOX, SLACK_SETTINGS):
                await connection.execute(delete(table).where(table.c.team == team))

        await self.store.write_with(rest)

    async def _deleted(self, workspace: str, case: str) -> None:
        try:
            await self.store.delete(workspace, case)
        except NoSuchCase:  # of another workspace, from before a setting was changed: it stays, the thread goes
            stray = delete(SLACK_THREADS).where(SLACK_THREADS.c.case == case)
            await self.store.write_with(lambda connection: connection.execute(stray))


async def keep_thread(connection: AsyncConnection, thread: Thread) -> None:
    """Write a thread down, in the connection's transaction; one that is there keeps its asker."""
    values: dict[str, Any] = {name: getattr(thread, name) for name in Thread.__dataclass_fields__}
    changed = {"case": thread.case} | ({"message": thread.message} if thread.message else {})
    row = inserted(connection, SLACK_THREADS, values)
    await connection.execute(
        row.on_conflict_do_update(index_elements=["team", "channel", "thread"], set_=changed)  # type: ignore[attr-defined]
    )


def inserted(connection: AsyncConnection, table: Table, values: dict[str, Any]) -> Insert:
    """Insert in the dialect of the connection, which knows what to do on a conflict."""
    into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return into(table).values(values)


def _at(team: str, channel: str, thread: str) -> ColumnElement[bool]:
    table = SLACK_THREADS.c
    return and_(table.team == team, table.channel == channel, table.thread == thread)


async def _held(connection: AsyncConnection, one: Claimed) -> None:
    """Hold that a wish is ours until the transaction ends. Raises Lost."""
    ours = select(SLACK_INBOX.c.number).where(is_ours(one)).with_for_update()
    if (await connection.execute(ours)).first() is None:
        raise Lost


def _reply_to(one: Claimed) -> ColumnElement[bool]:
    return and_(SLACK_POSTS.c.team == one.wish.team, SLACK_POSTS.c.key == one.wish.key)
