"""The picture of what happened as PNG, for Slack shows no SVG: without a browser, and with a font that comes along."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from resvg_py import svg_to_bytes

from bot.happened import Picture
from bot.marks import FONT
from bot.picture_svg import picture_svg
from bot.strokes import spoken

_FAMILY = "Lato"
_FACES = ("Lato-Regular.ttf", "Lato-Bold.ttf")
_ZOOM = 2
"""Pixels to a unit of the picture."""
_LATIN = 0x180
_MORE = frozenset("–—’“”…•")
"""The font has the letters below this one and some signs; for others the machine's own fonts are looked through."""


def picture_png(picture: Picture) -> bytes:
    """Draw a picture twice as large as on the page, in its light colours. It takes some tens of milliseconds."""
    return rendered(picture_svg(picture))


def rendered(svg: str) -> bytes:
    """Make a PNG of one of our pictures."""
    return bytes(
        svg_to_bytes(
            svg_string=svg.replace(FONT, f"{_FAMILY}, {FONT}"),
            background="#ffffff",
            zoom=_ZOOM,
            font_family=_FAMILY,
            sans_serif_family=_FAMILY,
            font_files=_fonts(),
            skip_system_fonts=all(ord(letter) < _LATIN or letter in _MORE for letter in svg),
        )
    )


def picture_alt(picture: Picture) -> str:
    """Say in words what is to be seen, for those who do not see it."""
    arrows = [spoken(arrow, picture.lanes) for arrow in picture.arrows]
    return " ".join([f"{picture.title}.", *arrows, *(f"{note}." for note in picture.notes)])


@cache
def _fonts() -> list[str]:
    folder = files("font_lato") / "files"
    return [str(folder / face) for face in _FACES]
