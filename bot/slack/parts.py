"""The parts of a message: each becomes blocks, and the same in words for those who do not see blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal, Protocol

from bot.slack.blocks import LABEL, OPTIONS, SECTION, TITLE, Block, actions, context, image, length, option, plain
from bot.slack.blocks import section as words_block
from bot.slack.buttons import ButtonValue
from bot.slack.words import bold, code, cut, escape, linked, mentioned, quote, spaced, split

ROW = 5
"""Buttons in a row; Slack takes 25, but nobody looks over them."""
BLOCKS, VIEW_BLOCKS = 50, 100
TEXT, WHOLE = 4_000, 40_000
"""Characters of a text: chat.postMessage takes 40,000, chat.update refuses more than 4,000."""
SUM = 12_000
"""Characters of all blocks together: an undocumented limit was met at about 13,200 (bolt-js #2509)."""
CUT = "… (shortened)"

Numbers = Iterator[int]


class Part(Protocol):
    """Something that a message says."""

    def said(self) -> str:
        """Say it in words; "" if there is nothing to say."""

    def laid(self, numbers: Numbers) -> Iterator[Block]:
        """Lay it out; `numbers` keep the action ids of a message apart, as Slack wants them."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """What is asked before a button does what it does."""

    title: str
    text: str
    yes: str
    no: str = "Cancel"

    def laid(self) -> Block:
        """Lay it out."""
        words = {"title": plain(self.title, 100), "text": plain(self.text, 300)}
        return {**words, "confirm": plain(self.yes, 30), "deny": plain(self.no, 30)}


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its label and what it carries. With `url` it leads there. `spoken` is its label for screen readers."""

    label: str
    carries: ButtonValue
    style: Literal["", "primary", "danger"] = ""
    url: str = ""
    spoken: str = ""
    confirm: Confirm | None = None

    def laid(self, number: int) -> Block:
        """Lay it out."""
        block: Block = {"type": "button", "text": plain(self.label, LABEL)}
        block |= {"action_id": f"whydrop:{self.carries.does}:{number}", "value": self.carries.text}
        named = {"style": self.style, "url": self.url, "accessibility_label": cut(escape(self.spoken), LABEL)}
        block |= {name: value for name, value in named.items() if value}
        return block | ({"confirm": self.confirm.laid()} if self.confirm else {})


@dataclass(frozen=True, slots=True)
class Title:
    """A heading."""

    text: str

    def said(self) -> str:
        """Say it."""
        return bold(self.text)

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield {"type": "header", "text": plain(self.text, TITLE)}


@dataclass(frozen=True, slots=True)
class Strong:
    """One sentence that stands out: a question."""

    text: str

    def said(self) -> str:
        """Say it."""
        return bold(self.text) if self.text.strip() else ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield from map(words_block, split(self.said(), SECTION))


@dataclass(frozen=True, slots=True)
class Prose:
    """Words under a bold title; backticks and bullets work."""

    text: str
    title: str = ""
    button: Button | None = None

    def said(self) -> str:
        """Say it."""
        return titled(self.title, escape(self.text)) if self.text.strip() else ""

    def laid(self, numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        blocks = [words_block(piece) for piece in split(self.said(), SECTION)]
        if blocks and self.button:
            blocks[-1]["accessory"] = self.button.laid(next(numbers))
        yield from blocks


@dataclass(frozen=True, slots=True)
class Small:
    """Words that stand back, a line each; they may quote what was pasted. In those that are `ours` backticks work."""

    lines: Sequence[str]
    title: str = ""
    ours: bool = False

    def said(self) -> str:
        """Say it."""
        lines = [escape(line) if self.ours else spaced(line) for line in self.lines if line.strip()]
        return titled(self.title, "\n".join(lines)) if lines else ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield from map(context, split(self.said(), SECTION))


@dataclass(frozen=True, slots=True)
class Mention:
    """Names a person by their id, small; they are told."""

    before: str
    user: str

    def said(self) -> str:
        """Say it."""
        return mentioned(self.before, self.user)

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield context(self.said())


@dataclass(frozen=True, slots=True)
class Links:
    """Titles that lead somewhere, each with words behind it; without a web address it is only a title."""

    links: Sequence[tuple[str, str, str]]
    title: str = ""

    def said(self) -> str:
        """Say it."""
        return titled(self.title, "\n".join(self._lines())) if self.links else ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out; a link is never split."""
        text = bold(self.title) if self.title and self.links else ""
        for line in self._lines():
            if len(text) + len(line) >= SECTION:
                yield context(text)
                text = ""
            text += ("\n" if text else "") + line
        if text:
            yield context(text)

    def _lines(self) -> list[str]:
        return [line for link in self.links if len(line := linked(*link)) < SECTION // 2]


@dataclass(frozen=True, slots=True)
class Quoted:
    """Whatever was pasted, and commands: in a code block, where nothing pasted can become formatting."""

    text: str
    title: str = ""

    def said(self) -> str:
        """Say it."""
        return titled(self.title, code(self.text)) if self.text.strip() else ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield from _in_fences(self.text, self.title)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines that are to be seen, not read, under a sentence; `spoken` says the same in words."""

    text: str
    spoken: str
    lead: str = ""

    def said(self) -> str:
        """Say it."""
        return "\n".join(filter(None, [escape(self.lead), escape(self.spoken)]))

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        whole = "\n".join(filter(None, [escape(self.lead), code(self.text) if self.text else ""]))
        if len(whole) <= SECTION:
            yield from map(words_block, [whole] if whole else [])
        else:
            yield from map(words_block, split(escape(self.lead), SECTION))
            yield from _in_fences(self.text)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its number, what to do, its command, and small how to read that and what to know before."""

    number: str
    text: str
    command: str = ""
    notes: Sequence[str] = ()

    def said(self) -> str:
        """Say it."""
        return "\n".join([*self._lines(), *map(escape, self.notes)])

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        whole = "\n".join(self._lines())
        if len(whole) <= SECTION:
            yield words_block(whole)
        else:
            yield from map(words_block, split(self._lines()[0], SECTION))
            yield from _in_fences(self.command)
        yield from map(context, split("\n".join(map(escape, self.notes)), SECTION))

    def _lines(self) -> list[str]:
        lead = f"{bold(self.number)} {escape(self.text)}"
        return [lead, code(self.command)] if self.command.strip() else [lead]


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons. In words, its title stands before the labels; the first `numbered` may be typed as numbers."""

    buttons: Sequence[Button]
    title: str
    numbered: int = 0

    def said(self) -> str:
        """Say it."""
        return _offered(self.title, [one.label for one in self.buttons], self.numbered)

    def laid(self, numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        for at in range(0, len(self.buttons), ROW):
            yield actions([one.laid(next(numbers)) for one in self.buttons[at : at + ROW]])


@dataclass(frozen=True, slots=True)
class Menu:
    """Many choices in a menu, numbered, with buttons beside it."""

    options: Sequence[tuple[str, ButtonValue]]
    placeholder: str
    title: str
    beside: Sequence[Button] = ()

    def said(self) -> str:
        """Say it."""
        labels = [label for label, _ in self.options[:OPTIONS]]
        return _offered(self.title, [*labels, *(one.label for one in self.beside)], len(labels))

    def laid(self, numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        numbered = enumerate(self.options[:OPTIONS], start=1)
        menu = {
            "type": "static_select",
            "placeholder": plain(self.placeholder, TITLE),
            "options": [option(f"{number}. {label}", carries.text) for number, (label, carries) in numbered],
            "action_id": f"whydrop:{self.options[0][1].does}:{next(numbers)}",
        }
        yield actions([menu, *(one.laid(next(numbers)) for one in self.beside)])


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: a file that Slack keeps, or an address; `alt` says in words what is to be seen.

    As long as there is only the `svg` that it is to be made of, nothing of it is said or shown.
    """

    alt: str
    file: str = ""
    url: str = ""
    title: str = ""
    svg: str = ""

    def said(self) -> str:
        """Say it."""
        return titled(self.title, escape(self.alt)) if self.file or self.url else ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        where = {"slack_file": {"id": self.file}} if self.file else {"image_url": self.url}
        if self.file or self.url:
            yield image(self.alt, where, self.title)


@dataclass(frozen=True, slots=True)
class Divider:
    """A line across."""

    def said(self) -> str:
        """Say nothing."""
        return ""

    def laid(self, _numbers: Numbers) -> Iterator[Block]:
        """Lay it out."""
        yield {"type": "divider"}


def titled(title: str, text: str) -> str:
    """Put a bold title above words."""
    return f"{bold(title)}\n{text}" if title else text


def _in_fences(text: str, title: str = "") -> Iterator[Block]:
    head = f"{bold(title)}\n" if title else ""
    pieces = split(quote(text), SECTION - len(code("")) - len(head))
    yield from (words_block((head if place == 0 else "") + f"```\n{piece}\n```") for place, piece in enumerate(pieces))


def _offered(title: str, labels: Sequence[str], numbered: int) -> str:
    """Say what can be chosen; a number is said where typing it would do the same."""
    shown = [f"{place}. {label}" if place <= numbered else label for place, label in enumerate(labels, start=1)]
    few = sum(map(len, shown)) <= LABEL and not numbered
    return f"{escape(title)}:{' ' if few else chr(10)}{(' | ' if few else chr(10)).join(map(escape, shown))}"


def words(parts: Sequence[Part], longest: int = TEXT) -> str:
    """Write all parts as one text."""
    return cut("\n\n".join(filter(None, (part.said() for part in parts))), longest, CUT) or "whydrop"


def blocks(parts: Sequence[Part], most: int = BLOCKS) -> list[Block]:
    """Lay all parts out, at most so many blocks and 12,000 characters; what is left out is said. Buttons stay."""
    numbers = count(1)
    laid = [block for part in parts for block in part.laid(numbers)]
    left = SUM - len(CUT)
    room = most - 1 - sum(block["type"] == "actions" for block in laid)
    kept: list[Block] = []
    place = None
    for block in laid:
        if block["type"] != "actions":
            room, left = room - 1, left - length(block)
            if room < 0 or left < 0:
                place = len(kept) if place is None else place
                continue
        kept.append(block)
    return kept if place is None else [*kept[:place], context(CUT), *kept[place:]]


def _drawn(parts: Sequence[Part], file: str) -> list[Part]:
    return [replace(one, file=file) if isinstance(one, Image) and one.svg else one for one in parts]


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, in parts. `spoken` are those that are said in words, where more is said than shown."""

    parts: Sequence[Part] = field(default=())
    spoken: Sequence[Part] | None = None

    @property
    def blocks(self) -> list[Block]:
        """Lay it out."""
        return blocks(self.parts)

    @property
    def text(self) -> str:
        """Say it, for notifications, screen readers, and wherever blocks are not shown."""
        return words(self.parts if self.spoken is None else self.spoken)

    @property
    def whole(self) -> str:
        """Say it at length, to be posted (not updated) without blocks."""
        return words(self.parts if self.spoken is None else self.spoken, WHOLE)

    @property
    def undrawn(self) -> Image | None:
        """Give the picture that it is to show once Slack has it."""
        return next((one for one in self.parts if isinstance(one, Image) and one.svg and not one.file), None)

    def with_file(self, file: str) -> Message:
        """Show that picture: it is this file in Slack."""
        return Message(_drawn(self.parts, file), None if self.spoken is None else _drawn(self.spoken, file))

    def body(self) -> dict[str, Any]:
        """Give the message as Slack takes it."""
        return {"text": self.text, "blocks": self.blocks}
