"""Put together again what a mail or a narrow terminal has wrapped: a line that goes on in the lines below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from rules.case import Endpoint, Record, Unread
from rules.gather import Logical
from rules.interpret import ReadLine
from rules.quantities import is_ip
from rules.recognise import Claimed
from rules.times import envelope_time

Results = Sequence[ReadLine | Unread]
Read = Callable[[Claimed], Results]
Claim = Callable[[Logical], Claimed]
_NARROWEST, _WIDEST = 50, 400
"""Characters between which a line can be one that was wrapped."""
_MOST_PARTS = 8
_UNEVEN = 24
"""Characters by which lines that were wrapped between words differ in width."""
_TERMINALS = (80, 100, 120, 132)
"""Widths at which terminals cut, inside words too; mails wrap between words, and narrower."""


def unwrapped(parts: Iterable[Claimed], read: Read, claim: Claim) -> Iterator[ReadLine | Unread]:
    """Read parts one by one; lines that nobody knows are put behind the one above them where that makes it say more."""
    held: list[Claimed] = []
    taken = 1
    alone: Results = ()
    for part in parts:
        if held and len(held) < _MOST_PARTS and _may_go_on(held, part):
            held.append(part)
            whole = _together(held, read, claim)
            if _says(whole) > max(_says(alone), _says(() if _is_nobodys(part) else read(part))):
                taken, alone = len(held), whole
            continue
        yield from _given(held, taken, alone, read)
        held, taken, alone = [part], 1, read(part)
    yield from _given(held, taken, alone, read)


def _given(held: Sequence[Claimed], taken: int, alone: Results, read: Read) -> Iterator[ReadLine | Unread]:
    """Give what the first parts say together, and the rest as they stand."""
    yield from alone
    for rest in held[taken:]:
        yield from read(rest)


def _may_go_on(held: Sequence[Claimed], part: Claimed) -> bool:
    """Tell whether a part can be the rest of a line: it begins none, stands right below, and is no wider."""
    width = len(held[0].at.text)
    below = part.at.first == held[-1].at.last + 1 and held[0].at.first == held[0].at.last
    fits = below and _NARROWEST <= width <= _WIDEST and len(part.at.text) <= width + _UNEVEN
    return fits and (_is_nobodys(part) or _is_middle(held[0], part))


def _is_nobodys(part: Claimed) -> bool:
    return part.dialect is None or part.dialect.fallback


def _is_middle(first: Claimed, part: Claimed) -> bool:
    """Tell whether a part that is recognised by itself may still be the rest of a line: of the two, it has no time."""
    same = first.dialect is None or first.dialect is part.dialect
    return same and envelope_time(part.at.text) is None and envelope_time(first.at.text) is not None


def _together(held: Sequence[Claimed], read: Read, claim: Claim) -> Results:
    """Read the parts as one line; nothing where that is no line of the first one's dialect."""
    shown = "\n".join(one.at.text for one in held)
    found: list[Results] = []
    for cut in (_is_cut(held), not _is_cut(held)):
        text = _glued(held, cut=cut)
        whole = claim(Logical(held[0].at.first, held[-1].at.last, text))
        owner = held[0].dialect
        if whole.dialect and not whole.dialect.fallback and (owner in (None, whole.dialect) or owner.fallback):
            at = Logical(held[0].at.first, held[-1].at.last, shown)
            found.append(read(Claimed(at, whole.text, whole.dialect)))
    return max(found, key=_says, default=())


def _is_cut(held: Sequence[Claimed]) -> bool:
    """Tell whether lines look cut anywhere, as by a terminal: all of one width, or the first of a terminal's."""
    widths = {len(one.at.text) for one in held[:-1]}
    return len(widths) == 1 and (len(held) > 2 or bool(widths & set(_TERMINALS)))


def _glued(held: Sequence[Claimed], *, cut: bool) -> str:
    text = held[0].text
    for above, below in pairwise(held):
        blank = above.at.text.endswith(" ") or below.at.text.startswith(" ")
        text += ("" if cut and not blank else " ") + below.text
    return text


def _says(results: Results) -> tuple[int, int, int]:
    """Weigh what was read: ends that are known, whether an event says something, and how many fields are filled."""
    record = next((one.record for one in results if isinstance(one, ReadLine)), None)
    if record is None:
        return 0, 0, 0
    telling = 0 if record.event in (None, "other") else 1
    return _known(record.source) + _known(record.destination) + 1, telling, _filled(record)


def _known(end: Endpoint) -> int:
    return (end.port is not None) + (0 if end.ip is None else 2 if is_ip(end.ip) else 1)


def _filled(record: Record) -> int:
    amounts = (record.bytes, record.packets)
    counts = sum(one is not None for amount in amounts for one in (amount.sent, amount.received))
    ends = (record.source.zone, record.source.interface, record.destination.zone, record.destination.interface)
    texts = (record.reason, record.action, record.rule, record.id, record.duration_s, *ends)
    return counts + len(record.flags) + sum(one is not None for one in texts)
