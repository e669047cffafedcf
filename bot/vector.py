"""Pictures of the knowledge as SVG: the matrix of evidence and causes, and the tree of questions."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.marks import (
    COLOURS,
    FONT,
    LEGEND,
    MARK_STYLE,
    SIGNS,
    clash,
    groups_of,
    kind_of,
    leads,
    safe,
    spelt,
    weightiest,
)
from knowledge.model import Cause
from rules.workbench import Matrix, Node, Row

_SVG_STYLE = f"""
text {{ font: 12px {FONT}; fill: var(--ink); }} .faint {{ fill: var(--faint); font-size: 10.5px; }}
.title {{ font-size: 18px; font-weight: 600; }} .bold {{ font-weight: 600; }} .mid {{ text-anchor: middle; }}
.edge {{ stroke: var(--faint); fill: none; }} .more {{ font-size: 9px; }}
.page {{ fill: var(--page); }} .band {{ fill: var(--band); }} .groups {{ fill: var(--group); }}
.line {{ stroke: var(--line); fill: none; }} .beside {{ stroke: var(--ink); stroke-dasharray: 3 2; }}
.box {{ fill: var(--band); stroke: var(--line); }} .leaf {{ fill: none; }} .strong {{ font-weight: 700; }}
"""


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n<title>{safe(title)}</title>\n'
        f"<style>{COLOURS}{_SVG_STYLE}{MARK_STYLE}</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n{_text(16, 30, title, "title")}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "", turn: int = 0) -> str:
    turned = f' transform="rotate({turn} {x:.0f} {y:.0f})"' if turn else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}"{turned}>{safe(text)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="3" class="{kind}"/>'


_LABELS, _CELL, _LINE = 400, 31, 20
"""Of the drawn matrix, in pixels: the labels, a cell's width and height."""
_LETTER = 6.7
"""Pixels that a letter takes on average, generously: nobody measures text here."""
_SLANT = 60
"""Degrees by which the heads are turned."""


def matrix_svg(evidence: Matrix, title: str) -> str:
    """Draw the matrix; the columns are numbered, so that the numbers in each group's line tell them below as well."""
    groups = groups_of(evidence.rows)
    longest = _LETTER * (4 + max(len(cause.title) for cause in evidence.causes))
    right = _LABELS + _CELL * len(evidence.causes)
    top = round(50 + max(200, longest * math.sin(math.radians(_SLANT))))
    bottom = top + _LINE * (len(evidence.rows) + len(groups))
    parts = [*_key(), *_column_heads(evidence.causes, top, bottom)]
    y = float(top)
    for group in groups:
        parts += _drawn_group(group, evidence.causes, y, right)
        y += _LINE * (len(group) + 1)
    return _svg(title, right + longest * math.cos(math.radians(_SLANT)), bottom + 30, parts)


def _key() -> Iterator[str]:
    for place, (strength, sign) in enumerate(SIGNS.items()):
        yield from _sign(16, 60 + 26 * place, kind_of(strength), sign)
        yield _text(54, 60 + 26 * place + 14, strength)
    for place, line in enumerate(textwrap.wrap(LEGEND, 48)):
        yield _text(16, 184 + 16 * place, line, "faint")


def _sign(x: float, y: float, kind: str, sign: str, more: str = "", beside: str = "") -> list[str]:
    """Draw a mark; the number of its clues, if there are several, stands behind the sign."""
    middle = x + (9.5 if more else 14.5)
    drawn = [_rect(x, y, 29, 18, f"{kind}{beside}"), _text(middle, y + 13, sign, f"mid strong on-{kind}")]
    return [*drawn, _text(x + 21, y + 9, more, f"more on-{kind}")] if more else drawn


def _column_heads(causes: Sequence[Cause], top: float, bottom: float) -> Iterator[str]:
    for place, cause in enumerate(causes):
        x = _LABELS + _CELL * place
        yield f'<path class="line" d="M{x} {top}V{bottom}"/>'
        yield _text(x + _CELL / 2 + 6, top - 8, f"{place + 1}  {cause.title}", turn=-_SLANT)
    yield f'<path class="line" d="M{_LABELS + _CELL * len(causes)} {top}V{bottom}"/>'


def _drawn_group(group: Sequence[Row], causes: Sequence[Cause], y: float, right: float) -> Iterator[str]:
    yield _rect(8, y, right - 8, _LINE, "groups")
    yield f"<g><title>{safe(group[0].feature.id)}</title>{_text(16, y + 14, group[0].feature.title, 'bold')}</g>"
    for place in range(len(causes)):
        yield _text(_LABELS + _CELL * (place + 0.5), y + 14, str(place + 1), "faint mid")
    for number, row in enumerate(group, start=1):
        line = y + _LINE * number
        yield f'<path class="line" d="M8 {line + _LINE:.0f}H{right}"/>'
        label = _text(28, line + 14, textwrap.shorten(row.value, 58, placeholder=" …"))
        yield f"<g><title>{safe(row.value)}</title>{label}</g>"
        yield from _drawn_cells(row, causes, line + 1)


