"""What lines state together: an end before a drop, silences, runs, both directions, two firewalls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from knowledge.clause import Value, plain
from knowledge.model import Event
from rules.case import Endpoint, Fact, Kind, Record
from rules.flows import in_words, same_flow
from rules.interpret import ReadLine
from rules.packets import in_time, is_syn, told_by_packets
from rules.quantities import flag_class
from rules.runs import scans
from rules.times import seconds_between

ENDS: Mapping[Event, str] = {
    "closed": "fin",
    "reset-by-server": "rst",
    "reset-by-client": "rst",
    "reset-by-firewall": "rst",
    "idle-timeout": "idle-timeout",
    "handshake-timeout": "handshake-timeout",
}
"""How a connection ended, by the event that says so."""
_DROPS = ("out-of-state", "invalid-flags", "scan")
_AGAIN_S = 120.0
"""Seconds within which a port used again meets leftovers of its last use: TIME-WAIT, two minutes (RFC 9293 3.4.2)."""
_ON_ITS_WAY_S = 900.0
"""Seconds after a close within which something of it may still come: the give-up times of stacks (RFC 9293 3.8.3)."""
_AT_ONCE_S = 5.0
"""Seconds within which an opening here and a drop there belong to the same handshake (domain judgement)."""
_BESIDE = ("sensor", "capture", "host")
_MANY = 5
_LONG_S = 60.0


def across(main: ReadLine, lines: Sequence[ReadLine]) -> Iterator[Fact]:
    """State what the lines of a paste say together about the main one, which is among them."""
    if len(lines) < 2:
        return
    same = same_flow(main, lines)
    others = [line for line in same if line is not main]
    here = [line for line in others if not _elsewhere(main, line)]
    if main.record.event in _DROPS:
        yield from _before(main, here)
    yield from _again([line for line in same if not _elsewhere(main, line)])
    yield from _client_began(same)
    for one in told_by_packets(main, [line for line in same if not _elsewhere(main, line)]):
        yield _joined(one.feature, one.value, one.lines, one.because)
    yield from _two_devices(main, [line for line in others if _elsewhere(main, line)])
    if main.record.event in _DROPS:
        yield from _spread(main, [line for line in lines if line.record.event in _DROPS], lines)
    elif main.record.event in ENDS:
        yield from _spread(main, [line for line in lines if line.record.event == main.record.event], lines)


def _joined(feature: str, value: Value, lines: Sequence[ReadLine], because: str, kind: Kind = "inferred") -> Fact:
    head = "inferred from " if kind == "inferred" else ""
    return Fact(feature=feature, value=value, origin=f"{head}{in_words(lines)}: {because}", kind=kind)


def _elsewhere(main: ReadLine, line: ReadLine) -> bool:
    """Tell whether another device wrote the line; one that is not named is taken for the same."""
    one, other = main.record, line.record
    if one.device and other.device:
        return one.device != other.device
    return one.vendor != other.vendor and "unknown" not in (one.vendor, other.vendor)


def _before(main: ReadLine, same: Sequence[ReadLine]) -> Iterator[Fact]:
    """What happened to the same flow before the drop: opened, and ended how long ago.

    An end from long before the last opening belongs to an earlier connection on the same ports.
    """
    earlier = _of_this_connection([(ago, line) for line in same if (ago := _ago(main, line)) is not None])
    openings = [(ago, line) for ago, line in earlier if _opened(line)]
    ends = [(ago, line) for ago, line in earlier if _ends(line)]
    if openings:
        last, opening = min(openings, key=lambda one: one[0])
        ends = [(ago, line) for ago, line in ends if ago == last or ago <= last + _AGAIN_S]
        yield _joined("handshake.syn_seen", True, [opening], "the connection was built", "seen")
    if ends:
        yield from _ended(main, *min(ends, key=lambda one: one[0]))


def _of_this_connection(earlier: Sequence[tuple[float, ReadLine]]) -> list[tuple[float, ReadLine]]:
    """Leave out a close after which so much time has passed that nothing of it is on its way, and all before it."""
    closes = [ago for ago, line in earlier if _closes(line) and _ON_ITS_WAY_S < ago < math.inf]
    last = min(closes, default=math.inf)
    return [(ago, line) for ago, line in earlier if ago < last or ago == math.inf]


def _closes(line: ReadLine) -> bool:
    """Tell whether both hosts know of the end that a line reports: of a removal after silence they do not."""
    return ENDS.get(line.record.event or "other") in ("fin", "rst")


def _opened(line: ReadLine) -> bool:
    """Tell whether a line shows a connection opened by a SYN: some are built from a packet in the middle of one."""
    without = any(one.feature == "handshake.syn_seen" and one.value is False for one in line.stated)
    return line.says == "opened" and not without and (not line.record.flags or "SYN" in line.record.flags)


def _client_began(same: Sequence[ReadLine]) -> Iterator[Fact]:
    """A SYN that was seen anywhere is a SYN that the client sent."""
    begun = [line for line in same if _opened(line) or is_syn(line)]
    if begun and len(same) > 1:
        yield _joined("handshake.client_sent_syn", True, begun[:1], "its opening was seen")


def _ago(main: ReadLine, line: ReadLine) -> float | None:
    """Tell how long before the main line a line was written: infinity if that is not known, None if it came after."""
    gap = seconds_between(line.record.time, main.record.time)
    if gap is None:
        return float("inf") if line.record.line < main.record.line else None
    return gap if gap >= 0 else None


def _ended(main: ReadLine, gap: float, end: ReadLine) -> Iterator[Fact]:
    event = end.record.event
    if event is None:
        return
    yield _joined("session.closed_before", ENDS[event], [end], "the connection ended before the drop", "seen")
    if gap != float("inf"):
        because = f"line {main.record.line} came {plain(gap)} s later"
        yield _joined("session.since_end_s", gap, [end], because, "seen")


def _again(same: Sequence[ReadLine]) -> Iterator[Fact]:
    """Find the same addresses and ports in use again shortly after an end, or opened twice."""
    turns = in_time([line for line in same if line.says == "opened" or _ends(line)])
    for earlier, later in pairwise(turns):
        gap = seconds_between(earlier.record.time, later.record.time)
        if later.says == "opened" and gap is not None and gap <= _AGAIN_S and _another(earlier, later, gap):
            because = f"the same ports were opened again {plain(gap)} s later"
            yield _joined("scope.same_port_again", True, [earlier, later], because)
            return


def _another(earlier: ReadLine, later: ReadLine, gap: float) -> bool:
    """Tell whether two lines of the same ports speak of two connections: by their numbers, else by an end between."""
    if earlier.record.id and later.record.id:
        return gap >= 0 and earlier.record.id != later.record.id
    return gap > 0 and _ends(earlier)


def _ends(line: ReadLine) -> bool:
    return line.record.event in ENDS


def _two_devices(main: ReadLine, others: Sequence[ReadLine]) -> Iterator[Fact]:
    """Another device's line on the same flow: it stands in the path; and if it saw the SYN, this one was passed by."""
    met = [line for line in others if line.stands not in _BESIDE and (line.says == "opened" or line.record.event)]
    if not met:
        return
    first = next((line for line in met if line.says == "opened"), met[0])
    name = first.record.device or first.record.product
    gap = seconds_between(first.record.time, main.record.time)
    at_once = gap is None or abs(gap) <= _AT_ONCE_S
    answer = main.record.event == "out-of-state" and flag_class(main.record.flags) == "SA"
    if first.says == "opened" and answer and at_once:
        because = f"{name} built the connection, and its SYN+ACK came here"
        yield _joined("route.second_path", True, [first, main], because)
    else:
        yield _joined("route.middlebox", first.stands, [first], f"{name} has the connection as well")


