"""Words for Slack: nothing that was pasted becomes a mention, a link or formatting, and nothing is cut in an entity."""

from __future__ import annotations

import re

# Marks that reverse or hide text, so that it would read otherwise than it is.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
_EVERYBODY = re.compile(r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
_ENTITY_CUT = re.compile(r"&[a-z]{0,3}\Z")
_LINK_CUT = re.compile(r"<[^<>]*\Z")
_FENCE_CUT = re.compile(r"(?<!`)`{1,2}\Z")
_BACKTICKS = re.compile("`{2,}")
_MARK = re.compile(r"(?<![A-Za-z0-9])([*_~])(?=\S)")
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
_WEB = re.compile(r"https?://[^\s<>|\"]{1,2000}")


def escape(text: str) -> str:
    """Make text inert: no mention, no link, nobody pinged, nothing hidden. Formatting marks stay; see `spaced`."""
    text = _UNSEEN.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _EVERYBODY.sub("@\u2009", text)


def spaced(text: str) -> str:
    """Make text inert that may quote what was pasted: marks begin no bold, italic or struck words, and no code."""
    return _MARK.sub("\\1\u200a", escape(text.replace("`", "'")))


def quote(text: str) -> str:
    """Make text inert inside a code block, which only several backticks can end; one goes on with a line of a shell."""
    return escape(_BACKTICKS.sub(lambda found: "'" * len(found[0]), text))


def code(text: str) -> str:
    """Write text as a code block."""
    return f"```\n{quote(text)}\n```"


def bold(title: str) -> str:
    """Write a title; Slack ends bold at the end of a line."""
    return f"*{escape(' '.join(title.split()))}*"


def linked(title: str, address: str, behind: str = "") -> str:
    """Write a title that leads to an address; anything that is no web address leads nowhere."""
    words = escape(" ".join(title.split())).replace("|", "¦")
    after = f" {escape(behind)}" if behind else ""
    return f"<{address.replace('&', '&amp;')}|{words}>{after}" if is_web(address) else words + after


def mentioned(before: str, user: str) -> str:
    """Name somebody by their id; anything that is no id is nobody."""
    return f"{escape(before)} <@{user}>" if _USER.fullmatch(user) else f"{escape(before)} somebody"


def is_web(address: str) -> bool:
    """Tell whether an address may be a link."""
    return _WEB.fullmatch(address) is not None


def cut(escaped: str, longest: int, mark: str = "…") -> str:
    """Cut escaped text, never inside an entity or a link; a code block that was open is closed."""
    if len(escaped) <= longest:
        return escaped
    kept = escaped[: longest - len(mark)]
    if kept.count("```") % 2:
        mark = f"\n```{mark}"
        kept = escaped[: longest - len(mark)]
    return _ENTITY_CUT.sub("", _LINK_CUT.sub("", _FENCE_CUT.sub("", kept))) + mark


def split(text: str, longest: int) -> list[str]:
    """Split escaped text into pieces, at line ends or spaces where there are any, never inside an entity."""
    pieces = []
    while len(text) > longest:
        head = text[:longest]
        ends = [at for at in (head.rfind("\n"), head.rfind(" ")) if at > longest // 2]
        head = head[: ends[0]] if ends else _ENTITY_CUT.sub("", head)
        pieces.append(head)
        text = text[len(head) :].lstrip()
    return [piece for piece in (*pieces, text) if piece.strip()]
