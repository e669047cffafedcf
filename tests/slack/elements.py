"""The elements of Block Kit, each with the limits of its page (the first argument of its shape) on docs.slack.dev."""

from __future__ import annotations

from tests.slack.shapes import (
    Check,
    Fields,
    Rule,
    address,
    anything,
    either,
    flag,
    list_of,
    one_of,
    shape,
    string,
    typed,
    whole,
)
from tests.slack.words import plain, text

ID = string(255)  # action_id and block_id, on every element's page
_PLACEHOLDER = plain(150)
_STYLE = one_of("primary", "danger")

# confirmation-dialog-object
CONFIRM = shape(
    "confirmation-dialog-object",
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": _STYLE},
)


def _option(words: Check, url: bool = False) -> Check:
    # option-object: text 75, value 150, description 75; url 3,000 and for overflow menus only
    more: dict[str, Check] = {"url": address(3000)} if url else {}
    return shape("option-object", {"text": words, "value": string(150)}, {"description": words, **more})


PLAIN_OPTION = _option(plain(75))
RICH_OPTION = _option(text(75))
# option-group-object: label 75, at most 100 options
OPTION_GROUP = shape("option-group-object", {"label": plain(75), "options": list_of(PLAIN_OPTION, 1, 100)})


def _offered(value: Fields) -> list[Fields]:
    groups = [option for group in value.get("option_groups", []) for option in group["options"]]
    return [*value.get("options", []), *groups]


def _initial(value: Fields) -> str | None:
    wanted = [*value.get("initial_options", []), *([value["initial_option"]] if "initial_option" in value else [])]
    return None if all(one in _offered(value) for one in wanted) else "the initial option is none of the options"


def _interactive(
    page: str, required: dict[str, Check] | None = None, optional: dict[str, Check] | None = None, *rules: Rule
) -> Check:
    return shape(page, required or {}, {"action_id": ID, **(optional or {})}, rules)


