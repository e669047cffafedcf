"""What a dialect claims by its samples and does not hold is found, at its line, in a site's own dialect as in ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.load import load_folders
from rules.diagnose import Expert
from rules.prove import prove
from rules.samples import of_dialect
from tests.minimal import DIALECT, MINIMAL, change, line_of, write

RULE = "  - when: {what: drop}\n    event: out-of-state\n    says: [drop]\n"
PATTERN = "  - '^box: (?P<what>\\w+) (?P<src>\\S+)'\n"
SAMPLE = "  - line: 'box: drop 192.0.2.1'\n    event: out-of-state\n"

UNPROVEN = {
    "a sample that gives another event": (
        SAMPLE,
        SAMPLE.replace("out-of-state", "closed"),
        "- line: 'box: drop",
        "sample 'box: drop 192.0.2.1' gives event out-of-state, not closed",
    ),
    "a sample that gives another field": (
        SAMPLE,
        SAMPLE + "    expect: {source.ip: 192.0.2.2}\n",
        "- line: 'box: drop",
        "sample 'box: drop 192.0.2.1' gives source.ip '192.0.2.1', not '192.0.2.2'",
    ),
    "a sample that states no such fact": (
        SAMPLE,
        SAMPLE + "    facts: {packet.payload: true}\n",
        "- line: 'box: drop",
        "sample 'box: drop 192.0.2.1' states packet.payload None, not True",
    ),
    "a sample that nobody recognises": (
        SAMPLE,
        SAMPLE + "  - line: 'bix: drop 192.0.2.1'\n    event: out-of-state\n",
        "- line: 'bix: drop",
        "sample 'bix: drop 192.0.2.1' is recognised by nobody",
    ),
    "a sample that gives nothing": (
        SAMPLE,
        SAMPLE + "  - line: 'box: fall 192.0.2.1'\n    event: out-of-state\n",
        "- line: 'box: fall",
        "sample 'box: fall 192.0.2.1' gives no record",
    ),
    "a sample that should give nothing": (
        SAMPLE,
        SAMPLE + "  - line: 'box: drop 192.0.2.2'\n    event: irrelevant\n",
        "- line: 'box: drop 192.0.2.2",
        "sample 'box: drop 192.0.2.2' gives a record",
    ),
    "a sample without a mark": (
        "'what was done, and to whom': ': \\w+ \\S'",
        "'what was done, and to whom': 'fall'",
        "- line: 'box: drop",
        "sample 'box: drop 192.0.2.1' lacks the mark 'what was done, and to whom'",
    ),
    "a rule that no sample meets": (
        RULE,
        RULE + "  - when: {what: fall}\n    event: other\n",
        "- when: {what: fall}",
        "no sample meets this rule of other",
    ),
    "a rule behind one that takes its lines": (
        RULE,
        RULE + "  - when: {what: drop, src: .+}\n    event: other\n",
        "- when: {what: drop, src: .+}",
        "no sample meets this rule of other",
    ),
    "a fact that no sample states": (
        "sources: [house]",
        "facts:\n  - {when: {what: fall}, facts: {packet.flags: SA}, because: it fell}\nsources: [house]",
        "- {when: {what: fall}",
        "no sample states packet.flags by this rule",
    ),
    "a pattern that no sample uses": (
        PATTERN,
        PATTERN + "  - '^box: (?P<other>.*)'\n",
        "- '^box: (?P<other>.*)'",
        "no sample uses the pattern '^box: (?P<other>.*)'",
    ),
    "a detail that no sample uses": (
        "codec: regex",
        "codec: regex\ndetails:\n  - 'by (?P<rule>\\d+)'",
        "- 'by (?P<rule>",
        "no sample uses the pattern 'by (?P<rule>\\\\d+)'",
    ),
    "a product that no sample is of": (
        "codec: regex",
        "codec: regex\nproducts:\n  - {when: {what: fall}, product: box}",
        "- {when: {what: fall}",
        "no sample is of box by this rule",
    ),
    "a field that no sample fills": (
        "source.ip: src",
        "source.ip: src\n  reason: [why, because]",
        "reason: [why, because]",
        "no sample fills reason",
    ),
    "a field whose text is not understood": (
        "source.ip: src",
        "source.ip: src\n  source.port: what",
        "source.port: what",
        "no sample fills source.port",
    ),
}
"""What is unproven: what stands there, what is written instead, the line to be named, what must be said."""


def _complaints(folder: Path) -> list[tuple[int, str]]:
    shelf = load_folders(folder)
    file, _ = shelf.files["dialects", "box"]
    return [(file.line_of(where), message) for where, message in of_dialect(shelf.dialects["box"], shelf)]


def test_the_smallest_dialect_holds_what_it_claims(folder: Path) -> None:
    assert _complaints(folder) == []


@pytest.mark.parametrize("what", UNPROVEN)
def test_what_a_dialect_does_not_hold_is_found_at_its_line(folder: Path, what: str) -> None:
    old, new, on, says = UNPROVEN[what]
    path = change(folder, DIALECT, old, new)
    assert (line_of(path, on), says) in _complaints(folder)


def test_a_line_that_two_dialects_claim_is_found_at_the_sample(folder: Path) -> None:
    write(folder / "dialects/zax.yaml", MINIMAL[DIALECT].replace("recognise: '^box: '", "recognise: ': drop'"))
    place = line_of(folder / DIALECT, "- line: 'box: drop")
    assert _complaints(folder) == [(place, "line 'box: drop 192.0.2.1' is claimed by zax as well")]


def test_the_rest_of_a_block_may_be_nobodys_and_what_stands_above_it_too(folder: Path) -> None:
    change(folder, DIALECT, "codec: regex", "codec: regex\nblock: '^  '")
    change(folder, DIALECT, "'the name box': '^box: '", "'the name box': '(?m)^box: '")
    change(folder, DIALECT, "- '^box: (?P<what>", "- '(?m)^box: (?P<what>")
    change(folder, DIALECT, "line: 'box: drop 192.0.2.1'", 'line: "head\\nbox: drop 192.0.2.1\\n  and more"')
    assert _complaints(folder) == []


def test_the_check_of_all_knowledge_names_the_line(folder: Path) -> None:
    path = change(folder, DIALECT, RULE, RULE + "  - when: {what: fall}\n    event: other\n")
    shelf = load_folders(folder)
    (found,) = [one for one in prove(Expert(shelf)) if one.kind == "dialects"]
    file, where = shelf.files[found.kind, found.id]
    assert file.line_of((*where, *found.where)) == line_of(path, "- when: {what: fall}")
