"""Files that were shared: text, snippets and what gzip made of them become lines; others are refused in words."""

from __future__ import annotations

import zlib

from bot.slack.web import SharedFile
from rules.read import LARGEST_PASTE

LARGEST = LARGEST_PASTE
"""Bytes of a file."""
_GZIP = b"\x1f\x8b"
_BINARY = 0.05
"""The share of control characters from which on a file is no text."""
_WAYS = f"Send a text file, a snippet, or a .gz of one, up to {LARGEST // 1_000_000} MB, or paste the lines."


class UnreadableFile(ValueError):
    """A file that is not read; the message says why, and what to do."""


def checked(file: SharedFile) -> SharedFile:
    """Refuse a file before it is read. Raises UnreadableFile."""
    if file.size > LARGEST:
        raise UnreadableFile(f"The file has {file.size:,} bytes, which is more than whydrop reads here. {_WAYS}")
    if file.mode in {"external", "tombstone", "hidden_by_limit"} or not file.url:
        raise UnreadableFile(f"The file is not kept in Slack itself, so whydrop cannot read it. {_WAYS}")
    return file


def text_of(content: bytes) -> str:
    """Give the text of a file. Raises UnreadableFile."""
    if len(content) > LARGEST:
        raise UnreadableFile(f"The file is larger than whydrop reads here. {_WAYS}")
    if content.startswith(_GZIP):
        content = _unpacked(content)
    text = _decoded(content)
    strange = sum(1 for one in text[:10_000] if (one < " " and one not in "\t\r\n\x1b\f") or one == "\ufffd")
    if strange > _BINARY * min(len(text), 10_000):
        raise UnreadableFile(f"The file is no text. {_WAYS}")
    return text


def _unpacked(content: bytes) -> bytes:
    """Unpack what gzip made, never more than a paste may have."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        text = unpacking.decompress(content, LARGEST_PASTE + 1)
    except zlib.error:
        raise UnreadableFile(f"The .gz file is damaged. {_WAYS}") from None
    if len(text) > LARGEST_PASTE:
        raise UnreadableFile(f"Unpacked, the file is larger than whydrop reads. {_WAYS}")
    return text


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")
