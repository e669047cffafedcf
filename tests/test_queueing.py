"""Turns: one at a time, those in a hurry first but never twice in a row, and nobody who gave up is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from bot.queueing import OneAtATime


class Door:
    """A door that one goes through at a time; who is inside stays until let out."""

    def __init__(self) -> None:
        self.turns = OneAtATime()
        self.inside: list[str] = []
        self.out = asyncio.Semaphore(0)

    def goes(self, name: str, *, hurried: bool = False) -> asyncio.Task[None]:
        return asyncio.create_task(self._through(name, hurried=hurried))

    async def _through(self, name: str, *, hurried: bool) -> None:
        async with self.turns.turn(hurried=hurried):
            self.inside.append(name)
            await self.out.acquire()

    async def lets_out(self, *these: Awaitable[object]) -> None:
        for _ in these:
            self.out.release()
        await asyncio.gather(*these)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_they_go_in_the_order_they_came() -> None:
    door = Door()
    going = [door.goes(name) for name in "abc"]
    await settled()
    assert door.inside == ["a"]
    await door.lets_out(*going)
    assert door.inside == ["a", "b", "c"]


async def test_those_in_a_hurry_go_first_but_not_twice_in_a_row() -> None:
    door = Door()
    going = [door.goes("a")]
    await settled()
    going += [door.goes(name) for name in "bc"] + [door.goes(name, hurried=True) for name in "xyz"]
    await settled()
    await door.lets_out(*going)
    assert door.inside == ["a", "x", "b", "y", "c", "z"]


@pytest.mark.parametrize("called", [False, True], ids=["while it waits", "when it was just called"])
async def test_who_gives_up_holds_nobody_up(called: bool) -> None:
    door = Door()
    async with door.turns.turn():
        second, third = door.goes("b"), door.goes("c")
        await settled()
        if not called:
            second.cancel()
            await settled()
    second.cancel()  # where it was called, it does not know yet
    await asyncio.wait_for(door.lets_out(third), 5)
    assert second.cancelled()
    assert door.inside == ["c"]


async def test_one_that_fails_passes_the_turn_on() -> None:
    turns = OneAtATime()
    with pytest.raises(ZeroDivisionError):
        async with turns.turn():
            raise ZeroDivisionError
    async with turns.turn():
        pass
