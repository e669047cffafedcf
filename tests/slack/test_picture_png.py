"""The picture as PNG: twice as large, with its letters, in light colours."""

from __future__ import annotations

import re
import struct

import pytest

from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.slack.parts import Image, Message
from bot.slack.picture_png import picture_alt, picture_png, rendered
from rules.diagnose import Expert
from tests.slack.limits import message_problems
from tests.slack.moments import IDLE, LINE, TWO_ENDS, consulted, pasted


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", png[16:24])
    return wide, high


@pytest.mark.parametrize("paste", [LINE, IDLE, TWO_ENDS])
def test_a_picture_is_twice_as_large_as_on_the_page(expert: Expert, paste: str) -> None:
    drawn = picture(consulted(expert, pasted(paste)).diagnosis, expert.shelf)
    assert drawn is not None
    found = re.search(r'viewBox="0 0 (\d+) ([\d.]+)"', picture_svg(drawn))
    assert found is not None
    wide, high = size(picture_png(drawn))
    assert wide == 2 * int(found[1])
    assert abs(high - 2 * float(found[2])) <= 2


def test_letters_are_drawn_on_a_machine_without_fonts(expert: Expert) -> None:
    drawn = picture(consulted(expert, pasted(LINE)).diagnosis, expert.shelf)
    assert drawn is not None
    svg = picture_svg(drawn)
    silent = re.sub(r"<text.*?</text>", "", svg)
    assert len(rendered(svg)) > 2 * len(rendered(silent))


def test_strange_letters_break_nothing(expert: Expert) -> None:
    drawn = picture(consulted(expert, pasted(LINE)).diagnosis, expert.shelf)
    assert drawn is not None
    svg = picture_svg(drawn).replace("Client", "日本 → ≥ \u202e")
    assert size(rendered(svg)) == size(picture_png(drawn))


def test_words_stand_for_the_picture(expert: Expert) -> None:
    drawn = picture(consulted(expert, pasted(LINE)).diagnosis, expert.shelf)
    assert drawn is not None
    alt = picture_alt(drawn)
    assert "SYN+ACK: dropped here" in alt
    assert message_problems(Message([Image(alt, file="F0PICTURE")]).body()) == []
