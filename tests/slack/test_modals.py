"""Modals ask for what is needed, and offer all that is known."""

from __future__ import annotations

import pytest

from bot.slack.home import HomeSettings, home_view
from bot.slack.modals import CAUSE, PRODUCT, TEXT, answer_modal, outcome_modal, paste_modal
from knowledge.shelf import Shelf
from rules.diagnose import Expert
from tests.slack.limits import refused, view_problems
from tests.slack.moments import LINE, consulted, pasted, settled


def test_every_product_can_be_chosen(shelf: Shelf) -> None:
    modal = paste_modal(shelf)
    select = next(one for one in modal["blocks"] if one["block_id"] == PRODUCT)["element"]
    assert {one["value"] for one in select["options"]} == set(shelf.products)


def test_what_was_typed_after_the_command_stands_in_the_modal(shelf: Shelf) -> None:
    lines = paste_modal(shelf, typed="x" * 5000)["blocks"][0]
    assert lines["block_id"] == TEXT
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


def test_answers_are_typed_or_chosen(expert: Expert) -> None:
    found = settled(expert)
    chosen = answer_modal(expert.asked(found.case, "timing.worked"), found, expert.shelf)["blocks"][-1]
    assert [one["value"] for one in chosen["element"]["options"]][-1] == "unknown"
    typed = answer_modal(expert.asked(found.case, "timing.idle_s"), found, expert.shelf)["blocks"][-1]
    assert typed["element"]["type"] == "plain_text_input"


def test_an_input_is_named_like_its_block(expert: Expert) -> None:
    found = settled(expert)
    asked = expert.asked(found.case, "timing.worked")
    for modal in (
        paste_modal(expert.shelf, files=True),
        outcome_modal(found, expert.shelf),
        answer_modal(asked, found, expert.shelf),
    ):
        inputs = [one for one in modal["blocks"] if one["type"] == "input"]
        assert inputs
        assert all(one["block_id"] == one["element"]["action_id"] for one in inputs)


@pytest.mark.parametrize("url", [None, "https://whydrop.example"])
@pytest.mark.parametrize("aliases", [True, False])
def test_the_home_fits_with_hundreds_of_cases(expert: Expert, url: str | None, aliases: bool) -> None:
    found = consulted(expert, pasted(LINE))
    cases = [found.kept.summary] * 300
    home = home_view(cases, HomeSettings(aliases, url), expert.shelf, found.diagnosis.knowledge)
    assert refused(view_problems(home, "home")) == []
    assert home["blocks"][-1]["elements"][0]["text"].endswith(expert.shelf.hash)
    assert "Asymmetric routing (likely)" in str(home)
