"""Bringing a reply to its place exactly once, whatever happens on the way.

A reply that changes something that is there (an update, the app's home, the end of a step) may simply be made again.
A new message may not. Before it is sent, that is written down; after it, where it is. Whoever finds that it was about
to be sent, and not where it is, looks in the thread for a message that bears the key of the wish.

Where nobody can look (what one person alone sees, channels whose history the app may not read), it is not sent again:
it most likely arrived, because it is written down just before it is sent, and twice is never. If it did not, nothing
of the case is lost: the next thing that is said or pressed there shows it, as the app's home and `status` do.

A process may stand still for longer than its lease, and go on. Before anything is sent it looks whether the wish is
still its own, once the lease it took is over; only what is on its way to Slack by then cannot be called back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from bot.slack.inbox import Claimed
from bot.slack.pacing import Pacing
from bot.slack.pictures import Put, without_pictures
from bot.slack.places import Sent, Thread
from bot.slack.replies import Alone, Attached, Finished, Home, Message, Post, Reply, Update
from bot.slack.views import Showing
from bot.slack.web import CannotLook, Fields, Later, NoToken, Refused, Uncertain
from bot.slack.world import World

log = logging.getLogger("whydrop.slack")

NOT_HERE = "I am not in this channel, so only you see this. Invite me with `/invite @whydrop`, and others can join in."
NOT_TAKEN = "Slack did not take my answer in the channel ({}), so only you see it."
_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "invalid_attachments"}
_UNKNOWN = "not_installed"
_OUTSIDE = {_UNKNOWN, "not_in_channel", "channel_not_found", "user_not_in_channel"}
_UNSEEN = "alone"
"""Stands for the ts of what one person sees: it has one, which nothing can be done with."""
_REPLACING = {"response_type": "ephemeral", "replace_original": True}
_RETRY_S = 2.0
_SHORT_S = 2.0
"""Seconds that are waited for a turn in a channel; for longer, the wish is put off."""
_LOOK_BACK_S = 60.0
"""Seconds before a wish came from which on its reply is looked for: clocks differ."""

T = TypeVar("T")
Sending = Callable[[], Awaitable[Sent]]
Looking = Callable[[], Awaitable[Sent | None]]
"""Looks whether it was sent. Raises CannotLook."""


class Delivery:
    """Brings the reply to one wish to its place."""

    def __init__(self, world: World, pacing: Pacing, one: Claimed) -> None:
        self._world = world
        self._slack = world.slack
        self._pacing = pacing
        self._one = one
        self._wish = one.wish

    async def bring(self, reply: Reply) -> None:
        """Bring a reply. Raises Later, Lost, NoToken, and Refused for what Slack will never take."""
        await self._ours()
        try:
            match reply:
                case Alone():
                    await self._alone(reply)
                case Post():
                    await self._post(reply)
                case Update():
                    await self._update(reply)
                case Home():
                    await self._slack.publish(self._wish.team, self._wish.user, reply.view)
                case Finished():
                    await self._finish(reply)
        except Uncertain:  # of what may simply be made again
            raise Later(_RETRY_S) from None

    async def _ours(self) -> None:
        """Hold, before anything is sent, that the wish is ours: this process may have stood still. Raises Lost."""
        if self._world.places.store.now() >= self._one.until:
            await self._world.places.still_ours(self._one)

    # For one person

    async def _alone(self, reply: Alone) -> None:
        if reply.replace and await self._responded(reply, replace_original=True):
            respond = partial(self._slack.respond, self._wish.place.response_url)
            await self._draw(reply.message, reply.case, lambda body: respond({**_REPLACING, **body}))
            return
        if await self._once(lambda: self._sent_alone(reply), _cannot_look) is None:
            log.warning("wish %d: it is not known whether its answer arrived", self._one.number)
        elif reply.attached:
            await self._attach(reply.attached)

    async def _attach(self, file: Attached) -> None:
        """Put a file into a thread. The wish is done by now, so that it is there at most once."""
        try:
            text = file.text.encode("utf-8", "replace")
            await self._slack.upload(self._wish.team, file.name, file.name, text, file.channel, file.thread)
        except (Later, NoToken, Refused, Uncertain) as wrong:
            log.info("wish %d: no file: %s", self._one.number, wrong)

    async def _sent_alone(self, reply: Alone) -> Sent:
        """Send it by the first way that is open: where the request said, in the channel, or directly."""
        place, wish = self._wish.place, self._wish
        if not reply.replace and await self._responded(reply, replace_original=False):
            return Sent(place.channel, _UNSEEN)
        if place.channel and place.channel != wish.user and not place.direct:
            try:
                await self._in_words(
                    reply.message,
                    lambda body: self._slack.post_for_one(wish.team, place.channel, place.thread, wish.user, body),
                )
            except Refused as refused:
                log.info("wish %d: for one alone: %s", self._one.number, refused.error)
            else:
                return Sent(place.channel, _UNSEEN)
        return await self._posted(wish.user, "", reply.message)

    async def _responded(self, reply: Alone, *, replace_original: bool) -> bool:
        """Answer at the address that the request named; False if there is none, or if it is used up."""
        url = self._wish.place.response_url
        if not url:
            return False
        how = {**_REPLACING, "replace_original": replace_original}
        try:
            await self._in_words(
                reply.message, lambda body: self._slack.respond(url, {**how, **body}), updating=replace_original
            )
        except Refused as refused:
            log.info("wish %d: response_url: %s", self._one.number, refused.error)
            return False
        return True

    # For all

    async def _post(self, reply: Post) -> None:
        try:
            sent = await self._once(
                lambda: self._posted(reply.channel, reply.thread, reply.message),
                lambda: self._found(reply.channel, reply.thread),
                reply.before,
            )
        except (NoToken, Refused) as wrong:
            error = wrong.error if isinstance(wrong, Refused) else _UNKNOWN
            log.warning("wish %d: post: %s", self._one.number, error)
            await self._alone(Alone(await self._instead(reply, error)))
            return
        if sent and sent.ts != _UNSEEN:
            last = not (sent.before or reply.then or reply.message.undrawn)
            await self._world.places.sent(self._one, sent, self._thread(reply, sent), done=last)
            await self._world.step("written down")
            if sent.before:
                await self._fold(sent.channel, sent.before)
        if reply.then:
            await self._world.step("posted")
            await self._alone(reply.then)
        if sent and sent.ts != _UNSEEN:
            update = partial(self._slack.update, self._wish.team, sent.channel, sent.ts)
            await self._draw(reply.message, reply.case, update)

    def _thread(self, reply: Post, sent: Sent) -> Thread | None:
        if not reply.case:
            return None
        return Thread(self._wish.team, sent.channel, reply.thread or sent.ts, reply.case, reply.asker, sent.ts)

    async def _instead(self, reply: Post, error: str) -> Message:
        """Make what the asker sees alone where the app may not post."""
        world = self._world
        why = NOT_HERE if error in _OUTSIDE else NOT_TAKEN.format(error)
        if not reply.case:
            return world.views.said([why], None, Showing(alone=True))
        consulted = await world.casebook.read(world.workspace_of(self._wish.team), reply.case)
        shown = Showing(world.link_of(reply.case), alone=True, moved=why)
        return await world.casebook.in_thread(lambda: world.views.case(consulted, shown))

    async def _update(self, reply: Update) -> None:
        update = partial(self._slack.update, self._wish.team, reply.channel, reply.ts)
        try:
            await self._in_words(reply.message, update, updating=True)
        except (NoToken, Refused) as wrong:
            # It may be one that only the asker sees, or it was deleted.
            log.info("wish %d: update: %s", self._one.number, wrong)
            if not await self._responded(Alone(reply.message), replace_original=True):
                await self._post(reply.instead)
            return
        if reply.before:
            await self._world.step("updated")
            await self._fold(reply.channel, reply.before)
            sent = Sent(reply.channel, reply.ts)
            await self._world.places.sent(self._one, sent, self._thread(reply.instead, sent), done=True)
        else:
            await self._draw(reply.message, reply.instead.case, update)

    async def _draw(self, message: Message, case: str, put: Put) -> None:
        """Show the picture that a message waits for. The answer is there: whatever happens, it stays."""
        if self._world.pictures:
            await self._world.pictures.show(self._wish.team, case, message, put, self._world.step)

    async def _fold(self, channel: str, ts: str) -> None:
        """Let the message before say that it goes on below. If that fails, nothing but calm is lost."""
        try:
            await self._slack.update(self._wish.team, channel, ts, self._world.views.folded().body())
        except (Later, Refused, Uncertain) as wrong:
            log.info("wish %d: not folded: %s", self._one.number, wrong)

    async def _finish(self, reply: Finished) -> None:
        team = self._wish.team
        try:
            if reply.error:
                await self._slack.fail_step(team, reply.execution, reply.error)
            else:
                await self._slack.complete_step(team, reply.execution, reply.outputs)
        except Refused as refused:  # it was completed before, or given up
            log.info("wish %d: step: %s", self._one.number, refused.error)

    # Once

    async def _once(self, send: Sending, look: Looking, before: str = "") -> Sent | None:
        """Send what was not sent yet; give where it is, None if nobody can know."""
        known = await self._world.places.sending(self._one, before)
        await self._world.step("marked")
        try:
            sent = known if known and known.ts else (await look() if known else None) or await self._sending(send, look)
        except CannotLook:
            return None
        await self._world.step("sent")
        if sent.ts == _UNSEEN:
            await self._world.places.sent(self._one, sent, done=True)
        return replace(sent, before=known.before if known else before)

    async def _sending(self, send: Sending, look: Looking) -> Sent:
        try:
            return await send()
        except (Later, NoToken, Refused):
            await self._world.places.not_sent(self._one)
            raise
        except Uncertain as uncertain:
            try:
                found = await look()
            except CannotLook:
                if uncertain.answered:  # Slack says that it failed; nobody can tell better
                    await self._world.places.not_sent(self._one)
                    raise Later(_RETRY_S) from None
                raise
            if found is None:
                # Unanswered, it may still be on its way: the mark stays, so it is looked for again. Slack lets some
                # apps look once a minute, so where it says that it failed, and nothing is there, that is enough.
                if uncertain.answered:
                    await self._world.places.not_sent(self._one)
                raise Later(_RETRY_S) from None
            return found

    async def _found(self, channel: str, thread: str) -> Sent | None:
        since = self._one.came.timestamp() - _LOOK_BACK_S
        ts = await self._slack.find(self._wish.team, channel, thread, self._wish.key, since)
        return None if ts is None else Sent(channel, ts)

    async def _posted(self, channel: str, thread: str, message: Message) -> Sent:
        if wait := self._pacing.wait(f"{self._wish.team} {channel}"):
            if wait > _SHORT_S:
                raise Later(wait)
            await asyncio.sleep(wait)
        wish = self._wish
        return Sent(*await self._in_words(message, lambda b: self._slack.post(wish.team, channel, thread, b, wish.key)))

    async def _in_words(self, message: Message, send: Callable[[Fields], Awaitable[T]], *, updating: bool = False) -> T:
        """Send a message; without its pictures if Slack refuses its blocks, and in words alone if it refuses those.

        Its words are all that there is to say, as far as Slack takes them: of an update it takes less.
        """
        await self._ours()
        words = message.text if updating else message.whole
        whole = {**message.body(), "text": words}
        plainer, files = without_pictures(whole)
        for body in [whole, plainer] if files else [whole]:
            try:
                sent = await send(body)
            except Refused as refused:
                if refused.error not in _BLOCKS:
                    raise
                log.warning("Slack refused a message: %s; now plainer", refused.error)
            else:
                if body is plainer and self._world.pictures:
                    await self._world.pictures.forget(self._wish.team, files)
                return sent
        return await send({"text": words})


async def _cannot_look() -> Sent | None:
    raise CannotLook
