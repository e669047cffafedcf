"""The blocks of Block Kit, each with the limits of its page on docs.slack.dev, and where each may stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.slack.elements import ACCESSORY, ACTIONS, BUTTON, ID, IMAGE, IMAGE_FIELDS, INPUTS, REACTIONS
from tests.slack.rich_text import RICH_TEXT
from tests.slack.shapes import (
    Check,
    Fields,
    Problem,
    address,
    anything,
    either,
    flag,
    list_of,
    one_of,
    shape,
    some,
    string,
    typed,
    whole,
)
from tests.slack.words import mentions, mrkdwn, plain, text

_BLOCK: dict[str, Check] = {"block_id": ID}


def _block(page: str, required: dict[str, Check], optional: dict[str, Check] | None = None, *rules: Any) -> Check:
    return shape(page, required, {**_BLOCK, **(optional or {})}, rules)


def _unique_actions(value: Fields) -> str | None:
    ids = [one["action_id"] for one in value["elements"] if "action_id" in one]
    return None if len(ids) == len(set(ids)) else "action_id must be unique within a block"


def _markdown(value: Any, at: str) -> Iterator[Problem]:
    # markdown-block: 12,000 characters in all markdown blocks of a payload together; standard Markdown needs no escapes
    yield from string(12_000)(value, at)
    if isinstance(value, str):
        yield from mentions(value, at)


_CELL = typed(
    # table-block: raw_text or rich_text. The page of data-table-block has raw_number too.
    "table-block",
    {"raw_text": shape("table-block", {"text": string(10_000, 0)}), "rich_text": RICH_TEXT},
)
_TABLE = _block(
    "table-block",
    {"rows": list_of(list_of(_CELL, 1, 20), 1, 100)},
    {
        "column_settings": list_of(
            shape("table-block", {}, {"align": one_of("left", "center", "right"), "is_wrapped": flag}), 0, 20
        )
    },
)
_DATA_CELL = typed(
    "data-table-block",
    {
        "raw_text": shape("data-table-block", {"text": string(10_000)}),
        "raw_number": shape("data-table-block", {"value": anything}, {"text": string(255)}),
        "rich_text": RICH_TEXT,
    },
)


def _even_rows(value: Fields) -> str | None:
    return None if len({len(row) for row in value["rows"]}) == 1 else "all rows must have the same number of cells"


def _plain_head(value: Fields) -> str | None:
    return "rich_text cannot stand in the header" if any(c["type"] == "rich_text" for c in value["rows"][0]) else None


_DATA_TABLE = _block(
    # data-table-block: header and 100 rows (another source says 200: the stricter holds), caption required
    "data-table-block",
    {"rows": list_of(list_of(_DATA_CELL, 1, 20), 2, 101), "caption": string(255)},
    {"page_size": whole(1, 100), "row_header_column_index": whole(0, 19)},
    _even_rows,
    _plain_head,
)
_SOURCE = typed("task-card-block", {"url": shape("url-source-element", {"url": address(), "text": string(255)})})
_RICH = typed("task-card-block", {"rich_text": RICH_TEXT})
_TASK_FIELDS: dict[str, Check] = {
    # task-card-block: `complete`, not `completed`; no page states the length of a title, 255 is ours
    "status": one_of("pending", "in_progress", "complete", "error"),
    "details": _RICH,
    "output": _RICH,
    "sources": list_of(_SOURCE, 0, 50),
}
_TASK = _block("task-card-block", {"task_id": string(255), "title": string(255)}, _TASK_FIELDS)
_PLAN = _block(
    "plan-block", {"title": string(255)}, {"tasks": list_of(typed("plan-block", {"task_card": _TASK}), 0, 50)}
)
_IMAGE_ELEMENT = typed("card-block", {"image": IMAGE})
_CARD = _block(
    # card-block: title and subtitle 150, body 200; 3 buttons
    "card-block",
    {},
    {
        "hero_image": _IMAGE_ELEMENT,
        "icon": _IMAGE_ELEMENT,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": list_of(BUTTON, 1, 3),
    },
    some("hero_image", "title", "actions", "body"),
)
_CAROUSEL = _block("carousel-block", {"elements": list_of(typed("carousel-block", {"card": _CARD}), 1, 10)})
_INPUT_FIELDS: dict[str, Check] = {"optional": flag, "dispatch_action": flag, "hint": plain(2000)}


def _input(*, files: bool) -> Check:
    known = {kind: check for kind, check in INPUTS.items() if files or kind != "file_input"}
    # input-block: label and hint 2,000
    return _block("input-block", {"label": plain(2000), "element": typed("input-block", known)}, _INPUT_FIELDS)


_EVERYWHERE: dict[str, Check] = {
    "section": _block(
        # section-block: text 3,000; 10 fields of 2,000
        "section-block",
        {},
        {"text": text(3000), "fields": list_of(text(2000), 1, 10), "accessory": ACCESSORY, "expand": flag},
        some("text", "fields"),
    ),
    "divider": _block("divider-block", {}),
    "header": _block("header-block", {"text": plain(150)}),
    "image": _block(
        "image-block",
        {"alt_text": string(2000)},
        {**IMAGE_FIELDS, "title": plain(2000)},
        either("image_url", "slack_file"),
    ),
    "actions": _block("actions-block", {"elements": list_of(ACTIONS, 1, 25)}, None, _unique_actions),
    "context": _block(
        "context-block",
        {
            "elements": list_of(
                typed("context-block", {"image": IMAGE, "plain_text": plain(), "mrkdwn": mrkdwn()}), 1, 10
            )
        },
    ),
    "rich_text": RICH_TEXT,
    "card": _CARD,
    "video": _block(
        "video-block",
        {
            "alt_text": string(2000),
            "title": plain(200),
            "video_url": address(),
            "thumbnail_url": address(),
        },
        {
            "title_url": address(2000),
            "author_name": string(50),
            "provider_name": string(50),
            "provider_icon_url": address(2000),
            "description": plain(200),
        },
    ),
}
_WIDE: dict[str, Check] = {"table": _TABLE, "data_table": _DATA_TABLE, "carousel": _CAROUSEL}
MESSAGE_BLOCKS: dict[str, Check] = {
    **_EVERYWHERE,
    **_WIDE,
    "input": _input(files=False),
    "markdown": _block("markdown-block", {"text": _markdown}),
    "context_actions": _block("context-actions-block", {"elements": list_of(REACTIONS, 1, 5)}, None, _unique_actions),
    "plan": _PLAN,
    "task_card": _TASK,
    "file": _block("file-block", {"external_id": ID, "source": one_of("remote")}),
}
MODAL_BLOCKS: dict[str, Check] = {
    **_EVERYWHERE,
    "input": _input(files=True),
    # alert-block: modals only, text 200
    "alert": _block(
        "alert-block", {"text": text(200)}, {"level": one_of("default", "info", "warning", "error", "success")}
    ),
}
HOME_BLOCKS: dict[str, Check] = {**_EVERYWHERE, **_WIDE, "input": _input(files=False)}
SURFACES: dict[str, Check] = {
    "message": typed("blocks", MESSAGE_BLOCKS),
    "modal": typed("blocks", MODAL_BLOCKS),
    "home": typed("blocks", HOME_BLOCKS),
}
