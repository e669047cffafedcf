"""Read a paste: each line goes to the dialect that recognises it and becomes a record, or is reported as unread."""

from __future__ import annotations

import io
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

from knowledge.model import Dialect
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.case import Unread
from rules.clean import clean
from rules.codecs import Raw, decode, split
from rules.envelope import carried
from rules.flows import joined_by_id
from rules.gather import Logical, gather
from rules.interpret import Interpreter, ReadLine, Used
from rules.openers import with_openers
from rules.recognise import Claimed, Recogniser
from rules.runs import with_scans
from rules.wrapped import unwrapped

LONGEST_LINE = 65_536
"""Characters; longer lines are reported, not read."""
MOST_LINES = 20_000
LARGEST_PASTE = 4_000_000
"""Characters."""
_LONGEST_BLOCK = 200
"""Lines that belong to one record at most."""

Results = Iterator[ReadLine | Unread]
Headers = dict[str, Mapping[str, int]]
"""The places of the columns that a header line has named, by dialect."""


class PasteTooLarge(ValueError):
    """A paste beyond what is read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a paste gave."""

    lines: tuple[ReadLine, ...]
    unread: tuple[Unread, ...]


def read(paste: str, shelf: Shelf) -> Reading:
    """Read all lines of a paste. Raises PasteTooLarge beyond the limits."""
    if len(paste) > LARGEST_PASTE:
        raise PasteTooLarge(
            f"the paste has {len(paste):,} characters; whydrop reads up to {LARGEST_PASTE:,}. "
            "Paste the lines around the drop or the reset, or only those with its addresses."
        )
    lines = list(io.StringIO(paste, newline=None))
    filled = sum(1 for text in lines if text.strip("`> \t\n"))
    if filled > MOST_LINES:
        raise PasteTooLarge(
            f"the paste has {filled:,} lines; whydrop reads up to {MOST_LINES:,}. "
            "Filter it by the addresses and ports in question first."
        )
    reader = reader_of(shelf)
    return reader.together(reader.stream(lines))


