"""Modals: to paste many lines, to answer by typing, and to tell how a case ended.

`private` is whatever the caller wants back with the submission, at most 3,000 characters; it is not looked into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.casebook import Consulted
from bot.history import UNKNOWN_SAID, answer_words
from bot.phrases import percent
from bot.slack.blocks import LABEL, OPTIONS, Block, option, plain
from bot.slack.parts import Part, Prose, Quoted, Strong, blocks
from bot.wording import question_words
from knowledge.clause import plain as written
from knowledge.shelf import Shelf
from rules.case import Asked

PASTE, TYPE, OUTCOME = "whydrop_paste", "whydrop_type", "whydrop_outcome"
"""The callback ids."""
TEXT, FILES, PRODUCT, SOLVED, CAUSE, NOTE = "text", "files", "product", "solved", "cause", "note"
"""The ids of the inputs, and of their blocks: errors of a submission are told at these."""
UNSOLVED = "unsolved"
"""The value of SOLVED where it is not."""
MOST_TYPED = 3000
"""Characters that Slack takes in one input of a modal."""
_FILES = ("txt", "log", "text", "csv", "json")
_LEAST, _LEADING = 0.01, 10
_MOST_NOTE = 2000
_UNKNOWN, _NONE = "unknown", "none"


def paste_modal(shelf: Shelf, private: str = "", typed: str = "", *, files: bool = False) -> Block:
    """Ask for lines, and for the product where it is known; with `files`, a text file may be dropped."""
    lines: Block = {"type": "plain_text_input", "multiline": True, "max_length": MOST_TYPED}
    lines |= {"placeholder": plain("One or more lines, as the firewall wrote them", 150), "focus_on_load": True}
    if typed:
        lines["initial_value"] = typed[:MOST_TYPED]
    file = {
        "type": "file_input",
        "filetypes": ["txt", "log", "text", "csv", "json"],
        "max_files": 3,
    }
    hint = "Whatever does not fit in here: send it to me in a direct message, or as a text file."
    what = "The more the better: lines before and after, from both ends."
    inputs = [
        _input(TEXT, "Lines", lines, hint=f"{what} {hint}", optional=files),
        *([_input(FILES, "Or a text file", file, optional=True)] if files else []),
        _input(PRODUCT, "Product", _products(shelf), hint="Only if you know it; the lines mostly tell.", optional=True),
    ]
    return _modal(PASTE, "Diagnose lines", "Diagnose", inputs, private)


def _products(shelf: Shelf) -> Block:
    named = sorted(((one.title, one.id) for one in shelf.products.values()), key=lambda one: one[0].lower())
    return _select("Choose a product", [("", named)])


def answer_modal(asked: Asked, consulted: Consulted, shelf: Shelf, private: str = "") -> Block:
    """Ask a question again, to be answered by typing or, where there are choices, from a list."""
    words, feature = question_words(asked), shelf.features[asked.feature]
    before = [one for one in answer_words(consulted.kept.events, shelf) if one.feature == asked.feature and one.answer]
    lead: list[Part] = [
        Strong(words.text),
        Prose(f"So far: {before[-1].answer}" if before else ""),
        Quoted(words.command or ""),
    ]
    if feature.type == "number":
        typed = {"type": "plain_text_input", "max_length": 100, "focus_on_load": True}
        hint = "3605s, 90 s, 1h 30m, “about an hour”, or “unknown”."
        entry = _input(TEXT, "How long", typed | {"placeholder": plain("about an hour", 150)}, hint=hint)
    else:
        listed = [(label, written(value)) for value, label in words.choices]
        entry = _input(TEXT, "Answer", _select("Choose an answer", [("", [*listed, (UNKNOWN_SAID, _UNKNOWN)])]))
    return _modal(TYPE, "Answer", "Answer", [*blocks(lead), entry], private)


def outcome_modal(consulted: Consulted, shelf: Shelf, private: str = "") -> Block:
    """Ask how a case ended; the causes of its ranking stand first."""
    leading = [one for one in consulted.diagnosis.hypotheses if one.probability >= _LEAST][:_LEADING]
    first = [(f"{one.title} ({percent(one.probability)})", one.cause) for one in leading]
    listed = {one.cause for one in leading}
    rest = sorted((one.title, one.id) for one in shelf.causes.values() if one.id not in listed)
    groups = [("Of this case", [*first, ("None of the known causes", _NONE)]), ("All others", rest)]
    how = {
        "type": "radio_buttons",
        "options": [option("Yes", "solved"), option("No, not yet", UNSOLVED)],
        "initial_option": option("Yes", "solved"),
    }
    note = {"type": "plain_text_input", "multiline": True, "max_length": _MOST_NOTE}
    note |= {"placeholder": plain("What it was, and what was done", 150)}
    inputs = [
        _input(SOLVED, "Is it solved?", how),
        _input(CAUSE, "What was it?", _select("Choose a cause", groups), optional=True),
        _input(NOTE, "Note", note, hint="Kept with the case.", optional=True),
    ]
    return _modal(OUTCOME, "How did it end?", "Keep", inputs, private)


def _modal(callback: str, title: str, submit: str, laid: Sequence[Block], private: str) -> Block:
    if len(private) > 3000:
        raise ValueError("Slack keeps 3,000 characters with a modal")
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel", 24),
        "private_metadata": private,
        "blocks": list(laid),
    }


def _input(name: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    more = {"hint": plain(hint, 2000)} if hint else {}
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label, 2000),
        "element": {**element, "action_id": name},
        "optional": optional,
        **more,
    }


def _select(placeholder: str, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Block:
    """Make a menu; Slack takes 100 options in a group, and 100 groups."""
    laid = [
        {"label": plain(title or _first_last(part), LABEL), "options": [option(label, value) for label, value in part]}
        for title, options in groups
        for part in _parted(options)
    ]
    single = len(laid) == 1 and not groups[0][0]
    listed = {"options": laid[0]["options"]} if single else {"option_groups": laid}
    return {"type": "static_select", "placeholder": plain(placeholder, 150), **listed}


def _parted(options: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    yield from (options[at : at + OPTIONS] for at in range(0, len(options), OPTIONS))


def _first_last(options: Sequence[tuple[str, str]]) -> str:
    """Name a part of a long list by its first and last entry."""
    return f"{options[0][0][:30]} to {options[-1][0][:30]}"
