"""What is logged: JSON, one line each, and never what somebody pasted, asked for or sent along."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from bot.telemetry import REQUEST, Seen

log = logging.getLogger("whydrop.requests")

_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Lines(logging.Formatter):
    """Writes a record as one line of JSON. ASCII only, so that nothing in it can end the line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": time[:-6] + "Z", "level": record.levelname.lower()}
        fields: dict[str, Any] | None = getattr(record, "whydrop", None)
        return _encoded(head | (fields if fields is not None else _message(record)))


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Let a line go that cannot be written: logging would print the record, and what it is about."""


def configure_logs(stream: TextIO | None = None) -> None:
    """Log as JSON from now on, to stderr if no stream is given: our own, uvicorn's, and warnings of all others."""
    handler = _Handler(stream)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    for before in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(before)
    root.addHandler(handler)
    logging.getLogger("whydrop").setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        its = logging.getLogger(name)
        its.handlers.clear()
        its.propagate = name != "uvicorn.access"  # which would log query strings, and headers in them
        its.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


def log_request(seen: Seen) -> None:
    """Log a request that has ended."""
    level = logging.ERROR if seen.status >= 500 else logging.INFO
    if not log.isEnabledFor(level):
        return
    # Made by hand: to look for the caller costs more than the rest of the line.
    record = logging.LogRecord(log.name, level, "", 0, "request", None, None)
    record.whydrop = _request(seen)
    log.handle(record)


def place(wrong: BaseException) -> str:
    """Say where an exception arose, without its message: that may quote what was pasted."""
    frames = traceback.extract_tb(wrong.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"


def _request(seen: Seen) -> dict[str, Any]:
    fields = {
        "event": "request",
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 3),
        "in": seen.bytes_in,
        "out": seen.bytes_out,
        "request": seen.request,
        "peer": seen.peer,
    }
    if seen.key is not None:
        fields |= {"key": seen.key, "workspace": seen.workspace}
    return fields


def _message(record: logging.LogRecord) -> dict[str, Any]:
    fields = {"event": "message", "logger": record.name, **_text(record)}
    request = REQUEST.get(None)
    if request is not None:
        fields["request"] = request
    wrong = record.exc_info[1] if record.exc_info else None
    if wrong is not None:
        fields |= {"exception": type(wrong).__name__, "at": place(wrong)}
    return fields


def _text(record: logging.LogRecord) -> dict[str, str]:
    """Give the words of a record. Of others' we know only where they were said: they may quote what was pasted."""
    room = record.name.partition(".")[0]
    if room == "whydrop":
        return {"text": record.getMessage()}
    if room == "uvicorn":
        # At its start it tells addresses; later a path, or a whole traceback, could be among the words.
        plain = record.levelno == logging.INFO and "WebSocket" not in str(record.msg)
        lines = (record.getMessage() if plain else str(record.msg)).splitlines()
        return {"text": lines[0] if lines else ""}
    return {"said at": f"{record.pathname}:{record.lineno}"}
