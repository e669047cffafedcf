"""The blocks of Block Kit, each within its documented limits.

Slack refuses a whole message for one text that is too long, and then the user sees nothing. What goes through here
fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.slack.words import cut, escape

Block = dict[str, Any]

SECTION = 3000
LABEL = 75
"""Characters of a button, and of an option in a menu."""
OPTIONS = 100
ALT = 2000
TITLE = 150


def section(text: str) -> Block:
    """Lay escaped words out; addresses in them do not become links."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(text: str) -> Block:
    """Lay escaped words out, small."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def actions(elements: Sequence[Block]) -> Block:
    """Lay buttons and menus out in a row."""
    return {"type": "actions", "elements": list(elements)}


def plain(text: str, longest: int) -> Block:
    """Write words that have no formatting."""
    return {"type": "plain_text", "text": cut(escape(text), longest) or "…", "emoji": False}


def option(label: str, value: str) -> Block:
    """Make an option of a menu."""
    return {"text": plain(label, LABEL), "value": value}


def image(alt: str, where: Block, title: str = "") -> Block:
    """Show a picture; `where` is a `slack_file` or an `image_url`."""
    named = {"title": plain(title, ALT)} if title else {}
    return {"type": "image", **where, "alt_text": cut(escape(alt), ALT) or "a picture", **named}


def length(block: Any) -> int:
    """Count the characters of all texts in a block."""
    if isinstance(block, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else length(v) for k, v in block.items())
    return sum(map(length, block)) if isinstance(block, list) else 0
