"""Reading takes time in proportion to what is pasted, whatever it is: the cost of a character, or a line, stays flat."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from knowledge.load import load_shelf
from knowledge.model import Dialect
from rules.observe import observe
from rules.read import LONGEST_LINE, Reading, read, reader_of

SHELF = load_shelf()
READER = reader_of(SHELF)
FACTOR = 3.0
"""What the cost of a character may grow by; a quadratic step makes it 16-fold at 16 times the length."""
TRIES = 5
"""The best of so many runs counts: other processes disturb, and what is met for the first time is compiled."""
LENGTHS = (2_000, 32_000)
LONGER = (8_000, 64_000)

Work = Callable[[int], object]
"""Something done with a text, or a paste, of a given size."""
Grown = Callable[[int], str]
"""A line of a given length."""


def growth(work: Work, short: int, long: int) -> float:
    """Say by how much the cost of one part grows from a short whole to a long one."""
    found = float("inf")
    for _ in range(TRIES):
        found = min(found, _cost(work, long) / _cost(work, short))
        if found <= FACTOR:
            break
    return found


def _cost(work: Work, size: int) -> float:
    """Give the processor's seconds for each of so many parts, garbage collection left out."""
    gc.disable()
    try:
        begin = time.process_time()
        work(size)
        return max(time.process_time() - begin, 1e-6) / size
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
        content = json.loads(line[line.find("{") :])
    except ValueError:
        return
    yield "more items", partial(_with_more_items, content)
    yield "more keys", lambda size: json.dumps({**content, **{f"k{n}": n for n in range(size // 14)}})
    yield "deeper", lambda size: json.dumps({**content, "k": "[" * 900})[:-2] + _filled('"', ',[{"a":[1,', '"}', size)


def _with_more_items(content: object, size: int) -> str:
    grown = [json.dumps(content)]
    while len(grown[-1]) < min(size, LONGEST_LINE) and grown[-1] not in grown[:-1]:
        grown.append(json.dumps(_repeated(content, len(grown) + 1)))
    return grown[-1] if len(grown[-1]) <= LONGEST_LINE else grown[-2]


def _repeated(content: Any, times: int) -> Any:
    if isinstance(content, dict):
        return {key: _repeated(value, times) for key, value in content.items()}
    return [_repeated(one, times) for one in content] * times if isinstance(content, list) else content


def _longest_sample(dialect: Dialect) -> str:
    """Give the longest sample that says something, or its longest line: what has most to go wrong in."""
    said = [one.line for one in dialect.samples if one.event != "irrelevant"] or [dialect.samples[0].line]
    return max(said, key=len)


def _read(grown: Grown, size: int) -> None:
    for _ in READER.stream(grown(size)[:LONGEST_LINE].split("\n")):
        pass


def too_dear(ways: Iterator[tuple[str, Grown]], short: int, long: int) -> dict[str, float]:
    """Name the ways to grow a line whose cost grows faster than their length."""
    found = {name: growth(partial(_read, grown), short, long) for name, grown in ways}
    return {name: by for name, by in found.items() if by > FACTOR}


each_dialect = pytest.mark.parametrize("dialect", SHELF.dialects.values(), ids=lambda one: one.id)


@each_dialect
def test_a_long_line_costs_no_more_for_each_character_than_a_short_one(dialect: Dialect) -> None:
    line = _longest_sample(dialect)
    for ways in (_with_fillers(line), _with_a_part_repeated(line, 4), _as_json(line)):
        assert too_dear(ways, *LENGTHS) == {}


@pytest.mark.soak
@each_dialect
def test_no_sample_can_be_grown_into_a_line_that_costs_more(dialect: Dialect) -> None:
    for line in sorted((one.line for one in dialect.samples), key=len)[-4:]:
        for ways in (_with_fillers(line), _with_a_part_repeated(line, 16), _as_json(line)):
            assert too_dear(ways, *LONGER) == {}


ASA = "Mar 03 2024 10:{m:02}:{s:02} fw1 : %ASA-6-106015: Deny TCP (no connection) from {src} to {dst} flags {flags} on interface x"
BUILT = "%ASA-6-302013: Built outbound TCP connection {n} for x:198.51.100.7/443 (198.51.100.7/443) to y:192.0.2.1/{p} (203.0.113.9/{q})"
TRACE = 'id=20085 trace_id={n} func=print_pkt_detail line=5501 msg="vd-root:0 received a packet(proto=6, 192.0.2.1:{p}->198.51.100.7:443) from port1. flag [.], seq 1, ack 1, win 1"'


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


def _paste(line: Callable[[int], str], size: int) -> Reading:
    reading = read("\n".join(line(n) for n in range(size)), SHELF)
    observe(reading)
    return reading


@pytest.mark.parametrize("name", PASTES)
def test_a_long_paste_costs_no_more_for_each_line_than_a_short_one(name: str) -> None:
    assert growth(partial(_paste, PASTES[name]), 200, 3_200) <= FACTOR


@pytest.mark.soak
@pytest.mark.parametrize("name", PASTES)
def test_the_longest_paste_costs_no_more_for_each_line_than_a_short_one(name: str) -> None:
    assert growth(partial(_paste, PASTES[name]), 1_000, 20_000) <= FACTOR


@pytest.mark.parametrize("name", ["one flow", "many flows", "a scan", "packets", "a chain of translations", "traces"])
def test_the_lines_of_these_pastes_are_read_and_speak_of_one_another(name: str) -> None:
    reading = _paste(PASTES[name], 200)
    assert len(reading.lines) == 200
    assert any(fact.origin.count("line") for fact in observe(reading))


def test_what_looks_back_from_every_character_is_seen() -> None:
    backtracking = re.compile("[a-z ]*#")
    assert growth(lambda size: backtracking.search("a " * (size // 2)), 1_000, 16_000) > FACTOR


def test_what_copies_all_for_every_part_is_seen() -> None:
    def copied(size: int) -> None:
        parts = dict.fromkeys(range(size), "")
        for _ in parts:
            dict(parts)

    assert growth(copied, 200, 3_200) > FACTOR


def test_what_looks_at_everything_once_is_not_taken_for_that() -> None:
    assert growth(lambda size: sum(ord(one) for one in "x" * size), *LENGTHS) <= FACTOR
