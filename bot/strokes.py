"""How arrows are drawn, whatever draws them: lines between lanes, and signs on them. Places are lanes, from 0 on."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.happened import Arrow, Lane, Picture, Stand
from bot.phrases import lower

Style = Literal["solid", "dashed", "faint"]
Sign = Literal["cross", "ring", "star", "report", "open", "lost"]

WORDS: Mapping[Style | Sign, str] = {
    "solid": "known",
    "dashed": "inferred or assumed",
    "faint": "not known, or not here",
    "cross": "dropped",
    "report": "reported",
    "ring": "never came",
    "star": "made here",
    "open": "open",
    "lost": "lost",
}
"""What each line and sign means, in the order of the legend."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one place to another; `heads` is the number of its heads, the first at its end."""

    start: float
    end: float
    style: Style
    heads: int = 1
    past: float | None = None
    """The lane that the line passes by without touching it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The lines of an arrow, and its signs with their places."""

    lines: tuple[Line, ...]
    signs: tuple[tuple[float, Sign], ...] = ()


def style_of(arrow: Arrow) -> Style:
    """Choose the line: solid for what is known, dashed for what follows, faint for what is open or did not happen."""
    kinds = {arrow.origin, arrow.way}
    if kinds & {"missing", "unknown"}:
        return "faint"
    return "dashed" if kinds & {"inferred", "assumed"} else "solid"


def drawn(arrow: Arrow, lanes: Sequence[Lane]) -> Drawn:
    """Give the lines and signs of a packet or an exchange."""
    at = {lane.stand: float(place) for place, lane in enumerate(lanes)}
    if arrow.kind == "exchange":
        return _exchange(arrow, at)
    if arrow.start is None or arrow.end is None:
        return _open(arrow, at)
    start, end = at[arrow.start], at[arrow.end]
    if arrow.known_to is not None:
        return _partly(arrow, start, at[arrow.known_to], end)
    match arrow.fate:
        case "dropped" | "reported":
            sign: Sign = "cross" if arrow.fate == "dropped" else "report"
            return Drawn((Line(start, end, style_of(arrow)),), ((end, sign),))
        case "missing":
            return Drawn((Line(start, end, "faint", 0),), ((end, "ring"),))
        case "around":
            return Drawn((Line(start, end, "faint", past=at["firewall"]),), ((at["firewall"], "ring"),))
        case "lost":
            return Drawn((Line(start, end, "faint", 0),), ((end + (0.5 if start > end else -0.5), "lost"),))
    signs: list[tuple[float, Sign]] = [(start, "star")] if arrow.start == "firewall" else []
    signs += [(start + (0.4 if end > start else -0.4), "open")] if arrow.way == "unknown" else []
    return Drawn((Line(start, end, style_of(arrow)),), tuple(signs))


def _exchange(arrow: Arrow, at: Mapping[Stand, float]) -> Drawn:
    line = Line(at["client"], at["server"], "faint" if arrow.fate != "passes" else style_of(arrow), 2)
    if arrow.fate == "passes":
        return Drawn((line,))
    return Drawn((line,), ((at["server"] - 0.5, "ring" if arrow.fate == "missing" else "lost"),))


def _partly(arrow: Arrow, start: float, known: float, end: float) -> Drawn:
    """Draw a way that is known up to a lane, and open or lost behind it."""
    lost = arrow.fate == "lost"
    begun = (Line(start, known, "dashed" if arrow.way in ("inferred", "assumed") else "solid"),)
    rest = Line(known, end, "faint", 0 if lost else 1)
    place = known + (0.5 if end > known else -0.5)
    return Drawn((*(begun if start != known else ()), rest), ((place, "lost" if lost else "open"),))


def _open(arrow: Arrow, at: Mapping[Stand, float]) -> Drawn:
    """Draw what comes from, or goes to, nobody knows whom."""
    client, firewall, server = at["client"], at["firewall"], at["server"]
    if arrow.end == "client":
        return Drawn((Line(server, client, "faint"),), ((server - 0.4, "open"),))
    if arrow.start == "firewall":
        lines = (Line(firewall, client, "faint"), Line(firewall, server, "faint"))
        return Drawn(lines, ((firewall, "star"), (client + 0.5, "open"), (server - 0.5, "open")))
    if arrow.end == "firewall":
        sign: Sign = "cross" if arrow.fate == "dropped" else "report"
        lines = (Line(client, firewall, "faint", 0), Line(server, firewall, "faint", 0))
        return Drawn(lines, ((firewall, sign), (client + 0.5, "open"), (server - 0.5, "open")))
    return Drawn((Line(client, server, "faint", 2),), ((client + 0.5, "open"), (server - 0.5, "open")))


def used(picture: Picture) -> Iterator[Style | Sign]:
    """Give the lines and signs that a picture uses, in the order of the legend."""
    rows = [drawn(arrow, picture.lanes) for arrow in picture.arrows if arrow.kind in ("packet", "exchange")]
    there = {line.style for row in rows for line in row.lines} | {sign for row in rows for _, sign in row.signs}
    yield from (one for one in WORDS if one in there)


_FATES = {
    "dropped": "dropped there",
    "reported": "reported there",
    "missing": "missing",
    "around": "missing in the middle",
    "lost": "lost on the way",
}


def spoken(arrow: Arrow, lanes: Sequence[Lane]) -> str:
    """Say an arrow in words, for those who do not see it."""
    names = {lane.stand: lower(lane.title) for lane in lanes}
    if arrow.kind in ("silence", "event"):
        where = f"at the {names[arrow.start]}: " if arrow.start else ""
        return _with_evidence(f"{where}{arrow.label}", arrow)
    ends = [f"the {names[one]}" if one else "an unknown side" for one in (arrow.start, arrow.end)]
    way = "between client and server" if arrow.kind == "exchange" else f"from {ends[0]} to {ends[1]}"
    fate = f"; {_FATES[arrow.fate].format(firewall=names['firewall'])}" if arrow.fate in _FATES else ""
    beyond = f"; known up to the {names[arrow.known_to]}" if arrow.known_to else ""
    return _with_evidence(f"{way}: {arrow.label}{fate}{beyond}", arrow)


def _with_evidence(text: str, arrow: Arrow) -> str:
    return f"{text} ({arrow.because})." if arrow.because else f"{text}."


_EVENT = 30
"""Characters to a line of an event that happens at one lane: it stays near it."""


def event_lines(arrow: Arrow) -> list[str]:
    """Break the label of an event."""
    return balanced(arrow.label, _EVENT if arrow.start else 2 * _EVENT - 10)


def balanced(text: str, width: int) -> list[str]:
    """Break a label into lines of about the same length."""
    lines = math.ceil(len(text) / width)
    return textwrap.wrap(text, width if lines < 2 else min(width, math.ceil(len(text) / lines) + 6))
