"""Turns: the wishes of the inbox are carried out, some at a time, each until it is answered.

Any number of processes may do so with one inbox. All that is done may be done again, up to the mark that it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import timedelta

from bot.logs import place
from bot.slack.conversation import reply_to
from bot.slack.delivering import Delivery
from bot.slack.inbox import Claimed, Inbox
from bot.slack.pacing import Pacing
from bot.slack.places import Lost
from bot.slack.replies import Alone, Finished, Home, Post, Reply
from bot.slack.web import Later, NoToken, Refused, Uncertain
from bot.slack.wishes import Act, Bring, Left, Look, Step
from bot.slack.world import Turn, World
from bot.tables import Busy
from bot.thinking import LONG
from bot.threads import TooBusy

log = logging.getLogger("whydrop.slack")

MOST_AT_ONCE = 5
"""Wishes that one process carries out at the same time, not counting those that are long to read."""
MOST_LONG = 2
"""Wishes with files or long texts that it carries out beside them; so nobody waits for the files of others."""
MOST_HELD = 50
"""Wishes that it holds in all: those that it carries out, and long ones that wait to be."""
POLL_S = 1.0
"""Seconds between two looks for wishes that came to other processes."""
PATIENCE_S = 60.0
"""Seconds that one try may take."""
LONGEST = timedelta(minutes=30)
"""How long a wish is tried while Slack does not answer; so long Slack's address for an answer is good, too."""
_PAUSE_S = 1.0
_LEAVING_S = 3.0
_EXPIRE_EVERY = timedelta(hours=1)
_FAULT = "whydrop failed to read this; please tell whoever runs it."


