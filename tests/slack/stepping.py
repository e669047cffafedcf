"""Processes that end between any two things they do: calls of the store and of Slack are steps, before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.casebook import Casebook
from bot.cases import Store
from bot.remembered import Remembered
from bot.slack.inbox import LEASE, Inbox
from bot.slack.places import Places
from bot.slack.tables import SLACK_INBOX
from bot.slack.turns import Turns
from bot.slack.wishes import Wish
from bot.slack.world import World
from bot.threads import Threads
from rules.diagnose import Expert
from tests.clock import Clock
from tests.fake_slack import FakeSlack, PlainViews

T = TypeVar("T")
Step = Callable[[str], Awaitable[None]]


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Life:
    """The steps of one process: at `killed_at` it ends, at `held_at` it stands still until it goes on."""

    killed_at: int = -1
    held_at: int = -1
    steps: list[str] = field(default_factory=list)
    dead: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self, name: str) -> None:
        """Take a step, or end."""
        if not self.dead:
            self.steps.append(name)
            self.dead = len(self.steps) - 1 == self.killed_at
        if self.dead:
            raise Killed(name)
        if len(self.steps) - 1 == self.held_at:
            self.reached.set()
            await self.goes_on.wait()


class SteppedStore(Store):
    """A store of which each transaction is a step, before and after."""

    def __init__(self, store: Store, now: Callable[[], datetime], step: Step) -> None:
        super().__init__(store._engine, store._file, now)
        self._step = step

    async def read_with(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Read."""
        await self._step("before a read")
        found = await super().read_with(work)
        await self._step("after a read")
        return found

    async def write_with(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, hurried: bool = False, lasting: bool = True
    ) -> T:
        """Write."""
        await self._step("before a write")
        found = await super().write_with(work, hurried=hurried, lasting=lasting)
        await self._step("after a write")
        return found


class SteppedSlack:
    """Slack, of which each call is a step, before and after."""

    def __init__(self, slack: FakeSlack, step: Step) -> None:
        self._slack = slack
        self._step = step

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Give a call of it."""
        return partial(self._called, name)

    async def _called(self, name: str, *told: Any, **named: Any) -> Any:
        await self._step(f"before {name}")
        found = await getattr(self._slack, name)(*told, **named)
        await self._step(f"after {name}")
        return found


@dataclass
class Street:
    """A store and a Slack, and processes that serve them, one after the other or at the same time."""

    store: Store
    clock: Clock
    expert: Expert
    slack: FakeSlack = field(default_factory=FakeSlack)
    gone: list[str] = field(default_factory=list)
    remembered: Remembered = field(default_factory=Remembered)
    workspace_of: Callable[[str], str] = str
    most: int = 0

    def __post_init__(self) -> None:
        self.places = Places(self.store)
        self.threads = Threads(2)

    def process(self, life: Life) -> Turns:
        """Begin a process."""
        store = SteppedStore(self.store, self.clock, life.step)
        book = Casebook(store, self.expert, self.threads)
        book._remembered = self.remembered

        async def uninstalled(team: str, at: float) -> bool:
            assert at >= 0
            await life.step("before it is uninstalled")
            self.gone.append(team)
            return True

        slack: Any = SteppedSlack(self.slack, life.step)
        link = "https://whydrop.example/cases/{}".format
        world = World(book, Places(store), slack, PlainViews(), self.workspace_of, link, uninstalled, life.step)
        return Turns(world, Inbox(store))

    async def accepts(self, wish: Wish, life: Life | None = None) -> None:
        """Keep a wish, in a process that may end before or after that, and then is told it again."""
        life = life or Life()
        try:
            await life.step("before it is kept")
            await Inbox(self.store).accept(wish)
            await life.step("after it is kept")
        except Killed:
            await Inbox(self.store).accept(wish)

    async def carries_out(self, *lives: Life) -> None:
        """Carry out what waits: each process ends, its lease runs out, and the next one takes over."""
        for life in lives:
            try:
                await self.process(life).carry_out_due()
            except Killed:
                self.clock.time += LEASE + timedelta(seconds=1)
            self.most = max(self.most, len(life.steps))
        for _ in range(20):
            await self.process(Life()).carry_out_due()
            if not await self.waiting():
                return
            self.clock.time += timedelta(seconds=61)
        raise AssertionError("something waits for ever")

    async def at_once(self, *lives: Life) -> None:
        """Let several processes work at the same time until each has ended or has nothing to do; then one goes on."""
        ended = await asyncio.gather(*(self.process(one).carry_out_due() for one in lives), return_exceptions=True)
        assert all(isinstance(one, int | Killed) for one in ended), ended
        self.clock.time += LEASE + timedelta(seconds=1)
        await self.carries_out()

    async def stands_still(self, life: Life, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Let a process stand still for longer than its lease while something else happens; then it goes on."""
        work = asyncio.create_task(self.process(life).carry_out_due())
        reached = asyncio.create_task(life.reached.wait())
        await asyncio.wait({work, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        self.clock.time += LEASE + timedelta(seconds=1)
        await meanwhile()
        life.goes_on.set()
        await work
        await self.carries_out()

    async def waiting(self) -> bool:
        """Tell whether something waits."""
        chosen = select(SLACK_INBOX.c.number).where(SLACK_INBOX.c.due.is_not(None)).limit(1)
        return await self.store.read_with(lambda one: one.scalar(chosen)) is not None