def _drawn_cells(row: Row, causes: Sequence[Cause], y: float) -> Iterator[str]:
    for place, cause in enumerate(causes):
        if marks := row.marks.get(cause.id):
            first = weightiest(marks)
            more = str(len(marks)) if len(marks) > 1 else ""
            beside = " beside" if first.beside else ""
            parts = _sign(_LABELS + _CELL * place + 1, y, kind_of(first.strength), SIGNS[first.strength], more, beside)
            yield f"<g><title>{safe(spelt(row, cause, marks))}</title>{''.join(parts)}</g>"


_BOX, _EDGE, _STEP, _GAP = 250, 210, 15, 10
"""Of the drawn tree, in pixels: a box, the space for an answer, a line of text, the space between two boxes."""
_QUESTION, _STATEMENT, _ANSWER = 31, 35, 26
"""Letters to a line."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A node with its text broken into lines, the height of its box, and that of all that follows from it as well."""

    node: Node
    lines: Sequence[str]
    below: Sequence[tuple[Sequence[str], _Box]]
    tall: float
    height: float


def tree_svg(root: Node, title: str) -> str:
    """Draw the tree from left to right: a box for each question, its answers on the lines that leave it."""
    box = _boxed(root)
    parts = list(_drawn_box(box, 16, 56))
    return _svg(title, 32 + _deep(root) * (_BOX + _EDGE) + _BOX, 56 + box.height + 20, parts)


def _deep(node: Node) -> int:
    return max((1 + _deep(one) for _, one in node.branches), default=0)


def _boxed(node: Node) -> _Box:
    lines = [*_broken(node.question or "", _QUESTION), *_broken(_below_question(node), _STATEMENT)]
    below = [(_broken(answer, _ANSWER), _boxed(one)) for answer, one in node.branches]
    tall = _STEP * len(lines) + 10.0
    taken = sum(_taken(answer, one) for answer, one in below)
    return _Box(node, lines, below, tall, max(taken, tall + _GAP))


def _tall(answer: Sequence[str], box: _Box) -> float:
    """Give the height of an answer beside the box it leads to."""
    return max(box.tall, _STEP * len(answer) + 10.0)


def _taken(answer: Sequence[str], box: _Box) -> float:
    """Give the height that an answer takes with all that follows from it."""
    tall = _tall(answer, box)
    return max(box.height + (tall - box.tall) / 2, tall + _GAP)


def _broken(text: str, width: int) -> list[str]:
    """Break a text into lines, and never between a number and its percent sign."""
    return textwrap.wrap(text.replace(" %", "\N{NO-BREAK SPACE}%"), width)


def _below_question(node: Node) -> str:
    if node.question is None:
        return leads(node) + (f"; {clash(node)}" if node.contradiction else "")
    return f"so far: {leads(node)}"


def _drawn_box(box: _Box, x: float, y: float) -> Iterator[str]:
    """Draw a box at the top of the height that it takes, so that a branch begins with its question."""
    asked = len(_broken(box.node.question or "", _QUESTION))
    yield f"<g><title>{safe(box.node.question or _below_question(box.node))}</title>"
    yield _rect(x, y, _BOX, box.tall, "box" if asked else "leaf")
    for number, line in enumerate(box.lines):
        kind = "bold" if number < asked else "faint" if asked else ""
        yield _text(x + 9, y + 16 + _STEP * number, line, kind)
    yield "</g>"
    start = (x + _BOX, y + box.tall / 2)
    for answer, one in box.below:
        tall = _tall(answer, one)
        yield from _drawn_answer(answer, start, y + tall / 2)
        yield from _drawn_box(one, x + _BOX + _EDGE, y + (tall - one.tall) / 2)
        y += _taken(answer, one)


def _drawn_answer(answer: Sequence[str], start: tuple[float, float], to: float) -> Iterator[str]:
    """Draw an answer on the line that leads from its question to the next box."""
    x, above = start
    text = _STEP * len(answer)
    yield f'<path class="edge" d="M{x:.0f} {above:.0f}H{x + 12:.0f}V{to:.0f}H{x + _EDGE:.0f}"/>'
    yield _rect(x + 20, to - text / 2 - 1, _EDGE - 28, text + 2, "groups")
    for number, line in enumerate(answer):
        yield _text(x + 26, to - text / 2 + 11.5 + _STEP * number, line)
