"""Reading takes time in proportion to what is pasted, whatever it is: the cost of a character or a line stays flat."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Callable, Iterator, Sized
from functools import partial
from typing import Any, TypeVar

import pytest

from knowledge.model import Dialect
from rules.case import Fact
from rules.observe import observe
from rules.read import LONGEST_LINE, read, reader_of
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
READER = reader_of(SHELF)
FACTOR = 3.0
"""What the cost of a character may grow by; a quadratic step makes it 16-fold at 16 times the length."""
TRIES = 5
"""The best of so many runs counts: other processes disturb, and what is met for the first time is compiled."""
LENGTHS = (2_000, 32_000)
LONGER = (8_000, 64_000)

Grown = Callable[[int], str]
"""Gives a line of about a given length."""
Whole = TypeVar("Whole", bound=Sized)


def growth(work: Callable[[Whole], object], short: Whole, long: Whole) -> float:
    """Say by how much the cost of one part grows from a short whole to a long one."""
    found = float("inf")
    for _ in range(TRIES):
        found = min(found, _cost(work, long) / _cost(work, short))
        if found <= FACTOR:
            break
    return found


def _cost(work: Callable[[Whole], object], whole: Whole) -> float:
    """Give the processor's seconds for each part, garbage collection left out."""
    gc.disable()
    try:
        begin = time.process_time()
        work(whole)
        return max(time.process_time() - begin, 1e-6) / len(whole)
    finally:
        gc.enable()


FILLERS = {
    "blanks": " ",
    "quotes": '"',
    "backslashes": "\\",
    "brackets": "[",
    "open JSON": '{"a":[',
    "pairs": " a=b",
    "unclosed pairs": ' k="v',
    "pairs with colons": "a: b;",
    "escaped bars": "\\|",
    "cells": '"a",',
    "digits": "7",
    "dots": "1.",
    "words": " RST from",
}


