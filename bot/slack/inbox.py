"""The inbox: wishes that came from Slack, kept before they are acknowledged, and carried out once.

Several processes may share one inbox. Wishes of one lane are carried out one after the other, as they came. Whoever
takes a wish has it until the lease runs out, as it does if the process ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Row, Select, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases import Store
from bot.slack.tables import SLACK_INBOX, SLACK_PICTURES, SLACK_POSTS
from bot.slack.wishes import Wish
from bot.tables import Busy

log = logging.getLogger("whydrop.slack")

LEASE = timedelta(seconds=10)
"""How long a wish is left to whoever took it, and has not said since that it is at work on it."""
KEPT = timedelta(days=2)
"""How long the keys of what is done are known: far longer than Slack delivers again."""
PICTURES_KEPT = timedelta(days=90)
"""How long it is known which file in Slack is which picture."""
MOST_FAULTS = 5
"""How often a wish is tried that ends badly, or takes its process with it."""
SUSPECT = 2
"""Faults after which a wish is carried out alone, so that those beside it are not blamed if it ends their process."""

_TOGETHER = 50
"""Wishes that are written down in one transaction."""
_EARLIER = SLACK_INBOX.alias("earlier")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A wish that is ours to carry out until its lease runs out; `tries` counts this try.

    `until` is when that is, if the lease is not renewed.
    """

    number: int
    tries: int
    faults: int
    came: datetime
    until: datetime
    wish: Wish = field(repr=False)

    @property
    def suspect(self) -> bool:
        """Tell whether it is carried out alone."""
        return self.faults > SUSPECT

    @property
    def poison(self) -> bool:
        """Tell whether it was tried often enough."""
        return self.faults > MOST_FAULTS


