"""What must hold of reading whatever is pasted: nothing breaks, no line is lost, and twice gives the same."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

from rules.case import Record, Unread
from rules.clean import clean
from rules.interpret import ReadLine
from rules.read import Reader

Result = ReadLine | Unread


def problems(paste: str, reader: Reader) -> Iterator[str]:
    """Say what is wrong with the reading of a paste; an exception goes through."""
    lines = list(io.StringIO(paste, newline=None))
    found = list(reader.stream(lines))
    places = [_place(one) for one in found]
    seen = {number for first, last in places for number in range(first, last + 1)}
    yield from (f"line {number} is lost: {lines[number - 1]!r}" for number in _filled(lines) - seen)
    yield from (
        f"there are no lines {first} to {last}" for first, last in places if not 1 <= first <= last <= len(lines)
    )
    if list(reader.stream(lines)) != found:
        yield "read twice, it gives something else"
    whole = reader.together(found)
    if len(whole.lines) + len(whole.unread) != len(found):
        yield "taken together, there are more or fewer results"
    results: Sequence[Result] = (*whole.lines, *whole.unread)
    for one in results:
        written = _shape(one).model_dump_json(by_alias=True)
        if not isinstance(json.loads(written.encode()), dict):
            yield f"this is no JSON of a record: {written!r}"


def _filled(lines: Sequence[str]) -> set[int]:
    """Number the lines that hold more than blanks and marks of quoting."""
    return {number for number, text in enumerate(lines, start=1) if clean(text.rstrip("\n")).strip("`> \t")}


def _place(one: Result) -> tuple[int, int]:
    stated = _shape(one)
    return stated.line, stated.last_line or stated.line


def _shape(one: Result) -> Record | Unread:
    return one.record if isinstance(one, ReadLine) else one
