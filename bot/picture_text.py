"""A picture of what happened in plain characters, for the terminal and for tickets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

from bot.happened import Arrow, Lane, Picture
from bot.phrases import capital
from bot.strokes import WORDS, Drawn, Line, Sign, Style, balanced, drawn, event_lines, used

COLUMNS = 60
"""How wide a picture is."""
HEADING = "What happened"
"""How a picture's title begins."""
_FIRST, _LAST = 8, 51
"""Columns of the outermost lanes."""
_NOTE = 56
_JOINED = "\N{NO-BREAK SPACE}"
_STROKES: dict[Style, str] = {"solid": "-", "dashed": "- ", "faint": ". "}
_SIGNS: dict[Sign, str] = {"cross": "X", "report": "!", "ring": "o", "star": "*", "open": "?", "lost": "x"}


def picture_text(picture: Picture) -> str:
    """Write a picture in lines of at most 60 columns."""
    lines = [*_wrapped(picture.title, ""), "", *_heads(picture.lanes)]
    for arrow in picture.arrows:
        lines += [_bars(picture.lanes), *_row(arrow, picture.lanes)]
    lines.append(_bars(picture.lanes))
    for note in picture.notes:
        lines += _wrapped(note, "  ", "* ")
    return "\n".join(line.rstrip() for line in [*lines, *_legend(picture)]) + "\n"


def below_heading(picture: Picture) -> str:
    """Write a picture where HEADING stands above it already."""
    return capital(picture_text(picture).removeprefix(f"{HEADING}: "))


def _column(place: float, lanes: Sequence[Lane]) -> int:
    return round(_FIRST + place * (_LAST - _FIRST) / (len(lanes) - 1))


def _heads(lanes: Sequence[Lane]) -> Iterator[str]:
    """Write what stands above each lane, the last lines next to it."""
    heads = [(lane.title, *lane.lines) for lane in lanes]
    for number in range(max(map(len, heads))):
        texts = [head[number] if number < len(head) else "" for head in heads]
        line = ""
        for place, text in enumerate(texts):
            start = max(_column(place, lanes) - cell_len(text) // 2, cell_len(line) + bool(line))
            line += " " * (start - cell_len(line)) + text if text else ""
        yield from chop_cells(line, COLUMNS) if line else [""]


def _bars(lanes: Sequence[Lane], bar: str = "|") -> str:
    line = [" "] * COLUMNS
    for place in range(len(lanes)):
        line[_column(place, lanes)] = bar
    return "".join(line)


def _row(arrow: Arrow, lanes: Sequence[Lane]) -> Iterator[str]:
    if arrow.kind == "silence":
        yield _bars(lanes, ":")
        yield from _over(f"... {arrow.label} ...", COLUMNS // 2, lanes, ":")
        yield from _evidence(arrow)
        yield _bars(lanes, ":")
    elif arrow.kind == "event":
        stands = [lane.stand for lane in lanes]
        place = stands.index(arrow.start) if arrow.start else (len(lanes) - 1) / 2
        lines = event_lines(arrow)
        wide = max(map(len, lines))
        for line in lines:
            yield from _over(f"[ {line:^{wide}} ]", _column(place, lanes), lanes)
        yield from _evidence(arrow)
    else:
        strokes = drawn(arrow, lanes)
        ends = [place for line in strokes.lines for place in (line.start, line.end)]
        yield from _over(arrow.label, _column((min(ends) + max(ends)) / 2, lanes), lanes)
        yield _arrow(strokes, lanes)
        yield from _evidence(arrow)


def _over(label: str, column: int, lanes: Sequence[Lane], bar: str = "|") -> Iterator[str]:
    """Write a label around a column, over the lanes."""
    for text in balanced(label, _NOTE):
        start = min(max(column - cell_len(text) // 2, 0), COLUMNS - cell_len(text))
        bars = _bars(lanes, bar)
        yield f"{bars[: max(start - 1, 0)]:{start}}{text}{(' ' + bars[start + cell_len(text) + 1 :])}"[:COLUMNS]


def _arrow(strokes: Drawn, lanes: Sequence[Lane]) -> str:
    line = list(_bars(lanes))
    for one in strokes.lines:
        _stroke(line, one, lanes)
    for place, sign in strokes.signs:
        line[_column(place, lanes)] = _SIGNS[sign]
    return "".join(line)


def _stroke(line: list[str], one: Line, lanes: Sequence[Lane]) -> None:
    """Put a line between two columns, its heads next to the lanes; it goes over the lanes between them."""
    start, end = _column(one.start, lanes), _column(one.end, lanes)
    low, high = min(start, end), max(start, end)
    stroke = _STROKES[one.style]
    for column in range(low + 1, high):
        line[column] = line[column] if line[column] == "|" else stroke[(column - low) % len(stroke)]
    if one.heads:
        line[end + (1 if start > end else -1)] = "<" if start > end else ">"
    if one.heads > 1:
        line[start + (1 if end > start else -1)] = "<" if end > start else ">"


def _evidence(arrow: Arrow) -> Iterator[str]:
    if arrow.because:
        yield from _wrapped(f"({arrow.because})", "  ")


def _wrapped(text: str, indent: str, first: str = "") -> Iterator[str]:
    lines = textwrap.wrap(text, _NOTE, break_on_hyphens=False)
    for number, line in enumerate(lines):
        for part in chop_cells(line, _NOTE):
            yield (first if first and number == 0 else indent) + part


def _legend(picture: Picture) -> Iterator[str]:
    signs: dict[str, str] = {name: (stroke * 3)[:3] for name, stroke in _STROKES.items()} | dict(_SIGNS.items())
    words = [f"{signs[one]} {WORDS[one]}".replace(" ", _JOINED) for one in used(picture)]
    if words:
        yield ""
        yield from (line.replace(_JOINED, " ") for line in textwrap.wrap("   ".join(words), _NOTE))
