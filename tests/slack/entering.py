"""What somebody enters into fields: what Slack's own client takes, and what it makes of it for the app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.slack.seen import Part, SeenView, label, parts
from tests.slack.shapes import Fields
from tests.slack.workspace import View

_TYPED = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
_MANY = ("checkboxes", "multi_static_select", "multi_external_select")
_NAMED = {"users_select": "user", "channels_select": "channel", "conversations_select": "conversation"}
_PICKED = {"datepicker": "date", "timepicker": "time", "datetimepicker": "date_time"}


def _option(there: Part, wanted: str) -> Fields:
    for one in there.options:
        if wanted in (label(one), one["value"]):
            return {"text": one["text"], "value": one["value"]}
    if there.element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": wanted}, "value": wanted}
    raise AssertionError(f"{wanted!r} cannot be chosen; there are: {', '.join(label(one) for one in there.options)}")


def chosen(there: Part, value: Any) -> Fields:
    """Give what the app is told of a value in a field or a menu; of a button, nothing."""
    kind = there.element["type"]
    if kind in _TYPED:
        return {"value": None if value is None else str(value)}
    if kind == "file_input":
        return {"files": value or []}
    if kind in _MANY:
        return {"selected_options": [_option(there, one) for one in _listed(value)]}
    if kind in _NAMED or kind in _PICKED:
        return {f"selected_{(_NAMED | _PICKED)[kind]}": value}
    if kind in ("button", "workflow_button", "feedback_buttons"):
        assert value is None, "a button has no options"
        return {}
    return {"selected_option": None if value is None else _option(there, value)}


def _listed(value: Any) -> Iterable[str]:
    return () if value is None else (value,) if isinstance(value, str) else value


def changed(view: View, there: Part, value: Any) -> None:
    """Enter a value into a field of a view."""
    entered = {"type": there.element["type"], **chosen(there, value)}
    if len(entered) > 1:
        view.state.setdefault(there.block["block_id"], {})[there.element["action_id"]] = entered


def filled(view: SeenView) -> None:
    """Hold that Slack's client would send a modal: nothing that is required is empty, nothing too long or too short."""
    for one in parts(view.blocks):
        if one.block["type"] == "input":
            _fits(one, view.view.state[one.block["block_id"]][one.element["action_id"]])


def _fits(there: Part, entered: Fields) -> None:
    value = next((value for key, value in entered.items() if key != "type"), None)
    assert value or there.block.get("optional"), f"{there.label!r} is required"
    if there.element["type"] == "plain_text_input" and value:
        least, most = there.element.get("min_length", 0), there.element.get("max_length", 3000)
        assert least <= len(value) <= most, f"{there.label!r} takes {least} to {most} characters"
        assert there.element.get("multiline") or "\n" not in value, f"{there.label!r} has one line"
    if there.element["type"] == "file_input" and value:
        _files_fit(there, value)


def _files_fit(there: Part, files: list[Fields]) -> None:
    assert len(files) <= there.element.get("max_files", 10), "too many files"
    kinds = there.element.get("filetypes")
    assert not kinds or all(file["filetype"] in kinds for file in files), f"{there.label!r} takes {kinds}"
