"""A wrong entry is refused with its file and line, and with what is allowed; a right one needs no other edit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from knowledge.clause import plain
from knowledge.load import HERE, KnowledgeError, load_folders, load_shelf
from knowledge.model import Cause, Dialect, Feature, InferenceBook, Product, Source, Symptom
from knowledge.shelf import Shelf
from knowledge.yamlfile import read_yaml
from rules.case import Case
from rules.diagnose import Expert

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
patterns:
  - '^box: (?P<what>\\w+) (?P<src>\\S+)'
fields:
  source.ip: src
lines:
  - when: {what: drop}
    event: out-of-state
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in MINIMAL.items():
        write(tmp_path / name, text)
    return tmp_path


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


def test_the_minimal_shelf_loads(folder: Path) -> None:
    shelf = load_folders(folder)
    assert [len(entries) for entries in (shelf.causes, shelf.features, shelf.dialects, shelf.products)] == [1, 4, 1, 1]
    assert Expert(shelf).diagnose(Case(answers={"timing.idle_s": 3600.0})).hypotheses[0].cause == "silence"


CAUSE, FEATURES, PRODUCT = "causes/silence.yaml", "features/all.yaml", "products/box.yaml"
DIALECT, INFERENCES, SOURCES = "dialects/box.yaml", "inferences.yaml", "sources.yaml"

WRONG = {
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
    "a word for a yes-no": (
        INFERENCES,
        "then: {packet.payload: true}",
        "then: {packet.payload: 'maybe'}",
        "then: {packet.payload: 'maybe'}",
        "'maybe' is not a value of packet.payload; allowed: true, false",
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
    "an unknown source": (
        PRODUCT,
        "sources: [house]",
        "sources: [hause]",
        "sources: [hause]",
        "unknown source 'hause'; did you mean 'house'?",
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
    "a feature said twice": (
        FEATURES,
        "packet.payload:",
        "packet.flags:",
        "packet.flags:\n  title: Whether",
        "duplicate key 'packet.flags'; it stands on line 11 already",
    ),
    "a clue with two strengths": (
        CAUSE,
        "  - weakens: {packet.flags: SA}",
        "  - supports: {packet.flags: PA}\n    weakens: {packet.flags: SA}",
        "- supports: {packet.flags: PA}",
        "a clue states exactly one of: points to, supports, weakens, excludes",
    ),
    "a clue with none": (
        CAUSE,
        "  - weakens: {packet.flags: SA}\n    because: an opening",
        "  - because: an opening",
        "- because: an opening",
        "a clue states exactly one of: points to, supports, weakens, excludes",
    ),
    "a clue without clauses": (
        CAUSE,
        "weakens: {packet.flags: SA}",
        "weakens: {}",
        "weakens: {}",
        "a clue needs at least one clause",
    ),
    "a number that is asked for without choices": (
        FEATURES,
        "  choices:\n    10: some seconds\n    3600: an hour\n",
        "",
        "timing.idle_s:",
        "a number that is asked for needs choices, to be offered as buttons",
    ),
    "a choice with one choice": (
        FEATURES,
        "    PA: data\n",
        "",
        "packet.flags:",
        "a choice needs at least two choices",
    ),
    "a word among the choices of a number": (
        FEATURES,
        "10: some seconds",
        "ten: some seconds",
        "ten: some seconds",
        "choice 'ten' must be a number",
    ),
    "choices of a yes-no": (
        FEATURES,
        "  type: yes-no",
        "  type: yes-no\n  choices: {a: b}",
        "choices: {a: b}",
        "a feature of the type yes-no has no choices",
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
    "a template with an unknown field": (
        PRODUCT,
        "{client}",
        "{clinet}",
        "run: show session {clinet}",
        "unknown field 'clinet'; did you mean 'client'?",
    ),
    "a template that cannot be filled": (
        PRODUCT,
        "{client}",
        "{client",
        "run: show session {client ",
        "this template cannot be filled: ",
    ),
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
    "rival inferences that can both fire": (
        INFERENCES,
        "when: {packet.flags: SA}\n    then",
        "when: {symptom: reset}\n    then",
        "when: {symptom: reset}",
        "can fire together with 'push-means-data', which states another packet.payload",
    ),
    "a contradiction that asks for what it does not look at": (
        INFERENCES,
        "ask again: timing.idle_s",
        "ask again: symptom",
        "ask again: symptom",
        "unknown clause of this contradiction 'symptom'",
    ),
    "a contradiction that asks for what has no question": (
        INFERENCES,
        "ask again: timing.idle_s",
        "ask again: packet.flags",
        "ask again: packet.flags",
        "packet.flags has no question",
    ),
    "an inference without a source": (
        INFERENCES,
        "    because: PSH marks data\n    source: house\n",
        "    because: PSH marks data\n",
        "push-means-data:",
        "'source' is missing",
    ),
    "an unknown group of inferences": (
        INFERENCES,
        "contradictions:",
        "contradiction:",
        "contradiction:",
        "'contradiction' is not allowed; allowed: inferences, contradictions",
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
    "a feature that is a word": (
        FEATURES,
        "packet.payload:\n  title: Whether there was data\n  type: yes-no\n",
        "packet.payload: yes-no\n",
        "packet.payload: yes-no",
        "'packet.payload' must be a mapping of choices, ",
    ),
    "an inference that is a list": (
        INFERENCES,
        MINIMAL[INFERENCES].partition("  an-answer")[0].partition("push-means-data:")[2],
        " [when, then]\n",
        "push-means-data: [when, then]",
        "'push-means-data' must be a mapping of because, source, then, when",
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
    "an entry that names a statement of a source that lists none": (
        SOURCES,
        "  statements:\n    a-fact: A fact of it\n",
        "",
        None,
        "unknown statement of house 'a-fact'",
    ),
}
"""What is wrong: the file, what stands there, what is written instead, the line to be named, what must be said."""


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_entry_is_refused_with_its_line(folder: Path, what: str) -> None:
    name, old, new, on, says = WRONG[what]
    path = change(folder, name, old, new)
    if on is None:
        path, on = folder / CAUSE, "source: house#a-fact"
    place = (path.name, line_of(path, on))
    found = refusals(folder)
    assert [message for *where, message in found if tuple(where) == place and message.startswith(says)], found


def line_of(path: Path, text: str) -> int:
    before, found, after = path.read_text(encoding="utf-8").partition(text)
    assert found, "the test must name a text of the file"
    assert text not in after, "the test must name one line"
    return before.count("\n") + 1


def test_every_problem_is_reported_at_once(folder: Path) -> None:
    change(folder, CAUSE, "prior: common", "prior: often")
    change(folder, PRODUCT, "vendor: Example\n", "")
    change(folder, INFERENCES, "because: PSH marks data", "becoz: PSH marks data")
    assert [name for name, _, _ in refusals(folder)] == [
        "silence.yaml",
        "inferences.yaml",
        "inferences.yaml",
        "box.yaml",
    ]


def test_a_message_names_the_file_as_an_editor_opens_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder, CAUSE, "prior: common", "prior: often")
    monkeypatch.chdir(folder)
    with pytest.raises(KnowledgeError, match=r"^causes/silence\.yaml:3: 'prior': "):
        load_folders(folder)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("causes/deep/silence.yaml", MINIMAL[CAUSE], 1),
        ("features/more.yaml", "new.one:\n  title: New\n  type: yes-no\nsymptom:\n  title: New\n  type: yes-no\n", 4),
        ("inferences/more.yaml", MINIMAL[INFERENCES].partition("  an-answer")[0], 2),
    ],
)
def test_an_id_in_two_files_is_refused_and_both_are_named(folder: Path, name: str, text: str, line: int) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    (refused,) = refusals(folder)
    assert refused[1:] == (line, refused[2])
    assert "duplicate" in refused[2]
    assert ".yaml:" in refused[2]


@pytest.mark.parametrize("name", ["remedies/one.yaml", "notes.yaml"])
def test_an_unknown_kind_of_entry_is_refused(folder: Path, name: str) -> None:
    write(folder / name, "title: One\n")
    kind = name.partition("/")[0].removesuffix(".yaml")
    allowed = "causes, dialects, features, inferences, products, sources, symptoms"
    assert refusals(folder) == [(Path(name).name, 1, f"no such kind of entry {kind!r}; allowed: {allowed}")]


def test_a_file_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / CAUSE).write_bytes(MINIMAL[CAUSE].encode() + b"# caf\xe9\n")
    ((name, line, says),) = refusals(folder)
    assert (name, line) == ("silence.yaml", 1)
    assert "utf-8" in says


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- a list\n", "a word\n"])
@pytest.mark.parametrize("name", [CAUSE, PRODUCT, "symptoms/out-of-state.yaml", DIALECT, FEATURES, SOURCES, INFERENCES])
def test_a_file_that_is_no_mapping_is_refused(folder: Path, name: str, text: str) -> None:
    write(folder / name, text)
    found = [one for one in refusals(folder) if one[0] == Path(name).name]
    assert [line for _, line, _ in found] == [1]
    assert "must be a mapping" in found[0][2]


@pytest.mark.parametrize(
    "text",
    [
        "inferences: [a]\n",
        "inferences:\n  a: [b]\n",
        "inferences: a\n",
        "- when: a\n",
        "inferences: &a {b: *a}\n",
        "inferences: *nowhere\n",
        "inferences: {a: {because: !!python/name:os.getpid ''}}\n",
        "inferences: {a: {because: 2026-13-45}}\n",
        "inferences: {a: {because: !!binary '*'}}\n",
        "inferences: {1: {because: a}}\n",
        "inferences: {}\n---\ninferences: {}\n",
        "inferences: {a: \x00}\n",
        "\t",
        "inferences: " + "[" * 3000,
    ],
)
def test_whatever_a_file_holds_it_is_refused_by_name_and_never_breaks_the_loading(folder: Path, text: str) -> None:
    write(folder / "inferences/strange.yaml", text)
    assert {name for name, _, _ in refusals(folder)} == {"strange.yaml"}


def test_a_file_with_another_ending_is_not_passed_over_in_silence(folder: Path) -> None:
    write(folder / "causes/other.yml", MINIMAL[CAUSE])
    assert [name for name, _, _ in refusals(folder)] == ["other.yml"]


def test_a_folder_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"no-such-folder:1: this folder does not exist$"):
        load_folders(folder, folder / "no-such-folder")


def test_inferences_that_cannot_both_fire_may_state_different_values(folder: Path) -> None:
    apart = {
        ("packet.flags: PA", "packet.flags: SA"),
        ('timing.idle_s: "< 10"', 'timing.idle_s: ">= 10"'),
        ("timing.idle_s: 0..10", 'timing.idle_s: "> 10"'),
        ("timing.idle_s: 10", 'timing.idle_s: "< 10"'),
        ("timing.idle_s: [1, 2]", "timing.idle_s: 3..4"),
        ("packet.flags: PA, symptom: reset", "packet.flags: PA, symptom: out-of-state"),
    }
    for one, other in apart:
        text = MINIMAL[INFERENCES].replace("{packet.flags: PA}", f"{{{one}}}")
        text = text.replace("{packet.flags: SA}\n    then", f"{{{other}}}\n    then")
        write(folder / INFERENCES, text)
        load_folders(folder)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timing.idle_s: 0..10", 'timing.idle_s: ">= 10"'),
        ('timing.idle_s: "> 5"', 'timing.idle_s: "< 6"'),
        ("timing.idle_s: 10", "timing.idle_s: [9, 10]"),
        ("packet.flags: [SA, PA]", "packet.flags: PA"),
        ("packet.flags: PA", "symptom: reset"),
    ],
)
def test_inferences_that_can_both_fire_may_not(folder: Path, one: str, other: str) -> None:
    change(folder, INFERENCES, "{packet.flags: PA}", f"{{{one}}}")
    path = change(folder, INFERENCES, "{packet.flags: SA}\n    then", f"{{{other}}}\n    then")
    ((_, line, says),) = refusals(folder)
    assert line == path.read_text(encoding="utf-8").splitlines().index(f"    when: {{{other}}}") + 1
    assert says == "can fire together with 'push-means-data', which states another packet.payload"


OWN_CAUSE = """\
title: The works council's proxy
symptoms: [reset]
prior: common
severity: nuisance
summary: Our own proxy ends every connection on Friday.
explanation: Nobody knows why.
clues:
  - points to: {reset.by: client, scope.impact: none}
    because: that is how the proxy does it
  - points to: {reset.phase: after-complete}
    because: it waits until all is done
