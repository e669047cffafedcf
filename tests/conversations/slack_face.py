"""A conversation in Slack: the whole app before the loopback Slack, through any of its five doors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from bot.slack import pacing
from bot.slack.hearing import DIAGNOSE
from rules.diagnose import Expert
from tests.conversations.transcript import Act, Said, StepSaid, plain
from tests.slack.loopback import Loopback, loopback
from tests.slack.people import Person, person
from tests.slack.seen import Seen, parts, unescaped
from tests.slack.shapes import Fields
from tests.slack.whole_app import whole_app
from tests.slack.workspace import Channel

DOORS = ("command", "shortcut", "mention", "dm", "home")
ALONE = ("command",)
"""Doors behind which only the asker sees the answer, so that nothing can be typed."""
_SOON_S = 20.0
_TITLED = re.compile(r"\*([^*\n]+)\*\n(.+)", re.DOTALL)
_BOLD = re.compile(r"\*([^\n]+)\*")
_STEP = re.compile(r"\*\d+\.\* (.+?)(?:\n```\n(.*)\n```)?", re.DOTALL)
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)> (\([a-z]+ trust\))")
_MORE = re.compile(r"and (\d+) more, in the export")
_BAR = re.compile(r"^\S* +((?:over |under )?\d+ %)  (.+)$", re.MULTILINE)
_MOVED = re.compile(r"% → (?:over |under )?\d+ %|^That changes little\.$")
_FIRST = ("This does not go together", "No line of this")
_ASIDE = ("This log cannot say", "This is about line")
_WHEN = re.compile(r"^Told on [0-9: -]+ UTC: ")


@asynccontextmanager
async def in_slack(folder: Path, expert: Expert, door: str) -> AsyncIterator[SlackFace]:
    """Put the app into a Slack, and somebody before one of its doors."""
    async with loopback() as town:
        # Without pictures: one that is shown a moment after its answer would be taken for the next one.
        for token in town.slack.tokens.values():
            token.scopes -= {"files:write"}
        alice = person(town, "alice")
        with patch.object(pacing, "RATE", 1000.0):  # they talk faster than Slack lets us
            async with whole_app(town, folder, expert):
                yield SlackFace(town, alice, town.channel("ops", alice.id), door)


@dataclass
class SlackFace:
    """Somebody in Slack. `root` is the message whose thread is the case's, `shown` the one that shows the case."""

    town: Loopback
    alice: Person
    ops: Channel
    door: str
    root: Seen | None = None
    shown: Seen | None = None
    known: dict[str, int] = field(default_factory=dict)

    async def do(self, act: Act) -> Said:
        """Do it, and read what stands there then."""
        if act.kind == "type" and act.words == "why":
            return await self._why()
        if act.kind == "paste":
            await (self._said(act.words) if self.shown else self._begun(act.words))
        elif act.kind == "change":
            await self._changed(act)
        elif act.kind == "end":
            await self._ended(act)
        elif act.words == "stop":
            await self._pressed("Stop here")
        elif act.kind == "press" or self.door in ALONE:
            await self._answered(act.words)
        else:
            await self._said(act.words)
        said = said_in(self._there)
        if "All of it" not in self._there.buttons():
            return said
        await self._pressed("All of it")  # it says no more what was answered last
        return replace(said_in(self._there), answered=said.answered, moved=said.moved)

    @property
    def _there(self) -> Seen:
        assert self.shown, "there is no case yet"
        return self.shown

    @property
    def _where(self) -> Channel:
        return self.alice.dm if self.door in ("dm", "home") else self.ops

    # What they do

    async def _begun(self, lines: str) -> None:
        alice = self.alice
        match self.door:
            case "command":
                await alice.types(f"/whydrop {lines}", self.ops)
            case "shortcut":
                self.root = alice.says(self.ops, lines)
                await alice.uses_shortcut(self.root, DIAGNOSE)
            case "mention":
                await alice.mentions(self.ops, lines)
                self.root = alice.sees(self.ops)[-1]
            case "dm":
                await alice.dms(lines)
                self.root = next(one for one in alice.sees(alice.dm) if one.message.user == alice.id)
            case "home":
                await alice.opens_home()
                await alice.presses("Paste lines…", await alice.gets_home("whydrop"))
                await alice.submits(await alice.gets_modal("Diagnose lines"), {"Lines": lines})
        await self._news()
        self.root = self.root or self.shown

    async def _said(self, words: str) -> None:
        if self.door in ("dm", "home"):
            await self.alice.dms(words, thread=self.root)
        else:
            await self.alice.mentions(self.ops, words, self.root)
        await self._news()

    async def _pressed(self, label: str, option: str | None = None) -> None:
        await self.alice.presses(label, self._there, option)
        await self._news()

    async def _answered(self, words: str) -> None:
        """Press what stands for an answer, or open the modal for a duration that none of them is."""
        if words == "back":
            raise AssertionError("“back” is typed; press nothing, or change the answer")
        for one in parts(self._there.blocks):
            if one.element["type"] == "static_select":
                fits = [o["text"]["text"] for o in one.options if _fits(unescaped(o["text"]["text"]), words)]
                if fits:
                    await self._pressed(one.label, fits[0])
                    return
            elif _fits(unescaped(one.label), words):
                await self._pressed(one.element["action_id"])
                return
        await self.alice.presses("Another duration…", self._there)
        await self.alice.submits(await self.alice.gets_modal("Answer"), {"How long": words})
        await self._news()

    async def _changed(self, act: Act) -> None:
        await self._pressed("Change an answer")
        rows = [one for one in self._there.blocks if act.question in unescaped(one.get("text", {}).get("text", ""))]
        assert len(rows) == 1, f"{act.question!r} was not answered before; there is: {self._there.shows()}"
        await self._pressed(rows[0]["accessory"]["action_id"])
        if act.words == "taken back":
            await self._pressed("Take the answer back")
        else:
            await self._answered(act.words)

    async def _ended(self, act: Act) -> None:
        told = act.ending
        if told.by_verdict:
            await self._pressed("This solved it")
            return
        buttons = [one for one in self._there.buttons() if one.endswith("…") and "duration" not in one]
        await self.alice.presses(buttons[0], self._there)
        modal = await self.alice.gets_modal("How did it end?")
        entered = {"Is it solved?": "Yes" if told.solved else "No, not yet", "Note": told.note or None}
        if told.cause:
            offered = [unescaped(one["text"]["text"]) for part in parts(modal.blocks) for one in part.options]
            entered["What was it?"] = next(one for one in offered if one.startswith(told.cause))
        await self.alice.submits(modal, entered)
        await self._news()

    async def _why(self) -> Said:
        before = said_in(self._there)
        if self.door in ALONE:
            await self._pressed("Why do you ask?")
            found = said_in(self._there)
            await self._pressed("Back")
        else:
            shown = self._there
            await self._said("why")
            found, self.shown = said_in(self._there), shown
        return Said(**{**vars(before), "why": found.why})

    # What they see

    async def _news(self) -> None:
        """Wait for what answers, in the place of what was there or below it."""
        self.shown = await self.town.until(self._newest, _SOON_S)
        self.known = {one.ts: id(one.message.body) for one in self._all()}

    def _newest(self) -> Seen | None:
        news = [one for one in self._all() if self.known.get(one.ts) != id(one.message.body)]
        return next((one for one in reversed(news) if "went on further down" not in one.shows()), None)

    def _all(self) -> list[Seen]:
        root = None if self.door == "command" else self.root
        there = self.alice.sees(self._where, root)
        return [one for one in there if one.message.user != self.alice.id]


