"""Block Kit, within its documented limits: parts of a message become blocks, and the same words as plain text.

Slack refuses a whole message for one text that is too long, and then the user sees nothing. What goes through here
fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

Block = dict[str, Any]

SECTION = 3000
BUTTON = 75
BUTTONS = 25
BLOCKS = 50
TEXT = 40_000
SUM = 12_000
"""Characters of all sections together: an undocumented limit was met at about 13,200 (bolt-js #2509)."""
CUT = "… (shortened)"
_NO_BUTTONS = (
    "The buttons for an answer could not be shown here. Try `/whydrop` with the line again, "
    "or ask on the command line: `python -m bot diagnose`."
)

# Marks that reverse or hide text, so that it would read otherwise than it is.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
_EVERYBODY = re.compile(r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
_ENTITY_CUT = re.compile(r"&[a-z]{0,3}\Z")


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its label, its action, and the case after it was pressed."""

    label: str
    action: str
    value: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Our own words under a bold title; backticks and bullets work. `links` shows addresses as links."""

    text: str
    title: str = ""
    links: bool = False
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """Whatever was pasted, and commands: in a code block, where nothing pasted can become formatting."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons; in words, its title stands before the labels."""

    buttons: Sequence[Button]
    title: str


Part = Prose | Quoted | Buttons


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted. `replace` puts it in the place of the message whose button was pressed."""

    parts: Sequence[Part] = field(default=())
    replace: bool = False

    def body(self) -> dict[str, Any]:
        """Give the message as Slack takes it; its text is the whole answer in words."""
        return {**self.plain_body(), "text": words(self.parts), "blocks": blocks(self.parts)}

    def plain_body(self) -> dict[str, Any]:
        """Give the message without blocks, for the case that Slack refuses them."""
        buttons = any(isinstance(part, Buttons) for part in self.parts)
        text = words(self.parts) + (f"\n\n{_NO_BUTTONS}" if buttons else "")
        return {"response_type": "ephemeral", "replace_original": self.replace, "text": text}


def escape(text: str) -> str:
    """Make text inert: no mention, no link, nobody pinged, nothing hidden. Formatting marks stay; see `quote`."""
    text = _UNSEEN.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _EVERYBODY.sub("@\u2009", text)


def quote(text: str) -> str:
    """Make text inert inside a code block, which only backticks can end."""
    return escape(text.replace("`", "'"))


def cut(escaped: str, longest: int, mark: str = "…") -> str:
    """Cut escaped text, never inside an entity."""
    if len(escaped) <= longest:
        return escaped
    return _ENTITY_CUT.sub("", escaped[: longest - len(mark)]) + mark


def words(parts: Sequence[Part]) -> str:
    """Write all parts as one text."""
    said = "\n\n".join(filter(None, (_words(part) for part in parts)))
    return cut(said, TEXT - len(_NO_BUTTONS) - 2, CUT) or "whydrop"


def _words(part: Part) -> str:
    match part:
        case Buttons(buttons, title):
            return f"{escape(title)}: " + " | ".join(escape(button.label) for button in buttons)
        case Quoted():
            return _titled(part.title, f"```\n{quote(part.text)}\n```") if part.text.strip() else ""
        case Prose():
            return _titled(part.title, escape(part.text)) if part.text.strip() else ""


def _titled(title: str, text: str) -> str:
    return f"{_bold(title)}\n{text}" if title else text


def _bold(title: str) -> str:
    """Write a title; Slack ends bold at the end of a line."""
    return f"*{escape(' '.join(title.split()))}*"


def blocks(parts: Sequence[Part]) -> list[Block]:
    """Lay all parts out, at most 50 blocks and 12,000 characters; what is left out is said. Buttons always stay."""
    numbers = count(1)
    laid = [block for part in parts for block in _blocks(part, numbers)]
    left = SUM - len(CUT)
    room = BLOCKS - 1 - sum(block["type"] == "actions" for block in laid)
    kept: list[Block] = []
    for block in laid:
        if block["type"] == "actions":
            kept.append(block)
            continue
        room -= 1
        left -= len(block["text"]["text"])
        if room >= 0 and left >= 0:
            kept.append(block)
    dropped = len(kept) < len(laid)
    return kept if not dropped else [*kept, _section(CUT)]


def _blocks(part: Part, numbers: Iterator[int]) -> list[Block]:
    match part:
        case Buttons(buttons):
            return [
                {"type": "actions", "elements": [_button(one, next(numbers)) for one in buttons[at : at + BUTTONS]]}
                for at in range(0, len(buttons), BUTTONS)
            ]
        case Quoted():
            return _quoted(part)
        case Prose():
            return _prose(part, numbers)


def _quoted(part: Quoted) -> list[Block]:
    if not part.text.strip():
        return []
    fence = "```\n{}\n```"
    title = f"{_bold(part.title)}\n" if part.title else ""
    pieces = split(quote(part.text), SECTION - len(fence) - len(title))
    return [_section((title if place == 0 else "") + fence.format(piece)) for place, piece in enumerate(pieces)]


def _prose(part: Prose, numbers: Iterator[int]) -> list[Block]:
    text = _titled(part.title, escape(part.text)) if part.text.strip() else ""
    laid = [_section(piece, links=part.links) for piece in split(text, SECTION)]
    if laid and part.button:
        laid[-1]["accessory"] = _button(part.button, next(numbers))
    return laid


def split(text: str, longest: int) -> list[str]:
    """Split escaped text into pieces, at line ends or spaces where there are any, never inside an entity."""
    pieces = []
    while len(text) > longest:
        head = text[:longest]
        ends = [at for at in (head.rfind("\n"), head.rfind(" ")) if at > longest // 2]
        head = head[: ends[0]] if ends else _ENTITY_CUT.sub("", head)
        pieces.append(head)
        text = text[len(head) :].lstrip()
    return [piece for piece in (*pieces, text) if piece.strip()]


def _section(text: str, *, links: bool = False) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": not links}}


def _button(button: Button, number: int) -> Block:
    """Lay a button out; its number keeps the action ids of a message apart, as Slack wants them."""
    label = cut(escape(button.label), BUTTON)
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": label or "…", "emoji": False},
        "action_id": f"whydrop:{button.action}:{number}",
        "value": button.value,
    }
