"""What Slack made of somebody's words, undone: links, escapes, fences, quotes; a line is what was pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]

# Only what Slack writes: in a command that it left as it was typed, <134> and <ns:tag> are somebody's own.
_LINK = re.compile(r"<((?:https?|ftp|mailto|tel):[^<>|\s]*)(?:\|([^<>]*))?>")
_REFERENCE = re.compile(r"<([@#!])([A-Za-z0-9^_.-][^<>|]*)(?:\|([^<>]*))?>")
_ESCAPE = re.compile(r"&(amp|lt|gt);")
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_CODE = re.compile(r"^([ \t]*)`([^`\n]+)`[ \t]*$", re.MULTILINE)
_QUOTE = re.compile(r"^&gt; ", re.MULTILINE)
# Keyboards put them where somebody types key="value"; no product writes such.
_SMART = re.compile(r"(?<=[=,])[“”„]([^“”„\"\n]*)[“”]")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_SIGNS = {"@": "@", "#": "#", "!": "@"}


def as_pasted(text: str, us: str = "") -> str:
    """Undo what Slack did. `us` is our own user, whose mentions are left out."""
    parts = _FENCE.split(text)
    told = [_plain(part) if number % 2 == 0 else part for number, part in enumerate(parts)]
    return _raw(_joined(told), us)


def words_of(message: Fields, us: str = "") -> str:
    """Give the words of a message: its own, and those of what was forwarded with it, or attached by a program."""
    own = str(message.get("text") or "")
    shown = [own] if own.strip() else list(_texts(message.get("blocks")))
    for one in message.get("attachments") or ():
        more = str(one.get("text") or "") or "\n".join(_texts(one.get("blocks"))) or str(one.get("fallback") or "")
        shown.append(more)
        shown += [str(told.get("value") or "") for told in one.get("fields") or ()]
    return as_pasted("\n".join(part for part in shown if part.strip()), us)


def _plain(text: str) -> str:
    """Undo what Slack, and keyboards, do outside of code."""
    return _SMART.sub(r'"\1"', _QUOTE.sub("", _CODE.sub(r"\1\2", text)))


def _joined(parts: list[str]) -> str:
    """Put the parts together, code on lines of its own."""
    found = ""
    for number, part in enumerate(parts):
        fence = number % 2 == 1 or number > 0
        found += "\n" if fence and found and not found.endswith("\n") and not part.startswith("\n") and part else ""
        found += part
    return found


def _raw(text: str, us: str) -> str:
    """Undo links, mentions and escapes, each once: what was escaped twice was so pasted."""
    linked = _LINK.sub(_typed_link, text)
    named = _REFERENCE.sub(lambda found: _name(found, us), linked)
    return _ESCAPE.sub(lambda found: _CHARACTERS[found[1]], named)


def _typed_link(found: re.Match[str]) -> str:
    target, label = found[1], found[2]
    return label or re.sub(r"^(?:mailto|tel):", "", target)


def _name(found: re.Match[str], us: str) -> str:
    sign, name, label = found[1], found[2], found[3]
    if sign == "@" and us and name == us:
        return ""
    if sign == "!" and name.startswith("date^"):
        return label or ""
    shown = label or name.removeprefix("subteam^")
    return shown if shown.startswith(_SIGNS[sign]) else _SIGNS[sign] + shown


def _texts(blocks: Any) -> Iterator[str]:
    """Give the texts of blocks, in their order."""
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        if block.get("type") == "rich_text":
            yield "\n".join("".join(_rich(part)) for part in block.get("elements") or ())
            continue
        told = [block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ())]
        yield from (text for one in told if (text := _text(one)))


def _text(one: Any) -> str:
    if not isinstance(one, dict):
        return ""
    inner = one.get("text")
    return inner if isinstance(inner, str) and one.get("type") in ("mrkdwn", "plain_text") else ""


def _rich(part: Any) -> Iterator[str]:
    """Give the words of a rich text, which are not escaped: they are, so that all words are undone alike."""
    for one in part.get("elements") or () if isinstance(part, dict) else ():
        if one.get("elements"):
            yield "".join(_rich(one)) + "\n"
        words = str(one.get("text") or one.get("url") or (f":{one['name']}:" if one.get("name") else ""))
        yield words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
