"""Scopes that may be left out: without each, everything else works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.slack import pictures
from bot.slack.opening import OPTIONAL, SCOPES
from rules.diagnose import Expert
from tests.slack.faults import DROPPED, LOST
from tests.slack.loopback import Loopback, loopback
from tests.slack.moments import LINE
from tests.slack.people import Person, person
from tests.slack.seen import Seen
from tests.slack.test_pictures import ENOUGH, PATIENCE_S, pictured
from tests.slack.whole_app import whole_app
from tests.slack.workspace import Channel


@asynccontextmanager
async def app_without(scope: str, folder: Path, expert: Expert) -> AsyncIterator[Loopback]:
    """Run the app with all scopes that it asks for but one."""
    async with loopback() as town:
        town.api.rates.clear()
        token = next(iter(town.slack.tokens.values()))
        token.scopes = frozenset(SCOPES) - {scope}
        async with whole_app(town, folder, expert):
            yield town


@pytest.mark.parametrize("scope", [*OPTIONAL, ""])
async def test_a_whole_conversation_works_without_it(
    tmp_path: Path, expert: Expert, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PATIENCE_S", PATIENCE_S)
    async with app_without(scope, tmp_path, expert) as town:
        alice = person(town, "alice")
        ops = town.channel("ops", alice.id)
        await alice.mentions(ops, LINE)
        asked = alice.sees(ops)[-1]
        first = await alice.reads("Stop here", ops, asked, PATIENCE_S)
        await alice.presses("Stop here", first)
        await town.until(lambda: "Go on asking" in first.buttons(), PATIENCE_S)
        await alice.mentions(ops, "unknown", asked)
        await town.until(lambda: first.words() == "This case went on further down.", PATIENCE_S)
        await alice.mentions(ops, ENOUGH)
        answer = await alice.reads("This solved it", ops, alice.sees(ops)[-1], PATIENCE_S)
        if scope != "files:write":
            await town.until(lambda: pictured(answer), PATIENCE_S)
        await alice.presses("This solved it", answer)
        await town.until(lambda: "How it ended" in answer.shows(), PATIENCE_S)
        assert bool(pictured(answer)) == (scope != "files:write")
        await alice.dms(ENOUGH, files=[("a.log", LINE.encode())])
        await alice.reads("Next steps", alice.dm, alice.sees(alice.dm)[0], PATIENCE_S)
        await alice.types("/whydrop status", ops)
        await alice.reads("whydrop is up", ops, seconds=PATIENCE_S)


@pytest.mark.parametrize("scope", [*OPTIONAL, ""])
@pytest.mark.parametrize("kind", ["channel", "group"])
async def test_an_answer_that_may_have_been_lost_is_there_at_most_once(
    tmp_path: Path, expert: Expert, scope: str, kind: str
) -> None:
    async with app_without(scope, tmp_path, expert) as town:
        alice = person(town, "alice")
        ops = town.channel("ops", alice.id)
        ops.kind = "group" if kind == "group" else "channel"
        readable = scope != f"{kind}s:history"
        for fault in (LOST, DROPPED):
            town.faults.plan("chat.postMessage", fault)
            await alice.mentions(ops, LINE)
            asked = alice.sees(ops)[-1]
            await alice.mentions(ops, "status", asked)  # is answered after it, in the same thread
            there = 1 if fault is LOST or readable else 0
            await town.until(lambda asked=asked, there=there: len(answers(alice, ops, asked)) >= there + 1, PATIENCE_S)  # type: ignore[misc]
            await alice.mentions(ops, "why", asked)
            await alice.reads("Why I ask", ops, asked, PATIENCE_S)
            assert len(answers(alice, ops, asked)) == there + 2


def answers(who: Person, channel: Channel, thread: Seen) -> list[Seen]:
    return [one for one in who.replies(channel, thread) if one.message.user != who.id]