_BUTTON = _interactive(
    "button-element",
    {"text": plain(75)},
    {
        "url": address(3000),
        "value": string(2000),
        "style": _STYLE,
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
_ENTERED: dict[str, Check] = {"placeholder": _PLACEHOLDER, "focus_on_load": flag}
_MENU: dict[str, Check] = {**_ENTERED, "confirm": CONFIRM}
_CHOICES: dict[str, Check] = {
    # select-menu-element and multi-select-menu-element: 100 options, 100 groups
    "options": list_of(PLAIN_OPTION, 1, 100),
    "option_groups": list_of(OPTION_GROUP, 1, 100),
}
_DISPATCH = shape(
    "dispatch-action-configuration-object",
    {"trigger_actions_on": list_of(one_of("on_enter_pressed", "on_character_entered"), 1, 2)},
)
_MANY = whole(1, 100)
IMAGE_FIELDS: dict[str, Check] = {
    # image-element and image-block: alt_text 2,000 and required, image_url 3,000
    "image_url": address(3000),
    "slack_file": shape("slack-file-object", {}, {"id": string(255), "url": address(3000)}, (either("id", "url"),)),
}
IMAGE = shape("image-element", {"alt_text": string(2000)}, IMAGE_FIELDS, (either("image_url", "slack_file"),))


def _lengths(value: Fields) -> str | None:
    least, most = value.get("min_length", 0), value.get("max_length", 3000)
    return None if least <= most else "min_length must not exceed max_length"


SELECTS: dict[str, Check] = {
    "static_select": _interactive(
        "select-menu-element",
        {},
        {**_MENU, **_CHOICES, "initial_option": PLAIN_OPTION},
        either("options", "option_groups"),
        _initial,
    ),
    "external_select": _interactive(
        "select-menu-element", {}, {**_MENU, "initial_option": PLAIN_OPTION, "min_query_length": whole(0, 255)}
    ),
    "users_select": _interactive("select-menu-element", {}, {**_MENU, "initial_user": ID}),
    "conversations_select": _interactive(
        "select-menu-element",
        {},
        {
            **_MENU,
            "initial_conversation": ID,
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": anything,
        },
    ),
    "channels_select": _interactive(
        "select-menu-element", {}, {**_MENU, "initial_channel": ID, "response_url_enabled": flag}
    ),
}
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": _interactive(
        "multi-select-menu-element",
        {},
        {**_MENU, **_CHOICES, "initial_options": list_of(PLAIN_OPTION, 1, 100), "max_selected_items": _MANY},
        either("options", "option_groups"),
        _initial,
    ),
    "multi_external_select": _interactive(
        "multi-select-menu-element",
        {},
        {
            **_MENU,
            "initial_options": list_of(PLAIN_OPTION, 1, 100),
            "min_query_length": whole(0, 255),
            "max_selected_items": _MANY,
        },
    ),
    "multi_users_select": _interactive(
        "multi-select-menu-element", {}, {**_MENU, "initial_users": list_of(ID, 1, 100), "max_selected_items": _MANY}
    ),
    "multi_conversations_select": _interactive(
        "multi-select-menu-element",
        {},
        {
            **_MENU,
            "initial_conversations": list_of(ID, 1, 100),
            "default_to_current_conversation": flag,
            "filter": anything,
            "max_selected_items": _MANY,
        },
    ),
    "multi_channels_select": _interactive(
        "multi-select-menu-element",
        {},
        {**_MENU, "initial_channels": list_of(ID, 1, 100), "max_selected_items": _MANY},
    ),
}
_BOXES = list_of(RICH_OPTION, 1, 10)  # checkboxes-element and radio-button-group-element: 10 options
PICKERS: dict[str, Check] = {
    "datepicker": _interactive("date-picker-element", {}, {**_MENU, "initial_date": string(10, 10)}),
    "timepicker": _interactive("time-picker-element", {}, {**_MENU, "initial_time": string(5, 5), "timezone": ID}),
    "datetimepicker": _interactive(
        "datetime-picker-element",
        {},
        {"initial_date_time": whole(10**9, 10**10 - 1), "confirm": CONFIRM, "focus_on_load": flag},
    ),
    "checkboxes": _interactive(
        "checkboxes-element",
        {"options": _BOXES},
        {"initial_options": _BOXES, "confirm": CONFIRM, "focus_on_load": flag},
        _initial,
    ),
    "radio_buttons": _interactive(
        "radio-button-group-element",
        {"options": _BOXES},
        {"initial_option": RICH_OPTION, "confirm": CONFIRM, "focus_on_load": flag},
        _initial,
    ),
}
BUTTONS: dict[str, Check] = {
    "button": _BUTTON,
    # overflow-menu-element: at most 5 options; the SDK takes 1, older pages say at least 2: the stricter holds
    "overflow": _interactive(
        "overflow-menu-element", {"options": list_of(_option(plain(75), url=True), 2, 5)}, {"confirm": CONFIRM}
    ),
    "workflow_button": _interactive(
        "workflow-button-element",
        {"text": plain(75), "workflow": anything},
        {"style": _STYLE, "accessibility_label": string(75)},
    ),
}
_TYPED: dict[str, Check] = {**_ENTERED, "dispatch_action_config": _DISPATCH}
ENTRIES: dict[str, Check] = {
    # plain-text-input-element: min_length 0 to 3,000, max_length 1 to 3,000
    "plain_text_input": _interactive(
        "plain-text-input-element",
        {},
        {
            **_TYPED,
            "initial_value": string(3000),
            "multiline": flag,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
        },
        _lengths,
    ),
    "email_text_input": _interactive("email-input-element", {}, {**_TYPED, "initial_value": string(3000)}),
    "url_text_input": _interactive("url-input-element", {}, {**_TYPED, "initial_value": string(3000)}),
    "number_input": _interactive(
        "number-input-element",
        {"is_decimal_allowed": flag},
        {**_TYPED, "initial_value": string(100), "min_value": string(100), "max_value": string(100)},
    ),
    # file-input-element: 1 to 10 files
    "file_input": _interactive(
        "file-input-element", {}, {"filetypes": list_of(string(50), 1, 100), "max_files": whole(1, 10)}
    ),
    "rich_text_input": _interactive("rich-text-input-element", {}, {**_TYPED, "initial_value": anything}),
}
_FEEDBACK = shape(
    "feedback-buttons-element", {"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)}
)
REACTIONS = typed(
    "context-actions-block",
    {
        "feedback_buttons": _interactive(
            "feedback-buttons-element", {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}
        ),
        "icon_button": _interactive(
            "icon-button-element",
            {"icon": string(50), "text": plain(75)},
            {
                "value": string(2000),
                "confirm": CONFIRM,
                "accessibility_label": string(75),
                "visible_to_user_ids": list_of(ID, 1, 10),
            },
        ),
    },
)
ACTIONS = typed("actions-block", {**BUTTONS, **SELECTS, **PICKERS})
ACCESSORY = typed("section-block", {**BUTTONS, **SELECTS, **MULTI_SELECTS, **PICKERS, "image": IMAGE})
INPUTS: dict[str, Check] = {**ENTRIES, **SELECTS, **MULTI_SELECTS, **PICKERS}
BUTTON = typed("button-element", {"button": _BUTTON})
OPTIONS = shape(
    # block_suggestion-payload: at most 100 options or groups
    "block_suggestion-payload",
    {},
    {"options": list_of(PLAIN_OPTION, 0, 100), "option_groups": list_of(OPTION_GROUP, 0, 100)},
    (either("options", "option_groups"),),
)