def _spread(main: ReadLine, alike: Sequence[ReadLine], lines: Sequence[ReadLine]) -> Iterator[Fact]:
    """Several lines of a kind: a scan, many at once, or many of one server or one client."""
    run = next((run for place, run in scans(lines).items() if lines[place] is main), None)
    if run is not None:
        source = main.record.source.ip
        targets = {_target(line.record.destination) for line in run}
        yield _joined("scope.one_source_many_targets", True, run, f"{len(targets)} targets of {source}")
        return
    flows = {(_target(line.record.source), _target(line.record.destination)) for line in alike}
    if len(alike) < _MANY or len(flows) < _MANY:
        return
    if (found := _shape(alike)) is not None:
        value, because = found
        yield _joined("scope.spread", value, alike, because)


def _shape(alike: Sequence[ReadLine]) -> tuple[str, str] | None:
    clients = Counter(_client(line) for line in alike)
    servers = Counter(_server(line) for line in alike)
    span = _span([line.record for line in alike])
    if len(servers) >= _MANY and len(clients) > 1 and span is not None and span <= 1:
        return "many-at-once", f"{len(alike)} in {plain(span)} s"
    if len(servers) == 1 and None not in servers:
        return "one-server", f"all {len(alike)} are of one server"
    if len(clients) == 1 and None not in clients:
        return "one-client", f"all {len(alike)} are of one client"
    if span is not None and span >= _LONG_S:
        return "many-over-time", f"{len(alike)} in {plain(span)} s"
    return None


def _client(line: ReadLine) -> str | None:
    ends = {"source": line.record.source.ip, "destination": line.record.destination.ip}
    return ends[line.client] if line.client else None


def _server(line: ReadLine) -> tuple[str | None, int | None] | None:
    ends = {"source": line.record.destination, "destination": line.record.source}
    return _target(ends[line.client]) if line.client else None


def _span(records: Sequence[Record]) -> float | None:
    gaps = [seconds_between(records[0].time, record.time) for record in records]
    known = [gap for gap in gaps if gap is not None]
    return max(known) - min(known) if len(known) == len(gaps) else None


def _target(end: Endpoint) -> tuple[str | None, int | None]:
    return end.ip, end.port
