"""Lines from a file or a pipe of any size, one after the other, in memory that does not grow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from bot.paste import MOST_BYTES, encoding_of, unpacked
from rules.read import LONGEST_LINE

_TAKEN = LONGEST_LINE + 1
"""Characters of one line that are taken; the rest of a longer one is passed over, as it is refused anyway."""


def lines_of(stream: BinaryIO) -> Iterator[str]:
    """Give the lines of a stream of bytes: UTF-8, or UTF-16 with a mark; what is neither is shown as U+FFFD."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BytesIO(stream.read())
    first = buffered.peek(4) if isinstance(buffered, io.BufferedReader) else buffered.getvalue()[:4]
    encoding = encoding_of(unpacked(first))
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline=None)
    try:
        while line := text.readline(_TAKEN):
            _pass_over_rest(text, line)
            yield line.removesuffix("\n")
    finally:
        text.detach()  # the stream is not ours to close


def _pass_over_rest(text: TextIO, begun: str) -> None:
    passed = 0
    while begun and not begun.endswith("\n"):
        passed += len(begun)
        if passed > MOST_BYTES:
            raise ValueError(f"there is a line of more than {MOST_BYTES:,} characters; is this a log?")
        begun = text.readline(_TAKEN)
