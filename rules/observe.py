"""From records to facts: what one line states, what lines of one flow state together, and comparisons of facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from knowledge.clause import Value, plain
from knowledge.model import Event
from rules.case import Endpoint, Fact, Kind, Record
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
_ENDS: Mapping[Event, str] = {
    "closed": "fin",
    "reset-by-server": "rst",
    "reset-by-client": "rst",
    "reset-by-firewall": "rst",
    "idle-timeout": "idle-timeout",
    "handshake-timeout": "handshake-timeout",
}
_HEADERS_ONLY = 78
"""Bytes a packet without data takes at most, link header and options included."""
_A_LITTLE = 3000
"""Bytes up to which an answer is no more than a handshake, a certificate's first part, or an error."""


def observe(reading: Reading) -> list[Fact]:
    """State what the lines say. The line that is the case's own comes first; the others speak about it."""
    main = main_line(reading.lines)
    if main is None:
        return []
    facts = [*_of_line(main), *_across(main, [line for line in reading.lines if line is not main])]
    return list({fact.feature: fact for fact in reversed(facts)}.values())[::-1]


def main_line(lines: Sequence[ReadLine]) -> ReadLine | None:
    """Choose the line the case is about: a drop before a reset before anything else, the first of its kind."""
    order = {event: place for place, event in enumerate(_MAIN_FIRST)}
    return min(lines, key=lambda line: order.get(line.record.event or "other", len(order)), default=None)


def _fact(line: int, feature: str, value: Value, kind: Kind = "seen", because: str = "") -> Fact:
    prefix = {
        "seen": "line",
        "assumed": "assumed from line",
        "inferred": "inferred from line",
        "told": "you said, line",
    }
    origin = f"{prefix[kind]} {line}" + (f": {because}" if because else "")
    return Fact(feature=feature, value=value, origin=origin, kind=kind)


def _of_line(line: ReadLine) -> Iterator[Fact]:
    record = line.record
    number = record.line
    if record.event:
        yield _fact(number, "log.event", record.event)
        if record.event in _SYMPTOMS:
            yield _fact(number, "symptom", _SYMPTOMS[record.event])
        yield from _of_event(record, record.event)
    if record.vendor != "unknown":
        yield _fact(number, "log.product", line.product)
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


def _of_event(record: Record, event: Event) -> Iterator[Fact]:
    if event.startswith("reset-by-"):
        yield _fact(record.line, "reset.by", event.removeprefix("reset-by-"))
    if record.flags and event in ("out-of-state", "invalid-flags", "scan"):
        yield _fact(record.line, "packet.flags", flag_class(record.flags))
    if record.duration_s is not None and (event in _ENDS or event == "other"):
        yield _fact(record.line, "session.duration_s", record.duration_s)


def _amounts(line: ReadLine) -> Iterator[Fact]:
    """Tell from bytes and packets how far the connection got."""
    record = line.record
    if record.event is None or record.event not in _ENDS or line.client is None:
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


Flow = frozenset[tuple[str, int | None]]


def flow_of(record: Record) -> Flow | None:
    """Name a flow by its two ends, in either direction; None if an address is missing."""
    ends = (record.source, record.destination)
    if any(end.ip is None for end in ends):
        return None
    return frozenset((end.ip or "", end.port) for end in ends)


def _across(main: ReadLine, others: Sequence[ReadLine]) -> Iterator[Fact]:
    record = main.record
    flow = flow_of(record)
    same = [line for line in others if flow is not None and flow_of(line.record) == flow]
    if record.event == "out-of-state":
        yield from _before(record, same)
        yield from _spread([main, *(line for line in others if line.record.event == "out-of-state")])


def _before(drop: Record, same: Iterable[ReadLine]) -> Iterator[Fact]:
    """What happened to the same flow before the drop: opened, and ended how long ago."""
    for line in same:
        other = line.record
        gap = seconds_between(other.time, drop.time)
        if (gap is None and other.line > drop.line) or (gap is not None and gap < 0):
            continue
        if line.says == "opened":
            yield _fact(other.line, "handshake.syn_seen", True, because="the connection was built")
        elif other.event is not None and other.event in _ENDS:
            yield _fact(other.line, "session.closed_before", _ENDS[other.event])
            if gap is not None:
                because = f"line {drop.line} came {plain(gap)} s later"
                yield _fact(other.line, "session.since_end_s", gap, because=because)


_MANY = 5


def _spread(drops: Sequence[ReadLine]) -> Iterator[Fact]:
    """Several drops: one source over many targets, or many flows in one second."""
    if len(drops) < _MANY:
        return
    last = drops[-1].record.line
    sources = Counter(drop.record.source.ip for drop in drops)
    source, _count = sources.most_common(1)[0]
    targets = {_target(drop.record.destination) for drop in drops if drop.record.source.ip == source}
    servers = {_target(drop.record.destination) for drop in drops}
    if source and len(sources) == 1 and len(targets) >= _MANY:
        yield _fact(last, "scope.one_source_many_targets", True, because=f"{len(targets)} targets of one source")
    elif len({drop.record.time for drop in drops}) == 1 and len(servers) >= _MANY:
        yield _fact(last, "scope.spread", "many-at-once", because=f"{len(drops)} drops in one second")


def _target(end: Endpoint) -> tuple[str | None, int | None]:
    return end.ip, end.port
