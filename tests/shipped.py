"""The knowledge that is shipped, read once in a process: reading takes more than a second."""

from __future__ import annotations

from functools import cache

from knowledge.load import load_shelf
from knowledge.shelf import Shelf
from rules.diagnose import Expert


@cache
def shipped_shelf() -> Shelf:
    """Give the shelf."""
    return load_shelf()


@cache
def shipped_expert() -> Expert:
    """Give the expert who is made of it."""
    return Expert(shipped_shelf())
