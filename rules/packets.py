"""The story that the packets of one connection tell: handshake, who closed, and what came before a reset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.clause import Value, plain
from rules.case import Record
from rules.interpret import ReadLine
from rules.times import seconds_between

_IDLE_S = 10.0
"""Seconds of silence from which a pause in a capture is called one (domain judgement)."""
_TELLS_DIRECTION = 3
"""Packets that must all come from one side before the other one is called unseen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What packets show, and the lines that show it."""

    feature: str
    value: Value
    lines: Sequence[ReadLine]
    because: str


def told_by_packets(main: ReadLine, lines: Sequence[ReadLine]) -> Iterator[Seen]:
    """Tell what the packets of one flow show about the main line, which is one of them or the verdict on one."""
    packets = [
        line for line in lines if line.record.flags and (line.says == "packet" or line is main or _is_reset(line))
    ]
    if len(packets) < 2 or not any(line.says == "packet" for line in packets):
        return
    ordered = in_time(packets)
    yield from _handshake(ordered)
    yield from _directions(ordered)
    yield from _silence(main, ordered)
    if _is_reset(main):
        yield from _before_reset(main, ordered)


def _is_reset(line: ReadLine) -> bool:
    return line.says.startswith("reset-by-") and "RST" in line.record.flags


def in_time(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Order lines by their times, where all of them can be compared; else leave them as they stand."""
    first = lines[0].record.time if lines else None
    gaps = [seconds_between(first, line.record.time) for line in lines]
    known = [gap for gap in gaps if gap is not None]
    if len(known) < len(lines):
        return list(lines)
    return [line for _, _, line in sorted(zip(known, range(len(lines)), lines, strict=True), key=lambda one: one[:2])]


def is_syn(line: ReadLine) -> bool:
    """Tell whether a line is a packet that opens a connection."""
    return bool(_with([line], "SYN", "ACK RST FIN"))


def _with(lines: Sequence[ReadLine], has: str, lacks: str = "") -> list[ReadLine]:
    wanted, refused = set(has.split()), set(lacks.split())
    return [line for line in lines if wanted <= set(line.record.flags) and not refused & set(line.record.flags)]


def _handshake(packets: Sequence[ReadLine]) -> Iterator[Seen]:
    opening, answer = _with(packets, "SYN", "ACK RST FIN"), _with(packets, "SYN ACK", "RST FIN")
    if opening:
        yield Seen("handshake.syn_seen", True, opening[:1], "its SYN is among the packets")
    client = opening[0].record.source if opening else answer[0].record.destination if answer else None
    last = [
        line for line in _with(packets, "ACK", "SYN RST") if client is not None and line.record.source.ip == client.ip
    ]
    if opening and answer and last:
        yield Seen("handshake.completed", True, [opening[0], answer[0], last[0]], "SYN, SYN+ACK and ACK are there")


def _directions(packets: Sequence[ReadLine]) -> Iterator[Seen]:
    """Say which directions are there; one alone tells something only if it acknowledges what the other side sent."""
    senders = {line.record.source.ip for line in packets}
    if None in senders:
        return
    if len(senders) > 1:
        yield Seen("route.both_directions", "both", packets, "packets of both sides are there")
        return
    going_on = _with(packets, "ACK", "RST")
    client = next((line.client for line in packets if line.client), None)
    complete = all(line.stands == "capture" for line in packets)  # a firewall's rule may log one direction only
    if client and complete and len(packets) >= _TELLS_DIRECTION and len(going_on) >= _TELLS_DIRECTION - 1:
        way = "client-to-server" if client == "source" else "server-to-client"
        yield Seen(
            "route.both_directions", way, packets, "they acknowledge the other side, whose packets are not there"
        )


def _silence(main: ReadLine, packets: Sequence[ReadLine]) -> Iterator[Seen]:
    before = packets[: packets.index(main)] if main in packets else []
    if found := _pause(main, before):
        gap, earlier, later = found
        yield Seen("timing.idle_s", gap, [earlier, later], f"{plain(gap)} s lie between them")


def _pause(main: ReadLine, before: Sequence[ReadLine]) -> tuple[float, ReadLine, ReadLine] | None:
    """Find the silence that ended in the main line, or in what it answers: data sent into a dead connection."""
    if not before or len(_with(before, "SYN", "ACK")) == len(before):
        return None
    sender = main.record.source.ip
    since = len(before) - 1
    while _is_reset(main) and since > 0 and before[since].record.source.ip != sender:
        since -= 1
    pauses = [
        (gap, earlier, later)
        for earlier, later in pairwise([*before[since:], main])
        if (gap := seconds_between(earlier.record.time, later.record.time)) is not None
        and gap >= _IDLE_S
        and not _repeated(earlier.record, later.record)
    ]
    return max(pauses, key=lambda one: one[0], default=None)


def _repeated(earlier: Record, later: Record) -> bool:
    """Tell whether the later packet is likely the earlier one sent again: the sender waits for an answer."""
    return bool(earlier.payload) and earlier.payload == later.payload and earlier.source == later.source


def _before_reset(main: ReadLine, packets: Sequence[ReadLine]) -> Iterator[Seen]:
    place = packets.index(main)
    before, after = packets[:place], packets[place + 1 :]
    if phase := _phase(main, before):
        yield Seen("reset.phase", phase, [*before[-3:], main], "by the packets before it")
    sender = main.record.source.ip
    own = [line for line in before if line.record.source.ip == sender]
    if main.record.event == "reset-by-server":
        closing = _with(own, "FIN")
        yield Seen("server.closes_first", bool(closing), [*closing[:1], main], "by the packets before its reset")
        late = [line for line in after if line.record.source.ip == sender and (line.record.payload or 0) > 0]
        if late:
            yield Seen("reset.data_after", True, [main, *late[:3]], "data of the server follows its reset")
    yield from _ttl(main, own)


def _phase(main: ReadLine, before: Sequence[ReadLine]) -> str | None:
    """Say where in the connection a reset stands, as far as the packets before it show; None where they do not."""
    if _with(before, "FIN"):
        return "after-fin"
    opening = _with(before, "SYN", "ACK")
    if not opening:
        return None
    if len(opening) == len(before):
        return "answer-to-syn" if before[-1].record.source.ip == main.record.destination.ip else None
    if _pause(main, before):
        return "after-idle"
    talkers = {line.record.source.ip for line in before if (line.record.payload or 0) > 0}
    return "mid-transfer" if len(talkers) > 1 else "after-first-data"


def _ttl(main: ReadLine, own: Sequence[ReadLine]) -> Iterator[Seen]:
    known = [line for line in own if line.record.ttl is not None]
    if main.record.ttl is None or not known or not _server_sent(main.record):
        return
    others = sorted({line.record.ttl for line in known if line.record.ttl is not None})
    value = "same" if main.record.ttl in others else "differs"
    because = f"the reset's is {main.record.ttl}, that of the other packets {', '.join(map(str, others))}"
    yield Seen("reset.ttl", value, [known[-1], main], because)


def _server_sent(record: Record) -> bool:
    return record.event == "reset-by-server"
