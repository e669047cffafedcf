"""Where in a line a value stands that was read from it. Nothing here compiles what was pasted into a pattern."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rules import quantities

SpotKind = Literal["address", "port", "flags", "event", "time", "words"]

_FLAG = r"(?:SYN|ACK|FIN|RST|RESET|PSH|PUSH|URG|ECE|CWR)"
_FLAGS = re.compile(
    rf"(?<![A-Za-z]){_FLAG}(?:[ ,+/|_-]{{1,2}}{_FLAG}){{0,7}}(?![A-Za-z])"
    r"|(?<=\[)[FSRPAUEC.]{1,8}(?=\])|(?<![A-Za-z.\d%])[FSRPAUEC.]{1,8}(?![A-Za-z\d.-])|\b0x[0-9A-Fa-f]{1,4}\b"
)
_FLAGS_LED_IN = re.compile(r"(?i)flags?\W{0,3}$")
_DURATION = re.compile(r"(?<![\d.:/-])\d{1,9}(?:[.:]\d{1,6}){0,2}(?![\d/:-])(?: ?(?:ms|secs?|seconds?|s)\b)?")
_LED_IN = re.compile(r"(?i)(?:duration|durat|elapsed|dur|age|time|after|lasted|idle|seconds)\W{0,4}$")
_PORT_LED_IN = re.compile(r"(?i)(?:port|pt|service|svc|proto|tcp)\W{0,3}$")
_LED = 20
"""Characters before a number that may say what it is."""
_TELLING = 10
"""Seconds from which a bare number is taken for the duration; smaller ones stand everywhere."""
_IP_TOKEN = re.compile(r"[0-9A-Fa-f:.]{2,60}")
_BETWEEN = 3
"""Characters between an address and its port at most."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A part of a line, from `start` to `end` (exclusive), with what was understood there."""

    start: int
    end: int
    kind: SpotKind
    says: str


@dataclass(slots=True)
class Marker:
    """A line on which spots are marked one after the other; none lies over another."""

    text: str
    spots: list[Spot] = field(default_factory=list)

    def _mark(self, start: int, end: int, kind: SpotKind, says: str) -> bool:
        if start >= end or any(one.start < end and start < one.end for one in self.spots):
            return False
        insort(self.spots, Spot(start, end, kind, says))
        return True

    def address(self, ip: str, port: int | None, says: str, port_says: str) -> None:
        """Mark an address wherever it stands, and the port that stands behind it."""
        for start, end in self._addresses(ip):
            if self._mark(start, end, "address", says) and port is not None:
                self._port_behind(end, str(port), port_says)

    def _addresses(self, ip: str) -> Iterator[tuple[int, int]]:
        found = list(self._literal(ip))
        if found or ":" not in ip:
            yield from found
            return
        for token in _IP_TOKEN.finditer(self.text):  # IPv6 is written in many ways
            if ":" in token[0] and quantities.address(token[0]) == ip:
                yield token.span()

    def _literal(self, value: str) -> Iterator[tuple[int, int]]:
        """Find a value as a word of its own."""
        at = self.text.find(value)
        while at >= 0:
            end = at + len(value)
            if not _joins(self.text[max(0, at - 1) : at], value[0]) and not _joins(self.text[end : end + 1], value[-1]):
                yield at, end
            at = self.text.find(value, end)

    def _port_behind(self, at: int, port: str, says: str) -> None:
        for start in range(at + 1, at + 1 + _BETWEEN):
            if self.text[at:start].strip(" .:/#(,])"):
                return
            if self.text.startswith(port, start) and not self.text[start + len(port) : start + len(port) + 1].isdigit():
                self._mark(start, start + len(port), "port", says)
                return

    def port(self, port: int, end: str, says: str) -> None:
        """Mark a port, unless it stands behind its address already: where its name leads it in, else where it is."""
        if any(one.says == says for one in self.spots):
            return
        free = [span for span in self._literal(str(port)) if self.text[max(0, span[0] - 1) : span[0]] != "."]
        led = [span for span in free if _PORT_LED_IN.search(self._before(span[0]))]
        own = [span for span in led if end[0] in self._before(span[0]).lower()[-9:]]
        for start, stop in (*own, *led, *free):
            if self._mark(start, stop, "port", says):
                return

    def flags(self, flags: Sequence[str], says: str) -> None:
        """Mark the words or letters that stand for just these flags."""
        found = [one for one in _FLAGS.finditer(self.text) if quantities.flags(one[0]) == list(flags)]
        named = [one for one in found if len(one[0]) > 2 and one[0][:3] in quantities.FLAGS]
        led = [one for one in found if _FLAGS_LED_IN.search(self._before(one.start()))]
        for match in (*named, *led, *found):
            if self._mark(*match.span(), "flags", says):
                return

    def _before(self, at: int) -> str:
        return self.text[max(0, at - _LED) : at]

    def phrase(self, words: str, kind: SpotKind, says: str) -> None:
        """Mark words, whatever their case and the blanks between them."""
        parts = words.lower().split()
        if not parts:
            return
        lower = self.text.lower()
        if len(lower) != len(self.text):  # a letter that grows when it becomes a small one moves all places
            lower = self.text
        at = lower.find(parts[0])
        while at >= 0:
            end = _follow(lower, at, parts)
            if end is not None and self._stands_alone(at, end) and self._mark_free(at, end, kind, says):
                return
            at = lower.find(parts[0], at + 1)

    def _stands_alone(self, start: int, end: int) -> bool:
        """Tell whether a part is no piece of a longer word."""
        before, after = self.text[max(0, start - 1) : start], self.text[end : end + 1]
        return not _joins(before, self.text[start]) and not _joins(after, self.text[end - 1])

    def _mark_free(self, start: int, end: int, kind: SpotKind, says: str) -> bool:
        """Mark what is still free of a part of the line."""
        marked = False
        for spot in [one for one in self.spots if one.start < end and start < one.end]:
            marked |= self._mark(start, spot.start, kind, says)
            start = max(start, spot.end)
        return self._mark(start, end, kind, says) or marked

    def duration(self, seconds: float, says: str) -> None:
        """Mark the number that is so many seconds; one that its name leads in goes first."""
        found = [one for one in _DURATION.finditer(self.text) if _is_duration(one[0], seconds)]
        led = [one for one in found if _LED_IN.search(self._before(one.start()))]
        for match in (*led, *(found if seconds >= _TELLING else ())):
            if self._mark(match.start(), match.end(), "time", says):
                return


def _joins(neighbour: str, edge: str) -> bool:
    """Tell whether a character beside a value goes on with its word."""
    return (neighbour.isalnum() or neighbour == "_") and edge.isalnum()


def _follow(text: str, at: int, parts: Sequence[str]) -> int | None:
    """Give where words end that begin at a place, blanks between them; None if they do not stand there."""
    for number, part in enumerate(parts):
        if number:
            blanks = len(text[at : at + 80]) - len(text[at : at + 80].lstrip())
            if not blanks:
                return None
            at += blanks
        if not text.startswith(part, at):
            return None
        at += len(part)
    return at


def _is_duration(text: str, wanted: float) -> bool:
    found = quantities.seconds(text)
    if found is None:
        return False
    return abs(found - wanted) < 0.001 or (found >= 1000 and abs(found / 1000 - wanted) < 0.001)
