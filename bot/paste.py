"""Bytes from outside become a paste: decoded, refused for being too large; a file of another kind is told apart."""

from __future__ import annotations

import codecs

from rules.read import LARGEST_PASTE, PasteTooLarge

MOST_BYTES = 4 * LARGEST_PASTE
"""Bytes that are taken at most; the limit in characters is checked when the paste is read."""

_GZIP = b"\x1f\x8b"
_BINARY = {
    "a packet capture": (
        b"\xd4\xc3\xb2\xa1",
        b"\xa1\xb2\xc3\xd4",
        b"\x4d\x3c\xb2\xa1",
        b"\xa1\xb2\x3c\x4d",
        b"\n\r\r\n",
    ),
    "a picture": (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"),
    "a document": (b"%PDF-", b"\xd0\xcf\x11\xe0"),
    "an archive": (b"PK\x03\x04", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf"),
}
"""How files begin that nobody can read as lines."""
_WITH_TEXT = ("a picture", "a document", "an archive")
_LOOKED_AT = 8192
"""Bytes in which NULs are counted."""
_MOST_NULS = 0.1
"""Share of NULs that a text may have."""
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


def check_text(content: bytes) -> None:
    """Raise ValueError, with what to do instead, for the content of a file that is no text, such as a capture.

    UTF-16 with a mark is text; so is what holds a few NULs, as logs do behind a crash.
    """
    if encoding_of(content) != "utf-8":
        return
    kind = next((kind for kind, marks in _BINARY.items() if content.startswith(marks)), None)
    start = content[:_LOOKED_AT]
    if kind is None and start.count(0) <= len(start) * _MOST_NULS:
        return
    named = f" ({kind})" if kind else ""
    instead = "paste its text" if kind in _WITH_TEXT else "export it with `tshark -r FILE` or `tcpdump -r FILE`"
    raise ValueError(f"this is a binary file{named}; whydrop reads text: {instead}")


def plain_text(text: str) -> str:
    """Make text of a command line printable everywhere: bytes that were no UTF-8 arrive as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