def _fits(label: str, words: str) -> bool:
    """Tell whether a label says what somebody would have typed: its words, or the short form that it begins with."""
    said = re.sub(r"^\d+\. ", "", label)
    return said == words or said.startswith((f"{words}:", f"{words} ("))


def said_in(message: Seen) -> Said:
    """Take a message apart."""
    titled: dict[str, str] = {}
    free: list[str] = []
    steps: list[StepSaid] = []
    bold: list[str] = []
    for block in message.blocks:
        text = _text(block)
        if found := _STEP.fullmatch(text):
            steps.append(StepSaid(_words(found[1]), unescaped(found[2] or ""), ""))
        elif found := _TITLED.fullmatch(text):
            titled[_words(found[1])] = found[2]
        elif found := _BOLD.fullmatch(text):
            bold.append(_words(found[1]))
        elif steps and block["type"] == "context" and not text.startswith("<") and not steps[-1].notes:
            steps[-1] = StepSaid(steps[-1].title, steps[-1].command, _words(text))
        elif text:
            free.append(text)
    return _said(titled, free, steps, [one for one in bold if one != "Next steps"], message.blocks)


def _said(
    titled: Mapping[str, str], free: Sequence[str], steps: list[StepSaid], bold: Sequence[str], blocks: list[Fields]
) -> Said:
    lead = next((one for one in free if not one.startswith((*_FIRST, *_ASIDE, "↳", "Or type", "<"))), "")
    told = "\n".join([*free, *_list(titled, "Your answers")]).partition("↳ ")[2].split("\n")
    moved = [one for one in told if _MOVED.search(one)]
    answered = [one.rpartition(" → ")[2] for one in told if " → " in one and one not in moved]
    read = [*_list(titled, "What I read"), *_list(titled, "What I could not read")]
    return Said(
        read=[one for one in map(_words, read) if _is_line(one)],
        aside=" ".join(_words(one) for one in free if one.startswith(_ASIDE)),
        answered=_words(answered[-1]) if answered and answered[-1] != "taken back" else "",
        moved=_words(moved[0]) if moved else "",
        contradictions=[_words(one) for one in free if one.startswith(_FIRST[0])],
        headline=_words(titled.get("Cause") or lead.partition("\n```")[0]),
        ranking=[(one[1], _words(unescaped(one[2]))) for one in _BAR.finditer(lead)],
        question=bold[0] if bold and any(map(_is_answer, blocks)) else "",
        choices=[_words(one) for block in blocks if _is_answer(block) for one in _choices(block)],
        why=_why(titled),
        explanation=_words(titled.get("What happens", "")),
        reasons_for=_bullets(titled, "What speaks for it"),
        reasons_against=_bullets(titled, "What speaks against it"),
        beside=_bullets(titled, "What it does not explain"),
        refuted_by=_words(titled.get("What would refute it", "")),
        disputed=_bullets(titled, "What is disputed"),
        steps=steps,
        sources=[source for one in _list(titled, "Sources") for source in _sources(one)],
        outcome=[_words(_WHEN.sub("", one).strip("“”")) for one in _list(titled, "How it ended")],
    )