class Turns:
    """Carries wishes out. One per process, in the loop that serves."""

    def __init__(self, world: World, inbox: Inbox, pacing: Pacing | None = None) -> None:
        self._world = world
        self._inbox = inbox
        self._pacing = pacing or Pacing()
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._long = asyncio.Semaphore(MOST_LONG)
        self._expired = inbox.store.now() - _EXPIRE_EVERY

    async def run(self) -> None:
        """Carry wishes out until cancelled; what is under way then is finished soon, or left to others."""
        beside = asyncio.create_task(self._renewing())
        try:
            while True:
                try:
                    await self._look()
                except Exception as wrong:  # noqa: BLE001  (whatever it is, later wishes are not to wait for ever)
                    log.error("wishes wait: %s", _named(wrong))
                    await asyncio.sleep(POLL_S)
        finally:
            await self._leave()
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def carry_out_due(self) -> int:
        """Carry out all that is due, and what becomes due meanwhile; gives the number of tries."""
        made = 0
        try:
            while (taken := await self._take()) or self._running:
                made += len(taken)
                if self._running:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                self._reap()
        except asyncio.CancelledError:
            await self._leave()
            raise
        return made

    async def _look(self) -> None:
        """Take what is due; then wait until something came, something is done, or it is time to look again."""
        now = self._inbox.store.now()
        if now - self._expired >= _EXPIRE_EVERY:
            await self._inbox.expire()
            self._expired = now
        self._inbox.woken.clear()
        if await self._take():
            return
        woken = asyncio.ensure_future(self._inbox.woken.wait())
        # While all hands are full, what came waits.
        waiting = {*self._running, *([woken] if self._free else [])}
        try:
            await asyncio.wait(waiting, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        self._reap()

    @property
    def _free(self) -> int:
        """How many wishes may be taken."""
        short = sum(not _is_long(one.wish.act) for one in self._running.values())
        return max(min(MOST_AT_ONCE - short, MOST_HELD - len(self._running)), 0)

    async def _take(self) -> Sequence[Claimed]:
        free = self._free
        if not free or any(one.suspect for one in self._running.values()):
            return []
        try:
            taken = await self._inbox.claim(free, idle=not self._running)
        except Busy:
            return []
        for one in taken:
            self._running[asyncio.create_task(self._carry_out(one))] = one
        return taken

    def _reap(self) -> None:
        """Let go of what is done. Raises what ended a turn that nothing is to survive."""
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            if not task.cancelled():
                task.result()

    async def _renewing(self) -> None:
        while True:
            await asyncio.sleep(self._inbox.lease.total_seconds() / 3)
            try:
                await self._inbox.renew(list(self._running.values()))
            except Exception as wrong:  # noqa: BLE001  (the next time will do, or others take over)
                log.error("leases were not renewed: %s", _named(wrong))

    async def _leave(self) -> None:
        """Let what is under way come to its end, for a moment; the rest is left to others."""
        if self._running:
            await asyncio.wait(self._running, timeout=_LEAVING_S)
        left = {task: one for task, one in self._running.items() if not task.done()}
        for task in left:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for one in left.values():
            with suppress(Exception):  # its lease runs out
                await self._inbox.postpone(one, timedelta())
        self._running.clear()

    async def _carry_out(self, one: Claimed) -> None:
        """Carry a wish out, and write down what became of it."""
        try:
            try:
                async with self._long if _is_long(one.wish.act) else nullcontext(), asyncio.timeout(PATIENCE_S):
                    await self._turn(one)
            except (Later, Busy, TooBusy, Uncertain) as wait:
                await self._later(one, wait.seconds if isinstance(wait, Later) else _PAUSE_S)
            except NoToken:
                log.warning("wish %d: the app is not installed there any longer", one.number)
                await self._inbox.settle(one)
            except Lost:
                log.warning("wish %d: somebody else has it", one.number)
            except Exception as wrong:  # noqa: BLE001  (whatever broke, somebody waits for an answer)
                log.error("wish %d, try %d: %s", one.number, one.tries, _named(wrong))
                if one.poison:
                    await self._inbox.settle(one)
                else:
                    await self._inbox.postpone(one, timedelta(seconds=_PAUSE_S * one.faults), fault=True)
        except Exception as wrong:  # noqa: BLE001  (its lease runs out, and it is carried out once more)
            log.error("wish %d: not written down: %s", one.number, _named(wrong))

    async def _later(self, one: Claimed, seconds: float) -> None:
        if self._inbox.store.now() - one.came > LONGEST:
            log.error("wish %d: given up, Slack does not take its answer", one.number)
            await self._inbox.settle(one)
        else:
            await self._inbox.postpone(one, timedelta(seconds=min(seconds * max(one.tries, 1) ** 0.5, 60.0)))

    async def _turn(self, one: Claimed) -> None:
        turn = Turn(self._world, one.wish, first=one.tries == 1)
        reply = _fault(one, self._world) if one.poison else await reply_to(turn)
        await self._world.step("ready")
        if reply is not None:
            await self._deliver(one, reply)
        await self._world.step("answered")
        await self._inbox.settle(one)

    async def _deliver(self, one: Claimed, reply: Reply) -> None:
        try:
            await Delivery(self._world, self._pacing, one).bring(reply)
        except Refused as refused:
            # Slack will not take it ever, wherever it goes. The case is kept; the app's home leads to it.
            log.error("wish %d: Slack refused its answer: %s", one.number, refused.error)


def _is_long(act: Act) -> bool:
    """Tell whether something is long to read; files are, for all that is known before they are read."""
    match act:
        case Bring(text=text, files=files):
            return bool(files) or len(text) >= LONG
        case Step(text=text):
            return len(text) >= LONG
        case _:
            return False


def _fault(one: Claimed, world: World) -> Reply | None:
    """Say that it is our fault, in the place of the answer."""
    wish, place = one.wish, one.wish.place
    match wish.act:
        case Step(execution=execution):
            return Finished(execution, error=_FAULT)
        case Left():
            return None
        case Look(at="home"):
            return Home(world.views.home([], aliases=False))
        case _ if place.response_url:
            return Alone(world.views.fault())
        case _:
            return Post(place.channel or wish.user, place.thread, world.views.fault())


def _named(wrong: BaseException) -> str:
    """Say what broke and where, without the words of the error: they may quote the paste."""
    return f"unexpected {type(wrong).__name__} at {place(wrong)}"
