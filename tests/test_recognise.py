"""Whose line it is: one dialect's, found all at once as one by one; of what nobody knows, the nearest is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.model import Dialect
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.read import read, reader_of
from rules.recognise import Recogniser
from tests.corpus import Entry
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
OWN = [one for one in SHELF.dialects.values() if not one.fallback]
RECOGNISER = reader_of(SHELF).recogniser
LINES = [line for one in SHELF.dialects.values() for sample in one.samples for line in sample.line.splitlines()]
UNDISTINCTIVE = 0.5
"""Share of the other dialects' samples that bear a mark which tells nothing any more."""
TELLING = 0.15
"""Share up to which at least one mark of every dialect must keep it."""


def _one_by_one(text: str) -> list[str]:
    """Recognise as the set does, each pattern searched for alone."""
    found = [one for one in OWN if pattern(one.recognise).search(text)]
    return [one.id for one in found if one.unless is None or not pattern(one.unless).search(text)]


def _all_at_once(text: str) -> list[str]:
    return [one.id for one in RECOGNISER.claims(text)]


def test_all_patterns_at_once_find_on_the_samples_what_each_finds_alone() -> None:
    assert [line for line in LINES if _all_at_once(line) != _one_by_one(line)] == []
    assert sum(bool(_all_at_once(line)) for line in LINES) > len(LINES) // 2


def test_all_patterns_at_once_find_on_real_lines_what_each_finds_alone(corpus: list[Entry]) -> None:
    assert [one["id"] for one in corpus if _all_at_once(one["line"]) != _one_by_one(one["line"])] == []


parts = st.lists(st.sampled_from(LINES).flatmap(lambda line: st.sampled_from(line.split(" "))), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), parts.map(" ".join), parts.map(",".join)))
def test_all_patterns_at_once_find_in_any_text_what_each_finds_alone(text: str) -> None:
    assert _all_at_once(text) == _one_by_one(text)


def test_a_set_that_misses_a_pattern_is_seen(shelf: Shelf) -> None:
    blind = Recogniser(shelf)
    blind._set = type(blind._set)(["nowhere at all"])
    assert [line for line in LINES if blind.claims(line)] == []


def test_a_line_that_unless_takes_back_is_not_claimed() -> None:
    taken = [(one, line) for one in OWN for line in LINES if one.unless and pattern(one.recognise).search(line)]
    back = [(one.id, line) for one, line in taken if one.unless and pattern(one.unless).search(line)]
    assert len(back) >= 10
    assert [line for id_, line in back if id_ in _all_at_once(line)] == []


def test_only_plain_words_and_ends_of_command_output_wait_for_what_nobody_claims(shelf: Shelf) -> None:
    fallbacks = {one.id for one in shelf.dialects.values() if one.fallback}
    assert fallbacks == {"plain-words", "cisco-asa-drop-reason", "paloalto-session-tail"}


def _bearing(text: str, other_than: Dialect) -> float:
    lines = [sample.line for one in OWN if one is not other_than for sample in one.samples]
    return sum(pattern(text).search(line) is not None for line in lines) / len(lines)


@pytest.mark.parametrize("dialect", OWN, ids=lambda one: one.id)
def test_the_marks_of_a_dialect_tell_it_from_others(dialect: Dialect) -> None:
    shares = {words: _bearing(text, dialect) for words, text in dialect.marks.items()}
    assert [words for words, share in shares.items() if share > UNDISTINCTIVE] == []
    assert min(shares.values()) <= TELLING


def test_a_mark_that_many_lines_bear_is_seen() -> None:
    assert _bearing(r"\d", OWN[0]) > UNDISTINCTIVE > TELLING > _bearing("%ASA-", OWN[0])


CUT = "it is cut or ordered differently"
BROKEN = [
    ("aws-vpc-flow", "2 123456789012 eni-0a1b2c3d 192.0.2.1 198.51.100.7 443", "lacks ACCEPT, REJECT"),
    ("windows-pfirewall", "2024-03-03 10:15:54 DROP TCP 192.0.2.1", CUT),
    ("paloalto-cef", "CEF:0|Palo Alto Networks|PAN-OS|10.1|drop", CUT),
    ("forcepoint-cef", "CEF:0|FORCEPOINT|Fire", "lacks the kind of engine behind it"),
    ("sophos-xg", 'device="SFW" date=2024-03-03 time=10:15:54 log_type="Firewall"', "lacks log_component="),
    ("linux-netfilter", "SRC=192.0.2.1 DST=198.51.100.7 SPT=443 DPT=51515", "lacks interfaces as IN= OUT="),
    ("fortigate", "srcip=192.0.2.1 srcport=443 dstip=198.51.100.7 dstport=51515 policyid=7", "lacks logid="),
    (
        "juniper-srx-structured",
        'reason="TCP RST" source-address="192.0.2.1" source-port="51515"',
        "lacks the element",
    ),
    ("suricata-eve", '{"src_ip":"192.0.2.1","proto":"TCP","flow_id":1,"alert":', "lacks a type of event"),
    ("azure-flow-log", '{"properties":{"rule":"x","flowTuples":"1542110377,192.0.2.1', "lacks a tuple of a flow log"),
    ("ipfilter-ipmon", "10:15:54 ipmon[12]: em0 @0:1 b 192.0.2.1", "lacks addresses with a comma before the port"),
    ("freebsd-ipfw", "ipfw: 100 Deny", CUT),
]
"""The dialect that a broken line is nearest to, the line, and what is said of it."""


@pytest.mark.parametrize(("nearest", "line", "said"), BROKEN, ids=[one[0] for one in BROKEN])
def test_a_broken_line_is_told_what_it_is_nearest_to_and_what_it_lacks(nearest: str, line: str, said: str) -> None:
    (unread,) = read(line, SHELF).unread
    title = SHELF.dialects[nearest].title
    assert unread.why.startswith(f"no dialect recognises this line; it is nearest to {title}, but ")
    assert said in unread.why


def test_what_a_line_is_told_to_lack_are_marks_that_it_does_not_bear() -> None:
    for nearest, line, _ in BROKEN:
        marks = SHELF.dialects[nearest].marks
        why = RECOGNISER.nearest(line)
        assert {words for words in marks if words in why} == {
            words for words, text in marks.items() if not pattern(text).search(line)
        }


@pytest.mark.parametrize(
    "line",
    ["hello", "", "filterlog[12]: 5,,,1000000103,igb0,match", "tcp_flags=16", "192.0.2.1 > 198.51.100.7", "]" * 99],
)
def test_a_line_that_bears_no_telling_mark_is_near_to_nothing(line: str) -> None:
    assert RECOGNISER.nearest(line) == "no dialect recognises this line"


def test_a_line_with_tabs_for_blanks_bears_the_same_marks() -> None:
    line = "2 123456789012 eni-0a1b2c3d 192.0.2.1 198.51.100.7 443"
    assert RECOGNISER.nearest(line.replace(" ", "\t")) == RECOGNISER.nearest(line)
    assert "nearest to" in RECOGNISER.nearest(line)
