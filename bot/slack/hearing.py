"""What somebody does in Slack, as a wish: pure functions from each kind of payload; None is nothing to us."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.request.internals import extract_enterprise_id, extract_team_id, extract_user_id

from bot.phrases import capital
from bot.slack.buttons import read_button
from bot.slack.heard_words import as_pasted, words_of
from bot.slack.modals import CAUSE, FILES, NOTE, OUTCOME, PASTE, PRODUCT, SOLVED, TEXT, TYPE, UNSOLVED
from bot.slack.wishes import Act, Bring, Ended, Left, Look, Place, Press, Step, Wish
from knowledge.clause import Value
from rules.answers import NoAnswer, is_unknown
from rules.case import Shape

COMMAND = "/whydrop"
DIAGNOSE = "diagnose_message"
"""The callback id of the shortcut on a message."""
START = "start_case"
"""The callback id of the shortcut that needs no message."""
FUNCTION = "diagnose_firewall_log"
"""The callback id of the workflow step."""
OPENING = frozenset({"start", "ended", "type"})
"""What buttons do that open a modal."""
SILENT = frozenset({"link"})
"""What buttons do that lead elsewhere: nothing is to be done here."""
UNREADABLE = "unreadable"
"""What a button does that is not ours, or of another whydrop."""
EMPTY = "There is nothing in it. Paste one or more log lines, or add a text file."

NONE = "none"
"""A cause that is none of those that are known."""
_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)
_CASE = re.compile(r"(?:case[:\s]+|https?://[^\s?#]{1,200}/cases/)[`“]?([a-z2-7]{26})[`”]?", re.ASCII | re.IGNORECASE)
"""A case by its id, or by the link to its page."""
_WORDS: Mapping[str, Any] = {"help": "help", "?": "help", "-h": "help", "--help": "help", "status": "status"}
_WRITTEN = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of messages that somebody wrote."""

Fields = dict[str, Any]
ParseAnswer = Callable[[str, str], Value]
"""Reads an answer that was typed to a feature's question. Raises NoAnswer."""
Errors = Mapping[str, str]
"""What is wrong with a submission, by the block in which that is shown."""


class Private(Shape):
    """What a modal carries from its opening to its submission: where the answer goes, and the button that opened it."""

    place: Place
    press: Press | None = None


def team_of(body: Fields) -> str:
    """Give the workspace in which it happened; for what happens to a whole organisation, that. "" if none is told."""
    return str(extract_team_id(body) or extract_enterprise_id(body) or "")


def command(body: Fields) -> Wish | None:
    """Hear the slash command; None for the command alone, which opens a modal."""
    text = as_pasted(str(body.get("text") or "")).strip()
    if not text:
        return None
    return _wish(body, ("command", str(body["trigger_id"])), place_of_command(body), _asked(text))


def place_of_command(body: Fields) -> Place:
    """Give the place of a command's answer: the asker alone sees it."""
    channel = str(body.get("channel_id") or "")
    return Place(channel=channel, response_url=str(body.get("response_url") or ""), direct=_is_direct(channel))


def event(body: Fields, us: str = "") -> Wish | None:
    """Hear an event. `us` is our own user there, for an event that does not say it."""
    told: Fields = body["event"]
    heard = _EVENTS.get(str(told.get("type")), _nothing)(_us(body) or us, told)
    if heard is None:
        return None
    place, act = heard
    if isinstance(act, Left):
        act = Left(at=float(body.get("event_time") or 0))
    return _wish(body, (str(body["event_id"]),), place, act)


def shortcut(body: Fields) -> Wish | None:
    """Hear the shortcut on a message."""
    message: Fields = body["message"]
    channel, ts = str(body["channel"]["id"]), str(body.get("message_ts") or message["ts"])
    place = Place(
        channel=channel,
        thread=str(message.get("thread_ts") or ts),
        message=ts,
        response_url=str(body.get("response_url") or ""),
        direct=_is_direct(channel),
    )
    act = Bring(text=words_of(message), files=_files(message))
    key = (str(body["action_ts"]), str(body["callback_id"]))
    return _wish(body, _by(body, *key), place, act) if act.text.strip() or act.files else None


def press(body: Fields, action: Fields) -> Wish:
    """Hear a button, or a choice in a menu."""
    key = (str(action["action_ts"]), str(action["action_id"]))
    return _wish(body, _by(body, *key), place_of_action(body), pressed(action))


def pressed(action: Fields) -> Press:
    """Say what a button does; one that cannot be read does just that."""
    try:
        return read_button(_value(action)).press()
    except ValueError:
        return Press(does=UNREADABLE)


def place_of_action(body: Fields) -> Place:
    """Give the place of a button: a message, of which only the asker may know, or a view, which is nowhere."""
    container: Fields = body.get("container") or {}
    message = str(container.get("message_ts") or "")
    if not message:
        return Place(channel=extract_user_id(body) or "", direct=True)
    channel = str(container.get("channel_id") or (body.get("channel") or {}).get("id") or "")
    alone = bool(container.get("is_ephemeral"))
    thread = container.get("thread_ts") or (body.get("message") or {}).get("thread_ts")
    return Place(
        channel=channel,
        thread="" if alone else str(thread or message),
        message=message,
        response_url=str(body.get("response_url") or ""),
        direct=_is_direct(channel),
    )


def submission(body: Fields, parse: ParseAnswer) -> Wish | Errors:
    """Hear a modal, or say what is wrong with it. Raises ValueError for one that is not ours."""
    view: Fields = body["view"]
    private = read_private(view)
    act = _submitted(view, private, parse)
    if isinstance(act, Mapping):
        return act
    return _wish(body, _by(body, str(view["id"]), str(view.get("hash") or "")), private.place, act)