refuted by: a capture behind the proxy
remedies:
  - do: Ask the works council
    kind: look
    risk: none
    check: They say so
    source: house
sources: [house]
"""


def test_a_site_adds_a_cause_by_one_new_file(tmp_path: Path, shelf: Shelf) -> None:
    write(tmp_path / "causes/works-council.yaml", OWN_CAUSE)
    facts = {"symptom": "reset", "reset.by": "client", "scope.impact": "none", "reset.phase": "after-complete"}
    own = Expert(load_shelf(tmp_path)).diagnose(Case(answers=facts))
    (hypothesis,) = [one for one in own.hypotheses if one.cause == "works-council"]
    assert len(hypothesis.for_) == 2
    assert hypothesis.probability > 1 / len(own.hypotheses)
    assert own.knowledge.hash != shelf.hash
    assert "works-council" not in {one.cause for one in Expert(shelf).diagnose(Case(answers=facts)).hypotheses}


def test_the_entries_of_a_site_meet_the_same_checks(tmp_path: Path) -> None:
    write(tmp_path / "causes/works-council.yaml", OWN_CAUSE.replace("reset.by: client", "reset.by: klient"))
    with pytest.raises(KnowledgeError, match=r"works-council\.yaml:8: 'klient' is not a value of reset\.by; allowed: "):
        load_shelf(tmp_path)


def test_a_site_cannot_replace_our_entry_unnoticed(tmp_path: Path, shelf: Shelf) -> None:
    ours = next(iter(shelf.causes))
    write(tmp_path / f"causes/{ours}.yaml", OWN_CAUSE)
    with pytest.raises(KnowledgeError, match=rf"{ours}\.yaml:1: duplicate '{ours}'; it stands in .*{ours}\.yaml:1"):
        load_shelf(tmp_path)


Models = dict[str, type[BaseModel]]
MANY: Models = {"features": Feature, "sources": Source}
SHAPES: Models = {
    **MANY,
    "causes": Cause,
    "symptoms": Symptom,
    "dialects": Dialect,
    "products": Product,
    "inferences": InferenceBook,
}
SHIPPED = sorted(HERE.rglob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(HERE)))
def test_a_shipped_entry_meets_the_schema_that_editors_use(path: Path) -> None:
    kind = path.relative_to(HERE).parts[0].removesuffix(".yaml")
    content = json.loads(json.dumps(read_yaml(path).content))
    validator = jsonschema.Draft202012Validator(SHAPES[kind].model_json_schema())
    for entry in content.values() if kind in MANY else [content]:
        assert [error.message for error in validator.iter_errors(entry)] == []


def test_the_schema_refuses_what_the_model_refuses() -> None:
    schema = jsonschema.Draft202012Validator(Cause.model_json_schema())
    entry = json.loads(json.dumps(read_yaml(HERE / "causes/idle-timeout.yaml").content))
    assert schema.is_valid(entry)
    assert not schema.is_valid({**entry, "prior": "often"})
    assert not schema.is_valid({**entry, "severety": "normal"})
    assert not schema.is_valid({key: value for key, value in entry.items() if key != "clues"})


def test_a_value_is_written_as_an_entry_writes_it() -> None:
    assert [plain(value) for value in (True, False, 3600.0, 0.5, "SA")] == ["yes", "no", "3600", "0.5", "SA"]
