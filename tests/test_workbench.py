"""The workbench finds what decides nothing, and its pictures hold everything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.drawing import drawings, matrix_html, tree_html
from bot.marks import safe
from bot.vector import matrix_svg, tree_svg
from knowledge.load import load_folders
from knowledge.model import SymptomId
from knowledge.shelf import Shelf
from rules.case import Case
from rules.diagnose import Expert
from rules.prove import Unproven, case_of, prove, worked_cases
from rules.reach import READ_OFF, Reach
from rules.weigh import shares
from rules.workbench import Node, best_case, inspect, matrix, never_first, tree, twins, undecided_clues
from tests.minimal import CAUSE, FEATURES, INFERENCES, MINIMAL, change, line_of, write

SYMPTOMS: tuple[SymptomId, ...] = ("out-of-state", "reset")
CLUES = re.compile(r"clues:\n.*(?=refuted by)", re.DOTALL)
SECRET = "case.secret:\n  title: A secret\n  type: yes-no\n"
LONG = '  - points to: {timing.idle_s: ">= 3600"}\n    because: that is as long as the timer\n'


def _cause(folder: Path, name: str, clues: str, *, prior: str = "common", title: str = "Another cause") -> None:
    """Put a second cause beside the first."""
    text = CLUES.sub(lambda _: f"clues:\n{clues}", MINIMAL[CAUSE])
    text = text.replace("prior: common", f"prior: {prior}").replace("It was silent for too long", title)
    write(folder / f"causes/{name}.yaml", text)


def _clue(folder: Path, clue: str) -> Path:
    """Give the first cause one more clue."""
    return change(folder, CAUSE, "refuted by:", f"  - {clue}\n    because: of this\nrefuted by:")


def _expert(folder: Path) -> Expert:
    return Expert(load_folders(folder))


def _said(found: Iterator[Unproven]) -> list[str]:
    return [f"{one.id}: {one.message}" for one in found]


def test_the_shipped_knowledge_holds_nothing_that_decides_nothing(expert: Expert) -> None:
    assert _said(inspect(expert)) == []


def test_a_small_shelf_in_order_has_no_findings(folder: Path) -> None:
    _cause(folder, "other", '  - supports: {timing.idle_s: "< 3600"}\n    because: it was short\n')
    assert _said(inspect(_expert(folder))) == []


UNDECIDED = {
    "nobody can know it": (
        "supports: {case.secret: true}",
        "in no case of this cause can it be known that case.secret is yes",
    ),
    "no number lies in the range": (
        "supports: {timing.idle_s: 50..40}",
        "in no case of this cause can it be known that timing.idle_s is 50..40",
    ),
    "it belongs to the other symptom": (
        "supports: {symptom: reset, packet.flags: SA}",
        "in no case of this cause can it be known that symptom is reset",
    ),
    "one of two facts rules out what the other follows from": (
        "supports: {packet.payload: true, packet.flags: SA}",
        "its clauses never hold together",
    ),
    "the facts contradict each other": (
        'supports: {packet.flags: SA, timing.idle_s: ">= 60"}',
        "its clauses never hold together",
    ),
}


@pytest.mark.parametrize(("clue", "why"), UNDECIDED.values(), ids=UNDECIDED)
def test_a_clue_that_no_facts_meet_is_found_at_its_line(folder: Path, clue: str, why: str) -> None:
    write(folder / FEATURES, MINIMAL[FEATURES] + SECRET)
    cause = _clue(folder, clue)
    expert = _expert(folder)
    (found,) = undecided_clues(expert)
    assert found.message == f"clue 3, 'of this', decides nothing: {why}"
    file, where = expert.shelf.files[found.kind, found.id]
    assert file.line_of((*where, *found.where)) == line_of(cause, clue)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("{packet.flags: [SA, PA]}", "{packet.flags: SA}"),
        ("{packet.flags: PA}", "{packet.flags: PA, packet.payload: true}"),
        ('{timing.idle_s: "< 60"}', "{timing.idle_s: 10}"),
        ('{timing.idle_s: "< 60"}', "{timing.idle_s: 10..40}"),
        ('{timing.idle_s: ">= 60"}', '{timing.idle_s: "> 60"}'),
    ],
)
def test_a_clue_beside_an_exclusion_that_is_always_met_as_well_is_found(folder: Path, wide: str, narrow: str) -> None:
    _clue(folder, f"excludes: {wide}")
    _clue(folder, f"supports: {narrow}")
    assert "silence: clue 4, 'of this', decides nothing: whenever it is met, clue 3 excludes the cause" in _said(
        undecided_clues(_expert(folder))
    )


def test_a_clue_beside_an_exclusion_that_is_only_sometimes_met_is_not(folder: Path) -> None:
    _cause(folder, "other", LONG)
    _clue(folder, 'excludes: {timing.idle_s: "> 60"}')
    change(folder, CAUSE, '{timing.idle_s: ">= 3600"}', '{timing.idle_s: ">= 60"}')
    assert [one.message for one in undecided_clues(_expert(folder)) if one.id == "silence"] == []


def test_of_two_exclusions_alike_the_second_is_found(folder: Path) -> None:
    for _ in range(2):
        _clue(folder, "excludes: {packet.flags: PA}")
    (found,) = undecided_clues(_expert(folder))
    assert found.message.startswith("clue 4,")


def test_a_clue_that_says_the_same_of_every_cause_is_found(folder: Path) -> None:
    _cause(folder, "other", f"{LONG}  - supports: {{packet.flags: PA}}\n    because: of data\n")
    assert _said(undecided_clues(_expert(folder))) == [
        "other: clue 1, 'that is as long as the timer', decides nothing: it says the same of every cause",
        "silence: clue 1, 'that is as long as the timer', decides nothing: it says the same of every cause",
    ]


def test_a_clue_that_changes_no_ranking_is_found(folder: Path) -> None:
    _cause(folder, "other", '  - excludes: {timing.idle_s: ">= 3600"}\n    because: it was long\n')
    change(folder, CAUSE, "points to", "supports")
    assert "silence: clue 1, 'that is as long as the timer', decides nothing: it changes no ranking" in _said(
        undecided_clues(_expert(folder))
    )


def test_a_cause_that_can_never_come_first_is_found(folder: Path) -> None:
    _cause(folder, "other", LONG.replace("points to", "supports"), prior="rare")
    change(folder, CAUSE, "weakens:", "supports:")
    assert _said(never_first(_expert(folder))) == ["other: no answers put it first among the causes of out-of-state"]


def test_a_cause_comes_first_where_its_rivals_are_weakened(folder: Path) -> None:
    _cause(folder, "other", LONG.replace("points to", "supports"), prior="uncommon")
    _clue(folder, "excludes: {packet.payload: true}")
    expert = _expert(folder)
    assert _said(never_first(expert)) == []
    assert best_case(Reach(expert, "out-of-state"), "other") == {"symptom": "out-of-state", "packet.payload": True} or (
        best_case(Reach(expert, "out-of-state"), "other") == {"symptom": "out-of-state", "packet.flags": "PA"}
    )


def test_every_cause_comes_first_in_its_best_case_by_the_engine_too(expert: Expert) -> None:
    for symptom in SYMPTOMS:
        reach = Reach(expert, symptom)
        for cause in reach.causes:
            best = best_case(reach, cause.id)
            assert best is not None
            assert expert.diagnose(Case(answers=best)).hypotheses[0].cause == cause.id


def test_the_workbench_weighs_as_the_engine_does(expert: Expert) -> None:
    reaches = {symptom: Reach(expert, symptom) for symptom in (*SYMPTOMS, None)}
    for cause, example in dict(worked_cases(expert.shelf)).values():
        case = case_of(example, cause, expert.shelf)
        reading = expert.read(case.paste)
        thought = expert.think(case, reading)
        reach = reaches[thought.symptom]
        known = reach.closed({one.feature: one.value for one in expert.observe(case, reading)})
        assert known == {name: fact.value for name, fact in thought.facts.items()}
        assert shares(reach.scores(known)) == pytest.approx(thought.probabilities)


def test_two_causes_that_nothing_separates_are_found(folder: Path) -> None:
    same = f"{LONG}  - excludes: {{packet.flags: SA}}\n    because: an opening was never silent\n"
    _cause(folder, "other", same.replace("points to", "supports"), prior="rare")
    assert _said(twins(load_folders(folder))) == ["silence: nothing separates it from other: their clues say the same"]


def test_two_causes_that_one_clue_separates_are_not(folder: Path) -> None:
    _cause(folder, "other", f"{LONG}  - supports: {{packet.flags: SA}}\n    because: an opening\n")
    assert _said(twins(load_folders(folder))) == []


BROAD = """\
scope.special:
  title: What is special
  type: choice
  broad: true
  choices:
    data: there was data
    nothing: nothing of these