@lru_cache(maxsize=8)
def reader_of(shelf: Shelf) -> Reader:
    """Give the reader of a shelf; it is compiled once."""
    return Reader(shelf)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The raw names of one record, the text they come from, and what of the dialect they make use of."""

    dialect: Dialect
    text: str
    raw: Raw
    used: Used


class Reader:
    """A shelf's dialects made ready to read with. Any thread may use it."""

    def __init__(self, shelf: Shelf) -> None:
        self.recogniser = Recogniser(shelf)
        self._joining = {id_ for id_, dialect in shelf.dialects.items() if dialect.joined_by_id}
        self._interpreters = {id_: Interpreter(dialect, shelf) for id_, dialect in shelf.dialects.items()}

    def stream(self, lines: Iterable[str]) -> Results:
        """Read line after line, in memory that does not grow: records and unread ones, in the order of the lines."""
        headers: Headers = {}
        yield from unwrapped(self._parts(lines), lambda part: list(self._read(part, headers)), self._claim)

    def together(self, results: Iterable[ReadLine | Unread]) -> Reading:
        """Give what lines say because of one another: addresses lent within a trace, and runs that are a scan."""
        found = list(results)
        lines = [one for one in found if isinstance(one, ReadLine)]
        joined = with_scans(with_openers(joined_by_id(lines, self._joining)))
        return Reading(tuple(joined), tuple(one for one in found if isinstance(one, Unread)))

    def pages(self, lines: Iterable[str]) -> Iterator[Reading]:
        """Read lines without end, in pages of what one paste may hold: lines are joined within a page only."""
        results = self.stream(lines)
        for first in results:  # no name holds a page while the next one is read
            yield self.together(chain([first], islice(results, MOST_LINES - 1)))

    def dialect_of(self, text: str) -> Dialect | None:
        """Give the dialect of one line."""
        return self._claim(Logical(1, 1, clean(text))).dialect

    def decoded(self, lines: Iterable[str]) -> Iterator[Decoded]:
        """Give the raw names of every record: with them, what no sample uses is found."""
        headers: Headers = {}
        for part in self._parts(lines):
            if (dialect := part.dialect) is None:
                continue
            if names := _header(dialect, part.text):
                headers[dialect.id] = names
            elif raw := decode(dialect, part.text, headers.get(dialect.id)):
                for one in _each(dialect, raw):
                    yield Decoded(dialect, part.text, one, self._interpreters[dialect.id].used(one))

    def _claim(self, line: Logical) -> Claimed:
        if len(line.text) > LONGEST_LINE:
            return Claimed(line, line.text, None)
        forms: list[str] = []
        for text in carried(line.text):
            if dialect := self.recogniser.known(text):
                return Claimed(line, text, dialect)
            forms.append(text)
        for text in sorted(forms, key=len):
            if dialect := self.recogniser.fallback(text):
                return Claimed(line, text, dialect)
        return Claimed(line, forms[0], None)

    def _parts(self, lines: Iterable[str]) -> Iterator[Claimed]:
        """Give each line, or each block of lines that belong to one record, beside whose it is."""
        block: list[Claimed] = []
        for line in gather(lines):
            claimed = self._claim(line)
            if block and not _continues(block, claimed):
                yield _joined(block)
                block = []
            if block or (claimed.dialect and claimed.dialect.block):
                block.append(claimed)
            else:
                yield claimed
        if block:
            yield _joined(block)

    def _read(self, claimed: Claimed, headers: Headers) -> Results:
        at, text, dialect = claimed.at, claimed.text, claimed.dialect
        if len(text) > LONGEST_LINE:
            why = f"the line has {len(text):,} characters; a log line has at most {LONGEST_LINE:,}"
            yield at.unread(why).model_copy(update={"text": at.text[:200], "cut": True})
        elif dialect is None:
            yield at.unread(self.recogniser.nearest(text))
        elif names := _header(dialect, text):
            headers[dialect.id] = names
            yield at.unread(f"{dialect.title}: it names the columns of the lines below")
        else:
            yield from self._decoded(claimed, dialect, headers.get(dialect.id))

    def _decoded(self, claimed: Claimed, dialect: Dialect, columns: Mapping[str, int] | None) -> Results:
        raw = decode(dialect, claimed.text, columns)
        if raw is None:
            yield claimed.at.unread(f"{dialect.title}: the line breaks off or is written differently")
            return
        interpreter = self._interpreters[dialect.id]
        for one in _each(dialect, raw):
            yield from interpreter.interpret(claimed.at, claimed.text, one)


def _joined(block: Sequence[Claimed]) -> Claimed:
    first = block[0]
    if len(block) == 1:
        return first
    at = Logical(first.at.first, block[-1].at.last, "\n".join(one.at.text for one in block))
    return Claimed(at, "\n".join(one.text for one in block), first.dialect)


def _continues(block: Sequence[Claimed], claimed: Claimed) -> bool:
    dialect = block[0].dialect
    if dialect is None or dialect.block is None or len(block) >= _LONGEST_BLOCK:
        return False
    known = claimed.dialect is not None and not claimed.dialect.fallback
    return not known and pattern(dialect.block).search(claimed.text) is not None


def _header(dialect: Dialect, text: str) -> Mapping[str, int] | None:
    found = pattern(dialect.header).found(text) if dialect.header else None
    return None if found is None else {name: place for place, name in enumerate(split(dialect, found["names"]))}


def _each(dialect: Dialect, raw: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Give the raw names of each record in a line: one, or one for each item that the dialect names."""
    items = [text for name, text in raw.items() if pattern(dialect.each).fullmatch(name)] if dialect.each else []
    if not items:
        yield raw
    shared = dict(raw)
    for item in items:
        found = next((one for text in dialect.patterns if (one := pattern(text).found(item)) is not None), {})
        yield ChainMap({"item": item, **found}, shared)  # no copy: thousands of items share thousands of names