class Inbox:
    """The wishes of all workspaces. `woken` is set whenever one came in this process."""

    def __init__(self, store: Store, lease: timedelta = LEASE) -> None:
        self.store = store
        self.lease = lease
        self.woken = asyncio.Event()
        self._coming: list[tuple[Wish, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def accept(self, wish: Wish) -> bool:
        """Keep a wish; False if it came before. Raises Busy, and what the database raises: then it is not kept.

        Wishes that come while others are written down are written down together: a transaction waits for the disk.
        """
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._coming.append((wish, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_down())
        return await kept

    async def _write_down(self) -> None:
        while self._coming:
            some, self._coming = self._coming[:_TOGETHER], self._coming[_TOGETHER:]
            await self._keep(some)

    async def _keep(self, some: Sequence[tuple[Wish, asyncio.Future[bool]]]) -> None:
        found: Sequence[bool | Exception]
        try:
            found = await self._accepted([wish for wish, _ in some])
        except Exception as wrong:  # noqa: BLE001  (it is raised where it was waited for)
            if len(some) > 1 and not isinstance(wrong, Busy):
                for one in some:  # it may be the fault of one
                    await self._keep([one])
                return
            found = [wrong] * len(some)
        for (_, kept), new in zip(some, found, strict=True):
            if kept.done():  # whoever asked is gone
                continue
            if isinstance(new, Exception):
                kept.set_exception(new)
            else:
                kept.set_result(new)
        if True in found:
            self.woken.set()

    async def _accepted(self, wishes: Sequence[Wish]) -> Sequence[bool]:
        now = self.store.now()
        rows = [
            {
                "team": one.team,
                "key": one.key,
                "lane": one.lane,
                "wish": one.model_dump_json(),  # NUL is an escape in it, which PostgreSQL takes
                "came": now,
                "due": now,
                "tries": 0,
                "faults": 0,
            }
            for one in wishes
        ]

        async def write(connection: AsyncConnection) -> list[bool]:
            into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            once = into(SLACK_INBOX).on_conflict_do_nothing(index_elements=["team", "key"])
            # One after the other: several at once would be a new statement each time, to be put together for longer.
            return [(await connection.execute(once, row)).rowcount == 1 for row in rows]

        return await self.store.write_with(write, hurried=True)

    async def claim(self, most: int, busy: Collection[str] = (), *, idle: bool = True) -> Sequence[Claimed]:
        """Take wishes that are due, the oldest first, each the first of its lane; none of lanes that are `busy`.

        A suspect is taken alone, and only if its process is `idle`; those behind it wait for it.
        """
        now = self.store.now()
        chosen = _waiting(now, busy).limit(most)
        # Looked before it is taken: on SQLite whoever takes keeps all others from writing.
        found = await self.store.read_with(lambda one: one.execute(chosen.with_only_columns(SLACK_INBOX.c.number)))
        if found.first() is None:
            return []
        return await self.store.write_with(
            lambda connection: self._claimed(connection, now, chosen, idle), lasting=False
        )

    async def _claimed(
        self, connection: AsyncConnection, now: datetime, chosen: Select[Any], idle: bool
    ) -> list[Claimed]:
        due = (await connection.execute(chosen.with_for_update(of=SLACK_INBOX, skip_locked=True))).all()
        first = next((at for at, row in enumerate(due) if row.faults >= SUSPECT), len(due))
        rows = due[: first or int(idle)]
        taken = {"due": now + self.lease, "tries": SLACK_INBOX.c.tries + 1, "faults": SLACK_INBOX.c.faults + 1}
        mine = SLACK_INBOX.c.number.in_([row.number for row in rows])
        await connection.execute(update(SLACK_INBOX).where(mine).values(taken))
        claimed = []
        for row in rows:
            try:
                wish = Wish.model_validate_json(row.wish)
            except ValidationError:  # another version of whydrop kept it; without it, those after it go on
                log.error("wish %d cannot be read", row.number)
                unread = update(SLACK_INBOX).where(SLACK_INBOX.c.number == row.number)
                await connection.execute(unread.values({"due": None, "done": now, "wish": ""}))
            else:
                until = now + self.lease
                claimed.append(Claimed(row.number, row.tries + 1, row.faults + 1, row.came, until, wish))
        return claimed

    async def renew(self, ours: Collection[Claimed]) -> None:
        """Say that we are still at work on these."""
        if ours:
            until = {"due": self.store.now() + self.lease}
            still = update(SLACK_INBOX).where(or_(*(is_ours(one) for one in ours))).values(until)
            await self.store.write_with(lambda connection: connection.execute(still), lasting=False)

    async def settle(self, one: Claimed) -> None:
        """Write down that a wish is done; not if somebody else took it since."""
        await self.store.write_with(lambda connection: settled(connection, one, self.store.now()), lasting=False)

    async def postpone(self, one: Claimed, wait: timedelta, *, fault: bool = False) -> None:
        """Leave a wish for later, because of a fault of ours or because it cannot be done now."""
        values: dict[str, Any] = {"due": self.store.now() + wait}
        if not fault:
            values["faults"] = SLACK_INBOX.c.faults - 1
        later = update(SLACK_INBOX).where(is_ours(one)).values(values)
        await self.store.write_with(lambda connection: connection.execute(later), lasting=False)

    async def expire(self) -> None:
        """Forget what was done long ago."""
        now = self.store.now()
        old = now - KEPT

        async def forget(connection: AsyncConnection) -> None:
            await connection.execute(delete(SLACK_INBOX).where(SLACK_INBOX.c.done < old))
            await connection.execute(delete(SLACK_POSTS).where(SLACK_POSTS.c.at < old))
            await connection.execute(delete(SLACK_PICTURES).where(SLACK_PICTURES.c.at < now - PICTURES_KEPT))

        await self.store.write_with(forget)


def _waiting(now: datetime, busy: Collection[str]) -> Select[Any]:
    """Choose what is due and has nothing before it in its lane that is not done."""
    earlier = select(_EARLIER.c.number).where(
        _EARLIER.c.lane == SLACK_INBOX.c.lane, _EARLIER.c.number < SLACK_INBOX.c.number, _EARLIER.c.due.is_not(None)
    )
    wanted: list[ColumnElement[bool]] = [SLACK_INBOX.c.due <= now, ~earlier.exists()]
    if busy:
        wanted.append(SLACK_INBOX.c.lane.not_in(busy))
    return select(SLACK_INBOX).where(*wanted).order_by(SLACK_INBOX.c.number)


def is_ours(one: Claimed) -> ColumnElement[bool]:
    """Choose a wish as long as nobody else took it."""
    ours = and_(SLACK_INBOX.c.number == one.number, SLACK_INBOX.c.tries == one.tries)
    return and_(ours, SLACK_INBOX.c.due.is_not(None))


def _first_of(new: Sequence[Row[Any]], wishes: Sequence[Wish]) -> list[bool]:
    """Tell which wishes are new; of those that came twice in this very moment, the first."""
    left = {(row.team, row.key) for row in new}
    found = []
    for one in wishes:
        found.append((one.team, one.key) in left)
        left.discard((one.team, one.key))
    return found


async def is_wanted(connection: AsyncConnection, wish: Wish) -> bool:
    """Tell whether a wish still waits for its answer; until the transaction ends nobody forgets it."""
    kept = and_(SLACK_INBOX.c.team == wish.team, SLACK_INBOX.c.key == wish.key, SLACK_INBOX.c.due.is_not(None))
    return (await connection.execute(select(SLACK_INBOX.c.number).where(kept).with_for_update())).first() is not None


async def settled(connection: AsyncConnection, one: Claimed, now: datetime) -> None:
    """Write down that a wish is done, in the connection's transaction; what was pasted is not kept here any longer."""
    done = {"due": None, "done": now, "wish": ""}
    await connection.execute(update(SLACK_INBOX).where(is_ours(one)).values(done))
