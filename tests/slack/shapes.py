"""Checks of JSON as small functions: what is wrong with a value, where, and which page of docs.slack.dev says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Slack refuses it, or (`refused` is false) takes it, to the harm of those who read."""

    at: str
    what: str
    page: str = ""
    refused: bool = True
    mention: str = ""

    def __str__(self) -> str:
        return f"[ERROR] {self.what} [json-pointer:{self.at or '/'}]"


Check = Callable[[Any, str], Iterator[Problem]]
Rule = Callable[[Fields], str | None]


def string(most: int, least: int = 1) -> Check:
    """Check a string by its length in characters."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "must be a string")
        elif len(value) > most:
            yield Problem(at, f"must be less than {most + 1} characters, is {len(value)}")
        elif len(value) < least:
            yield Problem(at, f"must be more than {least - 1} characters")

    return check


def address(most: int = 3000) -> Check:
    """Check the address of a web page."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        yield from string(most)(value, at)
        if isinstance(value, str) and not value.startswith(("https://", "http://", "mailto:", "tel:")):
            yield Problem(at, "must be a full address")

    return check


def flag(value: Any, at: str) -> Iterator[Problem]:
    """Check true or false."""
    if not isinstance(value, bool):
        yield Problem(at, "must be a boolean")


def anything(_value: Any, _at: str) -> Iterator[Problem]:
    """Check nothing."""
    return iter(())


def whole(least: int, most: int) -> Check:
    """Check a whole number."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield Problem(at, f"must be a number from {least} to {most}")

    return check


def one_of(*known: Any) -> Check:
    """Check a value of a short list."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if value not in known:
            yield Problem(at, f"must be one of {', '.join(map(str, known))}")

    return check


def list_of(each: Check, least: int, most: int) -> Check:
    """Check a list by its length, and each of it."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(at, "must be an array")
            return
        if len(value) > most:
            yield Problem(at, f"no more than {most} items allowed, has {len(value)}")
        if len(value) < least:
            yield Problem(at, f"must have at least {least} items, has {len(value)}")
        for index, one in enumerate(value):
            yield from each(one, f"{at}/{index}")

    return check


def shape(
    page: str,
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    rules: tuple[Rule, ...] = (),
) -> Check:
    """Check an object: no field is missing, none is unknown, each is right, and the rules between them hold."""
    known = {**required, **(optional or {})}

    def found(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        yield from (Problem(at, f"missing required field: {key}") for key in required if key not in value)
        yield from (Problem(f"{at}/{key}", "unknown field") for key in value if key not in known and key != "type")
        for key, inner in known.items():
            if key in value:
                yield from inner(value[key], f"{at}/{key}")
        yield from (Problem(at, said) for rule in rules if (said := _ruled(rule, value)))

    def check(value: Any, at: str) -> Iterator[Problem]:
        yield from (one if one.page else replace(one, page=page) for one in found(value, at))

    return check


def _ruled(rule: Rule, value: Fields) -> str | None:
    try:
        return rule(value)
    except (AttributeError, KeyError, TypeError):
        return None  # a shape that is wrong was said already


def typed(page: str, shapes: Mapping[str, Check]) -> Check:
    """Check an object whose `type` says which shape it has."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in shapes:
            yield from shapes[kind](value, at)
        else:
            yield Problem(at, f"unsupported type: {kind}", page)

    return check


def either(*fields: str) -> Rule:
    """Make the rule that exactly one of some fields is there."""
    return lambda value: None if sum(f in value for f in fields) == 1 else f"needs one of {', '.join(fields)}"


def some(*fields: str) -> Rule:
    """Make the rule that at least one of some fields is there."""
    return lambda value: None if any(f in value for f in fields) else f"needs at least one of {', '.join(fields)}"
