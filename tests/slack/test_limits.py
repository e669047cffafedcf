"""Every documented limit, met exactly and passed by one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.slack.limits import (
    blocks_problems,
    errors_problems,
    message_problems,
    options_problems,
    prompts_problems,
    view_problems,
)
from tests.slack.shapes import Fields, Problem


def plain(length: int, **more: Any) -> Fields:
    return {"type": "plain_text", "text": "x" * length, **more}


def mrkdwn(length: int) -> Fields:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more: Any) -> Fields:
    return {"type": "button", "text": plain(3), "action_id": "a", **more}


def option(text: int = 1, value: int = 1, **more: Any) -> Fields:
    return {"text": plain(text), "value": "v" * value, **more}


def actions(*elements: Fields, **more: Any) -> Fields:
    return {"type": "actions", "elements": [{**one, "action_id": f"a{i}"} for i, one in enumerate(elements)], **more}


def section(**more: Any) -> Fields:
    return {"type": "section", "text": mrkdwn(1), **more}


def select(**more: Any) -> Fields:
    return {"type": "static_select", "options": [option()], **more}


def field(element: Fields, **more: Any) -> Fields:
    return {"type": "input", "label": plain(1), "element": element, **more}


def image(**more: Any) -> Fields:
    return {"type": "image", "image_url": "https://192.0.2.1/a.png", "alt_text": "x", **more}


def table(rows: int = 1, cells: int = 1, length: int = 1) -> Fields:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * length}] * cells] * rows}


def cell(text: int) -> Fields:
    return {"type": "raw_text", "text": "x" * text}


def data_table(rows: int) -> Fields:
    return {"type": "data_table", "caption": "c", "rows": [[cell(1)]] * rows}


def wide_table(cells: int) -> Fields:
    return {**data_table(2), "rows": [[cell(1)] * cells] * 2}


def card(**more: Any) -> Fields:
    return {"type": "card", "title": plain(1), **more}


def confirm(title: int = 1, text: int = 1, yes: int = 1, no: int = 1) -> Fields:
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(no)}


def task(**more: Any) -> Fields:
    return {"type": "task_card", "task_id": "t", "title": "x", **more}


def words(*parts: Fields) -> Fields:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}


def bullets(indent: int) -> Fields:
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_list", "style": "bullet", "elements": [line], "indent": indent}],
    }


MESSAGE_LIMITS: list[tuple[str, Any, Any]] = [
    ("section text 3000", section(text=mrkdwn(3000)), section(text=mrkdwn(3001))),
    ("section text 1", section(text=mrkdwn(1)), section(text=mrkdwn(0))),
    ("section fields 10", section(fields=[plain(1)] * 10), section(fields=[plain(1)] * 11)),
    ("section field 2000", section(fields=[plain(2000)]), section(fields=[plain(2001)])),
    ("section has words", section(), {"type": "section"}),
    ("header 150", {"type": "header", "text": plain(150)}, {"type": "header", "text": plain(151)}),
    ("header is plain", {"type": "header", "text": plain(1)}, {"type": "header", "text": mrkdwn(1)}),
    ("button text 75", actions(button(text=plain(75))), actions(button(text=plain(76)))),
    ("button is plain", actions(button()), actions(button(text=mrkdwn(1)))),
    ("button value 2000", actions(button(value="x" * 2000)), actions(button(value="x" * 2001))),
    ("button url 3000", actions(button(url="https://x" + "x" * 2991)), actions(button(url="https://x" + "x" * 2992))),
    ("button url is one", actions(button(url="https://x")), actions(button(url="x"))),
    ("button style", actions(button(style="danger")), actions(button(style="red"))),
    ("button label 75", actions(button(accessibility_label="x" * 75)), actions(button(accessibility_label="x" * 76))),
    ("button fields", actions(button()), actions(button(colour="red"))),
    ("action_id 255", section(accessory=button(action_id="x" * 255)), section(accessory=button(action_id="x" * 256))),
    ("block_id 255", section(block_id="x" * 255), section(block_id="x" * 256)),
    ("actions 25", actions(*[button()] * 25), actions(*[button()] * 26)),
    ("actions not empty", actions(button()), actions()),
    (
        "context 10",
        {"type": "context", "elements": [mrkdwn(1)] * 10},
        {"type": "context", "elements": [mrkdwn(1)] * 11},
    ),
    (
        "overflow 5",
        actions({"type": "overflow", "options": [option()] * 5}),
        actions({"type": "overflow", "options": [option()] * 6}),
    ),
    (
        "overflow 2",
        actions({"type": "overflow", "options": [option()] * 2}),
        actions({"type": "overflow", "options": [option()]}),
    ),
    ("select 100", actions(select(options=[option()] * 100)), actions(select(options=[option()] * 101))),
    ("option text 75", actions(select(options=[option(75)])), actions(select(options=[option(76)]))),
    ("option value 150", actions(select(options=[option(1, 150)])), actions(select(options=[option(1, 151)]))),
    (
        "option description 75",
        actions(select(options=[option(description=plain(75))])),
        actions(select(options=[option(description=plain(76))])),
    ),
    ("initial option", actions(select(initial_option=option())), actions(select(initial_option=option(2)))),
    ("options or groups", actions(select()), actions({"type": "static_select"})),
    ("placeholder 150", actions(select(placeholder=plain(150))), actions(select(placeholder=plain(151)))),
    (
        "groups 100",
        actions({"type": "static_select", "option_groups": [{"label": plain(75), "options": [option()]}] * 100}),
        actions({"type": "static_select", "option_groups": [{"label": plain(75), "options": [option()]}] * 101}),
    ),
    (
        "group label 75",
        actions({"type": "static_select", "option_groups": [{"label": plain(75), "options": [option()]}]}),
        actions({"type": "static_select", "option_groups": [{"label": plain(76), "options": [option()]}]}),
    ),
    (
        "radio 10",
        actions({"type": "radio_buttons", "options": [option()] * 10}),
        actions({"type": "radio_buttons", "options": [option()] * 11}),
    ),
    (
        "checkboxes 10",
        actions({"type": "checkboxes", "options": [option()] * 10}),
        actions({"type": "checkboxes", "options": [option()] * 11}),
    ),
    ("confirm title 100", actions(button(confirm=confirm(100))), actions(button(confirm=confirm(101)))),
    ("confirm text 300", actions(button(confirm=confirm(1, 300))), actions(button(confirm=confirm(1, 301)))),
    ("confirm yes 30", actions(button(confirm=confirm(1, 1, 30))), actions(button(confirm=confirm(1, 1, 31)))),
    ("confirm no 30", actions(button(confirm=confirm(1, 1, 1, 30))), actions(button(confirm=confirm(1, 1, 1, 31)))),
    ("image alt_text", image(), {"type": "image", "image_url": "https://192.0.2.1/a.png"}),
    ("image alt_text 2000", image(alt_text="x" * 2000), image(alt_text="x" * 2001)),
    ("image title 2000", image(title=plain(2000)), image(title=plain(2001))),
    ("image one source", image(), image(slack_file={"id": "F1"})),
    ("table rows 100", table(100), table(101)),
    ("table cells 20", table(1, 20), table(1, 21)),
    (
        "table 10000",
        {**table(), "rows": [[cell(4000)], [cell(6000)]]},
        {**table(), "rows": [[cell(4000)], [cell(6001)]]},
    ),
    (
        "table columns",
        {**table(), "column_settings": [{"align": "right"}]},
        {**table(), "column_settings": [{"align": "up"}]},
    ),
    ("data table 101", data_table(101), data_table(102)),
    ("data table cells 20", wide_table(20), wide_table(21)),
    ("data table page 100", {**data_table(2), "page_size": 100}, {**data_table(2), "page_size": 101}),
    ("data table 2", data_table(2), data_table(1)),
    ("data table even", data_table(2), {**data_table(2), "rows": [[cell(1)], [cell(1)] * 2]}),
    ("card title 150", card(title=plain(150)), card(title=plain(151))),
    ("card body 200", card(body=plain(200)), card(body=plain(201))),
    ("card buttons 3", card(actions=[button()] * 3), card(actions=[button()] * 4)),
    ("carousel 10", {"type": "carousel", "elements": [card()] * 10}, {"type": "carousel", "elements": [card()] * 11}),
    ("markdown 12000", {"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}),
    ("task status", task(status="complete"), task(status="completed")),
    (
        "plan tasks 50",
        {"type": "plan", "title": "p", "tasks": [task()] * 50},
        {"type": "plan", "title": "p", "tasks": [task()] * 51},
    ),
    ("rich text parts", words({"type": "text", "text": "x"}), words({"type": "word", "text": "x"})),
    (
        "rich text style",
        words({"type": "text", "text": "x", "style": {"bold": True}}),
        words({"type": "text", "text": "x", "style": {"big": True}}),
    ),
    ("rich text indent 8", bullets(8), bullets(9)),
    ("emoji flag", section(text=plain(1, emoji=True)), section(text=plain(1, emoji="yes"))),
    ("emoji is for plain text", section(text=plain(1, emoji=True)), section(text={**mrkdwn(1), "emoji": True})),
    ("no alert in messages", section(), {"type": "alert", "text": plain(1)}),
    ("known types", section(), {"type": "sections"}),
    ("no nulls", section(), section(accessory=None)),
    (
        "feedback value 2000",
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain(1), "value": "x" * 2000},
                    "negative_button": {"text": plain(1), "value": "x"},
                }
            ],
        },
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain(1), "value": "x" * 2001},
                    "negative_button": {"text": plain(1), "value": "x"},
                }
            ],
        },
    ),
]


@pytest.mark.parametrize(
    ("good", "bad"), [pair[1:] for pair in MESSAGE_LIMITS], ids=[pair[0] for pair in MESSAGE_LIMITS]
)
def test_a_limit_of_a_block_holds_and_no_less(good: Fields, bad: Fields) -> None:
    assert blocks_problems([good], "message") == []
    found = blocks_problems([bad], "message")
    assert found
    assert all(one.refused and one.page for one in found)


VIDEO: Fields = {
    "type": "video",
    "alt_text": "x",
    "title": plain(1),
    "video_url": "https://192.0.2.1/v",
    "thumbnail_url": "https://192.0.2.1/t",
    "title_url": "https://192.0.2.1/p",
    "provider_icon_url": "https://192.0.2.1/i",
    "author_name": "x",
    "provider_name": "x",
    "description": plain(1),
}
FEEDBACK: Fields = {"text": plain(1), "value": "x", "accessibility_label": "x"}
REACTIONS: Fields = {
    "type": "context_actions",
    "elements": [
        {"type": "feedback_buttons", "positive_button": FEEDBACK, "negative_button": FEEDBACK},
        {
            "type": "icon_button",
            "icon": "trash",
            "text": plain(1),
            "value": "x",
            "accessibility_label": "x",
            "visible_to_user_ids": ["U1"],
        },
    ],
}
WORKFLOW: Fields = {"type": "workflow_button", "text": plain(1), "workflow": {}, "accessibility_label": "x"}
OVERFLOW: Fields = {"type": "overflow", "options": [option(url="https://192.0.2.1/"), option()]}
CARD: Fields = card(subtitle=plain(1), icon={"type": "image", "alt_text": "x", "slack_file": {"url": "https://x"}})
COLUMNS: Fields = {**table(), "column_settings": [{}]}
# Each string or list, by its place, with the most that it holds.
MOST: list[tuple[Fields, str, int]] = [
    *((VIDEO, key, most) for key, most in (("alt_text", 2000), ("title/text", 200), ("description/text", 200))),
    *((VIDEO, key, 50) for key in ("author_name", "provider_name")),
    *((VIDEO, key, 2000) for key in ("title_url", "provider_icon_url")),
    *((VIDEO, key, 3000) for key in ("video_url", "thumbnail_url")),
    (REACTIONS, "elements", 5),
    *((REACTIONS, f"elements/0/negative_button/{key}", most) for key, most in (("value", 2000), ("text/text", 75))),
    (REACTIONS, "elements/0/positive_button/accessibility_label", 75),
    *((REACTIONS, f"elements/1/{key}", most) for key, most in (("value", 2000), ("visible_to_user_ids", 10))),
    *((REACTIONS, f"elements/1/{key}", 75) for key in ("text/text", "accessibility_label")),
    *((actions(WORKFLOW), f"elements/0/{key}", 75) for key in ("text/text", "accessibility_label")),
    (actions(OVERFLOW), "elements/0/options/1/text/text", 75),
    (actions(OVERFLOW), "elements/0/options/0/url", 3000),
    (actions(OVERFLOW), "elements/0/options/0/value", 150),
    (CARD, "subtitle/text", 150),
    (CARD, "icon/slack_file/url", 3000),
    (CARD, "icon/alt_text", 2000),
    (COLUMNS, "column_settings", 20),
    (data_table(2), "caption", 255),
    (bullets(0), "block_id", 255),
]


def holding(block: Fields, place: str, size: int) -> Fields:
    """Give a block that holds a string or a list of that size at a place."""
    made: Fields = deepcopy(block)
    *way, last = place.split("/")
    inner: Any = made
    for step in way:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    if isinstance(inner.get(last), list):
        inner[last] = (
            [inner[last][-1] | {"action_id": f"a{i}"} for i in range(size)]
            if place == "elements"
            else inner[last][:1] * size
        )
    else:
        head = "https://" if last.endswith("url") else ""
        inner[last] = head + "x" * (size - len(head))
    return made


@pytest.mark.parametrize(("block", "place", "most"), MOST, ids=[f"{b['type']} {place}" for b, place, _ in MOST])
def test_a_string_or_a_list_holds_as_much_as_is_documented(block: Fields, place: str, most: int) -> None:
    assert blocks_problems([holding(block, place, most)], "message") == []
    assert blocks_problems([holding(block, place, most + 1)], "message")


def modal(*blocks: Fields, **more: Any) -> Fields:
    return {"type": "modal", "title": plain(1), "submit": plain(1), "blocks": list(blocks), **more}


TEXT_INPUT = {"type": "plain_text_input"}
MODAL_LIMITS: list[tuple[str, Fields, Fields]] = [
    ("title 24", modal(title=plain(24)), modal(title=plain(25))),
    ("title is plain", modal(), modal(title=mrkdwn(1))),
    ("submit 24", modal(submit=plain(24)), modal(submit=plain(25))),
    ("close 24", modal(close=plain(24)), modal(close=plain(25))),
    ("private_metadata 3000", modal(private_metadata="x" * 3000), modal(private_metadata="x" * 3001)),
    ("callback_id 255", modal(callback_id="x" * 255), modal(callback_id="x" * 256)),
    ("external_id 255", modal(external_id="x" * 255), modal(external_id="x" * 256)),
    ("blocks 100", modal(*[section()] * 100), modal(*[section()] * 101)),
    ("label 2000", modal(field(TEXT_INPUT, label=plain(2000))), modal(field(TEXT_INPUT, label=plain(2001)))),
    ("hint 2000", modal(field(TEXT_INPUT, hint=plain(2000))), modal(field(TEXT_INPUT, hint=plain(2001)))),
    (
        "max_length 3000",
        modal(field({**TEXT_INPUT, "max_length": 3000})),
        modal(field({**TEXT_INPUT, "max_length": 3001})),
    ),
    (
        "min under max",
        modal(field({**TEXT_INPUT, "min_length": 5})),
        modal(field({**TEXT_INPUT, "min_length": 5, "max_length": 4})),
    ),
    (
        "max_files 10",
        modal(field({"type": "file_input", "max_files": 10})),
        modal(field({"type": "file_input", "max_files": 11})),
    ),
    (
        "initial value 3000",
        modal(field({**TEXT_INPUT, "initial_value": "x" * 3000})),
        modal(field({**TEXT_INPUT, "initial_value": "x" * 3001})),
    ),
    (
        "min_length 3000",
        modal(field({**TEXT_INPUT, "min_length": 3000})),
        modal(field({**TEXT_INPUT, "min_length": 3001, "max_length": 3001})),
    ),
    ("alert 200", modal({"type": "alert", "text": plain(200)}), modal({"type": "alert", "text": plain(201)})),
    ("no markdown", modal(section()), modal({"type": "markdown", "text": "x"})),
    ("no table", modal(section()), modal(table())),
    (
        "one focus",
        modal(field({**TEXT_INPUT, "focus_on_load": True})),
        modal(*[field({**TEXT_INPUT, "focus_on_load": True})] * 2),
    ),
    ("known fields", modal(), modal(subtitle=plain(1))),
    ("no button as input", modal(field(TEXT_INPUT)), modal(field(button()))),
    ("250 kB", modal(*[section()] * 80), modal(*[section(text=mrkdwn(3000), fields=[plain(2000)] * 10)] * 80)),
]


@pytest.mark.parametrize(("good", "bad"), [pair[1:] for pair in MODAL_LIMITS], ids=[pair[0] for pair in MODAL_LIMITS])
def test_a_limit_of_a_modal_holds_and_no_less(good: Fields, bad: Fields) -> None:
    assert view_problems(good, "modal") == []
    assert view_problems(bad, "modal")


def test_a_modal_with_inputs_has_a_button_to_submit_it() -> None:
    without = modal(field(TEXT_INPUT))
    del without["submit"]
    assert [one.at for one in view_problems(without, "modal")] == ["/submit"]
    del without["blocks"][:]
    assert view_problems(without, "modal") == []


def test_a_home_tab_has_no_title_and_takes_a_hundred_blocks() -> None:
    home = {"type": "home", "blocks": [section()] * 100}
    assert view_problems(home, "home") == []
    assert view_problems({**home, "title": plain(1)}, "home")
    assert view_problems({**home, "blocks": [section()] * 101}, "home")
    assert view_problems(home, "modal")


def message(*blocks: Fields, **more: Any) -> Fields:
    return {"channel": "C1", "text": "What happened.", **({"blocks": list(blocks)} if blocks else {}), **more}


def said(found: list[Problem]) -> list[str]:
    return [one.what for one in found]


MARKDOWN = {"type": "markdown", "text": "x" * 6001}
MESSAGES: list[tuple[str, Fields, Fields]] = [
    ("blocks 50", message(*[section()] * 50), message(*[section()] * 51)),
    ("text 4000", message(text="x" * 4000), message(text="x" * 4001)),
    ("text 40,000 beside blocks", message(section(), text="x" * 40_000), message(section(), text="x" * 40_001)),
    ("a text", message(), message(text=" ")),
    ("block_id unique", message(section(block_id="a"), section(block_id="b")), message(*[section(block_id="a")] * 2)),
    ("one table", message(table()), message(table(), table())),
    ("markdown in sum", message(MARKDOWN), message(MARKDOWN, MARKDOWN)),
    ("plan or task", message(task()), message(task(), {"type": "plan", "title": "p"})),
    ("input with button", message(field(TEXT_INPUT), actions(button())), message(field(TEXT_INPUT))),
    ("no file input", message(), message(field({"type": "file_input"}), actions(button()))),
    ("known fields", message(thread_ts="1.2"), message(thread="1.2")),
    ("response_type", message(response_type="in_channel"), message(response_type="public")),
    (
        "metadata",
        message(metadata={"event_type": "case", "event_payload": {"id": "x" * 7000}}),
        message(metadata={"event_type": "case", "event_payload": {"id": "x" * 8000}}),
    ),
    (
        "event_type 255",
        message(metadata={"event_type": "x" * 255, "event_payload": {}}),
        message(metadata={"event_type": "x" * 256, "event_payload": {}}),
    ),
    ("attachments 100", message(attachments=[{}] * 100), message(attachments=[{}] * 101)),
    ("metadata fields", message(), message(metadata={"event_payload": {}})),
    ("no names as mentions", message(), message(link_names=True)),
    ("escaped less", message(text="a &lt; b"), message(text="a < b")),
    ("escaped greater", message(text="a &gt; b"), message(text="a > b")),
    ("escaped and", message(text="a &amp; b"), message(text="a & b")),
    ("escaped in blocks", message(section()), message(section(text={"type": "mrkdwn", "text": "<b>"}))),
    ("no channel", message(text="all of you"), message(text="<!channel> all of you")),
    ("no here", message(text="here"), message(section(text={"type": "mrkdwn", "text": "<!here|here>"}))),
    ("no user", message(text="U1"), message(text="<@U1>")),
    ("no group", message(text="S1"), message(text="<!subteam^S1>")),
    ("no mention in markdown", message(), message({"type": "markdown", "text": "<!everyone>"})),
    ("no mention in rich text", message(), message(words({"type": "broadcast", "range": "here"}))),
]


@pytest.mark.parametrize(("good", "bad"), [pair[1:] for pair in MESSAGES], ids=[pair[0] for pair in MESSAGES])
def test_a_message_is_right_as_a_whole(good: Fields, bad: Fields) -> None:
    assert message_problems(good) == []
    assert message_problems(bad)


def test_an_action_id_is_unique_within_its_block() -> None:
    row = {"type": "actions", "elements": [button(), button()]}
    assert said(blocks_problems([row], "message")) == ["action_id must be unique within a block"]
    rows = [{"type": "actions", "elements": [button()]}] * 2
    assert blocks_problems(rows, "message") == []


def test_a_text_too_long_for_slack_is_refused_and_one_too_long_for_readers_is_noted() -> None:
    (noted,) = message_problems(message(text="x" * 40_000))
    (refused,) = message_problems(message(text="x" * 40_001))
    assert (noted.refused, refused.refused, refused.what) == (False, True, "msg_too_long")


def test_markdown_beside_much_else_is_too_long_before_its_own_limit() -> None:
    beside = [section(text=mrkdwn(3000))] * 3
    assert message_problems(message(*beside, {"type": "markdown", "text": "x" * 3000})) == []
    assert said(message_problems(message(*beside, {"type": "markdown", "text": "x" * 4500}))) == ["msg_blocks_too_long"]


def test_links_dates_and_quotes_need_no_escapes() -> None:
    text = "> quoted\n<https://192.0.2.1/?a=1&amp;b=2|page>, <!date^1700000000^{date_short}|then>, a &amp; b"
    assert message_problems(message(text=text)) == []


def test_a_mention_that_is_meant_is_no_problem() -> None:
    asked = message(text="<@U1> asked, <@U2|bob> did not")
    assert [one.mention for one in message_problems(asked)] == ["<@U1>", "<@U2>"]
    assert [one.mention for one in message_problems(asked, {"<@U1>"})] == ["<@U2>"]


def test_a_problem_is_worded_and_placed_as_slack_does() -> None:
    (found,) = blocks_problems([section(), section(text=mrkdwn(3001))], "message")
    assert str(found).startswith("[ERROR] must be less than 3001 characters")
    assert str(found).endswith("[json-pointer:/blocks/1/text/text]")


@pytest.mark.parametrize(
    "junk", [None, 7, "blocks", {}, [None], [[]], [{"type": ["section"]}], [{"type": "actions", "elements": [1]}]]
)
def test_junk_is_a_problem_and_no_crash(junk: Any) -> None:
    assert blocks_problems(junk, "message")
    assert message_problems({"text": "x", "blocks": junk})
    assert view_problems({"type": "home", "blocks": junk}, "home")
    assert view_problems({"type": "modal", "title": plain(1), "blocks": junk}, "modal")


def test_options_prompts_and_errors_have_limits_too() -> None:
    assert options_problems({"options": [option()] * 100}) == []
    assert options_problems({"options": [option()] * 101})
    assert options_problems({})
    groups = {"label": plain(75), "options": [option()]}
    assert options_problems({"option_groups": [groups] * 100}) == []
    assert options_problems({"option_groups": [groups] * 101})
    prompt = {"title": "t", "message": "m"}
    assert prompts_problems([prompt] * 4) == []
    assert prompts_problems([prompt] * 5)
    assert prompts_problems([{"title": "t"}])
    view = modal(field(TEXT_INPUT, block_id="lines"), section(block_id="s"))
    assert errors_problems({"lines": "Paste a line."}, view) == []
    assert errors_problems({"s": "Paste a line."}, view)
    assert errors_problems({}, view)
