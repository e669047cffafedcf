"""Which lines speak of the same connection: in either direction, and through the translated addresses they state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from rules.case import Endpoint, Record
from rules.interpret import ReadLine

Flow = frozenset[tuple[str, int | None]]
"""The two ends of a connection, whichever of them sent."""


def names_of(record: Record) -> Iterator[Flow]:
    """Give every name a flow may have elsewhere: as stated, and with one or both ends translated."""
    for source in faces(record.source):
        for destination in faces(record.destination):
            yield frozenset((source, destination))


def faces(end: Endpoint) -> list[tuple[str, int | None]]:
    """Give the addresses and ports an end is known by: as stated, and as translated."""
    found = [(end.ip, end.port)] if end.ip else []
    if end.translated_ip or end.translated_port:
        address, port = end.translated_ip or end.ip, end.translated_port or end.port
        if address and (address, port) not in found:
            found.append((address, port))
    return found


def same_flow(main: ReadLine, lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Give the lines, the main one among them, that speak of its connection, in the order of the paste."""
    places = same_connection(main.record, [line.record for line in lines])
    return [line for place, line in enumerate(lines) if place in places or line is main] or [main]


def same_connection(main: Record, records: Sequence[Record]) -> set[int]:
    """Give the places of the records that speak of one connection, under each of the names it goes by."""
    named: dict[Flow, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for name in names_of(record):
            named[name].append(place)
    found: set[int] = set()
    open_names = list(names_of(main))
    seen = set(open_names)
    while open_names:
        for place in named[open_names.pop()]:
            if place not in found:
                found.add(place)
                fresh = [name for name in names_of(records[place]) if name not in seen]
                seen.update(fresh)
                open_names += fresh
    return found


def in_words(lines: Iterable[ReadLine]) -> str:
    """Name lines by their numbers: line 2; lines 1 and 3; lines 1, 2, 5 and 4 more."""
    numbers = sorted({line.record.line for line in lines})
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    shown, more = numbers[:_SHOWN], len(numbers) - _SHOWN
    last = f"{more} more" if more > 0 else str(shown.pop())
    return f"lines {', '.join(map(str, shown))} and {last}"


_SHOWN = 6


def joined_by_id(lines: Sequence[ReadLine], joining: Container[str]) -> list[ReadLine]:
    """Lend addresses, ports and flags to lines that only name the number of a trace whose other lines have them."""
    lenders: dict[tuple[str, str], ReadLine] = {}
    result = []
    for line in lines:
        record = line.record
        key = (record.dialect, record.id or "")
        joins = record.dialect in joining and record.id
        if joins and record.source.ip is not None:
            lenders[key] = line
        result.append(_lent(line, lenders[key]) if joins and record.source.ip is None and key in lenders else line)
    return result


def _lent(line: ReadLine, lender: ReadLine) -> ReadLine:
    given, record = lender.record, line.record
    fields = {
        "source": given.source,
        "destination": given.destination,
        "transport": record.transport or given.transport,
        "flags": record.flags or given.flags,
        "time": record.time or given.time,
    }
    roles = [one for one in lender.stated if one.feature.startswith("flow.")]
    told = (*line.stated, *roles)
    return replace(line, record=record.model_copy(update=fields), stated=told, client=lender.client)
