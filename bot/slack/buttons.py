"""What a button or an option of a menu carries: what it does, in which case, and to which question with which value."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal, get_args

from bot.slack.wishes import Press
from knowledge.clause import Value
from rules.case import Shape

Does = Literal[
    "answer",  # the question `feature` with `value`; None is "I don't know"
    "type",  # opens a modal to type an answer to `feature`
    "why",  # why the question is asked
    "change",  # lists the answers that were given
    "edit",  # shows the question `feature` again
    "withdraw",  # takes the answer to `feature` back
    "show",  # shows the case as it stands
    "whole",  # shows all that is known about the answer, not only what is needed first
    "stop",  # shows what is known without further questions
    "solved",  # the leading cause it was
    "ended",  # opens the modal that asks how it ended
    "export",  # the case as Markdown
    "share",  # shows an answer that was the asker's alone to the channel
    "raw",  # shows the addresses behind the aliases, to whoever asks
    "start",  # opens the modal to paste lines
    "aliases",  # switches aliases on or off for the workspace, by `value`
    "link",  # leads to the page; nothing is to be done
]
LONGEST = 2000
LONGEST_OPTION = 150
"""Characters that Slack takes for the value of a button, and of an option in a menu."""

_DOES = frozenset(get_args(Does))
_CASE = re.compile(r"[a-z2-7]{26}|")
_FEATURE = re.compile(r"[a-z][a-z0-9_.-]{0,79}|")
_MOST_EVENTS = 10**9
_ACTION = re.compile(r"whydrop:([a-z]+):\d+")


class ButtonValue(Shape):
    """What a button carries. `version` is that of the case when it was drawn; without a case both are empty."""

    does: Does
    case: str = ""
    version: int = 0
    feature: str = ""
    value: Value | None = None

    @property
    def text(self) -> str:
        """Write it, short enough for an option of a menu."""
        whole = [self.does, self.case, self.version, self.feature, self.value]
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))

    def press(self) -> Press:
        """Give the act of pressing it."""
        return Press(does=self.does, case=self.case, version=self.version, feature=self.feature, value=self.value)


def read_button(text: str) -> ButtonValue:
    """Read what a button carries. Raises ValueError for anything that we would not have written."""
    if len(text) > LONGEST:
        raise ValueError("a button carries less")
    try:
        found = json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise ValueError("a button carries no nested lists") from None
    if not isinstance(found, list) or len(found) != 5:
        raise ValueError("a button carries five things")
    does, case, version, feature, value = found
    sound = (
        _one_of(does)
        and _fits(_CASE, case)
        and type(version) is int
        and 0 <= version <= _MOST_EVENTS
        and _fits(_FEATURE, feature)
        and _is_value(value)
    )
    if not sound:
        raise ValueError("a button carries something that is not ours")
    number = float(value) if type(value) is int else value
    return ButtonValue(does=does, case=case, version=version, feature=feature, value=number)


def does_of(action_id: str) -> str:
    """Tell from an action's id what it does; "" if it is not ours."""
    found = _ACTION.fullmatch(action_id)
    return found[1] if found and found[1] in _DOES else ""


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _one_of(does: Any) -> bool:
    return isinstance(does, str) and does in _DOES


def _fits(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 100 and value.isprintable()
    if type(value) in (int, float):
        return abs(value) < 10**15 and math.isfinite(value)
    return value is None or isinstance(value, bool)