def _is_line(text: str) -> bool:
    return not text.startswith(_ASIDE)


def _why(titled: Mapping[str, str]) -> list[str]:
    if "Why I ask" not in titled:
        return []
    return [_words(titled["Why I ask"]), *_bullets(titled, "What each answer would change")]


def _is_answer(block: Fields) -> bool:
    return any(one.get("action_id", "").startswith("whydrop:answer") for one in block.get("elements", []))


def _choices(block: Fields) -> list[str]:
    found = []
    for one in block["elements"]:
        if one["type"] == "static_select":
            found += [re.sub(r"^\d+\. ", "", option["text"]["text"]) for option in one["options"]]
        elif one["action_id"].startswith("whydrop:answer") and one["text"]["text"] != "I don't know":
            found.append(one["text"]["text"])
    return found


def _text(block: Fields) -> str:
    return (
        str(block["text"]["text"])
        if block["type"] == "section"
        else "".join(one["text"] for one in block.get("elements", []) if block["type"] == "context")
    )


def _words(text: str) -> str:
    return plain(unescaped(text))


def _list(titled: Mapping[str, str], title: str) -> list[str]:
    return titled[title].split("\n") if title in titled else []


def _bullets(titled: Mapping[str, str], title: str) -> list[str]:
    return [_words(one.removeprefix("• ")) for one in _list(titled, title)]


def _sources(line: str) -> list[str]:
    """Give a source; of those that are only counted, that they are there."""
    if found := _MORE.fullmatch(line):
        return [""] * int(found[1])
    linked = _LINK.fullmatch(line)
    return [_words(f"{linked[2]} {linked[3]}, {unescaped(linked[1])}") if linked else _words(line)]
