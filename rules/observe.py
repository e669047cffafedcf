"""From records to facts: what one line states, what lines of one flow state together, and comparisons of facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from knowledge.clause import Value
from knowledge.model import Event
from rules.across import ENDS, across
from rules.case import Fact, Kind, Record
from rules.interpret import ReadLine
from rules.quantities import flag_class
from rules.read import Reading
from rules.times import seconds_between

_SYMPTOMS: Mapping[Event, str] = {
    "out-of-state": "out-of-state",
    "invalid-flags": "out-of-state",
    "scan": "out-of-state",
    "reset-by-server": "reset",
    "reset-by-client": "reset",
    "reset-by-firewall": "reset",
}
_MAIN_FIRST: Sequence[Event] = (*_SYMPTOMS, "idle-timeout", "handshake-timeout", "other", "denied", "closed")
_HEADERS_ONLY = 78
"""Bytes a packet without data takes at most, link header and options included."""
_A_LITTLE = 3000
"""Bytes up to which an answer is no more than a handshake, a certificate's first part, or an error."""


def observe(reading: Reading) -> list[Fact]:
    """State what the lines say. The line that is the case's own comes first; the others speak about it."""
    main = main_line(reading.lines)
    if main is None:
        return []
    joined = list(across(main, reading.lines))
    proven = [
        fact for fact in joined if fact.kind == "seen"
    ]  # an opening that was logged outweighs what a drop implies
    facts = [*proven, *_of_line(main), *joined]
    return list({fact.feature: fact for fact in reversed(facts)}.values())[::-1]


def main_line(lines: Sequence[ReadLine]) -> ReadLine | None:
    """Choose the line the case is about: a drop before a reset before anything else, the earliest of its kind."""
    order: dict[Event | None, int] = {event: place for place, event in enumerate(_MAIN_FIRST)}
    places = [order.get(line.record.event, len(order)) for line in lines]
    first = min(places, default=0)
    alike = [line for line, place in zip(lines, places, strict=True) if place == first]
    gaps = [seconds_between(alike[0].record.time, line.record.time) for line in alike]
    known = [gap for gap in gaps if gap is not None]
    if not alike or len(known) < len(alike):
        return alike[0] if alike else None
    return alike[known.index(min(known))]


def _fact(line: int, feature: str, value: Value, kind: Kind = "seen", because: str = "") -> Fact:
    prefix = {
        "seen": "line",
        "assumed": "assumed from line",
        "inferred": "inferred from line",
        "told": "you said, line",
    }
    origin = f"{prefix[kind]} {line}" + (f": {because}" if because else "")
    return Fact(feature=feature, value=value, origin=origin, kind=kind)


_ENDS_AND_PROXIES = ("host", "proxy")


def _of_line(line: ReadLine) -> Iterator[Fact]:
    record = line.record
    number = record.line
    if record.event:
        yield _fact(number, "log.event", record.event)
        if record.event in _SYMPTOMS:
            yield _fact(number, "symptom", _SYMPTOMS[record.event])
        yield from _of_event(record, record.event, at_an_end=line.stands == "host")
        if record.event == "handshake-timeout" and line.stands in _ENDS_AND_PROXIES:
            yield _fact(number, "handshake.completed", False, "inferred", "who opened it has given up")
    if record.vendor != "unknown":
        yield _fact(number, "log.product", line.product)
        yield _fact(number, "log.stands", line.stands)
    yield from _ends(record)
    for one in line.stated:
        yield _fact(number, one.feature, one.value, "assumed" if one.assumed else "seen", one.because)
    yield from _amounts(line)


def _ends(record: Record) -> Iterator[Fact]:
    """The addresses and ports, as commands are filled with them."""
    for name, end in (("packet.source", record.source), ("packet.destination", record.destination)):
        if end.ip is not None:
            yield _fact(record.line, name, end.ip)
        if end.port is not None:
            yield _fact(record.line, f"{name}_port", float(end.port))
    if interface := record.source.interface or record.destination.interface:
        yield _fact(record.line, "packet.interface", interface)


def _of_event(record: Record, event: Event, *, at_an_end: bool) -> Iterator[Fact]:
    """What happened; an end of the connection cannot tell who made a reset: a forged one bears the other end's name."""
    if event.startswith("reset-by-") and not at_an_end:
        yield _fact(record.line, "reset.by", event.removeprefix("reset-by-"))
    if record.flags and event in ("out-of-state", "invalid-flags", "scan"):
        yield _fact(record.line, "packet.flags", flag_class(record.flags))
    if record.duration_s is not None and (event in ENDS or event == "other"):
        yield _fact(record.line, "session.duration_s", record.duration_s)


def _amounts(line: ReadLine) -> Iterator[Fact]:
    """Tell from bytes and packets how far the connection got."""
    record = line.record
    if record.event is None or record.event not in ENDS or line.client is None:
        return
    server = _volume(record, from_source=line.client == "destination")
    if server is None:
        return
    yield _fact(record.line, "session.server_bytes", server, "inferred", "by the bytes and packets from the server")
    if server == "none" and record.event == "reset-by-server" and _only_resets(line):
        yield _fact(record.line, "reset.phase", "answer-to-syn", "inferred", "the server sent resets and nothing else")


_NO_OPTIONS = 60
"""Bytes of a packet without TCP options at most, padded by Ethernet: a RST carries none, a SYN+ACK does."""


def _only_resets(line: ReadLine) -> bool:
    """Tell whether all the server's packets are resets: a single one, or too short for a SYN+ACK."""
    from_server = line.client == "destination"
    sent = line.record.bytes.sent if from_server else line.record.bytes.received
    packets = line.record.packets.sent if from_server else line.record.packets.received
    if not packets:
        return False
    return packets == 1 or (sent is not None and sent <= _NO_OPTIONS * packets)


def _volume(record: Record, *, from_source: bool) -> str | None:
    """Say how much one side sent: headers only count as nothing."""
    sent = record.bytes.sent if from_source else record.bytes.received
    packets = record.packets.sent if from_source else record.packets.received
    if sent is None:
        return None
    if sent == 0 or (packets is not None and sent <= _HEADERS_ONLY * packets):
        return "none"
    return "small" if sent <= _A_LITTLE else "normal"
