"""A dialect that cannot work is refused with its file and line, and with what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minimal import DIALECT, Wrong, is_refused

WRONG: dict[str, Wrong] = {
    "a pattern with look-ahead": (
        DIALECT,
        "recognise: '^box: '",
        "recognise: '^box(?=: )'",
        "recognise: '^box(?=: )'",
        "pattern '^box(?=: )': ",
    ),
    "a pattern that does not close": (
        DIALECT,
        "when: {what: drop}",
        "when: {what: '(drop'}",
        "when: {what: '(drop'}",
        "pattern '(drop': ",
    ),
    "an unknown record field": (
        DIALECT,
        "source.ip: src",
        "source.adress: src",
        "source.adress: src",
        "unknown record field 'source.adress'",
    ),
    "a dialect of an unknown product": (
        DIALECT,
        "product: box",
        "product: bax",
        "product: bax",
        "unknown product 'bax'; did you mean 'box'?",
    ),
    "a rule without the words of the product": (
        DIALECT,
        "    event: out-of-state\n    says: [drop]\n",
        "    event: out-of-state\n",
        "- when: {what: drop}",
        "a rule of the event out-of-state needs 'says': the product's own words for it",
    ),
    "words that stand in no sample": (
        DIALECT,
        "says: [drop]",
        "says: [dropped]",
        "says: [dropped]",
        "no sample says 'dropped'; write it as it stands in a line",
    ),
    "words said twice": (
        DIALECT,
        "says: [drop]",
        "says: [drop, drop]",
        "says: [drop, drop]",
        "duplicate 'drop'",
    ),
    "one mark alone": (
        DIALECT,
        "  'the name box': '^box: '\n",
        "",
        "marks:",
        "it needs at least 2 marks: an unread line is told which of them it lacks",
    ),
    "a mark that does not close": (
        DIALECT,
        "'the name box': '^box: '",
        "'the name box': '^(box: '",
        "'the name box': '^(box: '",
        "pattern '^(box: ': ",
    ),
    "an 'unless' that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\nunless: '(x'",
        "unless: '(x'",
        "pattern '(x': ",
    ),
    "a 'block' that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\nblock: '(x'",
        "block: '(x'",
        "pattern '(x': ",
    ),
    "a 'header' that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\nheader: '(x'",
        "header: '(x'",
        "pattern '(x': ",
    ),
    "an 'each' that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\neach: '(x'",
        "each: '(x'",
        "pattern '(x': ",
    ),
    "a 'pair' that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\npair: '(x'",
        "pair: '(x'",
        "pattern '(x': ",
    ),
    "a detail that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\ndetails: ['(?P<x>x']",
        "details: ['(?P<x>x']",
        "pattern '(?P<x>x': ",
    ),
    "a fact rule that does not close": (
        DIALECT,
        "sources: [house]",
        "facts:\n  - when: {what: '(x'}\n    facts: {packet.flags: SA}\n    because: x\nsources: [house]",
        "when: {what: '(x'}",
        "pattern '(x': ",
    ),
    "a product rule that does not close": (
        DIALECT,
        "codec: regex",
        "codec: regex\nproducts:\n  - {when: {what: '(x'}, product: box}",
        "- {when: {what: '(x'}, product: box}",
        "pattern '(x': ",
    ),
    "a product rule for an unknown product": (
        DIALECT,
        "codec: regex",
        "codec: regex\nproducts:\n  - {when: {what: x}, product: bix}",
        "- {when: {what: x}, product: bix}",
        "unknown product 'bix'; did you mean 'box'?",
    ),
    "a header that names no columns": (
        DIALECT,
        "codec: regex",
        "codec: regex\nheader: '#Fields: (.*)'",
        "header: '#Fields: (.*)'",
        "a header needs a group named 'names', which holds the names of the columns",
    ),
    "a pair without a value": (
        DIALECT,
        "codec: regex",
        "codec: regex\npair: '(\\w+)='",
        "pair: '(\\w+)='",
        "a pair needs two groups: the key, and the value",
    ),
    "a detail without a name": (
        DIALECT,
        "codec: regex",
        "codec: regex\ndetails: ['(x)']",
        "details: ['(x)']",
        "a detail needs a named group, or it adds nothing",
    ),
    "a regex without patterns": (
        DIALECT,
        "patterns:\n  - '^box: (?P<what>\\w+) (?P<src>\\S+)'\n",
        "",
        "codec: regex",
        "the codec regex needs patterns",
    ),
    "a csv without columns": (
        DIALECT,
        "codec: regex",
        "codec: csv",
        "codec: csv",
        "the codec csv needs columns",
    ),
    "a table without columns": (
        DIALECT,
        "codec: regex",
        "codec: table",
        "codec: table",
        "the codec table needs columns or a header",
    ),
    "a sample that expects an unknown field": (
        DIALECT,
        "line: 'box: drop 192.0.2.1'",
        "line: 'box: drop 192.0.2.1'\n    expect: {source.adress: 192.0.2.1}",
        "expect: {source.adress: 192.0.2.1}",
        "unknown record field 'source.adress'; d",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_entry_is_refused_with_its_line(folder: Path, what: str) -> None:
    is_refused(folder, WRONG[what])
