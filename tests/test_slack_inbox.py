from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.cases import Store
from bot.slack.inbox import LEASE, Claimed, Inbox
from bot.slack.pacing import BURST, Pacing
from bot.slack.wishes import Bring, Place, Wish
from tests.clock import Clock

pytest_plugins = ["tests.postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def inboxes(url: str, clock: Clock) -> AsyncIterator[list[Inbox]]:
    """Give the inboxes of three processes, which share one database."""
    async with Store.open(url, clock) as one, Store.open(url, clock) as two, Store.open(url, clock) as three:
        await one.migrate()
        yield [Inbox(store) for store in (one, two, three)]


def wish(key: str, lane: str = "1.1", text: str = "x") -> Wish:
    return Wish(key=key, team="T1", user="U1", place=Place(channel="C1", thread=lane), act=Bring(text=text))


async def claim(inbox: Inbox, most: int = 8) -> list[str]:
    return [one.wish.key for one in await inbox.claim(most)]


async def test_a_lane_is_carried_out_one_after_the_other_and_lanes_side_by_side(inboxes: list[Inbox]) -> None:
    one, two, _ = inboxes
    for key, lane in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "1")):
        await one.accept(wish(key, lane))
    (first, other) = await one.claim(8)
    assert [first.wish.key, other.wish.key] == ["a", "c"]
    assert await claim(two) == []
    await one.settle(first)
    assert await claim(two) == ["b"]


async def test_a_wish_of_whoever_died_is_taken_up_when_its_lease_has_run_out(
    inboxes: list[Inbox], clock: Clock
) -> None:
    one, two, _ = inboxes
    await one.accept(wish("a"))
    (dead,) = await one.claim(8)
    clock.time += LEASE / 2
    assert await claim(two) == []
    clock.time += LEASE
    (again,) = await two.claim(8)
    assert (again.tries, again.faults) == (2, 2)
    await one.settle(dead)  # he was only slow: it is not his any longer
    clock.time += 2 * LEASE
    assert await claim(two) == ["a"]


async def test_a_lease_that_is_renewed_does_not_run_out(inboxes: list[Inbox], clock: Clock) -> None:
    one, two, _ = inboxes
    await one.accept(wish("a"))
    ours = await one.claim(8)
    for _ in range(5):
        clock.time += LEASE * 0.8
        await one.renew(ours)
        assert await claim(two) == []


async def test_a_wish_that_is_put_off_holds_back_its_lane_only(inboxes: list[Inbox], clock: Clock) -> None:
    one, *_ = inboxes
    for key, lane in (("a", "1"), ("b", "1"), ("c", "2")):
        await one.accept(wish(key, lane))
    first = (await one.claim(1))[0]
    await one.postpone(first, timedelta(seconds=30))
    assert await claim(one) == ["c"]
    clock.time += timedelta(seconds=31)
    again = [found for found in await one.claim(8) if found.wish.key == "a"]
    assert [found.faults for found in again] == [1], "to be put off is no fault"


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\u202e", "😀" * 1000, "x" * 1_000_000, "'; drop table cases"])
async def test_any_text_is_kept_as_it_is(inboxes: list[Inbox], text: str) -> None:
    sent = wish("a", text=text)
    await inboxes[0].accept(sent)
    (found,) = await inboxes[1].claim(8)
    assert found.wish == sent


async def test_many_processes_carry_out_each_wish_once_and_in_order(inboxes: list[Inbox]) -> None:
    wishes = [wish(f"{lane}-{number}", str(lane)) for number in range(8) for lane in range(6)]
    accepted = await asyncio.gather(*(inboxes[n % 3].accept(one) for n, one in enumerate([*wishes, *wishes[::-1]] * 2)))
    assert sum(accepted) == len(wishes)
    done: list[Claimed] = []

    async def work(inbox: Inbox) -> None:
        while len(done) < len(wishes):
            for one in await inbox.claim(3):
                await asyncio.sleep(0)
                done.append(one)
                await inbox.settle(one)

    async with asyncio.timeout(60):
        await asyncio.gather(*map(work, inboxes))
    assert sorted(one.wish.key for one in done) == sorted(one.key for one in wishes)
    for lane in {one.lane for one in wishes}:
        numbers = [one.number for one in done if one.wish.lane == lane]
        assert numbers == sorted(numbers)


async def test_a_wish_that_cannot_be_kept_does_not_take_others_with_it(inboxes: list[Inbox]) -> None:
    inbox = inboxes[0]
    keys = ["a", "nul \x00", "b", "a"]  # PostgreSQL takes no NUL
    found = await asyncio.gather(*(inbox.accept(wish(key, key[0])) for key in keys), return_exceptions=True)
    assert [found[0], found[2], found[3]] == [True, True, False]
    assert {"a", "b"} <= set(await claim(inbox))


async def test_who_asks_and_goes_away_does_not_keep_others_waiting(inboxes: list[Inbox]) -> None:
    inbox = inboxes[0]
    asking = [asyncio.create_task(inbox.accept(wish(key, key))) for key in "abc"]
    await asyncio.sleep(0)
    asking[0].cancel()
    assert await asking[1]
    assert await asking[2]
    assert set(await claim(inbox)) == {"a", "b", "c"}


async def test_who_accepts_wakes_who_carries_out(inboxes: list[Inbox]) -> None:
    inbox = inboxes[0]
    await inbox.accept(wish("a"))
    async with asyncio.timeout(5):
        await inbox.woken.wait()
    inbox.woken.clear()
    await inbox.accept(wish("a"))
    assert not inbox.woken.is_set()


def test_a_wish_is_not_shown_where_it_may_be_logged() -> None:
    found = Claimed(1, 1, 1, Clock()(), Clock()(), wish("a", text="a secret"))
    assert "secret" not in repr(found)


def test_new_messages_of_a_channel_come_about_one_a_second() -> None:
    now = 100.0
    pacing = Pacing(lambda: now)
    assert [pacing.wait("C1") for _ in range(BURST)] == [0.0] * BURST
    assert 0 < pacing.wait("C1") <= 1
    assert pacing.wait("C2") == 0
    now += 1.001
    assert pacing.wait("C1") == 0
    assert pacing.wait("C1") > 0
