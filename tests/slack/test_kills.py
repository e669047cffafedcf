"""The service is killed in the middle of dialogues, again and again: each thing that was said has one answer."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.slack.hearing import FUNCTION
from tests.served import Fleet, Way
from tests.slack.dialogues import Alone, Event, Step, Talk
from tests.slack.killing import Site, key_of, site
from tests.slack.people import person

pytest_plugins = ["tests.postgres"]

KILLS, MANY = 8, 500
"""In the ordinary tests and in the soak; on PostgreSQL and over Socket Mode a part of it."""
PEOPLE = 6
"""People who talk at the same time."""
Say = Callable[[str], object]


@dataclass
class Talking:
    """All dialogues at one site."""

    site: Site
    talks: list[Talk] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ending: bool = False
    number: int = 0

    async def somebody(self, name: str) -> None:
        """Talk to the app, one dialogue after the other, until it is enough."""
        town = self.site.town
        who, other = person(town, name), person(town, f"{name}s-colleague")
        town.slack.allowed_mentions |= {f"<@{who.id}>", f"<@{other.id}>"}
        while not self.ending:
            self.number += 1
            channel = town.channel(f"ops-{self.number}", who.id, other.id)
            match self.site.dice.choice(["thread", "thread", "thread", "direct", "alone", "step"]):
                case "thread" | "direct" as kind:
                    talk = Talk(self.site, who, other, channel if kind == "thread" else who.dm, self.number)
                    self.talks.append(talk)
                    await talk.run()
                case "alone":
                    self.alone.append(Alone(self.site, who, channel, self.number))
                    await self.alone[-1].run()
                case _:
                    self.steps.append(Step(self.site, who, self.number, FUNCTION))
                    await self.steps[-1].run()

    async def while_killed(self, kills: int) -> None:
        """Let all talk while the service is killed so often, and until each has come to an end."""
        people = [asyncio.create_task(self.somebody(f"p{number}")) for number in range(PEOPLE)]
        killing = asyncio.create_task(self.site.kill(kills))
        try:
            for one in (await asyncio.wait({killing, *people}, return_when=asyncio.FIRST_COMPLETED))[0]:
                one.result()
            self.ending = True
            await asyncio.gather(*people)
        finally:
            for one in (killing, *people):
                one.cancel()
            await asyncio.gather(killing, *people, return_exceptions=True)

    async def check(self) -> None:
        """Hold that nothing was lost and nothing doubled."""
        site = self.site
        await site.all_done()
        assert await site.rows("SELECT number FROM slack_inbox WHERE faults > 5") == []
        assert await site.sound()
        keys = Counter(key for one in site.messages() if (key := key_of(one)))
        assert set(keys.values()) == {1}, "one reply each"
        known = {key for (key,) in await site.rows("SELECT key FROM slack_inbox")}
        assert set(keys) <= known
        assert [call for call in site.town.faults.doubled if call.method == "chat.postMessage"] == []
        assert site.town.words_of_problems() == []
        await self._check_cases()

    def figures(self) -> str:
        """Say how much there was."""
        told, lost = sum(len(one.told) for one in self.talks), sum(one.lost for one in self.alone)
        acks = self.site.round.acks
        return (
            f"{self.site.kills} kills: {len(self.talks)} dialogues that told their cases {told} things, "
            f"{len(self.alone)} commands ({lost} answers lost), {len(self.steps)} steps; "
            f"{len(self.site.messages())} messages; {len(acks)} deliveries, "
            f"{sum(not one.good for one in acks)} of them broken off"
        )

    async def _check_cases(self) -> None:
        cases: dict[str, list[Event]] = defaultdict(list)
        for case, kind, body in await self.site.rows('SELECT "case", kind, body FROM events ORDER BY "case", number'):
            if found := short(kind, json.loads(body)):
                cases[case].append(found)
        for talk in self.talks:
            talk.check(cases.pop(talk.case))
        by_paste = defaultdict(list)
        for (pasted, paste), *rest in cases.values():
            assert pasted == "pasted"
            by_paste[paste].append(rest)
        for one in self.alone:
            there = by_paste.pop(one.paste)
            assert one.acknowledged <= len(there) <= one.typed
            assert [rest for rest in there if rest] == ([one.told] if one.told else [])
        for step in self.steps:
            assert by_paste.pop(step.paste) == [[]]
        assert not by_paste


def short(kind: str, body: dict[str, object]) -> Event | None:
    match kind:
        case "pasted":
            return kind, "\n".join(
                line.strip() for line in str(body["paste"]).splitlines()
            )  # behind a mention is a blank
        case "answered":
            return kind, body["feature"], body["value"]
        case "withdrawn":
            return kind, body["feature"]
        case "outcome":
            return kind, body["solved"], body["cause"], body["note"]
    return None


async def killed(fleet: Fleet, database: Path | str, kills: int, say: Say = str, **how: object) -> None:
    """Let people talk to a service that is killed so often."""
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    say(f"SEED={seed}")
    try:
        async with site(fleet, database, seed=seed, **how) as found:  # type: ignore[arg-type]
            talking = Talking(found)
            await talking.while_killed(kills)
            await found.town.settled()
            await talking.check()
    except Exception as wrong:
        wrong.add_note(f"SEED={seed}")
        raise
    say(talking.figures())


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def printed(figures: str) -> None:
        with capsys.disabled():
            print(f"\n{figures}", flush=True)  # noqa: T201

    return printed


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_each_thing_that_is_said_has_one_answer_however_often_the_service_is_killed(
    fleet: Fleet, tmp_path: Path, way: Way
) -> None:
    await killed(fleet, tmp_path / "cases.sqlite3", KILLS, way=way)


async def test_where_channels_cannot_be_read_an_answer_never_comes_twice_and_the_case_is_right(
    fleet: Fleet, tmp_path: Path
) -> None:
    await killed(fleet, tmp_path / "cases.sqlite3", KILLS // 2, readable=False)


async def test_each_thing_that_is_said_has_one_answer_on_postgresql(fleet: Fleet, postgres_url: str) -> None:
    await killed(fleet, postgres_url, KILLS // 2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_five_hundred_kills_lose_and_double_nothing(fleet: Fleet, tmp_path: Path, say: Say) -> None:
    await killed(fleet, tmp_path / "cases.sqlite3", MANY, say)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_fifty_kills_lose_and_double_nothing_on_postgresql(fleet: Fleet, postgres_url: str, say: Say) -> None:
    await killed(fleet, postgres_url, MANY // 10, say)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("way", "readable"), [("socket", True), ("http", False)])
async def test_fifty_kills_in_the_other_forms(fleet: Fleet, tmp_path: Path, say: Say, way: Way, readable: bool) -> None:
    await killed(fleet, tmp_path / "cases.sqlite3", MANY // 10, say, way=way, readable=readable)