"""


@pytest.mark.parametrize(
    ("then", "says"),
    [("timing.idle_s: 10", []), ("case.secret: true", ["it leads to case.secret, at which no clue looks"])],
)
def test_a_choice_of_a_broad_feature_needs_no_example_but_a_clue(folder: Path, then: str, says: list[str]) -> None:
    write(folder / FEATURES, MINIMAL[FEATURES] + BROAD + SECRET)
    rule = f"  special-data:\n    when: {{scope.special: data}}\n    then: {{{then}}}\n    because: it says so\n"
    change(folder, INFERENCES, "contradictions:\n", f"{rule}    source: house\ncontradictions:\n")
    assert [one.message for one in prove(_expert(folder)) if one.id == "special-data"] == says


def test_what_the_code_states_by_itself_is_known_to_the_workbench(shelf: Shelf) -> None:
    stating = ("observe", "across", "packets", "timers", "interpret")
    trees = [ast.parse((Path("rules") / f"{name}.py").read_text(encoding="utf-8")) for name in stating]
    words = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    ports = {"packet.source_port", "packet.destination_port"}  # these names are put together
    assert {word for word in words if word in shelf.features} | ports == READ_OFF


def _questions(node: Node) -> Iterator[str]:
    if node.question:
        yield node.question
    for _, one in node.branches:
        yield from _questions(one)


def _leaders(node: Node) -> set[str]:
    return {node.leader}.union(*(_leaders(one) for _, one in node.branches))


def test_the_tree_asks_what_the_expert_asks(expert: Expert) -> None:
    root = tree(expert, "reset", depth=1)
    asked = expert.diagnose(Case(answers={"symptom": "reset"})).question
    assert asked is not None
    assert root.question == asked.text
    assert [answer for answer, _ in root.branches] == [choice.label for choice in asked.choices]
    assert not any(one.branches for _, one in root.branches)
    assert tree(expert, "reset", depth=1) == root


def test_the_tree_stops_where_answers_contradict_each_other(folder: Path) -> None:
    _cause(folder, "other", "  - points to: {packet.flags: SA}\n    because: an opening\n")
    asked = "\n  question: {text: Which flags?, why: They tell., effort: glance}\npacket.payload:"
    change(folder, FEATURES, "\npacket.payload:", asked)
    root = tree(_expert(folder), "out-of-state")
    clashes = [one.contradiction for _, first in root.branches for _, one in first.branches if one.contradiction]
    assert "an opening is not silent" in clashes


def test_the_matrix_has_a_mark_for_each_clause_of_each_clue(shelf: Shelf) -> None:
    for symptom in SYMPTOMS:
        drawn = matrix(shelf, symptom)
        marks = {
            (row.feature.id, id_, one.because) for row in drawn.rows for id_ in row.marks for one in row.marks[id_]
        }
        causes = [cause for cause in shelf.causes.values() if symptom in cause.symptoms]
        assert marks == {
            (name, cause.id, clue.because) for cause in causes for clue in cause.clues for name in clue.clauses
        }
        assert len({(row.feature.id, row.value) for row in drawn.rows}) == len(drawn.rows)


@pytest.fixture(scope="module")
def drawn(expert: Expert) -> dict[str, str]:
    return dict(drawings(expert))


@pytest.mark.parametrize("symptom", SYMPTOMS)
@pytest.mark.parametrize("kind", ["html", "svg"])
def test_the_drawings_hold_every_cause_feature_and_question(
    expert: Expert, drawn: dict[str, str], symptom: SymptomId, kind: str
) -> None:
    evidence, questions = matrix(expert.shelf, symptom), tree(expert, symptom)
    for cause in evidence.causes:
        assert safe(cause.title) in drawn[f"matrix-{symptom}.{kind}"]
    for row in evidence.rows:
        assert safe(row.feature.title) in drawn[f"matrix-{symptom}.{kind}"]
        assert safe(row.value) in drawn[f"matrix-{symptom}.{kind}"]
    shown = " ".join(re.sub(r"<[^>]*>", " ", drawn[f"tree-{symptom}.{kind}"]).split())  # lines are broken in pictures
    for text in (*_questions(questions), *_leaders(questions)):
        assert safe(text) in shown


class _Tags(HTMLParser):
    """Collects the tags that a page opens and never closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _is_whole(name: str, text: str) -> None:
    assert re.findall(r"https?://\S+?(?=\")|url\(|@import", text) in ([], ["http://www.w3.org/2000/svg"])
    if name.endswith(".svg"):
        ET.fromstring(text)  # noqa: S314  (our own)
    else:
        tags = _Tags()
        tags.feed(text)
        assert tags.open == []


