"""Runs of refused packets that are a scan, though no line of them says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rules.case import Record
from rules.interpret import ReadLine
from rules.times import seconds_between

_REFUSED = ("denied", "out-of-state", "invalid-flags", "scan")
_WINDOW_S = 10.0
_TARGETS = 6
"""Ports that one source tries within the window in a scan (judgement): a PC needs five of its domain controller."""
_FROM_ONE_PORT = 3
"""The same from one source port: no stack opens connections so, a scanner does."""
_WITH_ODD_FLAGS = 2
"""The same with flags that no stack sends: each of these packets is a probe."""
_UNTIMED = 8
"""Ports in lines that tell no time: nothing says that they belong together but their number."""
_HOSTS = 16
"""Hosts on one and the same port: proxies, monitors and balancers talk to many on theirs."""
_PRIVILEGED = 1024
_EPHEMERAL = 32_768
"""The lowest port that common stacks give to a client of their own (Linux; Windows begins at 49152)."""


def scans(lines: Sequence[ReadLine]) -> dict[int, list[ReadLine]]:
    """Find the lines that are part of a scan: the place of each in the sequence, beside all lines of its scan."""
    by_source: dict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        record = line.record
        if record.event in _REFUSED and record.source.ip and not _answers(record):
            by_source[record.source.ip, record.dialect, record.device].append(place)
    found: dict[int, list[ReadLine]] = {}
    for places in by_source.values():
        for run in _bursts(lines, places):
            if _is_scan([lines[place].record for place in run]):
                whole = [lines[place] for place in run]
                found |= dict.fromkeys(run, whole)
    return found


def _answers(record: Record) -> bool:
    """Tell whether a packet looks like a server's, as late answers come in runs: no probe is sent with SYN and ACK."""
    if not {"ACK", "RST"} & set(record.flags):
        return False
    low = record.source.port is not None and record.source.port < _PRIVILEGED
    return low or "SYN" in record.flags or (record.destination.port or 0) >= _EPHEMERAL


def _bursts(lines: Sequence[ReadLine], places: Sequence[int]) -> Iterator[list[int]]:
    """Divide one source's lines, in the order of their times, where there is a pause; lines without a time apart."""
    first = lines[places[0]].record.time
    since = {place: seconds_between(first, lines[place].record.time) for place in places}
    timed = sorted((gap, place) for place, gap in since.items() if gap is not None)
    for begin, end in _stretches([gap for gap, _ in timed]):
        yield [place for _, place in timed[begin:end]]
    rest = [place for place in places if since[place] is None]
    if len({lines[place].record.destination.port for place in rest}) >= _UNTIMED:
        yield rest


def _stretches(moments: Sequence[float]) -> Iterator[tuple[int, int]]:
    cuts = [at for at in range(1, len(moments)) if moments[at] - moments[at - 1] > _WINDOW_S]
    yield from pairwise([0, *cuts, len(moments)])


def _is_scan(records: Sequence[Record]) -> bool:
    targets = {_target(record) for record in records}
    ports = {record.source.port for record in records}
    if all(_odd(record) for record in records):
        return len(targets) >= _WITH_ODD_FLAGS
    if len(ports) == 1 and None not in ports:
        return len(targets) >= _FROM_ONE_PORT
    probed = {_target(record) for record in records if not _leftover(record)}
    return len(probed) >= (_TARGETS if len({port for _, port in probed}) > 1 else _HOSTS)


def _target(record: Record) -> tuple[str | None, int | None]:
    return record.destination.ip, record.destination.port


def _leftover(record: Record) -> bool:
    """Tell whether a packet is one of a connection that was lost: data or an end. No probe from many ports is."""
    return record.event == "out-of-state" and bool({"PSH", "FIN", "RST"} & set(record.flags))


def _odd(record: Record) -> bool:
    return record.event == "invalid-flags" and not {"ACK", "RST"} & set(record.flags)


def with_scans(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Call each line of a scan so: it takes the run to see it."""
    found = scans(lines)
    return [_as_scan(line) if place in found else line for place, line in enumerate(lines)] if found else list(lines)


def _as_scan(line: ReadLine) -> ReadLine:
    return replace(line, record=line.record.model_copy(update={"event": "scan"}))
