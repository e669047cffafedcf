"""The whole app before the loopback Slack: real requests, the real inbox and turns, real answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.slack.hearing import DIAGNOSE, FUNCTION
from rules.diagnose import Expert
from tests.slack.delivery import Parcel
from tests.slack.loopback import Loopback, loopback
from tests.slack.people import Person, person
from tests.slack.seen import Seen
from tests.slack.whole_app import whole_app
from tests.slack.workspace import Channel

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags ACK on interface dmz"
OTHER = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51516 flags RST on interface dmz"


@dataclass
class Whole:
    town: Loopback
    alice: Person
    ops: Channel


@pytest.fixture
async def whole(tmp_path: Path, expert: Expert) -> AsyncIterator[Whole]:
    async with open_town(tmp_path, expert) as there:
        yield there


@asynccontextmanager
async def open_town(tmp_path: Path, expert: Expert) -> AsyncIterator[Whole]:
    """Run the whole app before a Slack; nothing that it sends is wrong."""
    async with loopback() as town:
        alice = person(town, "alice")
        town.slack.allowed_mentions.add(f"<@{alice.id}>")
        async with whole_app(town, tmp_path, expert, public_url="https://whydrop.example"):
            yield Whole(town, alice, town.channel("ops", alice.id))


def answers(who: Person, channel: Channel, thread: Seen) -> list[Seen]:
    return [one for one in who.replies(channel, thread) if one.message.user != who.id]


async def test_a_mention_is_answered_in_its_thread_and_goes_on_there(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.mentions(ops, LINE)
    asked = alice.sees(ops)[-1]
    first = await alice.reads("Did this connection work", ops, asked)
    await alice.presses("Why do you ask?", first)
    await alice.reads("Why I ask", ops, asked)
    await alice.presses("Back", first)
    await alice.mentions(ops, "2", asked)
    second = await alice.reads("Your answers", ops, asked)
    assert second.ts != first.ts
    await whole.town.until(lambda: first.words() == "This case went on further down.")
    await alice.mentions(ops, "back", asked)
    await alice.reads("Did this connection work", ops, asked)
    await alice.mentions(ops, OTHER, asked)
    await alice.mentions(ops, "facts", asked)
    await whole.town.until(lambda: len(answers(alice, ops, asked)) == 5)  # to what was said, not to what was pressed
    assert "lag" in answers(alice, ops, asked)[-1].words()


async def test_a_command_is_for_the_asker_alone_until_it_is_shared(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    await alice.types(f"/whydrop {LINE}", ops)
    mine = await alice.reads("Only you see this", ops)
    assert mine.private
    await alice.presses("Stop here", mine)
    await alice.reads("Share with the channel", ops)
    await alice.presses("Share with the channel", mine)
    shared = await alice.reads("Shared by", ops)
    assert not shared.private
    await alice.reads("Shared with the channel", ops)
    await alice.mentions(ops, "1", shared)
    await alice.reads("Your answers", ops, shared)


async def test_the_other_doors(whole: Whole) -> None:
    alice, ops = whole.alice, whole.ops
    said = alice.says(ops, LINE)
    await alice.uses_shortcut(said, DIAGNOSE)
    await alice.reads("What I read", ops, said)
    await alice.dms("see the file", files=[("a.log", LINE.encode())])
    (mine,) = [one for one in alice.sees(alice.dm) if one.message.user == alice.id]
    await alice.reads("What I read", alice.dm, mine)
    await alice.opens_home()
    home = await alice.gets_home("My open cases")
    await alice.presses("Use aliases", home)
    await alice.gets_home("behind aliases")
    await alice.types("/whydrop", ops)
    modal = await alice.gets_modal("Diagnose lines")
    await alice.submits(modal, {"Lines": LINE})
    await alice.reads("Only you see this", ops)
    name, _ = await alice.runs_step(FUNCTION, {"log": LINE})
    await whole.town.until(lambda: "outputs" in str(whole.town.slack.executions[name]))


async def test_uninstalling_forgets_the_workspace(whole: Whole) -> None:
    await whole.alice.types(f"/whydrop {LINE}", whole.ops)
    await whole.alice.reads("Only you see this", whole.ops)
    await whole.alice.uninstalls()


async def test_fifty_at_once_are_answered_soon(whole: Whole) -> None:
    town = whole.town
    people = [person(town, f"p{number}") for number in range(50)]
    acks: list[float] = []
    took: list[float] = []

    async def one(who: Person) -> None:
        began = time.perf_counter()
        parcel: Parcel = who.dm_parcel(LINE)
        await town.deliver(parcel)
        acks.append(time.perf_counter() - began)
        mine = who.sees(who.dm)[0]
        await who.reads("What I read", who.dm, mine, 30)
        took.append(time.perf_counter() - began)

    await asyncio.gather(*map(one, people))
    assert len(took) == len(acks) == len(people)