def test_the_drawings_are_whole_and_load_nothing(drawn: dict[str, str]) -> None:
    assert len(drawn) == 8
    for name, text in drawn.items():
        _is_whole(name, text)


def test_markup_in_an_entry_is_drawn_as_text(folder: Path) -> None:
    nasty = '<script>alert("&")</script>'
    _cause(folder, "other", f"{LONG.replace('that', nasty)}", title=f"'{nasty}'")
    change(folder, FEATURES, "title: Silence", f"title: '{nasty}'")
    change(folder, FEATURES, "10: some seconds", f"10: '{nasty}'")
    change(folder, FEATURES, "How long was it silent?", f"'{nasty}'")
    expert = _expert(folder)
    evidence, questions = matrix(expert.shelf, "out-of-state"), tree(expert, "out-of-state")
    pictures = {
        "matrix.html": matrix_html(evidence, nasty),
        "matrix.svg": matrix_svg(evidence, nasty),
        "tree.html": tree_html(questions, nasty),
        "tree.svg": tree_svg(questions, nasty),
    }
    for name, text in pictures.items():
        _is_whole(name, text)
        assert "<script" not in text
        assert safe(nasty) in text


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert safe("a\x00\x1b\ud800\ufffeb\tc") == "ab\tc"


def test_the_command_draws_into_a_folder_that_it_makes(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["knowledge", "draw", str(tmp_path / "deep" / "down")])
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "deep" / "down").iterdir()} == {
        f"{what}-{symptom}.{kind}" for what in ("matrix", "tree") for symptom in SYMPTOMS for kind in ("html", "svg")
    }


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["knowledge", "draw", str(tmp_path / "file")])
    assert result.exit_code == 1
    assert "the drawings could not be written" in result.stderr
