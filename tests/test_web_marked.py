"""What was understood, marked in the pasted lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from bot.web.marked import LONGEST, Line, Stretch, marked, visible
from bot.web.spots import Marker
from knowledge.shelf import Shelf
from rules.case import Case
from rules.diagnose import Expert
from tests.page import LINE

BIDI = "\u202e\u2066\u200b\ufeff"


def shown(expert: Expert, paste: str) -> Sequence[Stretch]:
    return marked(paste, expert.diagnose(Case(paste=paste)), expert.shelf)


def lines(expert: Expert, paste: str) -> list[Line]:
    return [line for one in shown(expert, paste) for line in one.lines]


def marks(line: Line) -> set[tuple[str, str | None]]:
    return {(span.text, span.kind) for span in line.spans if span.kind}


def whole(line: Line) -> str:
    return "".join(span.text for span in line.spans)


def test_what_gave_addresses_ports_flags_and_the_event_is_marked(expert: Expert) -> None:
    (line,) = lines(expert, LINE)
    assert marks(line) == {
        ("Deny TCP (no connection)", "event"),
        ("192.0.2.10", "address"),
        ("443", "port"),
        ("198.51.100.7", "address"),
        ("51515", "port"),
        ("SYN ACK", "flags"),
    }
    assert whole(line) == LINE
    assert line.gave
    assert all(span.says for span in line.spans if span.kind)


def test_the_duration_is_marked_where_it_stands(expert: Expert) -> None:
    paste = (
        "%ASA-6-302014: Teardown TCP connection 90 for outside:192.0.2.10/443 to inside:198.51.100.7/51515 "
        "duration 0:01:30 bytes 90 TCP Reset-O"
    )
    (line,) = lines(expert, paste)
    assert ("0:01:30", "time") in marks(line)


def test_the_engineers_own_words_are_marked(expert: Expert) -> None:
    found = lines(expert, f"{LINE}\nIt worked for an hour and then broke.")
    assert ("worked for an hour", "words") in marks(found[1])
    assert not found[1].unread


def test_a_line_that_was_not_read_says_why(expert: Expert) -> None:
    found = lines(expert, f"{LINE}\nzzz 17 qqq")
    assert found[1].unread
    assert not found[1].gave
    assert not marks(found[1])


def test_a_blank_line_is_neither_read_nor_unread(expert: Expert) -> None:
    found = lines(expert, f"{LINE}\n\n{LINE}")
    assert (found[1].gave, found[1].unread) == (False, "")


def test_every_sample_is_shown_letter_for_letter(expert: Expert, shelf: Shelf) -> None:
    for dialect in shelf.dialects.values():
        paste = dialect.samples[0].line
        texts = [visible(text[:LONGEST]) for text in paste.split("\n")]
        found = lines(expert, paste)
        assert [whole(line) for line in found] == texts[: len(found)], dialect.id


def test_most_samples_have_a_mark(expert: Expert, shelf: Shelf) -> None:
    samples = [dialect.samples[0].line for dialect in shelf.dialects.values()]
    bare = [text for text in samples if not any(marks(line) for line in lines(expert, text))]
    assert len(bare) * 20 < len(samples), bare


def test_a_long_paste_folds_what_gave_nothing(expert: Expert) -> None:
    noise = ["zzz 17 qqq"] * 30
    found = shown(expert, "\n".join([*noise, LINE, *noise]))
    assert [(one.folded, one.counted) for one in found] == [(True, 29), (False, 3), (True, 29)]
    assert found[1].lines[1].gave


def test_a_long_paste_in_which_nothing_was_read_shows_its_beginning(expert: Expert) -> None:
    found = shown(expert, "zzz 17 qqq\n" * 30)
    assert [one.folded for one in found] == [False, True]


def test_of_an_endless_paste_the_rest_is_counted(expert: Expert) -> None:
    found = shown(expert, "\n".join([LINE] * 3000))
    assert sum(one.counted for one in found) == 3000
    assert sum(len(one.lines) for one in found) == 400


def test_a_very_long_line_is_cut_and_says_by_how_much(expert: Expert) -> None:
    (line,) = lines(expert, LINE + " " + "x" * 5000)
    assert len(whole(line)) == LONGEST
    assert line.cut == len(LINE) + 5001 - LONGEST
    assert marks(line)


@pytest.mark.parametrize("sign", [*BIDI, "\x1b", "\x07", "\x7f", "\x9b", "\u2028"])
def test_signs_that_turn_or_hide_writing_are_written_as_numbers(expert: Expert, sign: str) -> None:
    text = "".join(whole(line) for line in lines(expert, f"{LINE} a{sign}b"))
    assert sign not in text
    assert f"a\u2039{ord(sign):02X}\u203ab" in text


@pytest.mark.parametrize("paste", ["", "\x00", "\n\n\n", "[" * 3000, "(" * 4000 + ")", "192.0.2.1" * 500, "İ" * 300])
def test_hostile_pastes_are_shown_and_nothing_breaks(expert: Expert, paste: str) -> None:
    assert sum(one.counted for one in shown(expert, paste)) >= 0


def test_marks_do_not_overlap_and_hold_what_they_say() -> None:
    marker = Marker("from 192.0.2.1.443 to 192.0.2.1.443: Flags [R], 192.0.2.11, port 4431")
    marker.address("192.0.2.1", 443, "source address", "source port")
    marker.flags(["RST"], "flags")
    marker.phrase("to 192.0.2.1.443: flags", "event", "what happened")
    ends = [(one.start, one.end) for one in marker.spots]
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    texts = [marker.text[one.start : one.end] for one in marker.spots if one.kind in ("address", "port", "flags")]
    assert texts == ["192.0.2.1", "443", "192.0.2.1", "443", "R"]


def test_an_address_in_another_spelling_is_found() -> None:
    marker = Marker("src=2001:DB8:0:0::1 dst=x")
    marker.address("2001:db8::1", None, "source address", "")
    assert [marker.text[one.start : one.end] for one in marker.spots] == ["2001:DB8:0:0::1"]


def test_a_port_behind_its_name_goes_before_one_that_stands_anywhere() -> None:
    marker = Marker("id=443 spt=443 dpt=443")
    marker.port(443, "destination", "destination port")
    assert [one.start for one in marker.spots] == [marker.text.rindex("443")]
