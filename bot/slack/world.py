"""What a conversation in Slack stands in, and where its answers go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.case_events import CaseEvent
from bot.casebook import Casebook, Consulted
from bot.slack.pictures import Pictures
from bot.slack.places import Places, Thread
from bot.slack.replies import Alone, Message, Post, Reply, Update, Views
from bot.slack.telling import After, Telling
from bot.slack.views import Showing
from bot.slack.web import Slack
from bot.slack.wishes import Ended, Press, Wish
from rules.diagnose import Expert


async def _nothing(_: str) -> None:
    pass


async def _gone(_: str, __: float) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class World:
    """What a conversation stands in. `workspace_of` gives the workspace of a team's cases, `link_of` a case's address.

    `uninstalled` forgets how to reach a team that left at a time, and tells whether it did: not if it came back since.
    `step` is awaited between any two things that are done, by its name. Without `pictures`, cases are shown in
    words alone.
    """

    casebook: Casebook
    places: Places
    slack: Slack
    views: Views
    workspace_of: Callable[[str], str] = str
    link_of: Callable[[str], str | None] = lambda _: None
    uninstalled: Callable[[str, float], Awaitable[bool]] = _gone
    step: Callable[[str], Awaitable[None]] = _nothing
    pictures: Pictures | None = None

    @property
    def expert(self) -> Expert:
        """Who is consulted."""
        return self.casebook.expert


class Turn:
    """One wish in the world: whose it is, and where its answer goes. `first`: nobody tried to carry it out before."""

    def __init__(self, world: World, wish: Wish, *, first: bool = False) -> None:
        self.world = world
        self.wish = wish
        self.first = first
        self.telling = Telling(world.casebook)
        self.workspace = world.workspace_of(wish.team)

    @property
    def alone(self) -> bool:
        """Tell whether the asker alone is to see the answer."""
        return bool(self.wish.place.response_url) and not self.wish.place.thread

    async def again(self) -> After | None:
        """Give the case if it was told this wish before."""
        return None if self.first else await self.telling.before(self.workspace, self.wish)

    async def read(self, case: str) -> Consulted:
        """Read a case of this workspace. Raises NoSuchCase for all others."""
        consulted = await self.world.casebook.read(self.workspace, case)
        await self.world.step("found")
        return consulted

    async def tell(self, before: Consulted, events: Sequence[CaseEvent]) -> After:
        """Tell a case something, once. Raises as Casebook.tell."""
        after = await self.telling.tell(self.workspace, self.wish, before, events)
        await self.world.step("told")
        return after

    async def shown(self, consulted: Consulted, *, alone: bool, moved: str = "") -> Showing:
        """Say how a case is shown: raw addresses where only its asker sees it, or if the workspace wants them."""
        mine = alone or self.wish.place.direct
        aliases = not mine and await self.world.places.aliases(self.wish.team)
        summary = consulted.kept.summary
        # Whoever told how it ended is shown that, and no further question unless they ask for it.
        return Showing(self.world.link_of(summary.id), alone, aliases, moved, stopped=summary.state == "closed")

    async def new(self, after: After, row: Thread | None = None, *, begun: bool = True) -> Reply:
        """Show a case in a new message; the one that showed it in the thread before is folded."""
        place, wish, case = self.wish.place, self.wish, after.consulted.kept.summary.id
        shown = await self.shown(after.consulted, alone=self.alone, moved=after.moved)
        message = await self.made(lambda: self.world.views.case(after.consulted, shown))
        if self.alone:
            return Alone(message, case=case)
        before = row.message if row and row.case == case else ""
        return Post(place.channel or wish.user, place.thread, message, case, wish.user if begun else "", before)

    async def in_place(self, after: After, view: Callable[[Consulted, Showing], Message] | None = None) -> Reply:
        """Show a case in the place of the message whose button was pressed, or of a later one in that thread."""
        place, case = self.wish.place, after.consulted.kept.summary.id
        shown = await self.shown(after.consulted, alone=self.alone, moved=after.moved)
        make = view or self.world.views.case
        message = await self.made(lambda: make(after.consulted, shown))
        if self.alone:
            return Alone(message, replace=bool(place.message), case=case)
        post = Post(place.channel or self.wish.user, place.thread, message, case)
        if not place.message:
            return post
        older, newest = await self._shown_in(case)
        return Update(place.channel, newest, message, post, older)

    async def _shown_in(self, case: str) -> tuple[str, str]:
        """Give the newest of the messages in the thread that show a case, and the one before that if there are two.

        Somebody may press what another, at that moment, let go on further down by typing.
        """
        place = self.wish.place
        row = await self.world.places.thread(self.wish.team, place.channel, place.thread) if place.thread else None
        shown = row.message if row and row.case == case else ""
        if not shown or shown == place.message:
            return "", place.message
        older, newest = sorted((shown, place.message), key=_time)
        return older, newest

    def told(self, message: Message) -> Reply:
        """Answer without showing the case: to the thread if something was said there, else to whoever wished."""
        place, wish = self.wish.place, self.wish
        if place.response_url and (isinstance(wish.act, Press | Ended) or not place.thread):
            return Alone(message)
        return Post(place.channel or wish.user, place.thread, message)

    def said(self, *lines: str) -> Reply:
        """Answer with some sentences."""
        return self.told(self.world.views.said(lines, None, Showing(alone=self.alone)))

    async def made(self, make: Callable[[], Message]) -> Message:
        """Make a message, beside the loop; with its picture, if Slack has that already."""
        message = await self.world.casebook.in_thread(make)
        await self.world.step("rendered")
        pictures = self.world.pictures
        return await pictures.known(self.wish.team, message) if pictures and message.undrawn else message


def _time(ts: str) -> tuple[int, ...]:
    """Give what orders messages: as a float, a timestamp of Slack's loses its last digits."""
    return tuple(int(part) for part in ts.split(".") if part.isdecimal())
