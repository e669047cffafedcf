"""The same event in the words of every product, taken from the dialects themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from knowledge.model import Dialect, Event, LineEvent
from knowledge.shelf import Shelf

EVENTS: Sequence[Event] = get_args(Event)
_SIDES: Sequence[LineEvent] = ("reset-by-source", "reset-by-destination", "reset-by-someone")
_OF_SYMPTOM: dict[str, Sequence[LineEvent]] = {
    "reset": ("reset-by-server", "reset-by-client", "reset-by-firewall", *_SIDES),
    "reset-by-server": ("reset-by-server", *_SIDES),
    "reset-by-client": ("reset-by-client", *_SIDES),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one product writes for an event, in one or several dialects; `leaves_open` is what it then cannot say."""

    product: str
    words: Sequence[str]
    leaves_open: str


def rosetta(shelf: Shelf, event: str) -> list[Row]:
    """Give what each product writes for an event, or for the events of a symptom; by product."""
    wanted = _OF_SYMPTOM.get(event, (event,))
    found: dict[tuple[str, str], list[str]] = {}
    for dialect in shelf.dialects.values():
        words = [text for rule in dialect.lines if rule.event in wanted for text in rule.says]
        for title in _products(dialect, shelf) if words else ():
            found.setdefault((title, dialect.cannot_say or ""), []).extend(words)
    rows = [Row(title, list(dict.fromkeys(words)), open_) for (title, open_), words in found.items()]
    return sorted(rows, key=lambda row: (row.product.lower(), row.leaves_open))


def _products(dialect: Dialect, shelf: Shelf) -> list[str]:
    ids = dict.fromkeys([dialect.product, *(rule.product for rule in dialect.products)])
    return [shelf.products[id_].title for id_ in ids if id_ in shelf.products] or [dialect.title]