def read_private(view: Fields) -> Private:
    """Read what a modal carries. Raises ValueError."""
    return Private.model_validate_json(str(view.get("private_metadata") or "{}"))


def _submitted(view: Fields, private: Private, parse: ParseAnswer) -> Act | Errors:
    which, opened = view.get("callback_id"), private.press
    told, files = _typed(view)
    if which == PASTE:
        text = told.get(TEXT, "")
        return Bring(text=text, product=told.get(PRODUCT), files=files) if text.strip() or files else {TEXT: EMPTY}
    if which == OUTCOME and opened:
        solved = told.get(SOLVED) != UNSOLVED
        cause = told.get(CAUSE) if solved and told.get(CAUSE) != NONE else None
        return Ended(case=opened.case, solved=solved, cause=cause, note=told.get(NOTE, ""))
    if which == TYPE and opened:
        return _answered(told.get(TEXT, ""), opened, parse)
    raise ValueError("this modal is not ours")


def _typed(view: Fields) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Give what was typed or chosen, by the input, and the files that were added."""
    inputs: Fields = {
        name: told for block in (view.get("state") or {}).get("values", {}).values() for name, told in block.items()
    }
    files = _files({"files": (inputs.pop(FILES, None) or {}).get("files")})
    return {name: value for name, told in inputs.items() if (value := _value(told))}, files


def _answered(text: str, opened: Press, parse: ParseAnswer) -> Press | Errors:
    try:
        value = None if is_unknown(text) else parse(opened.feature, text)
    except NoAnswer as wrong:
        return {TEXT: capital(f"{wrong.spoken}.")}
    return opened.model_copy(update={"does": "answer", "value": value})


def _value(told: Fields) -> str:
    return str((told.get("selected_option") or {}).get("value") or told.get("value") or "")


def _wish(body: Fields, key: tuple[str, ...], place: Place, act: Act) -> Wish:
    return Wish(key=_key(*key), team=team_of(body), user=extract_user_id(body) or "", place=place, act=act)


def _by(body: Fields, *key: str) -> tuple[str, ...]:
    return (team_of(body), extract_user_id(body) or "", *key)


def _key(*parts: str) -> str:
    """Make a key of it that every table takes."""
    joined = ":".join(parts)
    return joined if _KEY.fullmatch(joined) else hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()


def _asked(text: str, files: tuple[str, ...] = ()) -> Bring | Look:
    """Tell lines from the few words that ask for something else."""
    word = _WORDS.get(text.strip().lower())
    if word and not files:
        return Look(at=word)
    if case := _CASE.fullmatch(text.strip()):
        return Look(at="case", case=case[1].lower())
    return Bring(text=text, files=files)


Heard = tuple[Place, Act] | None


def _mention(us: str, told: Fields) -> Heard:
    # In a direct conversation Slack tells of the same message as message.im, and of an edited one as of a new one.
    if told.get("channel_type") == "im" or _is_direct(str(told.get("channel"))) or told.get("edited"):
        return None
    return _message(us, told)


def _direct(us: str, told: Fields) -> Heard:
    where = told.get("channel_type")
    return _message(us, told) if where == "im" or (not where and _is_direct(str(told.get("channel")))) else None


def _message(us: str, told: Fields) -> Heard:
    """Hear what a person wrote. What bots wrote, we among them, and what became of a message is not for us."""
    if told.get("bot_id") or told.get("subtype") not in _WRITTEN or told.get("hidden") or not told.get("user"):
        return None
    if told["user"] == us:
        return None
    channel, ts = str(told["channel"]), str(told["ts"])
    text, files = words_of(told, us), _files(told)
    thread = str(told.get("thread_ts") or ts)
    place = Place(channel=channel, thread=thread, message=ts, direct=_is_direct(channel))
    if not text.strip() and not files:
        return (place, Look(at="help")) if us and us in str(told.get("text")) else None
    return place, _asked(text, files)


def _home(_: str, told: Fields) -> Heard:
    return (Place(direct=True), Look(at="home")) if told.get("tab", "home") == "home" else None


def _uninstalled(_: str, told: Fields) -> Heard:
    # Of tokens only the bot's count: we have no others.
    gone = told["type"] == "app_uninstalled" or (told.get("tokens") or {}).get("bot")
    return (Place(), Left()) if gone else None


def _executed(_: str, told: Fields) -> Heard:
    if (told.get("function") or {}).get("callback_id") != FUNCTION:
        return None
    inputs: Fields = told.get("inputs") or {}
    product = str(inputs.get("product") or "").strip()
    text = as_pasted(str(inputs.get("log") or ""))
    return Place(), Step(execution=str(told["function_execution_id"]), text=text, product=product or None)


def _nothing(_: str, __: Fields) -> Heard:
    return None


_EVENTS: Mapping[str, Callable[[str, Fields], Heard]] = {
    "app_mention": _mention,
    "message": _direct,
    "app_home_opened": _home,
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _uninstalled,
    "function_executed": _executed,
}


def _us(body: Fields) -> str:
    """Give our own user in that workspace, "" if it is not told."""
    authorized: list[Fields] = body.get("authorizations") or []
    return str(authorized[0].get("user_id") or "") if authorized else ""


def _files(message: Fields) -> tuple[str, ...]:
    return tuple(str(one["id"]) for one in message.get("files") or () if one.get("id"))


def _is_direct(channel: str) -> bool:
    return channel.startswith("D")
