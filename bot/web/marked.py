"""What was understood, marked in the pasted lines themselves; long pastes fold."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.web.spots import Marker, Spot, SpotKind
from knowledge.model import Dialect
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Diagnosis, Endpoint, Fact, Record
from rules.prose import WROTE

LONGEST = 4_000
"""Characters of a line that are shown."""
_LONG = 700
"""Characters of a line from which it folds: so many stand in ten lines of a wide window."""
_FEW = 12
"""A paste of so many lines is shown whole."""
_OPEN = 12
"""Lines that gave something and stand in the open; further ones fold."""
_MOST = 400
"""Lines that are shown at all, folded or not."""
_AROUND = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line: plain, or with a mark that says what was understood there."""

    text: str
    kind: SpotKind | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A pasted line. `unread` says why it gave nothing; `gave` that it gave something; neither: it is passed over."""

    number: int
    spans: tuple[Span, ...]
    gave: bool = False
    unread: str = ""
    cut: int = 0

    @property
    def long(self) -> bool:
        """Tell whether it folds."""
        return sum(len(span.text) for span in self.spans) > _LONG


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that stand together, in the open or folded; `left_out` counts those at its end that are not shown."""

    lines: tuple[Line, ...]
    folded: bool = False
    left_out: int = 0

    @property
    def counted(self) -> int:
        """How many lines it stands for."""
        return len(self.lines) + self.left_out


def marked(paste: str, diagnosis: Diagnosis, shelf: Shelf) -> list[Stretch]:
    """Mark what was understood in a paste; the paste must be the one that was diagnosed."""
    texts = [line.rstrip("\n") for line in io.StringIO(paste, newline=None)]
    known = _Understood(diagnosis, shelf)
    return list(_stretches(texts, known))


def kinds_in(stretches: Iterable[Stretch]) -> list[SpotKind]:
    """List the kinds of marks that stand in the open, for a legend."""
    spans = (span for one in stretches for line in one.lines for span in line.spans)
    return list(dict.fromkeys(span.kind for span in spans if span.kind))


class _Understood:
    """What a diagnosis took from each line."""

    def __init__(self, diagnosis: Diagnosis, shelf: Shelf) -> None:
        self._shelf = shelf
        self._records: dict[int, list[Record]] = {}
        for record in diagnosis.records:
            for number in range(record.line, (record.last_line or record.line) + 1):
                self._records.setdefault(number, []).append(record)
        self._unread = {
            number: one.why for one in diagnosis.unread for number in range(one.line, (one.last_line or one.line) + 1)
        }
        self._heard = dict(_heard(diagnosis.facts))
        self.about = diagnosis.about_line
        self.gave = self._records.keys() | self._heard.keys()

    def line(self, number: int, text: str) -> Line:
        """Mark one line; what is beyond the longest is counted."""
        marker = Marker(text[:LONGEST])
        for record in self._records.get(number, [])[:_FEW]:
            _mark(marker, record, self._shelf)
        for fact, words in self._heard.get(number, ()):
            feature = self._shelf.features[fact.feature]
            marker.phrase(words, "words", f"{feature.title}: {said(feature, fact.value)}")
        spans = tuple(_spans(marker.text, marker.spots))
        why = "" if number in self.gave else self._unread.get(number, "")
        return Line(number, spans, number in self.gave, why, max(0, len(text) - LONGEST))


_HEARD = re.compile(rf"{WROTE}, line (\d{{1,9}}): \u201c(.*)\u201d", re.DOTALL)


def _heard(facts: Sequence[Fact]) -> Mapping[int, list[tuple[Fact, str]]]:
    """Give, by line, the facts that somebody's own words stated, and these words."""
    found: dict[int, list[tuple[Fact, str]]] = {}
    for fact in facts:
        if match := _HEARD.fullmatch(fact.origin):
            found.setdefault(int(match[1]), []).append((fact, match[2]))
    return found


def _mark(marker: Marker, record: Record, shelf: Shelf) -> None:
    titles = shelf.features
    for name, end in (("source", record.source), ("destination", record.destination)):
        _mark_end(marker, end, name)
    event = titles["log.event"]
    label = event.choices.get(record.event or "") or event.title
    if record.flags:
        marker.flags(record.flags, f"{titles['packet.flags'].title}: {' '.join(record.flags)}")
    for words in _event_words(record, shelf.dialects.get(record.dialect)):
        marker.phrase(words, "event", f"{event.title}: {label}")
    if record.duration_s is not None:
        marker.duration(record.duration_s, f"{titles['session.duration_s'].title}: {record.duration_s:g} s")


def _mark_end(marker: Marker, end: Endpoint, name: str) -> None:
    if end.ip:
        marker.address(end.ip, end.port, f"{name} address", f"{name} port")
    if end.port is not None:
        marker.port(end.port, name, f"{name} port")


def _event_words(record: Record, dialect: Dialect | None) -> Iterator[str]:
    """Give the words by which a line may say what happened: its dialect's own, the longest first, and its reason."""
    says = {text for rule in dialect.lines for text in rule.says} if dialect and record.event else set()
    if record.reason:
        yield record.reason
    yield from sorted((text for text in says if text.lower() in record.raw.lower()), key=lambda one: (-len(one), one))


def _spans(text: str, spots: Sequence[Spot]) -> Iterator[Span]:
    at = 0
    for spot in spots:
        if spot.start > at:
            yield Span(visible(text[at : spot.start]))
        yield Span(visible(text[spot.start : spot.end]), spot.kind, visible(spot.says))
        at = spot.end
    if at < len(text):
        yield Span(visible(text[at:]))


_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Write controls, and what turns or hides writing, as their numbers: a line must not show what it does not say."""
    return _INVISIBLE.sub(lambda sign: f"\u2039{ord(sign[0]):02X}\u203a", text)


_Place = Literal["open", "folded"]


def _stretches(texts: Sequence[str], known: _Understood) -> Iterator[Stretch]:
    budget = _MOST
    for folded, first, last in _runs(_places(texts, known)):
        shown = min(last, first + budget)
        lines = tuple(known.line(number + 1, texts[number]) for number in range(first, shown))
        budget -= len(lines)
        yield Stretch(lines, folded, last - shown)


def _places(texts: Sequence[str], known: _Understood) -> list[_Place]:
    """Choose the lines that stand in the open: those that gave something and their neighbours."""
    if len(texts) <= _FEW:
        return ["open"] * len(texts)
    gave = sorted(known.gave)[:_OPEN] + ([known.about] if known.about else [])
    near = {number + step - 1 for number in gave for step in range(-_AROUND, _AROUND + 1)}
    near = near or set(range(_FEW // 2))
    return ["open" if place in near else "folded" for place in range(len(texts))]


def _runs(places: Sequence[_Place]) -> Iterator[tuple[bool, int, int]]:
    """Give runs of equal places, the ends exclusive."""
    first = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[first]:
            yield places[first] == "folded", first, at
            first = at
