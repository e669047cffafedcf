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
    """What one dialect writes for an event; `leaves_open` is what it cannot say."""

    product: str
    dialect: str
    words: Sequence[str]
    leaves_open: str


def rosetta(shelf: Shelf, event: str) -> list[Row]:
    """Give a row for each dialect that has words for an event, or for the events of a symptom; by product."""
    wanted = _OF_SYMPTOM.get(event, (event,))
    rows = [
        Row(_product(dialect, shelf), dialect.id, words, dialect.cannot_say or "")
        for dialect in shelf.dialects.values()
        if (words := _words(dialect, wanted))
    ]
    return sorted(rows, key=lambda row: (row.product.lower(), row.dialect))


def _words(dialect: Dialect, wanted: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(text for rule in dialect.lines if rule.event in wanted for text in rule.says))


def _product(dialect: Dialect, shelf: Shelf) -> str:
    product = shelf.products.get(dialect.product)
    return product.title if product else dialect.title
