"""A whole dialogue, at each step of which the process ends: what was said is answered once, and the case is right."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.cases import Store
from bot.slack.inbox import MOST_FAULTS
from bot.slack.tables import SLACK_POSTS, SLACK_THREADS
from bot.slack.web import SharedFile
from bot.slack.wishes import Act, Bring, Ended, Left, Look, Place, Press, Step, Wish
from bot.tables import CASES, EVENTS
from rules.diagnose import Expert
from tests.clock import Clock
from tests.fake_slack import HOOK, Seen
from tests.slack.stepping import Life, Street

pytest_plugins = ["tests.postgres"]

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.1/443 to 192.0.2.9/51000 flags ACK on interface inside"
OTHER = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.7/443 to 192.0.2.9/51007 flags RST on interface inside"
TEAM, ANN, BEN, CHANNEL = "T1", "U1", "U2", "C1"
THREAD = Place(channel=CHANNEL, thread="100.1", message="100.1")
DIRECT = Place(channel="D1", thread="200.1", message="200.1", direct=True)
EACH = 8
"""In the ordinary tests the process ends at every eighth step of each wish; in the soak at each."""

Said = tuple[Act, Place]
Saying = Callable[[Street, str], Said]
"""Says something in a street, about its first case."""


def shown(street: Street, channel: str = CHANNEL) -> Seen:
    """Give the message that shows the case in a channel."""
    there = [one for one in street.slack.messages if one.channel == channel]
    return [one for one in there if one.text.startswith(("case", "why", "change", "edit"))][-1]


def at(street: Street, channel: str = CHANNEL) -> Place:
    """Give the place of a button in it."""
    found = shown(street, channel)
    return Place(channel=channel, thread=found.thread, message=found.ts, response_url=f"{HOOK}{channel}/{ANN}/new")


def presses(does: str, feature: str = "", value: Any = None) -> Saying:
    return lambda street, case: (Press(does=does, case=case, feature=feature, value=value), at(street))


def types(text: str, place: Place = THREAD) -> Saying:
    return lambda _, __: (Bring(text=text), place)


def elsewhere(act: Act, place: Place) -> Saying:
    return lambda _, __: (act, place)


FOR_ALL: Sequence[Saying] = (
    types(LINE),
    presses("why"),
    presses("answer", "timing.worked", "never"),
    types("unknown"),
    types(OTHER),
    types("facts"),
    types("purple"),
    presses("change"),
    presses("edit", "timing.worked"),
    presses("answer", "timing.worked", "then-broke"),
    presses("withdraw", "timing.worked"),
    lambda street, case: (Press(does="show", case=case), at(street).model_copy(update={"message": "0.0"})),
    elsewhere(Look(at="home"), Place(direct=True)),
    elsewhere(Press(does="aliases", value=True), Place(channel=ANN, direct=True)),
    elsewhere(Step(execution="Fx1", text=OTHER), Place()),
    types(LINE, DIRECT),
    elsewhere(Bring(text="", files=("F1",)), Place(channel="C4", thread="300.1", message="300.1")),
    types("status"),
    lambda street, case: (Ended(case=case, solved=True, note="n"), at(street)),
)
"""What is said and pressed, and may be seen by all."""


async def told(street: Street) -> list[list[str]]:
    """Give what each case knows, in the order in which they were begun."""
    chosen = select(EVENTS).join(CASES).order_by(CASES.c.created, CASES.c.id, EVENTS.c.number)
    rows = (await street.store.read_with(lambda one: one.execute(chosen))).all()
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.case, []).append(json.dumps(json.loads(row.body) | {"kind": row.kind}, sort_keys=True))
    return sorted(found.values())


async def first_case(street: Street) -> str:
    chosen = select(CASES.c.id).order_by(CASES.c.created).limit(1)
    return str(await street.store.read_with(lambda one: one.scalar(chosen)) or "")


async def picture_of(street: Street) -> dict[str, Any]:
    """Give what is there at the end, without ids and times."""
    ids = (await street.store.read_with(lambda one: one.scalars(select(CASES.c.id)))).all()

    def plain(text: str) -> str:
        for case in ids:
            text = text.replace(case, "CASE")
        return text

    texts = {(one.channel, one.ts): plain(one.text) for one in street.slack.messages}
    threads = (await street.store.read_with(lambda one: one.execute(select(SLACK_THREADS)))).all()
    posts = (await street.store.read_with(lambda one: one.execute(select(SLACK_POSTS)))).all()
    return {
        "told": await told(street),
        "seen": [(one.channel, one.thread, one.only, plain(one.text)) for one in street.slack.messages],
        "homes": {user: (len(view["own"]), view["aliases"]) for user, view in street.slack.homes.items()},
        "steps": [execution for execution, _ in street.slack.steps],
        "threads": sorted((one.channel, one.asker, texts[one.channel, one.message]) for one in threads if one.channel),
        "posts": sorted((one.key, one.channel, one.ts != "") for one in posts),
    }


@asynccontextmanager
async def street_at(url: str, expert: Expert) -> AsyncIterator[Street]:
    clock = Clock()
    async with Store.open(url, clock) as store:
        await store.migrate()
        street = Street(store, clock, expert)
        about = {"name": "a.log", "mimetype": "text/plain", "mode": "hosted", "size": len(LINE), "url": "a.log"}
        street.slack.files["F1"] = SharedFile(**about), LINE.encode()  # type: ignore[arg-type]
        yield street


async def talked(street: Street, sayings: Sequence[Saying], ends: int) -> dict[str, Any]:
    """Talk a dialogue through; the process ends at that step of each wish, the next one at any of its own."""
    dice = random.Random(ends)  # noqa: S311
    for number, saying in enumerate(sayings):
        act, place = saying(street, await first_case(street))
        wish = Wish(key=f"wish-{number}", team=TEAM, user=ANN, place=place, act=act)
        for again in range(1 + ends % 3):  # once, twice, three times
            await street.accepts(wish, Life(ends if not again else -1))
        again = dice.random() < 0.5
        await street.carries_out(Life(ends), *([Life(dice.randrange(20))] if again else []))
        await street.accepts(wish)
        await street.carries_out()
    return await picture_of(street)


async def through(url: str, expert: Expert, sayings: Sequence[Saying], each: int) -> None:
    expected, most = None, 0
    ends = -1
    while ends < 0 or ends <= most:
        async with street_at(f"{url}{ends}" if url.startswith("sqlite") else url, expert) as street:
            found = await talked(street, sayings, ends)
            expected = expected or found
            assert found == expected, f"ended at step {ends}"
            if ends < 0:
                most = street.most
            if not url.startswith("sqlite"):
                await forgotten(street)
        ends += each if ends >= 0 else 1
    assert most > 15, "every transaction and every call is a step"


async def forgotten(street: Street, number: int = 0) -> None:
    await street.accepts(Wish(key=f"forgotten {number}", team=TEAM, user="", place=Place(), act=Left()))
    await street.carries_out()
    assert await told(street) == []


async def test_a_process_that_ends_at_any_step_leaves_nothing_undone_or_done_twice(url: str, expert: Expert) -> None:
    await through(url, expert, FOR_ALL, EACH)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_at_each_step_of_each_wish(url: str, expert: Expert) -> None:
    await through(url, expert, FOR_ALL, 1)


# Processes that stand still, and things that happen meanwhile

ON_ITS_WAY = ("before post", "before respond", "before post_for_one", "before update")
"""What stands still here is a message on its way to Slack: nobody can call that back."""


def wished(key: str, act: Act, place: Place, user: str = ANN) -> Wish:
    return Wish(key=key, team=TEAM, user=user, place=place, act=act)


KINDS = ["begin", "typed", "answer", "step", "ended", "share"]


@pytest.mark.parametrize("name", KINDS)
async def test_a_process_that_stood_still_does_nothing_that_another_has_done(
    tmp_path: Path, expert: Expert, name: str
) -> None:
    await stood_still(tmp_path, expert, name, 3)


@pytest.mark.soak
@pytest.mark.parametrize("name", KINDS)
async def test_wherever_it_stood_still(tmp_path: Path, expert: Expert, name: str) -> None:
    await stood_still(tmp_path, expert, name, 1)


async def stood_still(tmp_path: Path, expert: Expert, name: str, each: int) -> None:
    at_step, steps, expected = -1, ["-"], None
    while at_step < len(steps):
        async with street_at(f"sqlite:///{tmp_path / f'{at_step}.sqlite3'}", expert) as street:
            await street.accepts(wished("begin", *types(LINE)(street, "")))
            await street.carries_out()
            case = await first_case(street)
            kinds: dict[str, Said] = {
                "begin": (Bring(text=OTHER), DIRECT),
                "typed": (Bring(text="never"), THREAD),
                "answer": presses("answer", "timing.worked", "never")(street, case),
                "step": (Step(execution="Fx1", text=OTHER), Place()),
                "ended": (Ended(case=case, solved=True), at(street)),
                "share": (Press(does="share", case=case), Place(channel="C3", message=shown(street).ts)),
            }
            await street.accepts(wished("the wish", *kinds[name]))
            there = THREAD if kinds[name][1].thread == THREAD.thread else DIRECT.model_copy(update={"thread": "9.9"})
            later = wished("later", Bring(text="unknown" if there is THREAD else OTHER), there)

            async def meanwhile(street: Street = street, later: Wish = later) -> None:
                await street.accepts(later)
                await street.carries_out()

            life = Life(held_at=at_step)
            await street.stands_still(life, meanwhile)
            found = await picture_of(street)
            found["seen"].sort()  # they may come one after the other or the other way round
            if expected is None:
                expected, steps = found, life.steps
            elif at_step < len(steps) and steps[at_step] not in ON_ITS_WAY:
                assert found == expected, f"stood still {steps[at_step]}"
        at_step += each if at_step >= 0 else 1


async def test_a_workspace_that_leaves_while_something_is_thought_through_is_forgotten_all_the_same(
    url: str, expert: Expert
) -> None:
    async with street_at(url, expert) as street:
        for at_step in range(60):
            await street.accepts(wished(f"begin {at_step}", Bring(text=LINE), DIRECT))

            async def meanwhile(at_step: int = at_step) -> None:
                await street.accepts(wished(f"left {at_step}", Left(), Place(), ""))
                await street.carries_out()

            life = Life(held_at=at_step)
            await street.stands_still(life, meanwhile)
            assert await told(street) == [], f"left {life.steps[at_step : at_step + 1]}"
            if at_step >= len(life.steps):
                return
        raise AssertionError("it goes on for ever")


async def test_a_wish_that_ends_its_process_takes_none_with_it(url: str, expert: Expert) -> None:
    async with street_at(url, expert) as street:
        for number in range(4):
            place = Place(channel=f"C{number}", thread="1.1", message="1.1")
            await street.accepts(wished(f"wish {number}", Bring(text=LINE), place))
        await street.carries_out(*(Life(killed_at=6) for _ in range(MOST_FAULTS)))
        seen = sorted((one.channel, one.text.split()[0]) for one in street.slack.messages)
        assert seen == [("C0", "fault"), ("C1", "case"), ("C2", "case"), ("C3", "case")]


# What one person sees, who leaves, and several people at the same time


@pytest.mark.parametrize("name", ["command", "export"])
async def test_what_one_person_sees_comes_at_most_once_wherever_the_process_ends(
    url: str, expert: Expert, name: str
) -> None:
    kept = at_step = most = 0
    async with street_at(url, expert) as street:
        while at_step <= most:
            await street.accepts(wished(f"begin {at_step}", Bring(text=LINE), DIRECT))
            await street.carries_out()
            place = Place(channel=CHANNEL, response_url=f"{HOOK}{CHANNEL}/{ANN}/new")
            export = Press(does="export", case=await first_case(street))
            asked = wished(f"wish {at_step}", Bring(text=OTHER) if name == "command" else export, place)
            life = Life(killed_at=at_step)
            await street.accepts(asked)
            await street.carries_out(life)
            await street.accepts(asked)
            await street.carries_out()
            seen = [one for one in street.slack.messages if one.only]
            lost = life.steps[-1] if life.dead else ""
            assert len(seen) == 1 or (not seen and lost in LOST), f"ended {lost}"
            assert len(await told(street)) == (2 if name == "command" else 1), f"ended {lost}"
            most, kept = max(most, len(life.steps)), kept + len(seen)
            await forgotten(street, at_step)
            street.slack.messages.clear()
            at_step += 1
    assert kept > at_step // 2


LOST = ("after a write", "marked", "before respond")
"""After these it is not known whether what one person sees has come: it does not come again."""


@pytest.mark.parametrize("shared", [True, False])
async def test_a_workspace_that_leaves_is_forgotten_wherever_the_process_ends(
    url: str, expert: Expert, shared: bool
) -> None:
    at_step, most = 0, 0
    async with street_at(url, expert) as street:
        street.workspace_of = (lambda _: "local") if shared else str
        while at_step <= most:
            await street.accepts(wished(f"begin {at_step}", Bring(text=LINE), DIRECT))
            await street.carries_out()
            life = Life(killed_at=at_step)
            await street.accepts(wished(f"left {at_step}", Left(), Place(), ""))
            await street.carries_out(life)
            assert await told(street) == []
            assert street.gone
            street.gone.clear()
            most = max(most, len(life.steps))
            at_step += 1


async def test_several_people_at_the_same_moment_are_all_heard_wherever_a_process_ends(
    url: str, expert: Expert
) -> None:
    async with street_at(url, expert) as street:
        for at_step in range(0, 40, EACH):
            dice = random.Random(at_step)  # noqa: S311
            await street.accepts(wished(f"begin {at_step}", Bring(text=LINE), THREAD))
            await street.carries_out()
            case, place = await first_case(street), at(street)
            answer = Press(does="answer", case=case, feature="timing.worked")
            wishes = [
                wished(f"ann {at_step}", answer.model_copy(update={"value": "never"}), place),
                wished(f"ben {at_step}", answer.model_copy(update={"value": "sporadic"}), place, BEN),
                wished(f"cat {at_step}", Bring(text=OTHER), THREAD, "U3"),
                wished(f"dan {at_step}", Press(does="edit", case=case, feature="timing.worked"), place, "U4"),
            ] * 3
            dice.shuffle(wishes)
            await asyncio.gather(*(street.accepts(one) for one in wishes))
            await street.at_once(Life(killed_at=at_step), Life(), Life(killed_at=dice.randrange(40)))
            ((*events,),) = await told(street)
            assert len([one for one in events if '"answered"' in one]) == 2
            assert len([one for one in events if '"pasted"' in one]) == 2
            first, second = street.slack.messages
            assert first.text == "folded"
            assert second.text.startswith(("case ", "edit "))
            await forgotten(street, at_step)
            street.slack.messages.clear()
