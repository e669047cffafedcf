"""A wrong cause is refused with its file and line, and with what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minimal import CAUSE, Wrong, is_refused

WRONG: dict[str, Wrong] = {
    "a misspelt feature": (
        CAUSE,
        "weakens: {packet.flags: SA}",
        "weakens: {packet.flgas: SA}",
        "weakens: {packet.flgas: SA}",
        "unknown feature 'packet.flgas'; did you mean 'packet.flags'?",
    ),
    "a misspelt feature in a told fact": (
        CAUSE,
        "facts: {timing.idle_s: 3600}",
        "facts: {timing.idle: 3600}",
        "facts: {timing.idle: 3600}",
        "unknown feature 'timing.idle'; did you mean 'timing.idle_s'?",
    ),
    "a yes for a number": (
        CAUSE,
        "facts: {timing.idle_s: 3600}",
        "facts: {timing.idle_s: true}",
        "facts: {timing.idle_s: true}",
        "True is not a value of timing.idle_s; allowed: a finite number",
    ),
    "an infinite number": (
        CAUSE,
        "facts: {timing.idle_s: 3600}",
        "facts: {timing.idle_s: .inf}",
        "facts: {timing.idle_s: .inf}",
        "inf is not a value of timing.idle_s; allowed: a finite number",
    ),
    "a value that is not among the choices": (
        CAUSE,
        "weakens: {packet.flags: SA}",
        "weakens: {packet.flags: [SA, SX]}",
        "weakens: {packet.flags: [SA, SX]}",
        "'SX' is not a value of packet.flags; allowed: SA, PA",
    ),
    "a comparison that is none": (
        CAUSE,
        '{timing.idle_s: ">= 3600"}',
        '{timing.idle_s: "=> 3600"}',
        '{timing.idle_s: "=> 3600"}',
        "'=> 3600' is no comparison; write a number, '>= 1800', '< 60' or '40..80'",
    ),
    "an unknown source of a clue": (
        CAUSE,
        "source: house#a-fact",
        "source: nowhere",
        "source: nowhere",
        "unknown source 'nowhere'; allowed: house",
    ),
    "an unknown statement of a source": (
        CAUSE,
        "source: house#a-fact",
        "source: house#a-fakt",
        "source: house#a-fakt",
        "unknown statement of house 'a-fakt'; did you mean 'a-fact'?",
    ),
    "a misspelt key": (
        CAUSE,
        "severity: normal",
        "severety: normal",
        "severety: normal",
        "'severety' is not allowed here; allowed: clues, ",
    ),
    "a misspelt key inside": (
        CAUSE,
        "check: It stays",
        "chek: It stays",
        "chek: It stays",
        "'chek' is not allowed here",
    ),
    "a word that a key does not take": (
        CAUSE,
        "prior: common",
        "prior: often",
        "prior: often",
        "'prior': input should be 'common', 'uncommon' or 'rare', not 'often'",
    ),
    "a missing key": (
        CAUSE,
        "summary: The connection was forgotten.\n",
        "",
        "title: It was silent for too long",
        "'summary' is missing",
    ),
    "a missing key inside": (
        CAUSE,
        "    check: It stays\n",
        "",
        "- do: Raise the timer",
        "'check' is missing",
    ),
    "a key said twice": (
        CAUSE,
        "prior: common",
        "prior: common\ntitle: Another",
        "title: Another",
        "duplicate key 'title'; it stands on line 1 already",
    ),
    "a clue with two strengths": (
        CAUSE,
        "  - weakens: {packet.flags: SA}",
        "  - supports: {packet.flags: PA}\n    weakens: {packet.flags: SA}",
        "- supports: {packet.flags: PA}",
        "a clue states exactly one of: shows, points to, supports, weakens, excludes",
    ),
    "a clue with none": (
        CAUSE,
        "  - weakens: {packet.flags: SA}\n    because: an opening",
        "  - because: an opening",
        "- because: an opening",
        "a clue states exactly one of: shows, points to, supports, weakens, excludes",
    ),
    "a clue without clauses": (
        CAUSE,
        "weakens: {packet.flags: SA}",
        "weakens: {}",
        "weakens: {}",
        "a clue needs at least one clause",
    ),
    "a remedy without undo": (
        CAUSE,
        "    undo: Set it back\n",
        "",
        "- do: Raise the timer",
        "a remedy whose risk is 'reversible' needs 'undo'",
    ),
    "a remedy that weakens security without caution": (
        CAUSE,
        "risk: reversible",
        "risk: weakens-security",
        "- do: Raise the timer",
        "a remedy that weakens security needs 'caution': what it costs",
    ),
    "a command that no product has": (
        CAUSE,
        "use: show-session",
        "use: show-sessions",
        "use: show-sessions",
        "unknown command of any product 'show-sessions'; did you mean 'show-session'?",
    ),
    "a command for an unknown product": (
        CAUSE,
        "use: show-session",
        "commands: {bix: show}",
        "commands: {bix: show}",
        "unknown product 'bix'; did you mean 'box'?",
    ),
    "a remedy only for an unknown product": (
        CAUSE,
        "use: show-session",
        "only for: [bix]",
        "only for: [bix]",
        "unknown product 'bix'; did you mean 'box'?",
    ),
    "a list where a mapping is expected": (
        CAUSE,
        "weakens: {packet.flags: SA}",
        "weakens: [packet.flags]",
        "weakens: [packet.flags]",
        "'weakens': input should be a valid dictionary, not ['packet.flags']",
    ),
    "a word where a list is expected": (
        CAUSE,
        "symptoms: [out-of-state]",
        "symptoms: out-of-state",
        "symptoms: out-of-state",
        "'symptoms': input should be a valid list, not 'out-of-state'",
    ),
    "a key that is no word": (
        CAUSE,
        "prior: common",
        "[prior]: common",
        "[prior]: common",
        "a key must be a plain word",
    ),
    "broken YAML": (
        CAUSE,
        "prior: common",
        "prior: [common",
        "severity: normal",
        "this is not YAML: ",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_entry_is_refused_with_its_line(folder: Path, what: str) -> None:
    is_refused(folder, WRONG[what])
