"""Codecs turn one line into raw names and texts. Written once; a dialect only says which one it uses.

All matching on pasted text is linear in its length (RE2, or plain scanning).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from typing import Any

from knowledge.model import Dialect
from knowledge.pattern import pattern
from rules.quantities import SPOKEN

Raw = Mapping[str, str]
"""Raw names and texts, as the line spells them."""

_PAIR = r"""(?P<key>[A-Za-z_][\w.-]{0,63})=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]\S*|)"""
_CEF_KEY = r"(?:^|\s)(?P<key>[A-Za-z][\w.-]{0,63})="
_LONGEST_CSV_FIELD = 1 << 17


def decode(dialect: Dialect, line: str) -> Raw | None:
    """Give the raw names and texts of a line that the dialect recognised; None where it breaks off too early."""
    return _CODECS[dialect.codec](dialect, line)


def _regex(dialect: Dialect, line: str) -> Raw | None:
    for text in dialect.patterns:
        if match := pattern(text).search(line):
            return {name: value for name, value in match.groupdict().items() if value is not None}
    return None


def _csv(dialect: Dialect, line: str) -> Raw | None:
    match = pattern(dialect.recognise).search(line)
    if match is None:
        return None
    row = match.groupdict().get("row")
    try:
        cells = next(csv.reader([line[match.start() :] if row is None else row], skipinitialspace=True), [])
    except csv.Error:
        return None
    return {name: cells[index].strip() for name, index in dialect.columns.items() if index < len(cells)}


def _pairs(dialect: Dialect, line: str) -> Raw:
    found: dict[str, str] = {}
    for match in pattern(dialect.pair or _PAIR).finditer(line):
        key, value = match.group("key"), match.group("value")
        if key and value is not None:
            found.setdefault(key, _unquoted(value))
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value


def _cef(_dialect: Dialect, line: str) -> Raw | None:
    begin = line.find("CEF:")
    head = _split_header(line[begin + 4 :], 8) if begin >= 0 else []
    if len(head) < 7:
        return None
    names = ("version", "vendor", "product", "device_version", "signature", "name", "severity")
    found = {f"cef.{name}": text.strip() for name, text in zip(names, head, strict=False)}
    return found | _labelled(_cef_extension(head[7] if len(head) > 7 else ""))


def _split_header(text: str, parts: int) -> list[str]:
    """Split at unescaped bars, into at most `parts`; the last keeps the rest."""
    cells, start, position = [], 0, 0
    while len(cells) < parts - 1 and (bar := text.find("|", position)) >= 0:
        position = bar + 1
        if _backslashes_before(text, bar) % 2 == 0:
            cells.append(text[start:bar].replace("\\|", "|").replace("\\\\", "\\"))
            start = position
    return [*cells, text[start:]]


def _backslashes_before(text: str, position: int) -> int:
    first = position
    while first > 0 and text[first - 1] == "\\":
        first -= 1
    return position - first


def _cef_extension(text: str) -> dict[str, str]:
    keys = list(pattern(_CEF_KEY).finditer(text))
    ends = [*(match.start() for match in keys[1:]), len(text)]
    found: dict[str, str] = {}
    for match, end in zip(keys, ends, strict=True):
        value = text[match.end() : end].strip()
        found.setdefault(match.group("key") or "", value.replace("\\=", "=").replace("\\\\", "\\"))
    return found


def _labelled(found: dict[str, str]) -> dict[str, str]:
    """Add custom fields under the names their labels give: cs1Label=RuleID cs1=601 adds RuleID=601."""
    labels = {key: value for key, value in found.items() if key.endswith("Label")}
    return found | {name: found[key[:-5]] for key, name in labels.items() if name and key[:-5] in found}


def _leef(_dialect: Dialect, line: str) -> Raw | None:
    begin = line.find("LEEF:")
    head = _split_header(line[begin + 5 :], 6) if begin >= 0 else []
    if len(head) < 6:
        return None
    delimiter, rest = "\t", head[5]
    if head[0].startswith("2"):
        chosen, bar, after = rest.partition("|")
        delimiter, rest = (_leef_delimiter(chosen), after) if bar and len(chosen) <= 6 else (delimiter, rest)
    names = ("version", "vendor", "product", "device_version", "event")
    found = {f"leef.{name}": text.strip() for name, text in zip(names, head, strict=False)}
    if delimiter not in rest and "\\t" in rest:
        delimiter = "\\t"
    for part in rest.split(delimiter):
        key, equals, value = part.partition("=")
        if equals:
            found.setdefault(key.strip(), value.strip())
    return found


def _leef_delimiter(chosen: str) -> str:
    if len(chosen) <= 1:
        return chosen or "\t"
    digits = chosen.lower().removeprefix("0x").removeprefix("x")
    try:
        return chr(int(digits, 16)) if len(digits) <= 2 else "\t"
    except ValueError:
        return "\t"


def _json(_dialect: Dialect, line: str) -> Raw | None:
    begin = line.find("{")
    try:
        content, _end = json.JSONDecoder().raw_decode(line[begin:]) if begin >= 0 else (None, 0)
    except (ValueError, RecursionError):
        return None
    found: dict[str, str] = {}
    _flatten(content, "", found)
    return found or None


def _flatten(content: Any, path: str, found: dict[str, str], depth: int = 0) -> None:
    if isinstance(content, dict) and depth < 8:
        for key, value in content.items():
            _flatten(value, f"{path}.{key}" if path else str(key), found, depth + 1)
    elif content is not None and not isinstance(content, (dict, list)) and path:
        found[path] = str(content).lower() if isinstance(content, bool) else str(content)


_IP = r"(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f]{0,4}"
_HINTS = {
    "address": rf"(?P<ip>{_IP})\]?(?:[/:](?P<port>\d{{1,5}})\b)?",
    "port": r"(?i)\b(?:port|on|to|tcp)[ :/=]{1,2}(?P<value>\d{1,5})\b",
    "spoken": rf"(?i)\b(?P<value>{SPOKEN})\b",
    "flags": r"\[(?P<value>[AFRPSUEC.]{1,8})\]|(?i:tcp.?flags?|flags?)[: =]{1,3}(?P<words>[A-Za-z.]{1,5}(?:[ ,+/-](?i:syn|ack|fin|rst|psh|push|urg))*)",
    "idle": r"(?i)\b(?P<value>idle|idling|silen\w{1,3}|inactiv\w{1,4}|quiet|no traffic)\b",
}


def _words(dialect: Dialect, line: str) -> Raw:
    """Free text: what its phrases say, and the addresses, ports, flags and durations among its words."""
    found: dict[str, str] = {}
    spans: list[tuple[int, int]] = []
    for text in dialect.patterns:
        if match := pattern(text).search(line):
            spans.append((match.start(), match.end()))
            found |= {name: value for name, value in match.groupdict().items() if value is not None}
    spans += _addresses(line, found)
    for name in ("port", "spoken", "flags", "idle"):
        if (match := pattern(_HINTS[name]).search(line)) and not _inside(match.start(), spans):
            spans.append((match.start(), match.end()))
            found[name] = next(value for value in match.groupdict().values() if value)
    if "spoken" in found:
        found["idle_s" if "idle" in found else "duration"] = found["spoken"]
    return found | {"not understood": _rest(line, spans)}


def _addresses(line: str, found: dict[str, str]) -> list[tuple[int, int]]:
    """Take the first two addresses as source and destination."""
    spans = []
    for end, match in zip(("src", "dst"), pattern(_HINTS["address"]).finditer(line), strict=False):
        groups = match.groupdict()
        spans.append((match.start(), match.end()))
        found[end] = groups["ip"] or ""
        if groups["port"]:
            found[f"{end}_port"] = groups["port"]
    return spans


def _inside(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


_SMALL_WORDS = frozenset(
    ["a", "about", "after", "again", "all", "an", "and", "any", "are", "as", "at", "be", "but", "by", "for", "from", "get", "got", "had", "has", "have", "i", "in", "is", "it", "its", "just", "log", "message", "my", "no", "not", "of", "on", "only", "our", "over", "see", "seen", "she", "some", "sometimes", "tcp", "that", "the", "then", "there", "they", "this", "to", "very", "was", "we", "were", "what", "when", "which", "why", "with", "packet", "packets", "connection", "connections", "session", "firewall", "firewalls", "saw", "seeing", "getting"]
)


def _rest(line: str, spans: list[tuple[int, int]]) -> str:
    kept = list(line)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    words = "".join(kept).split()
    return " ".join(word for word in words if word.strip(".,;:!?()[]\"'").lower() not in _SMALL_WORDS | {""})


_CODECS: Mapping[str, Callable[[Dialect, str], Raw | None]] = {
    "regex": _regex,
    "csv": _csv,
    "pairs": _pairs,
    "cef": _cef,
    "leef": _leef,
    "json": _json,
    "words": _words,
}
csv.field_size_limit(_LONGEST_CSV_FIELD)
