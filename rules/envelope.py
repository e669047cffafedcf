"""Take a log line out of what it was carried in: a quoted mail, grep's output, a container's or a journal's JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from knowledge.pattern import pattern
from rules.clean import clean
from rules.times import written

_QUOTE = r"^\s{0,8}(?:(?:>|\|(?: |$)|&gt;) ?){1,8}"
_FENCE = r"^\s{0,8}`{1,3}(?:[a-z]{1,12}$)?"
_FENCE_END = r"`{1,3}\s*$"
_QUOTING = frozenset(" \t>|&")
_BULLET = r"^\s{0,8}(?:[-*\x{2022}] |\d{1,3}[.)] )"
_FILE = r"[\w./~@+-]*[A-Za-z/_][\w./~@+-]*(?:\.(?:\d|gz|log|txt|out|csv|json)|kern|filter|messages|syslog)"
_GREP = rf"^(?:[A-Za-z]:)?{_FILE}(?:[:-]\d{{1,9}})?[:-]\s?"
_NUMBER = r"^\d{1,9}(?:[:-](?P<after>[^\d])|\t)"
_CONTAINER = r"^\[?[A-Za-z][\w./-]{0,120}\]?\s{0,40}\| "
_CRI = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "
_DEEPEST = 4
_SHORTEST_CELL = 40
"""Characters of a line that a table may hold; shorter cells are words."""

_MESSAGES = (
    "log",
    "MESSAGE",
    "_raw",
    "message",
    "full_message",
    "short_message",
    "textPayload",
    "line",
    "rawlog",
    "raw",
)
"""Keys under which collectors of logs keep the line: Docker, journald, Splunk, Elastic, GELF, Google, Loki."""
_WRAPPERS = ("result", "_source", "fields", "data", "record")
"""Keys under which search results keep the whole entry: Splunk, Elasticsearch and their like."""


def carried(text: str) -> Iterator[str]:
    """Give what a line may really say, the likeliest first: what JSON carries before the JSON, else the line itself."""
    bare = _bare(text)
    packed = bare.startswith("{") or _has_cell(bare)
    if not packed:
        yield bare
    inner = _inner(bare)
    if inner is not None and inner != bare:
        yield from _deeper(inner)
    if packed:
        yield bare


def _deeper(text: str, depth: int = 1) -> Iterator[str]:
    if depth < _DEEPEST:
        bare = _bare(text)
        inner = _inner(bare)
        if inner is not None and inner != bare:
            yield from _deeper(inner, depth + 1)
        yield bare


def _bare(text: str) -> str:
    """Take off quote marks and fences."""
    if text[:1] in _QUOTING:
        text = _without(_QUOTE, text)
    if "`" in text:
        text = _without(_FENCE_END, _without(_FENCE, text))
    if text.startswith('"') and text.endswith('"') and '"' in text[1:-1]:
        text = _cell(text)
    return text.strip(" ")


def _cell(text: str) -> str:
    """Take a line out of a spreadsheet's cell, where every quote inside is doubled; several cells are no such line."""
    inside = text[1:-1]
    return text if '"' in inside.replace('""', "") else inside.replace('""', '"')


def _has_cell(text: str) -> bool:
    """Tell whether a table's row holds a line whose own quotes were doubled."""
    return '""' in text and (',"' in text or text.startswith('"')) and len(text) > _SHORTEST_CELL


def _of_cells(text: str) -> str | None:
    """Give the cell that holds a line: the longest of those whose quotes were doubled."""
    cells = next(csv.reader([text]), [])
    lines = [cell for cell in cells if '"' in cell and cell != text and len(cell) > _SHORTEST_CELL]
    return clean(max(lines, key=len)) if lines else None


def _inner(text: str) -> str | None:
    """Give the line inside one layer of packing; None where there is no further layer."""
    if text.startswith("{"):
        return _of_json(text)
    if _has_cell(text) and (cell := _of_cells(text)) is not None:
        return cell
    for mark in (_CRI, _GREP, _CONTAINER, _BULLET):
        if (rest := _without(mark, text)) != text:
            return rest
    match = pattern(_NUMBER).search(text) if text[:1].isdigit() else None
    return text[match.end() - (1 if match.group("after") else 0) :] if match else None


def _without(mark: str, text: str) -> str:
    match = pattern(mark).search(text)
    return text[: match.start()] + text[match.end() :] if match else text


def _of_json(text: str) -> str | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    inner = _message(content) if isinstance(content, dict) else None
    return None if inner is None else clean(inner)


def _message(content: Mapping[str, Any]) -> str | None:
    for key in _MESSAGES:
        value = content.get(key)
        if isinstance(value, list) and value and all(isinstance(one, int) and 0 <= one < 256 for one in value):
            value = bytes(value).decode("utf-8", "replace")  # journald's way with what is not UTF-8
        if isinstance(value, str) and value.strip():
            return _head(content) + " ".join(value.split("\n")).strip()
    original = content.get("event")
    inner = original.get("original") if isinstance(original, dict) else None
    if isinstance(inner, str):
        return inner
    wrapped = (content[key] for key in _WRAPPERS if isinstance(content.get(key), dict))
    return next((message for one in wrapped if (message := _message(one)) is not None), None)


def _head(content: Mapping[str, Any]) -> str:
    """Put before a message what the journal or the container knew of it: when, where and who."""
    when = _time(content)
    host, who, pid = (content.get(name) for name in ("_HOSTNAME", "SYSLOG_IDENTIFIER", "SYSLOG_PID"))
    process = f"{who}[{pid or content.get('_PID')}]:" if who and (pid or content.get("_PID")) else who and f"{who}:"
    return "".join(f"{part} " for part in (when, host, process) if isinstance(part, str) and part)


def _time(content: Mapping[str, Any]) -> str | None:
    stamp = content.get("__REALTIME_TIMESTAMP")
    if isinstance(stamp, str) and stamp.isdigit() and len(stamp) == len("1700000000000000"):
        return written(datetime.fromtimestamp(int(stamp) / 1e6, UTC))
    for name in ("time", "@timestamp", "timestamp"):
        if isinstance(value := content.get(name), str) and pattern(r"^\d{4}-\d\d-\d\d").search(value):
            return value
    return None
