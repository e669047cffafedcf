"""A wrong entry is refused with its file and line, and with what is allowed; a right one needs no other edit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from knowledge.clause import plain
from knowledge.load import HERE, KnowledgeError, load_folders, load_shelf
from knowledge.model import Cause, Dialect, Feature, InferenceBook, PhraseBook, Product, Source, Symptom
from knowledge.shelf import Shelf
from knowledge.yamlfile import read_yaml
from rules.case import Case
from rules.diagnose import Expert
from tests.minimal import CAUSE, DIALECT, FEATURES, INFERENCES, MINIMAL, PRODUCT, SOURCES, change, refusals, write


def test_the_minimal_shelf_loads(folder: Path) -> None:
    shelf = load_folders(folder)
    assert [len(entries) for entries in (shelf.causes, shelf.features, shelf.dialects, shelf.products)] == [1, 4, 1, 1]
    assert Expert(shelf).diagnose(Case(answers={"timing.idle_s": 3600.0})).hypotheses[0].cause == "silence"


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
    allowed = "causes, dialects, features, inferences, phrases, products, sources, symptoms"
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
    "phrases": PhraseBook,
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
