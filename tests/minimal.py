"""The smallest shelf in which every kind of entry stands, and how a test breaks one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.load import KnowledgeError, load_folders

CAUSE, FEATURES, PRODUCT = "causes/silence.yaml", "features/all.yaml", "products/box.yaml"
DIALECT, INFERENCES, SOURCES = "dialects/box.yaml", "inferences.yaml", "sources.yaml"
MINIMAL = {
    "sources.yaml": """\
house:
  title: What we know ourselves
  kind: founding
  trust: high
  statements:
    a-fact: A fact of it
""",
    "features/all.yaml": """\
symptom:
  title: What happened
  type: choice
  choices:
    out-of-state: a packet out of state
    reset: a reset
  question:
    text: What happened?
    why: The two have nothing in common.
    effort: glance
packet.flags:
  title: The flags
  type: choice
  choices:
    SA: the answer to a SYN
    PA: data
packet.payload:
  title: Whether there was data
  type: yes-no
timing.idle_s:
  title: Silence
  type: number
  unit: s
  choices:
    10: some seconds
    3600: an hour
  question:
    text: How long was it silent?
    why: Timers.
    effort: lookup
""",
    "products/box.yaml": """\
title: A firewall
vendor: Example
product: Box
commands:
  show-session:
    run: show session {client} {server_port}
    source: house
sources: [house]
""",
    "inferences.yaml": """\
inferences:
  push-means-data:
    when: {packet.flags: PA}
    then: {packet.payload: true}
    because: PSH marks data
    source: house
  an-answer-has-none:
    when: {packet.flags: SA}
    then: {packet.payload: false}
    because: a SYN+ACK carries no data
    source: house
contradictions:
  answer-with-data:
    when: {packet.flags: SA, timing.idle_s: ">= 10"}
    ask again: timing.idle_s
    because: an opening is not silent
    source: house
""",
    "symptoms/out-of-state.yaml": """\
title: Out of state
summary: A packet without a connection.
explanation: A packet without a connection.
normal: Now and then.
impact: It gets no answer.
sources: [house]
""",
    "dialects/box.yaml": """\
title: Box log
product: box
codec: regex
recognise: '^box: '
marks:
  'the name box': '^box: '
  'what was done, and to whom': ': \\w+ \\S'
patterns:
  - '^box: (?P<what>\\w+) (?P<src>\\S+)'
fields:
  source.ip: src
lines:
  - when: {what: drop}
    event: out-of-state
    says: [drop]
sources: [house]
samples:
  - line: 'box: drop 192.0.2.1'
    event: out-of-state
""",
    "causes/silence.yaml": """\
title: It was silent for too long
symptoms: [out-of-state]
prior: common
severity: normal
summary: The connection was forgotten.
explanation: The connection was forgotten.
clues:
  - points to: {timing.idle_s: ">= 3600"}
    because: that is as long as the timer
    source: house#a-fact
  - weakens: {packet.flags: SA}
    because: an opening was never silent
refuted by: the connection in the table
remedies:
  - do: Raise the timer
    kind: fix
    risk: reversible
    undo: Set it back
    check: It stays
    use: show-session
    source: house
sources: [house]
examples:
  - name: a long silence
    facts: {timing.idle_s: 3600}
""",
}
"""The smallest shelf in which every kind of entry stands."""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(folder: Path, name: str, old: str, new: str) -> Path:
    """Replace one thing in one file."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, "the test must change exactly one place"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def refusals(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(KnowledgeError) as refused:
        load_folders(folder)
    return [(Path(one.path).name, one.line, one.message) for one in refused.value.problems]


def line_of(path: Path, text: str) -> int:
    before, found, after = path.read_text(encoding="utf-8").partition(text)
    assert found, "the test must name a text of the file"
    assert text not in after, "the test must name one line"
    return before.count("\n") + 1


Wrong = tuple[str, str, str, str | None, str]
"""A file, what stands there, what is written instead, the line to be named, what must be said."""


def is_refused(folder: Path, wrong: Wrong) -> None:
    """Hold that what is made wrong is refused at its line; None is the line that cites the statement of a source."""
    name, old, new, on, says = wrong
    path = change(folder, name, old, new)
    if on is None:
        path, on = folder / CAUSE, "source: house#a-fact"
    place = (path.name, line_of(path, on))
    found = refusals(folder)
    assert [message for *where, message in found if tuple(where) == place and message.startswith(says)], found
