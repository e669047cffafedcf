"""A picture of what happened as SVG: no script, no outside font, light and dark, with words for screen readers.

The style names a class of its own, so that the picture may also stand inside a page whose own style sheet holds it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.happened import Arrow, Lane, Picture
from bot.marks import FONT, safe
from bot.strokes import WORDS, Line, Sign, Style, balanced, drawn, event_lines, spoken, used

_WIDTH, _FIRST, _LAST = 420, 64, 356
"""The page and its outermost lanes, in units of the view box."""
_LABEL, _SMALL = 7.2, 5.5
"""What a letter of a label, and of a note, takes on average: nobody measures text here."""
_LABEL_CHARS, _NOTE_CHARS = 54, 70
_MARGIN = 3

_LIGHT = "page=#ffffff ink=#1c2128 faint=#59636e line=#c4cad1 box=#f0f2f5 bad=#b3261e made=#0b57a4"
_DARK = "page=#14181d ink=#e4e8ed faint=#9aa5b1 line=#454d57 box=#222831 bad=#f2857c made=#7db7f5"


def _colours(named: str) -> str:
    rules = (
        ".page,.ring,.lost{fill:page}text{fill:ink}.n{fill:faint}path{stroke:ink}.life{stroke:line}"
        ".faint,.box{stroke:faint}.box{fill:box}.cross,.ring,.lost{stroke:bad}.star,.report{fill:made}"
    )
    return _scoped(rules, dict(one.split("=") for one in named.split()))


def _scoped(rules: str, colours: Mapping[str, str]) -> str:
    """Bind rules to this kind of picture and put colours in."""
    css = ""
    for rule in rules.removesuffix("}").split("}"):
        selectors, _, body = rule.partition("{")
        name, _, value = body.partition(":")
        named = ",".join(f".happened {one}" for one in selectors.split(","))
        css += f"{named}{{{name}:{colours[value]}}}"
    return css


STYLE = (
    f".happened{{font-family:{FONT}}}.happened text{{font-size:12.5px;font-weight:600;text-anchor:middle}}"
    ".happened .n{font-size:10.5px;font-weight:400}.happened .left{text-anchor:start}"
    ".happened path{fill:none;stroke-width:1.7}.happened .life{stroke-width:1}"
    ".happened .dashed{stroke-dasharray:7 4}.happened .faint{stroke-dasharray:1.5 4}"
    ".happened .head{stroke-dasharray:none}.happened .cross{stroke-width:3}"
    f"{_colours(_LIGHT)}@media (prefers-color-scheme:dark){{{_colours(_DARK)}}}"
)
"""The style of all pictures: a page that inlines one without it must bring it along."""


class _Block(NamedTuple):
    """A part of the picture, drawn from height 0 on, and its own height."""

    parts: list[str]
    height: float


def picture_svg(picture: Picture, *, style: bool = True) -> str:
    """Draw a picture. Without `style` it needs `STYLE` from the page it stands in."""
    blocks = [_row(arrow, picture.lanes) for arrow in picture.arrows]
    head = _heads(picture.lanes)
    life = head.height + sum(block.height for block in blocks) + 4
    parts = [_life(picture.lanes, head.height, life), *head.parts]
    y = head.height
    for block in [*blocks, _foot(picture)]:
        parts.append(f'<g transform="translate(0 {y:g})">{"".join(block.parts)}</g>')
        y += block.height
    arrows = [spoken(arrow, picture.lanes) for arrow in picture.arrows]
    said = " ".join([*arrows, *(f"{note}." for note in picture.notes)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="happened" viewBox="0 0 {_WIDTH} {y:g}" role="img">\n'
        f"<title>{safe(picture.title)}</title><desc>{safe(said)}</desc>\n"
        + (f"<style>{STYLE}</style>\n" if style else "")
        + f'<rect class="page" width="{_WIDTH}" height="{y:g}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _x(place: float, lanes: Sequence[Lane]) -> float:
    return round(_FIRST + place * (_LAST - _FIRST) / (len(lanes) - 1), 1)


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{safe(text)}</text>'


def _life(lanes: Sequence[Lane], top: float, bottom: float) -> str:
    lines = "".join(f"M{_x(place, lanes):g} {top:g}V{bottom + 4:g}" for place in range(len(lanes)))
    return f'<path class="life" d="{lines}"/>'


def _heads(lanes: Sequence[Lane]) -> _Block:
    parts = []
    for place, lane in enumerate(lanes):
        x = _x(place, lanes)
        lines = [_text(x, 20, lane.title), *(_text(x, 35 + 13 * n, one, "n") for n, one in enumerate(lane.lines))]
        full = f"<title>{safe(lane.address)}</title>" if lane.address else ""
        parts.append(f"<g>{full}{''.join(lines)}</g>")
    return _Block(parts, 30 + 13 * max(len(lane.lines) for lane in lanes))


def _row(arrow: Arrow, lanes: Sequence[Lane]) -> _Block:
    if arrow.kind == "silence":
        return _silence(arrow)
    if arrow.kind == "event":
        return _event(arrow, lanes)
    strokes = drawn(arrow, lanes)
    ends = [_x(place, lanes) for line in strokes.lines for place in (line.start, line.end)]
    x = (min(ends) + max(ends)) / 2
    label, y = _label(arrow.label, x, 18)
    y += 7 if any(line.past is not None for line in strokes.lines) else 0
    parts = [*label, *(part for line in strokes.lines for part in _line(line, y, lanes))]
    parts += [_sign(sign, _x(place, lanes), y) for place, sign in strokes.signs]
    notes, bottom = _evidence(arrow, y + 16, x)
    return _Block([*parts, *notes], bottom + 6)


def _label(label: str, x: float, y: float) -> tuple[list[str], float]:
    """Write a label around a place, within the page; give it, and the height of the arrow below it."""
    parts = []
    for line in balanced(label, _LABEL_CHARS):
        parts += _backed(line, x, y, _LABEL, 14)
        y += 15
    return parts, y - 6


def _backed(text: str, x: float, y: float, letter: float, high: float, kind: str = "") -> list[str]:
    """Write a text on a patch of the page, so that no line crosses it."""
    half = min(len(text) * letter / 2 + 2, _WIDTH / 2 - _MARGIN)
    x = round(min(max(x, half + _MARGIN), _WIDTH - half - _MARGIN), 1)
    patch = f'<rect class="page" x="{x - half:g}" y="{y - high + 3:g}" width="{2 * half:g}" height="{high}"/>'
    return [patch, _text(x, y, text, kind)]


def _evidence(arrow: Arrow, y: float, x: float = _WIDTH / 2) -> tuple[list[str], float]:
    parts = []
    for line in textwrap.wrap(arrow.because, _NOTE_CHARS, break_on_hyphens=False):
        parts += _backed(line, x, y, _SMALL, 12, "n")
        y += 13
    return parts, y - 6


def _line(line: Line, y: float, lanes: Sequence[Lane]) -> Iterator[str]:
    start, end = _x(line.start, lanes), _x(line.end, lanes)
    way = f"M{start:g} {y:g}H{end:g}"
    if line.past is not None:
        at, step = _x(line.past, lanes), 9 if end > start else -9
        way = f"M{start:g} {y:g}H{at - step:g}A9 9 0 0 {int(end > start)} {at + step:g} {y:g}H{end:g}"
    yield f'<path class="{line.style}" d="{way}"/>'
    heads = [(end, end > start), (start, start > end)][: line.heads]
    for at, right in heads:
        back = at - 7 if right else at + 7
        yield f'<path class="{line.style} head" d="M{back:g} {y - 4.5:g}L{at:g} {y:g}L{back:g} {y + 4.5:g}"/>'


def _sign(sign: Sign, x: float, y: float) -> str:
    match sign:
        case "cross":
            return f'<path class="cross" d="M{x - 6:g} {y - 6:g}l12 12m0-12l-12 12"/>'
        case "ring":
            return f'<path class="ring head" d="M{x - 5:g} {y:g}a5 5 0 1 0 10 0a5 5 0 1 0-10 0"/>'
        case "star" | "report":
            return f'<path class="{sign} head" d="M{x:g} {y - 6:g}l6 6l-6 6l-6-6z"/>'
        case "lost":
            return f'<path class="lost" d="M{x - 4:g} {y - 4:g}l8 8m0-8l-8 8"/>'
    return f'<rect class="page" x="{x - 7:g}" y="{y - 7:g}" width="14" height="14"/>{_text(x, y + 4.5, "?")}'


def _silence(arrow: Arrow) -> _Block:
    """Draw a silence as a cut through the page: the time between its edges is not to scale."""
    lines = balanced(arrow.label, _LABEL_CHARS)
    parts = [_zigzag(10)]
    y = 28.0
    for line in lines:
        parts += _backed(line, _WIDTH / 2, y, _LABEL, 14)
        y += 15
    notes, y = _evidence(arrow, y)
    return _Block([*parts, *notes, _zigzag(y + 4)], y + 12)


def _zigzag(y: float) -> str:
    teeth = "l6 5l6-5" * ((_WIDTH - 24) // 12)
    return f'<rect class="page" y="{y:g}" width="{_WIDTH}" height="5"/><path class="life" d="M12 {y:g}{teeth}"/>'


def _event(arrow: Arrow, lanes: Sequence[Lane]) -> _Block:
    """Draw an event as a box at its lane, or in the middle."""
    stands = [lane.stand for lane in lanes]
    x = _x(stands.index(arrow.start), lanes) if arrow.start else _WIDTH / 2
    lines = event_lines(arrow)
    half = min(max(map(len, lines)) * _LABEL / 2 + 8, _WIDTH / 2 - _MARGIN)
    x = round(min(max(x, half + _MARGIN), _WIDTH - half - _MARGIN), 1)
    high = 15 * len(lines) + 7
    box = f'<rect class="box" x="{x - half:g}" y="8" width="{2 * half:g}" height="{high}" rx="4"/>'
    texts = [_text(x, 23 + 15 * number, line) for number, line in enumerate(lines)]
    notes, y = _evidence(arrow, high + 22, x)
    return _Block([box, *texts, *notes], y + 4)


def _foot(picture: Picture) -> _Block:
    """Write the notes, and what the lines and signs mean."""
    parts, y = [], 24.0
    for note in picture.notes:
        for number, line in enumerate(textwrap.wrap(note, _NOTE_CHARS, break_on_hyphens=False)):
            parts.append(_text(20 if number else 12, y, line if number else f"• {line}", "n left"))
            y += 13
        y += 2
    x, y = 12.0, y + 4
    for one in used(picture):
        wide = 44 + len(WORDS[one]) * _SMALL
        if x + wide > _WIDTH - _MARGIN:
            x, y = 12.0, y + 17
        parts += [_key(one, x + 10, y - 4), _text(x + 24, y, WORDS[one], "n left")]
        x += wide
    return _Block(parts, y + 10)


def _key(one: Style | Sign, x: float, y: float) -> str:
    match one:
        case "solid" | "dashed" | "faint":
            return f'<path class="{one}" d="M{x - 10:g} {y:g}h20"/>'
    return _sign(one, x, y)
