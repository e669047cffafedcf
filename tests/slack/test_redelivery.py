"""The same event several times at the same moment and later, to two processes on one database: one reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.loopback_slack import SECRET
from tests.served import Fleet, complaints
from tests.slack.delivery import Ack, HttpDoor, Parcel, Retry
from tests.slack.killing import rows_of
from tests.slack.loopback import Loopback, loopback, nothing_wrong
from tests.slack.people import Person, person
from tests.slack.seen import Seen
from tests.slack.workspace import Channel

pytest_plugins = ["tests.postgres"]

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags ACK on interface dmz"


@dataclass
class Two:
    """Two processes before one Slack."""

    town: Loopback
    doors: list[HttpDoor]
    database: Path | str
    alice: Person
    ops: Channel

    async def thrice(self, parcel: Parcel, *, retries: bool) -> list[Ack]:
        """Hand a parcel three times to each process, at the same moment."""
        retry = [Retry(number, "http_timeout") if retries and number else None for number in range(3)]
        return await asyncio.gather(*(door.send(parcel, one) for one in retry for door in self.doors))

    async def cases(self) -> list[Any]:
        """Give what the cases were told."""
        found = await rows_of(self.database, "SELECT kind FROM events WHERE kind <> 'asked' ORDER BY kind")
        return [kind for (kind,) in found]

    def replies(self, root: Seen) -> list[Seen]:
        """Give our messages in a thread."""
        return [one for one in self.alice.replies(self.ops, root) if one.message.bot]


@asynccontextmanager
async def two(fleet: Fleet, database: Path | str) -> AsyncIterator[Two]:
    async with loopback() as town:
        told = {"slack_signing_secret": SECRET, "slack_api_url": town.base_url}
        told |= {"slack_bot_token": next(iter(town.slack.tokens))}
        served = [await asyncio.to_thread(lambda: fleet.start(database, small=True, **told)) for _ in range(2)]
        alice = person(town, "alice")
        town.slack.allowed_mentions.add(f"<@{alice.id}>")
        doors = [HttpDoor(f"{one.url}/slack/events") for one in served]
        with nothing_wrong(town):
            yield Two(town, doors, database, alice, town.channel("ops", alice.id))
        for one in served:
            await asyncio.to_thread(fleet.stop, one)
            assert complaints(one) == []


@pytest.mark.parametrize("retries", [True, False])
async def test_an_event_that_comes_thrice_at_once_and_later_to_two_processes_is_answered_once(
    fleet: Fleet, url: str, retries: bool
) -> None:
    async with two(fleet, Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else url) as found:
        alice, ops = found.alice, found.ops
        begins = alice.mention(ops, LINE)
        acks = await found.thrice(begins, retries=retries)
        (root,) = alice.sees(ops)
        first = await alice.reads("What I read", ops, root)
        parcels = [begins]
        pressed = alice.press(first.buttons()[0], first)
        acks += await found.thrice(pressed, retries=False)
        await found.town.until(lambda: first.message.edited)
        typed = alice.mention(ops, "3605s", root)
        acks += await found.thrice(typed, retries=retries)
        await found.town.until(lambda: len(found.replies(root)) == 2)
        parcels += [pressed, typed]
        for one in parcels:
            acks += await found.thrice(one, retries=retries)
        await found.doors[0].send(alice.mention(ops, "facts", root))  # behind all of these in its lane
        await found.town.until(lambda: len(found.replies(root)) >= 3)
        assert all(ack.good for ack in acks)
        assert first.words() == "This case went on further down."
        assert len(found.replies(root)) == 3
        assert [one for one in await found.cases() if one != "concluded"] == ["answered", "answered", "pasted"]
