"""Undo what chats and mails do to a pasted line, and show what cannot be shown."""

from __future__ import annotations

import html
import re

_SMART = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\ufeff": ""})
_BIDI = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Marks that turn the direction of writing: with them a line shows something else than it says."""
_CONTROLS = {0: "", 10: " "} | dict.fromkeys([*range(1, 9), *range(11, 32), *range(127, 160), *_BIDI], "\ufffd")
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#[xX][0-9A-Fa-f]{1,5});")


def clean(text: str) -> str:
    """Undo what chats and mails do to a line; show what cannot be shown as U+FFFD (controls, lone surrogates).

    NUL goes without a trace: many senders of syslog end their messages with it.
    """
    own_quotes = text.startswith("{") and '"' in text  # in JSON that kept its quotes, other ones are content
    if "&" in text and not own_quotes:
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text:
        text = _COLOURS.sub("", text)  # of a terminal, and what erases the rest of its line
    text = (text if own_quotes else text.translate(_SMART)).translate(_CONTROLS)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
