"""A service that is killed while people talk to it in Slack, and started again on the same database."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import asyncpg  # type: ignore[import-untyped]

from tests.loopback_slack import SECRET
from tests.served import Fleet, Served, Way, complaints
from tests.slack.delivery import Ack, HttpDoor, Parcel, Retry, Round
from tests.slack.faults import DROPPED, LOST, Fault, Faults
from tests.slack.loopback import Loopback, loopback
from tests.slack.shapes import Fields
from tests.slack.workspace import ALL_SCOPES, APP_TOKEN, Message

PATIENCE_S = 60.0
"""Seconds until what was acknowledged must be done, however often the service is killed meanwhile."""
HISTORY = frozenset({"channels:history", "groups:history"})
BETWEEN = (2, 12)
"""Calls of Slack between two kills, at least and at most."""
RISKY = {
    *("chat.postMessage", "chat.update", "chat.postEphemeral", "response_url", "functions.completeSuccess"),
    *("conversations.replies", "conversations.history", "views.open", "views.publish"),
}
EXPECTED = (
    *("it is not known whether its answer arrived", "a modal was not opened", "Slack cannot be reached yet"),
    '"level":"info"',  # such as a step that was completed before
    "somebody else has it",  # where the machine is so busy that a lease of a second runs out
)
"""What a service may log while it is killed again and again."""

Moment = Literal["before", "done", "answered", "told", "any"]
"""When it is killed: before Slack does what it was called for, after that but before it answers, right after the
answer, while it is told something, or at any time."""
MOMENTS: Sequence[Moment] = ("before", "done", "answered", "told", "any")


@dataclass
class Watched(Faults):
    """Lets somebody know of each call before it is done."""

    seen: Callable[[str], Fault | None] = lambda _: None

    def next(self, method: str) -> Fault | None:
        """Give what goes wrong with this call."""
        return super().next(method) or self.seen(method)


@dataclass
class Persistent(Round):
    """Hands an event over until it is taken, as soon as the service is up again, instead of after minutes."""

    up: asyncio.Event = field(default_factory=asyncio.Event)
    telling: Callable[[], None] = lambda: None

    async def once(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Hand over a parcel, one time."""
        self.telling()
        return await super().once(parcel, retry)

    async def deliver(self, parcel: Parcel) -> Ack:
        """Hand over a parcel; an event until it is taken, anything else once."""
        number = 0
        while True:
            await self.up.wait()
            ack = await self.once(parcel, Retry(number, "connection_failed") if number else None)
            if ack.good or parcel.kind != "events_api":
                return ack
            number += 1


