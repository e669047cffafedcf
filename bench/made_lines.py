"""Files of log lines to read: those of the corpus over and over, and those of one format with numbers that vary."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from knowledge.shelf import Shelf

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "lines.jsonl"
_CHUNK = 1 << 20


def all_lines(shelf: Shelf) -> tuple[str, list[str]]:
    """Give real lines of every product, or our own samples where there is no corpus; and say which."""
    if CORPUS.exists():
        entries = map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
        return "the corpus", [line for entry in entries for line in entry["line"].splitlines()]
    samples = (sample.line for dialect in shelf.dialects.values() for sample in dialect.samples)
    return "our samples", [line for sample in samples for line in sample.splitlines()]


def asa_lines(shelf: Shelf) -> list[str]:
    """Give our samples of ASA's 106015, 302013 and 302014 that state IPv4 addresses, as a log server keeps them."""
    form = re.compile(r"%ASA-6-(?:106015|30201[34]): .*\d/\d+ .*|%ASA-6-302014: .*")
    found = [match.group() for sample in shelf.dialects["cisco-asa"].samples if (match := form.search(sample.line))]
    return [f"Mar 03 2024 10:15:54 fw1 : {line}" for line in found if "2001:" not in line and "\\" not in line]


def netfilter_lines(shelf: Shelf) -> list[str]:
    """Give our samples of whole netfilter lines behind syslog's head."""
    form = re.compile(r"\w{3} +\d+ [\d:]+ \S+ kernel: .*\bIN=.* URGP=0")
    return [sample.line for sample in shelf.dialects["linux-netfilter"].samples if form.fullmatch(sample.line)]


FORMATS: Mapping[str, Callable[[Shelf], list[str]]] = {"cisco-asa": asa_lines, "netfilter": netfilter_lines}
"""The formats that have a rulebase for liblognorm here, by the name of its file."""

_PORT = re.compile(r"(?<=[/=])\d{4,5}\b(?!-)")
_HOST = re.compile(r"(?<=192\.0\.2\.)\d+|(?<=198\.51\.100\.)\d+|(?<=203\.0\.113\.)\d+")
_NUMBER = re.compile(r"(?<=connection )\d+")


def varied(lines: Sequence[str], seed: int = 1) -> Iterator[str]:
    """Give lines without end, with other hosts, ports and connections each time."""
    chance = random.Random(seed)
    while True:
        line = _PORT.sub(lambda _: str(chance.randrange(1024, 65536)), chance.choice(lines))
        line = _HOST.sub(lambda _: str(chance.randrange(1, 255)), line)
        yield _NUMBER.sub(lambda _: str(chance.randrange(1, 10**7)), line)


def fill(path: Path, lines: Sequence[str], size: int, *, vary: bool) -> int:
    """Write lines until the file has its size in bytes; give how many they are."""
    endless = varied(lines) if vary else cycle(lines)
    count = written = 0
    with path.open("wb") as file:
        while written < size:
            chunk = bytearray()
            while len(chunk) < _CHUNK and written + len(chunk) < size:
                chunk += next(endless).encode() + b"\n"
                count += 1
            written += file.write(chunk)
    return count
