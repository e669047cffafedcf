"""Modals ask for what is needed, and whatever comes back is read without trust."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.home import HomeSettings, home_view
from bot.slack.modals import CAUSE, CHOICE, HOW, LINES, NOTE, PRODUCT, answer_modal, entered, outcome_modal, paste_modal
from knowledge.shelf import Shelf
from rules.diagnose import Expert
from tests.slack.limits import refused, view_problems
from tests.slack.moments import LINE, consulted, pasted, settled


def view(**blocks: dict[str, Any]) -> dict[str, Any]:
    return {"state": {"values": {name: {"entry": entry} for name, entry in blocks.items()}}}


def test_every_product_can_be_chosen(shelf: Shelf) -> None:
    modal = paste_modal(shelf)
    select = next(one for one in modal["blocks"] if one["block_id"] == PRODUCT)["element"]
    assert {one["value"] for one in select["options"]} == set(shelf.products)


def test_what_was_typed_after_the_command_stands_in_the_modal(shelf: Shelf) -> None:
    lines = paste_modal(shelf, typed="x" * 5000)["blocks"][0]
    assert lines["block_id"] == LINES
    assert len(lines["element"]["initial_value"]) == 3000
    assert refused(view_problems(paste_modal(shelf, typed="x" * 5000), "modal")) == []


def test_more_than_slack_keeps_with_a_modal_is_a_fault_of_ours(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="3,000"):
        paste_modal(shelf, "x" * 3001)


def test_the_causes_of_the_case_stand_first_and_all_are_there(expert: Expert) -> None:
    found = settled(expert)
    select = next(one for one in outcome_modal(found, expert.shelf)["blocks"] if one["block_id"] == CAUSE)["element"]
    first, rest = select["option_groups"]
    assert first["options"][0]["value"] == found.diagnosis.hypotheses[0].cause
    values = [one["value"] for group in (first, rest) for one in group["options"]]
    assert set(values) == {*expert.shelf.causes, "none"}
    assert len(values) == len(set(values))


def test_an_outcome_is_read() -> None:
    solved = view(how={"selected_option": {"value": "solved"}}, cause={"selected_option": {"value": "idle-timeout"}})
    assert entered(solved).solved
    assert entered(solved).cause == "idle-timeout"
    assert entered(solved)[NOTE] == ""
    none = view(how={"selected_option": {"value": "solved"}}, cause={"selected_option": {"value": "none"}})
    assert entered(none).cause is None
    not_solved = view(how={"selected_option": {"value": "unsolved"}}, cause={"selected_option": {"value": "x"}})
    assert not entered(not_solved).solved
    assert entered(not_solved).cause is None


def test_lines_files_and_unknown_are_read() -> None:
    found = entered(view(lines={"value": "a\nb"}, file={"files": [{"id": "F1"}, {"id": 2}, "x"]}))
    assert found[LINES] == "a\nb"
    assert found.files == ["F1"]
    assert entered(view(choice={"selected_option": {"value": "unknown"}})).unknown
    assert not entered(view(choice={"selected_option": None}))[CHOICE]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["state", "values", "entry", HOW, "value", "files", "id"]), inner, max_size=4)
    ),
)


@given(st.dictionaries(st.sampled_from(["state", "values"]), JSON, max_size=2))
def test_whatever_is_submitted_is_read(submitted: dict[str, Any]) -> None:
    found = entered(submitted)
    assert all(isinstance(one, str) for one in [*found.text.values(), *found.files])


def test_answers_are_typed_or_chosen(expert: Expert) -> None:
    found = settled(expert)
    chosen = answer_modal(expert.asked(found.case, "timing.worked"), found, expert.shelf)["blocks"][-1]
    assert [one["value"] for one in chosen["element"]["options"]][-1] == "unknown"
    typed = answer_modal(expert.asked(found.case, "timing.idle_s"), found, expert.shelf)["blocks"][-1]
    assert typed["element"]["type"] == "plain_text_input"


@pytest.mark.parametrize("url", [None, "https://whydrop.example"])
@pytest.mark.parametrize("aliases", [True, False])
def test_the_home_fits_with_hundreds_of_cases(expert: Expert, url: str | None, aliases: bool) -> None:
    found = consulted(expert, pasted(LINE))
    cases = [found.kept.summary] * 300
    home = home_view(cases, HomeSettings(aliases, url), expert.shelf, found.diagnosis.knowledge)
    assert refused(view_problems(home, "home")) == []
    assert home["blocks"][-1]["elements"][0]["text"].endswith(expert.shelf.hash)
    assert "Asymmetric routing (likely)" in str(home)
