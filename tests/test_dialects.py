"""Every dialect reads its own lines, and holds nothing that none of them needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from knowledge.load import load_shelf
from knowledge.model import Dialect, FactRule, Sample
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.interpret import ReadLine, Stated
from rules.prove import misread
from rules.read import read, reader_of

SHELF = load_shelf()
DIALECTS = list(SHELF.dialects.values())
SAMPLES = [
    pytest.param(dialect, sample, id=f"{dialect.id} {number}: {sample.event}")
    for dialect in DIALECTS
    for number, sample in enumerate(dialect.samples, start=1)
]
each_sample = pytest.mark.parametrize(("dialect", "sample"), SAMPLES)
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)


def _recognisers(line: str) -> set[str]:
    return {one.id for one in DIALECTS if not one.fallback and pattern(one.recognise).search(line)}


def _lines(dialect: Dialect, shelf: Shelf) -> Iterator[ReadLine]:
    for sample in dialect.samples:
        yield from read(sample.line, shelf).lines


@each_sample
def test_a_sample_yields_what_stands_beside_it(shelf: Shelf, dialect: Dialect, sample: Sample) -> None:
    assert list(misread(sample, dialect.id, shelf)) == []


@each_sample
def test_a_sample_is_recognised_by_its_own_dialect_alone(dialect: Dialect, sample: Sample) -> None:
    assert _recognisers(sample.line) == (set() if dialect.fallback else {dialect.id})


@pytest.mark.parametrize("sample", [one for dialect in DIALECTS for one in dialect.samples], ids=lambda one: one.event)
def test_a_sample_survives_what_chats_do_to_it(shelf: Shelf, sample: Sample) -> None:
    escaped = sample.line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    curled = escaped.replace("'", "\u2019")
    first, second = read(sample.line, shelf).lines, read(curled, shelf).lines
    assert [line.record.event for line in first] == [line.record.event for line in second]
    assert [line.stated for line in first] == [line.stated for line in second]


@each_sample
def test_a_line_that_is_not_read_says_why(shelf: Shelf, dialect: Dialect, sample: Sample) -> None:
    reading = read(sample.line, shelf)
    assert reading.lines or reading.unread[0].why.startswith(dialect.title)


@each_dialect
def test_every_line_rule_with_an_event_is_met_by_a_sample(dialect: Dialect) -> None:
    met = [reader_of(SHELF).rule_of(sample.line, dialect) for sample in dialect.samples]
    assert [rule for rule in dialect.lines if rule.event != "irrelevant" and rule not in met] == []


@each_dialect
def test_every_fact_rule_is_met_by_a_sample(shelf: Shelf, dialect: Dialect) -> None:
    stated = [one for line in _lines(dialect, shelf) for one in line.stated]
    assert [rule for rule in dialect.facts if not any(_states(rule, one) for one in stated)] == []


def _states(rule: FactRule, stated: Stated) -> bool:
    return stated.because == rule.because and stated.feature in rule.facts


@each_dialect
def test_every_pattern_is_used_by_a_sample(dialect: Dialect) -> None:
    used = {text for sample in dialect.samples for text in _patterns_used(dialect, sample.line)}
    assert [text for text in dialect.patterns if text not in used] == []


def _patterns_used(dialect: Dialect, line: str) -> list[str]:
    matching = [text for text in dialect.patterns if pattern(text).search(line)]
    return matching[:1] if dialect.codec == "regex" else matching


@each_dialect
def test_every_field_is_filled_by_a_sample(shelf: Shelf, dialect: Dialect) -> None:
    filled = {name for line in _lines(dialect, shelf) for name in _filled(line)}
    assert set(dialect.fields) - filled == set()


def _filled(line: ReadLine) -> Iterator[str]:
    for name, value in line.record.model_dump().items():
        parts = value if isinstance(value, dict) else {}
        yield from (f"{name}.{part}" for part, one in parts.items() if one is not None)
        if value and not parts:
            yield name
    if any(one.feature == "timing.idle_s" for one in line.stated):
        yield "idle_s"


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


def test_a_paste_of_several_vendors_is_read_line_by_line(shelf: Shelf) -> None:
    paste = "\n".join(dialect.samples[0].line for dialect in DIALECTS)
    assert {line.record.dialect for line in read(paste, shelf).lines} == set(SHELF.dialects)
