"""`python -m bot`."""

from __future__ import annotations

import os
import sys

from bot.cli import app


def main() -> None:
    """Run the command line; an output that cannot be written is told, and is no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 gets question marks, not nothing
    try:
        app(prog_name="python -m bot")
    except OSError as wrong:
        _cannot_write(wrong)
    finally:
        _flush()


def _flush() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as wrong:
        _cannot_write(wrong)


def _cannot_write(wrong: OSError) -> None:
    """End here and now: what is still in the buffer would fail once more when Python shuts down."""
    if sys.stderr is not None:
        sys.stderr.write(f"whydrop: the output could not be written: {wrong.strerror}\n")
        sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
