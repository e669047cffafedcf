"""What one would write by hand instead: a regular expression for each product, tried in turn until one matches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def _products() -> Mapping[str, tuple[str, str]]:
    text = Path(__file__).with_name("by_hand.txt").read_text(encoding="utf-8")
    blocks = [block.split("\n") for block in text.rstrip("\n").split("\n\n")[1:]]
    return {name: (marker.replace(r"\t", "\t"), form) for name, marker, form in blocks}


PRODUCTS = _products()
"""A fixed text that stands in most lines of a product, for grep; and an expression that takes its fields."""
MARKERS = [marker for marker, _ in PRODUCTS.values()]
_COMPILED = [(name, re.compile(form)) for name, (_, form) in PRODUCTS.items()]


def read_line(line: str) -> dict[str, str | None] | None:
    """Give the named groups of the first expression that matches, and whose it is."""
    for name, form in _COMPILED:
        if match := form.search(line):
            return {"product": name, **match.groupdict()}
    return None
