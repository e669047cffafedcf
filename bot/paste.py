"""Bytes from outside become a paste: decoded, never refused for being odd, refused for being too large."""

from __future__ import annotations

import codecs

from rules.read import LARGEST_PASTE, PasteTooLarge

MOST_BYTES = 4 * LARGEST_PASTE
"""Bytes that are taken at most; the limit in characters is checked when the paste is read."""

_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def paste_of(content: bytes) -> str:
    """Decode a paste: UTF-8, or UTF-16 with a mark; what is neither is shown as U+FFFD. Raises PasteTooLarge."""
    if len(content) > MOST_BYTES:
        raise PasteTooLarge(
            f"the paste has more than {MOST_BYTES:,} bytes. Paste the lines around the drop or the reset, "
            "or only those with its addresses."
        )
    return content.decode(encoding_of(content), "replace")


def encoding_of(content: bytes) -> str:
    """Name the encoding that the first bytes of a content mark; UTF-8 where they mark none."""
    return next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")


def unpacked(content: bytes) -> bytes:
    """Give the content back. Raises ValueError for a compressed one, which nobody means to read as it is."""
    if content.startswith(_GZIP):
        raise ValueError("it is compressed; unpack it first, for example with `zcat FILE | python -m bot read -`")
    return content


def plain_text(text: str) -> str:
    """Make text of a command line printable everywhere: bytes that were no UTF-8 arrive as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
