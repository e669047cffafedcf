"""Every dialect reads its own lines, and holds nothing that none of them needs."""

from __future__ import annotations

import html

import pytest

from knowledge.dialect_check import NO_EVENT
from knowledge.model import Dialect, Sample
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.read import read
from rules.samples import claimed_by_others, idle, misread, unmarked
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
DIALECTS = list(SHELF.dialects.values())
SAMPLES = [
    pytest.param(dialect, sample, id=f"{dialect.id} {number}: {sample.event}")
    for dialect in DIALECTS
    for number, sample in enumerate(dialect.samples, start=1)
]
AT_LEAST = 45
"""Ways of writing that whydrop promises to read."""
each_sample = pytest.mark.parametrize(("dialect", "sample"), SAMPLES)
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)


def test_there_are_as_many_dialects_as_promised() -> None:
    assert len(DIALECTS) >= AT_LEAST


@each_sample
def test_a_sample_yields_what_stands_beside_it(shelf: Shelf, dialect: Dialect, sample: Sample) -> None:
    assert list(misread(sample, shelf.dialects[dialect.id], shelf)) == []


@each_dialect
def test_the_lines_of_its_samples_are_claimed_by_no_other_dialect(shelf: Shelf, dialect: Dialect) -> None:
    assert [one for sample in dialect.samples for one in claimed_by_others(sample, dialect, shelf)] == []


@each_dialect
def test_its_samples_bear_all_marks_of_a_dialect(shelf: Shelf, dialect: Dialect) -> None:
    assert [one for sample in dialect.samples for one in unmarked(sample, dialect, shelf)] == []


@each_dialect
def test_nothing_in_a_dialect_is_idle(shelf: Shelf, dialect: Dialect) -> None:
    assert list(idle(shelf.dialects[dialect.id], shelf)) == []


@each_sample
def test_a_sample_survives_what_chats_do_to_it(shelf: Shelf, dialect: Dialect, sample: Sample) -> None:
    curled = html.escape(sample.line, quote=False).replace("'", "\u2019").replace('"', "\u201d")
    first, second = read(sample.line, shelf).lines, read(curled, shelf).lines
    assert [line.record.event for line in first] == [line.record.event for line in second]
    assert [line.stated for line in first] == [line.stated for line in second]
    assert {line.record.dialect for line in first} <= {dialect.id}


@each_sample
def test_a_line_that_is_not_read_says_why(shelf: Shelf, dialect: Dialect, sample: Sample) -> None:
    reading = read(sample.line, shelf)
    assert reading.lines or reading.unread[0].why.startswith(dialect.title)


@each_dialect
def test_what_happened_is_said_in_the_words_of_the_product(dialect: Dialect) -> None:
    said = [rule.says for rule in dialect.lines if rule.event not in NO_EVENT]
    samples = "\n".join(sample.line for sample in dialect.samples)
    assert dialect.fallback or all(said)
    assert [words for texts in said for words in texts if words not in samples] == []


@each_dialect
def test_samples_use_documentation_addresses_only(dialect: Dialect) -> None:
    wanted = r"192\.0\.2\.\d{1,3}|198\.51\.100\.\d{1,3}|203\.0\.113\.\d{1,3}|10\.0\.0\.0|10\.255\.255\.255|0\.0\.0\.0"
    for sample in dialect.samples:
        found = [match.group() or "" for match in pattern(r"\b(?:\d{1,3}\.){3}\d{1,3}\b").finditer(sample.line)]
        assert [one for one in found if not pattern(wanted).fullmatch(one)] == []


def test_masked_addresses_are_unknown_and_no_error(shelf: Shelf) -> None:
    line = "%ASA-6-106015: Deny TCP (no connection) from x.x.x.x/443 to <IP>/xxxxx flags RST on interface outside"
    record = read(line, shelf).lines[0].record
    assert (record.source.ip, record.source.port) == (None, 443)
    assert (record.destination.ip, record.destination.port) == (None, None)


def test_a_host_name_stands_in_for_an_address(shelf: Shelf) -> None:
    line = "%ASA-6-106015: Deny TCP (no connection) from mail-1/25 to 192.0.2.7/40000 flags RST on interface outside"
    assert read(line, shelf).lines[0].record.source.ip == "mail-1"


def test_text_without_any_known_phrase_is_not_read(shelf: Shelf) -> None:
    for text in ("hello", "please help with the VPN", "the meeting is at 10:00", "192.0.2.7", "443", "SYN"):
        assert read(text, shelf).lines == ()


def test_a_line_whose_blanks_became_tabs_is_read(shelf: Shelf) -> None:
    line = "%ASA-6-302014: Teardown TCP connection 7 for a:192.0.2.1/443 to b:198.51.100.7/51515 duration 0:00:30"
    plain, tabbed = (read(text, shelf).lines[0].record for text in (line, line.replace(" ", "\t")))
    assert (plain.source, plain.destination, plain.duration_s) == (tabbed.source, tabbed.destination, tabbed.duration_s)


def test_all_word_dialects_understand_the_same_circumstances() -> None:
    shared = [
        {(tuple(rule.when), tuple(rule.facts.items())) for rule in dialect.facts if len(rule.when) == 1}
        for dialect in DIALECTS
        if dialect.codec == "words"
    ]
    assert len(set.intersection(*shared)) == 11


def test_words_that_were_not_understood_are_given_back(shelf: Shelf) -> None:
    reading = read("RST from server every Monday since the switch to fibre", shelf)
    assert reading.lines[0].record.event == "reset-by-server"
    assert reading.unread[0].text == "since switch fibre every Monday"


def test_a_paste_of_all_vendors_gives_each_line_to_its_own_dialect(shelf: Shelf) -> None:
    firsts = {
        dialect.id: next((one.line for one in dialect.samples if one.event != "irrelevant"), None)
        for dialect in DIALECTS
        if not dialect.fallback
    }
    lines = read("\n".join(filter(None, firsts.values())), shelf).lines
    assert {line.record.dialect for line in lines} == {id_ for id_, line in firsts.items() if line}
    assert len(lines) >= AT_LEAST