@dataclass
class Site:
    """A workspace, and the service before it that is killed. `readable`: the app may read channels."""

    town: Loopback
    fleet: Fleet
    database: Path | str
    way: Way
    readable: bool
    dice: random.Random
    round: Persistent
    served: Served | None = None
    kills: int = 0
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    moment: Moment | None = None
    _left: int = 0

    @property
    def up(self) -> asyncio.Event:
        """What is set while the service is up."""
        return self.round.up

    async def start(self) -> None:
        """Start the service."""
        told: dict[str, object] = {"slack_api_url": self.town.base_url, "slack_bot_token": self._token()}
        told |= {"slack_app_token": APP_TOKEN} if self.way == "socket" else {"slack_signing_secret": SECRET}
        self.served = await asyncio.to_thread(lambda: self.fleet.start(self.database, self.way, small=True, **told))
        if isinstance(self.round.door, HttpDoor):
            self.round.door.url = f"{self.served.url}/slack/events"
        else:
            await self.town.until(lambda: self.town.sockets.open, 20)
        self.struck.clear()
        self.up.set()

    def _token(self) -> str:
        return next(one.value for one in reversed(self.town.slack.tokens.values()))

    async def kill(self, kills: int) -> None:
        """Kill the service so often, each time in the middle of something, and start it again."""
        for _ in range(kills):
            self._left, self.moment = self.dice.randint(*BETWEEN), self.dice.choice(MOMENTS)
            with suppress(TimeoutError):  # nothing happens: any moment will do
                async with asyncio.timeout(5):
                    await self.struck.wait()
            self._strike()
            killed, self.served = self.served, None
            assert killed
            await asyncio.to_thread(self.fleet.kill, killed)
            assert [one for one in complaints(killed) if not any(said in one for said in EXPECTED)] == []
            await self.start()

    def _strike(self) -> None:
        if self.struck.is_set() or not self.served:
            return
        os.kill(self.served.pid, signal.SIGKILL)
        self.kills, self.moment = self.kills + 1, None
        self.up.clear()
        self.struck.set()

    def called(self, method: str) -> Fault | None:
        """Kill the service at this call of it, if now is the moment."""
        if method not in RISKY or not self._now("before", "done", "answered", "any"):
            return None
        match self.moment:
            case "before" | "done":
                fault = DROPPED if self.moment == "before" else LOST
                self._strike()
                return fault
            case "answered":
                self._strike_in(0.01)
            case _:
                self._strike_in(0.3)
        return None

    def telling(self) -> None:
        """Kill the service while it is told something, if now is the moment."""
        if self._now("told"):
            self._strike_in(0.03)

    def _now(self, *moments: Moment) -> bool:
        if self.moment not in moments:
            return False
        self._left -= 1
        return self._left <= 0

    def _strike_in(self, seconds: float) -> None:
        self.moment = None
        asyncio.get_running_loop().call_later(self.dice.uniform(0, seconds), self._strike)

    async def rows(self, question: str, *told: str) -> list[Sequence[Any]]:
        """Ask the database."""
        return await rows_of(self.database, question, *told)

    async def done(self, key: str) -> None:
        """Wait until a wish that was acknowledged is done."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.rows("SELECT due FROM slack_inbox WHERE key = ?", key)
                assert found, f"{key} was acknowledged and not kept"
                if found[0][0] is None:
                    return
                await asyncio.sleep(0.03)

    async def all_done(self) -> None:
        """Wait until nothing waits, not even what was kept and not acknowledged."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if not await self.rows("SELECT number FROM slack_inbox WHERE due IS NOT NULL"):
                    return
                await asyncio.sleep(0.1)

    def messages(self) -> list[Message]:
        """Give all that was posted by the app."""
        there = [one for channel in self.town.team.channels.values() for one in channel.messages.values()]
        return [one for one in there if one.bot]

    async def sound(self) -> bool:
        """Tell whether the database is whole."""
        if not isinstance(self.database, Path):
            return True
        broken = await self.rows("PRAGMA foreign_key_check")
        return not broken and await self.rows("PRAGMA integrity_check") == [("ok",)]


async def rows_of(database: Path | str, question: str, *told: str) -> list[Sequence[Any]]:
    """Ask a database."""
    if isinstance(database, Path):
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(question, told).fetchall()
    connection = await asyncpg.connect(database)
    try:
        return [tuple(one) for one in await connection.fetch(question.replace("?", "$1"), *told)]
    finally:
        await connection.close()


def key_of(message: Message) -> str:
    """Give the key of the wish that a message answers; "" if nobody could look for it."""
    metadata: Fields = message.body.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("key", ""))


@asynccontextmanager
async def site(
    fleet: Fleet, database: Path | str, way: Way = "http", *, readable: bool = True, seed: int = 0
) -> AsyncIterator[Site]:
    """Run a Slack and a service before it."""
    async with loopback() as town:
        if not readable:
            town.slack.install(town.team, ALL_SCOPES - HISTORY)
        town.api.rates = {}  # a look a minute: nothing that is awaited here
        door = town.over_http("") if way == "http" else town.over_socket_mode(patience=1.0)
        found = Site(town, fleet, database, way, readable, random.Random(seed), Persistent(door))  # noqa: S311
        found.round.telling = found.telling
        town.round, town.api.faults = found.round, Watched(seen=found.called)
        await found.start()
        try:
            yield found
        finally:
            if found.served:
                with suppress(ProcessLookupError):
                    await asyncio.to_thread(fleet.kill, found.served)
