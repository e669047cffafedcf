"""How the checks of entries say what is wrong, and the checks that several kinds of entries share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from knowledge.clause import parse_clause, typed
from knowledge.model import Feature
from knowledge.shelf import Shelf
from knowledge.yamlfile import Where

Complaint = tuple[Where, str]
"""A path inside an entry, and what is wrong there."""


def unknown(what: str, name: object, allowed: Iterable[str]) -> str:
    """Say that a name does not exist, and which one was probably meant."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(names)}" if len(names) <= 40 else ""
    return f"unknown {what} {name!r}; {hint}".rstrip("; ")


def check_clauses(shelf: Shelf, clauses: Mapping[str, Any], where: Where) -> Iterator[Complaint]:
    """Find clauses over features that do not exist, or that their values cannot meet."""
    yield from _check_values(shelf, clauses, where, parse_clause)


def check_facts(shelf: Shelf, facts: Mapping[str, Any], where: Where) -> Iterator[Complaint]:
    """Find facts about features that do not exist, or with values that these do not take."""
    yield from _check_values(shelf, facts, where, typed)


def _check_values(
    shelf: Shelf, values: Mapping[str, Any], where: Where, parse: Callable[[Feature, object], object]
) -> Iterator[Complaint]:
    for name, raw in values.items():
        if name not in shelf.features:
            yield (*where, name), unknown("feature", name, shelf.features)
            continue
        try:
            parse(shelf.features[name], raw)
        except ValueError as wrong:
            yield (*where, name), str(wrong)