def _filled(before: str, filler: str, behind: str, size: int) -> str:
    return before + filler * max((size - len(before) - len(behind)) // len(filler), 1) + behind


def _with_fillers(line: str) -> Iterator[tuple[str, Grown]]:
    place = len(line) * 2 // 3
    for name, filler in FILLERS.items():
        yield name, partial(_filled, line[:place], filler, line[place:])


def _with_a_part_repeated(line: str, places: int) -> Iterator[tuple[str, Grown]]:
    for place in range(0, len(line), max(len(line) // places, 1)):
        part = line[place : place + 24]
        yield f"{part!r} repeated", partial(_filled, line[:place], part, line[place + 24 :])


def _as_json(line: str) -> Iterator[tuple[str, Grown]]:
    """Grow what is JSON and stays so: more items in all its lists, more keys, deeper nesting."""
    try:
        content = json.loads(line[max(line.find("{"), 0) :])
    except ValueError:
        return
    if isinstance(content, dict):
        yield "more items", partial(_with_more_items, content)
        yield "many short items", partial(_with_more_items, _repeated(content, 1, longest=1))
        yield "more keys", lambda size: json.dumps({**content, **{f"k{n}": n for n in range(size // 14)}})
        yield (
            "deeper",
            lambda size: json.dumps(content)[:-1] + ', "k": ' + '{"a":' * (size // 6) + "1" + "}" * (size // 6),
        )


def _with_more_items(content: object, size: int) -> str:
    text, times = json.dumps(content), 1
    while len(text) < size and times < size:
        times += 1 + times // 4
        text, last = json.dumps(_repeated(content, times)), text
        if len(text) > LONGEST_LINE:
            return last
    return text


def _repeated(content: Any, times: int, longest: int | None = None) -> Any:
    """Repeat the items of all lists, those that are texts cut to so many characters at most."""
    if isinstance(content, dict):
        return {key: _repeated(value, times, longest) for key, value in content.items()}
    if isinstance(content, list):
        return [one[:longest] if isinstance(one, str) else _repeated(one, times, longest) for one in content] * times
    return content


def _longest_sample(dialect: Dialect) -> str:
    """Give the longest sample that says something, or its longest line: what has most to go wrong in."""
    said = [one.line for one in dialect.samples if one.event != "irrelevant"] or [dialect.samples[0].line]
    return max(said, key=len)


def _read(line: str) -> None:
    for _ in READER.stream(line[:LONGEST_LINE].split("\n")):
        pass


def too_dear(ways: Iterator[tuple[str, Grown]], short: int, long: int) -> dict[str, float]:
    """Name the ways to grow a line whose cost grows faster than their length."""
    found = {name: growth(_read, grown(short), grown(long)) for name, grown in ways}
    return {name: by for name, by in found.items() if by > FACTOR}


each_dialect = pytest.mark.parametrize("dialect", SHELF.dialects.values(), ids=lambda one: one.id)


@each_dialect
def test_a_long_line_costs_no_more_for_each_character_than_a_short_one(dialect: Dialect) -> None:
    line = _longest_sample(dialect)
    printed = (_as_json(sample.line) for sample in dialect.samples[:6])
    for ways in (_with_fillers(line), _with_a_part_repeated(line, 4), *printed):
        assert too_dear(ways, *LENGTHS) == {}


@pytest.mark.soak
@each_dialect
def test_no_sample_can_be_grown_into_a_line_that_costs_more(dialect: Dialect) -> None:
    for line in sorted((one.line for one in dialect.samples), key=len)[-4:]:
        for ways in (_with_fillers(line), _with_a_part_repeated(line, 16), _as_json(line)):
            assert too_dear(ways, *LONGER) == {}


ASA = "Mar 3 10:{m:02}:{s:02} %ASA-6-106015: Deny TCP (no connection) from {src} to {dst} flags {flags} on interface x"
BUILT = (
    "%ASA-6-302013: Built outbound TCP connection {n} for x:198.51.100.7/443 (198.51.100.7/443) "
    "to y:192.0.2.1/{p} (203.0.113.9/{q})"
)
TRACE = (
    'id=20085 trace_id={n} func=print_pkt_detail line=5501 msg="vd-root:0 received a packet(proto=6, '
    '192.0.2.1:{p}->198.51.100.7:443) from port1. flag [.], seq 1, ack 1, win 1"'
)


def _clock(n: int) -> dict[str, int]:
    return {"m": n // 60 % 60, "s": n % 60}


PASTES: dict[str, Callable[[int], str]] = {
    "one flow": lambda n: ASA.format(**_clock(n), src="192.0.2.1/443", dst="198.51.100.7/51515", flags="RST"),
    "many flows": lambda n: ASA.format(
        **_clock(n // 10), src=f"192.0.2.{n % 250}/{1024 + n}", dst=f"198.51.100.{n // 250 % 250}/443", flags="ACK"
    ),
    "a scan": lambda n: ASA.format(**_clock(n // 50), src="192.0.2.1/40000", dst=f"198.51.100.7/{n}", flags="SYN"),
    "packets": lambda n: (
        f"10:{n // 60 % 60:02}:{n % 60:02}.{n:06} IP 192.0.2.1.443 > 198.51.100.7.51515: "
        f"Flags [{'R' if n % 100 == 99 else '.'}], seq {n}, ack 1, win 1, length 0"
    ),
    "a chain of translations": lambda n: BUILT.format(n=n, p=n, q=n + 1),
    "traces": lambda n: TRACE.format(n=n % 7, p=n),
    "a block": lambda n: (
        "TCP outside 192.0.2.1:443 inside 198.51.100.7:51515, idle 0:00:01" if not n else "  flags UIO"
    ),
    "open braces": lambda _: "{",
    "broken JSON": lambda n: '{"a":' if n % 2 else "1,",
    "unknown words": lambda n: f"nothing that anybody knows {n}",
    "header after header": lambda _: "#Fields: date time action protocol src-ip dst-ip src-port dst-port",
}


def _paste(name: str, size: int) -> list[str]:
    return [PASTES[name](n) for n in range(size)]


def _observed(lines: list[str]) -> list[Fact]:
    return observe(read("\n".join(lines), SHELF))


@pytest.mark.parametrize("name", PASTES)
def test_a_long_paste_costs_no_more_for_each_line_than_a_short_one(name: str) -> None:
    assert growth(_observed, _paste(name, 200), _paste(name, 3_200)) <= FACTOR


@pytest.mark.soak
@pytest.mark.parametrize("name", PASTES)
def test_the_longest_paste_costs_no_more_for_each_line_than_a_short_one(name: str) -> None:
    assert growth(_observed, _paste(name, 1_000), _paste(name, 20_000)) <= FACTOR


@pytest.mark.parametrize("name", ["one flow", "many flows", "a scan", "packets", "a chain of translations", "traces"])
def test_every_line_of_these_pastes_is_read(name: str) -> None:
    assert len(read("\n".join(_paste(name, 200)), SHELF).lines) == 200


def test_what_looks_back_from_every_character_is_seen() -> None:
    assert growth(re.compile("[a-z ]*#").search, "a " * 500, "a " * 8_000) > FACTOR


def test_what_copies_all_for_every_part_is_seen() -> None:
    short, long = (dict.fromkeys(range(size)) for size in (400, 12_800))
    assert growth(lambda parts: sum(len(dict(parts)) for _ in parts), short, long) > FACTOR


def test_what_looks_at_everything_once_is_not_taken_for_that() -> None:
    assert growth(lambda text: sum(map(ord, text)), "x" * LENGTHS[0], "x" * LENGTHS[1]) <= FACTOR
