"""Whole dialogues with the app, by people who try again whatever was not taken; and what has to come of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from bot.slack.buttons import ButtonValue, read_button
from tests.slack.delivery import Parcel
from tests.slack.killing import Site, key_of
from tests.slack.people import Person
from tests.slack.seen import Part, Seen, parts
from tests.slack.workspace import Channel, Message

FOLDED = "This case went on further down."
FIRST = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/{} flags {} on interface dmz"
MORE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.8/{} flags ACK on interface dmz"
MODAL_S = 1.5
"""Seconds after which somebody presses once more to get a modal."""

Event = tuple[Any, ...]
"""What a case was told, short."""


def doors(seen: Seen) -> list[tuple[Part, ButtonValue]]:
    """Give the buttons of a message, with what they do."""
    there = [one for one in parts(seen.blocks) if one.element["type"] == "button"]
    return [(one, read_button(one.element["value"])) for one in there]


def door(seen: Seen, does: str) -> tuple[Part, ButtonValue] | None:
    """Give the first button that does something."""
    return next((one for one in doors(seen) if one[1].does == does), None)


def still(seen: Seen) -> Seen:
    """Give a message as it is now, whatever becomes of it: somebody may press what is just being changed."""
    return Seen(replace(seen.message))


@dataclass
class Talk:
    """One dialogue in a thread. `told` is what its case has to know at the end, in order."""

    site: Site
    who: Person
    other: Person
    channel: Channel
    number: int
    told: list[Event] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    case: str = ""
    paste: str = ""
    root: Seen | None = None

    @property
    def dice(self) -> Any:
        """What decides."""
        return self.site.dice

    @property
    def direct(self) -> bool:
        """Tell whether it is a direct conversation."""
        return self.channel.kind == "im"

    # What is said and what is pressed

    async def says(self, text: str) -> Seen:
        """Say something; gives its answer, of which there is one. Where that may get lost, asks for the state."""
        while True:
            if found := await self._said(text):
                return found
            assert not self.site.readable
            assert not self.direct
            text = "status"

    async def _said(self, text: str) -> Seen | None:
        parcel = self._parcel(text)
        if self.root is None:
            self.root = Seen(self.channel.messages[parcel.payload["event"]["ts"]])
        if self.dice.random() < 0.3:
            await self.site.up.wait()
            await self.site.round.repeat(parcel, 3)
        await self.site.town.deliver(parcel)
        if self.dice.random() < 0.2:
            await self.site.town.deliver(parcel)
        key = parcel.payload["event_id"]
        await self.site.done(key)
        found = self.answering(key)
        assert len(found) == 1 or (not found and not self.site.readable and not self.direct), f"{text}: {found}"
        if found:
            assert found[0].thread == self.root.ts
        return Seen(found[0]) if found else None

    def _parcel(self, text: str) -> Parcel:
        if self.direct:
            return self.who.dm_parcel(text, (), self.root)
        return self.who.mention(self.channel, text, self.root)

    def answering(self, key: str) -> list[Message]:
        """Give the messages that answer a wish."""
        return [one for one in self.channel.messages.values() if key_of(one) == key]

    async def presses(self, seen: Seen, there: Part, who: Person | None = None) -> str:
        """Press a button until that is taken; gives the key of the wish once it is done."""
        person, before = who or self.who, still(seen)
        while True:
            await self.site.up.wait()
            parcel = person.press(there.element["action_id"], before)
            if (await self.site.town.deliver(parcel)).good:
                break
        (action,) = parcel.payload["actions"]
        key = f"{person.team.id}:{person.id}:{action['action_ts']}:{action['action_id']}"
        await self.site.done(key)
        return key

    async def changes_in_place(self, seen: Seen, there: Part) -> None:
        """Press a button that changes its message."""
        key = await self.presses(seen, there)
        assert self.answering(key) == []

    # The dialogue

    async def run(self) -> None:
        """Talk it through."""
        flags = self.dice.choice(["ACK", "SYN ACK", "RST"])
        self.paste = FIRST.format(20_000 + self.number, flags)
        seen = await self.says(self.paste)
        self.told.append(("pasted", self.paste))
        self.case = doors(seen)[0][1].case
        await self._why(seen)
        await self._answers(seen)
        seen = await self._types(seen)
        if self.dice.random() < 0.4:
            seen = await self._more(seen)
        await self._changes(seen)
        await self._both(seen)
        if self.dice.random() < 0.5:
            assert "lag" in (await self._looks("facts")).words()
        await self._ends(seen)

    async def _looks(self, text: str) -> Seen:
        while True:
            if found := await self._said(text):
                return found

    async def _why(self, seen: Seen) -> None:
        if (found := door(seen, "why")) and self.dice.random() < 0.6:
            await self.changes_in_place(seen, found[0])
            assert "Why I ask" in seen.shows()
            if self.dice.random() < 0.5 and (back := door(seen, "show")):
                await self.changes_in_place(seen, back[0])
                assert door(seen, "why")

    def _asked(self, seen: Seen) -> list[tuple[Part, ButtonValue]]:
        return [one for one in doors(seen) if one[1].does == "answer" and one[1].value is not None]

    def _heard(self, feature: str, value: Any) -> None:
        self.told.append(("answered", feature, value))
        self.answers[feature] = value

    async def _answers(self, seen: Seen) -> None:
        if not (asked := self._asked(seen)):
            return
        there, told = self.dice.choice(asked)
        await self.changes_in_place(seen, there)
        self._heard(told.feature, told.value)
        assert told.feature not in [one.feature for _, one in self._asked(seen)]

    async def _types(self, seen: Seen) -> Seen:
        if not (asked := self._asked(seen)):
            return seen
        feature, at = asked[0][1].feature, self.dice.randrange(len(asked))
        number = isinstance(asked[0][1].value, float)
        seconds = self.dice.randrange(100, 9000)
        after = await self.says(f"{seconds}s" if number else str(at + 1))
        self._heard(feature, float(seconds) if number else asked[at][1].value)
        self._folded(seen)
        return after

    async def _more(self, seen: Seen) -> Seen:
        line = MORE.format(20_000 + self.number)
        after = await self.says(line)
        self.told.append(("pasted", f"{self.told[0][1]}\n{line}"))
        self._folded(seen)
        return after

    def _folded(self, seen: Seen) -> None:
        if self.site.readable or self.direct:
            assert seen.words() == FOLDED

    async def _changes(self, seen: Seen) -> None:
        """Change an answer that was given before, or take it back."""
        if not (change := door(seen, "change")):
            return
        await self.changes_in_place(seen, change[0])
        there, told = self.dice.choice([one for one in doors(seen) if one[1].does == "edit"])
        await self.changes_in_place(seen, there)
        if self.dice.random() < 0.3 and (back := door(seen, "withdraw")):
            await self.changes_in_place(seen, back[0])
            self.told.append(("withdrawn", told.feature))
            del self.answers[told.feature]
            return
        there, told = self.dice.choice(
            [one for one in self._asked(seen) if one[1].value != self.answers[one[1].feature]]
        )
        await self.changes_in_place(seen, there)
        self._heard(told.feature, told.value)

    async def _both(self, seen: Seen) -> None:
        """Two people press different answers to one question at the same time: both are heard, one after the other."""
        asked = self._asked(seen)
        if len(asked) < 2 or self.direct:
            return
        (mine, told), (theirs, other) = self.dice.sample(asked, 2)
        shown = still(seen)
        await asyncio.gather(self.presses(shown, mine), self.presses(shown, theirs, self.other))
        self.told.append(("both", told.feature, {told.value, other.value}))
        assert doors(seen)

    async def _ends(self, seen: Seen) -> None:
        if stop := door(seen, "stop"):
            await self.changes_in_place(seen, stop[0])
        if (solved := door(seen, "solved")) and self.dice.random() < 0.5:
            await self.changes_in_place(seen, solved[0])
            self.told.append(("outcome", True, solved[1].value, ""))
        else:
            note = f"note {self.number}"
            await self._submits(seen, note)
            self.told.append(("outcome", True, None, note))
        assert self.case in seen.shows()

    async def _submits(self, seen: Seen, note: str) -> None:
        """Fill in the modal that asks how it ended; a modal may get lost, and is asked for again."""
        found = door(seen, "ended")
        assert found
        while self.who.modal() is None:
            await self.site.up.wait()
            await self.site.town.deliver(self.who.press(found[0].element["action_id"], still(seen)))
            try:
                await self.site.town.until(self.who.modal, MODAL_S)
            except TimeoutError:
                continue
        view = self.who.modal()
        assert view
        key = f"{self.who.team.id}:{self.who.id}:{view.view.id}:{view.view.hash}"
        while not (await self.who.submits(view, {"Note": note})).good:
            await self.site.up.wait()
        self.who.team.modals[self.who.id].clear()
        await self.site.done(key)

    def check(self, events: Sequence[Event]) -> None:
        """Hold that the case knows what was told, in that order, and nothing else."""
        left = list(events)
        for one in self.told:
            if one[0] == "both":
                heard = []  # who presses again what was kept although it was not acknowledged says it once more
                while left and left[0][:2] == ("answered", one[1]) and left[0][2] in one[2]:
                    heard.append(left.pop(0)[2])
                assert set(heard) == one[2], (self.told, events)
                assert all(here != after for here, after in pairwise(heard)), (self.told, events)
            else:
                assert left.pop(0) == one, (self.told, events)
        assert left == [], (self.told, events)


@dataclass
class Alone:
    """A command, and what one presses in its answer, which the asker alone sees and nobody can look for."""

    site: Site
    who: Person
    channel: Channel
    number: int
    paste: str = ""
    acknowledged: int = 0
    typed: int = 0
    answered: int = 0
    lost: int = 0
    told: list[Event] = field(default_factory=list)

    async def run(self) -> None:
        """Type it until it is taken; go on with what is visible."""
        self.paste = FIRST.format(20_000 + self.number, "ACK")
        urls = []
        trigger = ""
        while not self.acknowledged:
            await self.site.up.wait()
            self.typed += 1
            ack = await self.who.types(f"/whydrop {self.paste}", self.channel)
            urls.append(ack.parcel.payload["response_url"].rpartition("/")[2])
            trigger = ack.parcel.payload["trigger_id"]
            self.acknowledged += ack.good
        await self.site.done(f"command:{trigger}")
        mine = [one for one in self.channel.messages.values() if one.only == self.who.id and self._is_mine(one)]
        uses = [self.site.town.slack.response_urls[url].uses for url in urls]
        assert max(uses) <= 1, "an answer for one came twice"
        assert len(mine) == sum(uses)
        if not uses[-1]:
            self.lost += 1
            return
        await self._goes_on(Seen(mine[-1]))

    def _is_mine(self, message: Message) -> bool:
        return f"198.51.100.7:{20_000 + self.number}" in message.text

    async def _goes_on(self, seen: Seen) -> None:
        talk = Talk(self.site, self.who, self.who, self.channel, self.number)
        answers = [one for one in doors(seen) if one[1].does == "answer" and one[1].value is not None]
        there, told = self.site.dice.choice(answers)
        await talk.changes_in_place(seen, there)
        self.told.append(("answered", told.feature, told.value))
        assert told.feature not in [one.feature for _, one in doors(seen)]
        stop = door(seen, "stop")
        if stop:
            await talk.changes_in_place(seen, stop[0])
        share = door(seen, "share")
        assert share
        key = await talk.presses(seen, share[0])
        # Who presses again what was kept although it was not acknowledged is told that it is shown already.
        assert len(talk.answering(key)) <= len(self._shared())
        assert len(self._shared()) == 1 or not (self._shared() or self.site.readable)

    def _shared(self) -> list[Message]:
        there = [one for one in self.channel.messages.values() if one.bot and one.only is None]
        return [one for one in there if "Shared by" in Seen(one).shows() and self._is_mine(one)]


@dataclass
class Step:
    """A step of a workflow: lines in, cause out, once."""

    site: Site
    who: Person
    number: int
    callback: str
    paste: str = ""

    async def run(self) -> None:
        """Run it."""
        self.paste = FIRST.format(20_000 + self.number, "ACK")
        name, ack = await self.who.runs_step(self.callback, {"log": self.paste})
        await self.site.done(ack.parcel.payload["event_id"])
        assert "outputs" in self.site.town.slack.executions[name]
