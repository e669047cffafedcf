"""Modals: to paste many lines, to answer by typing, and to tell how a case ended. And what was entered in them.

`private` is whatever the caller wants back with the submission, at most 3,000 characters; it is not looked into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.casebook import Consulted
from bot.history import UNKNOWN_SAID, answer_words
from bot.phrases import percent
from bot.slack.blocks import LABEL, OPTIONS, Block, option, plain
from bot.slack.parts import Part, Prose, Quoted, Strong, blocks
from bot.slack.words import cut, escape
from bot.wording import question_words
from knowledge.clause import plain as written
from knowledge.shelf import Shelf
from rules.case import Asked

PASTE, ANSWER, OUTCOME = "whydrop:paste", "whydrop:answer", "whydrop:outcome"
"""The callback ids."""
LINES, FILE, PRODUCT, TYPED, CHOICE, HOW, CAUSE, NOTE = (
    "lines",
    "file",
    "product",
    "typed",
    "choice",
    "how",
    "cause",
    "note",
)
"""The ids of the blocks with inputs: errors of a submission are told at these."""
MOST_TYPED = 3000
"""Characters that Slack takes in one input of a modal."""
_FILES = ("txt", "log", "text", "csv", "json")
_LEAST, _LEADING = 0.01, 10
_MOST_NOTE = 2000
_ENTRY = "entry"
_UNKNOWN, _NONE = "unknown", "none"
_SOLVED, _UNSOLVED = "solved", "unsolved"


def paste_modal(shelf: Shelf, private: str = "", typed: str = "", *, files: bool = False) -> Block:
    """Ask for lines, and for the product where it is known; with `files`, a text file may be dropped."""
    lines: Block = {"type": "plain_text_input", "action_id": _ENTRY, "multiline": True, "max_length": MOST_TYPED}
    lines |= {"placeholder": plain("One or more lines, as the firewall wrote them", 150), "focus_on_load": True}
    if typed:
        lines["initial_value"] = typed[:MOST_TYPED]
    file = {
        "type": "file_input",
        "action_id": _ENTRY,
        "filetypes": ["txt", "log", "text", "csv", "json"],
        "max_files": 3,
    }
    hint = "Whatever does not fit in here: send it to me in a direct message, or as a text file."
    what = "The more the better: lines before and after, from both ends."
    inputs = [
        _input(LINES, "Lines", lines, hint=f"{what} {hint}", optional=files),
        *([_input(FILE, "Or a text file", file, optional=True)] if files else []),
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
        typed = {"type": "plain_text_input", "action_id": _ENTRY, "max_length": 100, "focus_on_load": True}
        hint = "3605s, 90 s, 1h 30m, “about an hour”, or “unknown”."
        entry = _input(TYPED, "How long", typed | {"placeholder": plain("about an hour", 150)}, hint=hint)
    else:
        listed = [(label, written(value)) for value, label in words.choices]
        entry = _input(CHOICE, "Answer", _select("Choose an answer", [("", [*listed, (UNKNOWN_SAID, _UNKNOWN)])]))
    return _modal(ANSWER, "Answer", "Answer", [*blocks(lead), entry], private)


def outcome_modal(consulted: Consulted, shelf: Shelf, private: str = "") -> Block:
    """Ask how a case ended; the causes of its ranking stand first."""
    leading = [one for one in consulted.diagnosis.hypotheses if one.probability >= _LEAST][:_LEADING]
    first = [(f"{one.title} ({percent(one.probability)})", one.cause) for one in leading]
    listed = {one.cause for one in leading}
    rest = sorted((one.title, one.id) for one in shelf.causes.values() if one.id not in listed)
    groups = [("Of this case", [*first, ("None of the known causes", _NONE)]), ("All others", rest)]
    how = {
        "type": "radio_buttons",
        "action_id": _ENTRY,
        "options": [option("Yes", _SOLVED), option("No, not yet", _UNSOLVED)],
        "initial_option": option("Yes", _SOLVED),
    }
    note = {"type": "plain_text_input", "action_id": _ENTRY, "multiline": True, "max_length": _MOST_NOTE}
    note |= {"placeholder": plain("What it was, and what was done", 150)}
    inputs = [
        _input(HOW, "Is it solved?", how),
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
        "element": element,
        "optional": optional,
        **more,
    }


def _select(placeholder: str, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Block:
    """Make a menu; Slack takes 100 options in a group, and 100 groups."""
    laid = [
        {"label": plain(title or first_last(part), LABEL), "options": [option(label, value) for label, value in part]}
        for title, options in groups
        for part in _parted(options)
    ]
    single = len(laid) == 1 and not groups[0][0]
    listed = {"options": laid[0]["options"]} if single else {"option_groups": laid}
    return {"type": "static_select", "action_id": _ENTRY, "placeholder": plain(placeholder, 150), **listed}


def _parted(options: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    yield from (options[at : at + OPTIONS] for at in range(0, len(options), OPTIONS))


def first_last(options: Sequence[tuple[str, str]]) -> str:
    """Name a part of a long list by its first and last entry."""
    return f"{options[0][0][:30]} to {options[-1][0][:30]}"


def error_said(wrong: str) -> str:
    """Write an error of a submission, to be told at its block."""
    return cut(escape(wrong), 3000) or "This was not understood."


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered: text by the id of its block, and the files that were dropped. Nothing is missing but empty."""

    text: Mapping[str, str]
    files: Sequence[str]

    def __getitem__(self, name: str) -> str:
        return self.text.get(name, "")

    @property
    def unknown(self) -> bool:
        """Tell whether "I don't know" was chosen."""
        return self[CHOICE] == _UNKNOWN

    @property
    def solved(self) -> bool:
        """Tell whether it was told that the case is solved."""
        return self[HOW] != _UNSOLVED

    @property
    def cause(self) -> str | None:
        """Give the cause that was chosen; None where it was none of those that are known."""
        return self[CAUSE] if self.solved and self[CAUSE] not in ("", _NONE) else None


def entered(view: Mapping[str, Any]) -> Entered:
    """Read a submission, whatever it holds: what is not of the form that Slack sends counts as not entered."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    text: dict[str, str] = {}
    files: list[str] = []
    for name, block in values.items() if isinstance(values, dict) else ():
        entry = block.get(_ENTRY) if isinstance(block, dict) else None
        if not isinstance(entry, dict):
            continue
        chosen = entry.get("selected_option")
        value = chosen.get("value") if isinstance(chosen, dict) else entry.get("value")
        if isinstance(value, str):
            text[name] = value
        dropped = entry.get("files")
        files += [
            one["id"]
            for one in (dropped if isinstance(dropped, list) else [])
            if isinstance(one, dict) and isinstance(one.get("id"), str)
        ]
    return Entered(text, files)
