"""Whether a message, a modal or a Home tab is one that Slack takes, and that everybody can read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

from tests.slack.blocks import SURFACES
from tests.slack.elements import OPTIONS
from tests.slack.shapes import Check, Fields, Problem, anything, flag, list_of, one_of, shape, string
from tests.slack.words import mrkdwn_words, plain

Surface = Literal["message", "modal", "home"]
MOST_TEXT = 40_000
"""chat.postMessage: Slack cuts off more than that."""
ADVISED_TEXT = 4_000
"""chat.postMessage: what its page advises."""
MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}  # blocks
MOST_MARKDOWN = 12_000
"""markdown-block: characters of all markdown blocks of a payload together."""
MOST_BESIDE_MARKDOWN = 13_000
"""bolt-js issue 2509: with a markdown block among them, all blocks as JSON were refused from about 13,170 on."""
MOST_TABLE = 10_000
"""table-block: characters of all cells together."""
MOST_METADATA = 8_000
"""No page states a figure for metadata_too_large; this one is ours, on the strict side."""
MOST_VIEW_BYTES = 250_000
"""views.open: view_too_large."""

_METADATA = shape("message-metadata", {"event_type": string(255), "event_payload": anything}, {"entities": anything})
# Fields of chat.postMessage, chat.postEphemeral, chat.update and of what goes to a response_url.
_MESSAGE: dict[str, Check] = {
    **dict.fromkeys(
        ("channel", "user", "ts", "team_id", "thread_ts", "icon_emoji", "icon_url", "username", "file_ids"), anything
    ),
    **dict.fromkeys(("as_user", "unfurl_links", "unfurl_media", "reply_broadcast", "mrkdwn"), anything),
    **dict.fromkeys(("replace_original", "delete_original"), flag),
    "text": anything,
    "blocks": anything,
    "markdown_text": string(MOST_MARKDOWN),
    "attachments": list_of(anything, 0, 100),
    "metadata": _METADATA,
    "response_type": one_of("ephemeral", "in_channel"),
    "link_names": anything,
    "parse": anything,
}


def message_problems(message: Fields, allowed: Collection[str] = ()) -> list[Problem]:
    """Say what is wrong with a message; `allowed` are the mentions that are meant, such as `<@U1>`."""
    # Arguments that Slack does not know it passes over, but nobody writes them on purpose.
    known = {key: value for key, value in message.items() if key in _MESSAGE}
    strange = [Problem(f"/{key}", "unknown field", "chat.postMessage", False) for key in message if key not in _MESSAGE]
    found = [*strange, *shape("chat.postMessage", {}, _MESSAGE)(known, ""), *_text(message)]
    if "blocks" in message:
        found += blocks_problems(message["blocks"], "message", allowed)
    if len(json.dumps(message.get("metadata", {}))) > MOST_METADATA:
        found.append(Problem("/metadata", "metadata_too_large", "chat.postMessage"))
    if message.get("link_names") or message.get("parse") == "full":
        found.append(Problem("", "names in the text would become mentions", "chat.postMessage", refused=False))
    return _meant(found, allowed)


def _text(message: Fields) -> Iterator[Problem]:
    text = message.get("text")
    if message.get("delete_original"):
        return
    if text is not None and not isinstance(text, str):
        yield Problem("/text", "must be a string", "chat.postMessage")
        return
    if not (text or "").strip() and "markdown_text" not in message:
        # Screen readers and notifications have the top-level text alone.
        yield Problem("/text", "a message without text is silent to those who do not see it", "chat.postMessage", False)
    if len(text or "") > MOST_TEXT:
        yield Problem("/text", "msg_too_long", "chat.postMessage")
    elif len(text or "") > ADVISED_TEXT and not message.get("blocks"):
        # Beside blocks it is not shown, but read aloud: there it may say all of it.
        yield Problem("/text", f"{len(text or '')} characters, {ADVISED_TEXT} are advised", "chat.postMessage", False)
    if message.get("mrkdwn") is not False:
        yield from mrkdwn_words(text, "/text")


def blocks_problems(blocks: Any, surface: Surface, allowed: Collection[str] = ()) -> list[Problem]:
    """Say what is wrong with blocks of a message, a modal or a Home tab."""
    found = list(list_of(SURFACES[surface], 0, MOST_BLOCKS[surface])(blocks, "/blocks"))
    if isinstance(blocks, list):
        sound = [block for block in blocks if isinstance(block, dict)]
        found += _together(sound, surface)
    return _meant(found, allowed)


def _together(blocks: list[Fields], surface: Surface) -> Iterator[Problem]:
    kinds = [str(block.get("type")) for block in blocks]
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    yield from (Problem("/blocks", f"block_id {one} is there twice", "blocks") for one in _twice(ids))
    if sum(_focuses(block) for block in blocks) > 1:
        yield Problem("/blocks", "only one element can have the focus", "blocks")
    if surface == "message":
        yield from _in_message(blocks, kinds)


def _in_message(blocks: list[Fields], kinds: list[str]) -> Iterator[Problem]:
    if kinds.count("table") > 1:
        yield Problem("/blocks", "only_one_table_allowed", "table-block")
    if sum(_length(block.get("rows")) for block in blocks if block.get("type") == "table") > MOST_TABLE:
        yield Problem("/blocks", f"more than {MOST_TABLE} characters in a table", "table-block")
    if {"plan", "task_card"} <= set(kinds):
        yield Problem("/blocks", "plan and task_card exclude each other", "plan-block")
    if "input" in kinds and not any(_sends(block) for block in blocks):
        # input-block: in a message, what was entered is only told along with an action.
        yield Problem("/blocks", "an input in a message needs a button or dispatch_action", "input-block")
    if "markdown" in kinds:
        written = sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown")
        if written > MOST_MARKDOWN or len(json.dumps(blocks)) > MOST_BESIDE_MARKDOWN:
            yield Problem("/blocks", "msg_blocks_too_long", "markdown-block")


def _sends(block: Fields) -> bool:
    return block.get("type") == "actions" or "accessory" in block or bool(block.get("dispatch_action"))


def _focuses(value: Any) -> int:
    if isinstance(value, dict):
        return int(value.get("focus_on_load") is True) + sum(map(_focuses, value.values()))
    return sum(map(_focuses, value)) if isinstance(value, list) else 0


def _length(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else _length(v) for k, v in value.items())
    return sum(map(_length, value)) if isinstance(value, list) else 0


# view-object: title, submit and close 24, private_metadata 3,000, callback_id and external_id 255
_VIEW: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_VIEWS: dict[str, Check] = {
    "modal": shape(
        "view-object",
        {"title": plain(24), "blocks": anything},
        {
            **_VIEW,
            "close": plain(24),
            "submit": plain(24),
            **dict.fromkeys(("clear_on_close", "notify_on_close", "submit_disabled"), flag),
        },
    ),
    "home": shape("view-object", {"blocks": anything}, _VIEW),
}


def view_problems(view: Any, surface: Literal["modal", "home"], allowed: Collection[str] = ()) -> list[Problem]:
    """Say what is wrong with a modal or a Home tab."""
    if not isinstance(view, dict) or view.get("type") != surface:
        return [Problem("/view/type", f"must be {surface}", "view-object")]
    found = [*_VIEWS[surface](view, ""), *blocks_problems(view.get("blocks", []), surface, allowed)]
    if surface == "modal" and "submit" not in view and _has_inputs(view.get("blocks")):
        found.append(Problem("/submit", "is required when there is an input block", "view-object"))
    if len(json.dumps(view).encode()) > MOST_VIEW_BYTES:
        found.append(Problem("", "view_too_large", "views.open"))
    return _meant(found, allowed)


def _has_inputs(blocks: Any) -> bool:
    return isinstance(blocks, list) and any(_is_input(block) for block in blocks)


def _is_input(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "input"


def options_problems(answer: Any) -> list[Problem]:
    """Say what is wrong with the options that an app gives for a block_suggestion."""
    return list(OPTIONS(answer, ""))


_PROMPT = shape("assistant.threads.setSuggestedPrompts", {"title": string(255), "message": string(MOST_TEXT)})


def prompts_problems(prompts: Any) -> list[Problem]:
    """Say what is wrong with suggested prompts: up to four, each a title and a message."""
    return list(list_of(_PROMPT, 1, 4)(prompts, "/prompts"))


def errors_problems(errors: Any, view: Fields) -> list[Problem]:
    """Say what is wrong with the errors of a view_submission: each belongs to an input block of the view."""
    inputs = {block["block_id"] for block in view["blocks"] if _is_input(block)}
    if not isinstance(errors, dict) or not errors:
        return [Problem("/errors", "must name the blocks that are wrong", "modals")]
    strange = [
        Problem(f"/errors/{key}", "no input block has that block_id", "modals") for key in errors if key not in inputs
    ]
    return strange + [one for key, said in errors.items() for one in string(3000)(said, f"/errors/{key}")]


def refused(found: Iterable[Problem]) -> list[Problem]:
    """Give those for which Slack refuses the whole."""
    return [one for one in found if one.refused]


def _twice(ids: list[Any]) -> list[Any]:
    return sorted({one for one in ids if ids.count(one) > 1}, key=str)


def _meant(found: Iterable[Problem], allowed: Collection[str]) -> list[Problem]:
    return list(dict.fromkeys(one for one in found if one.mention == "" or one.mention not in allowed))
