"""Codecs turn one line into raw names and texts. Written once; a dialect only says which one it uses.

All matching on pasted text is linear in its length (RE2, or plain scanning).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from knowledge.model import Dialect
from knowledge.pattern import Match, pattern
from rules.quantities import SPOKEN

Raw = Mapping[str, str]
"""Raw names and texts, as the line spells them."""

_PAIR = r"""(?P<key>[A-Za-z_][\w.-]{0,63})=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]\S*|)"""
_CEF_BEGIN = r"CEF: ?\d"
_CEF_KEY = r"(?:^|\s)(?P<key>[A-Za-z_][\w.-]{0,63})="
_LONGEST_CSV_FIELD = 1 << 17


def decode(dialect: Dialect, line: str) -> Raw | None:
    """Give the raw names and texts of a line that the dialect recognised; None where it breaks off too early.

    Groups named in the recogniser are raw names too.
    """
    found = _CODECS[dialect.codec](dialect, line)
    if found is None or "(?P<" not in dialect.recognise:
        return found
    match = pattern(dialect.recognise).search(line)
    return {**_groups(match), **found} if match else found


def _groups(match: Match) -> dict[str, str]:
    return {name: value for name, value in match.groupdict().items() if value is not None}


def _regex(dialect: Dialect, line: str) -> Raw | None:
    for text in dialect.patterns:
        if match := pattern(text).search(line):
            return _groups(match)
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
        key, value = match.group(1), match.group(2)  # by number: names cost a lookup in C++ each
        if key and value is not None:
            found.setdefault(key, _unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value


def _cef(_dialect: Dialect, line: str) -> Raw | None:
    begin = pattern(_CEF_BEGIN).search(line)
    head = _split_header(line[begin.start() + 4 :], 8) if begin else []
    if len(head) < 7:
        return None
    names = ("version", "vendor", "product", "device_version", "signature", "name", "severity")
    found = {f"cef.{name}": text.strip() for name, text in zip(names, head, strict=False)}
    return found | _labelled(_extension(head[7] if len(head) > 7 else ""))


def _split_header(text: str, parts: int) -> list[str]:
    """Split at unescaped bars, into at most `parts`; the last keeps the rest."""
    cells, start, position = [], 0, 0
    while len(cells) < parts - 1 and (bar := text.find("|", position)) >= 0:
        position = bar + 1
        if _backslashes_before(text, bar) % 2 == 0:
            cells.append(_unescaped(text[start:bar]))
            start = position
    return [*cells, text[start:]]


def _backslashes_before(text: str, position: int) -> int:
    return position - len(text[:position].rstrip("\\"))


_ESCAPE = re.compile(r"\\([\\|=])")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _extension(text: str) -> dict[str, str]:
    """Read `key=value key=value` where values may hold spaces: a value ends where the next key begins."""
    keys = list(pattern(_CEF_KEY).finditer(text))
    ends = [*(match.start() for match in keys), len(text)][1:]
    found: dict[str, str] = {}
    for match, end in zip(keys, ends, strict=True):
        found.setdefault(match.group(1) or "", _unescaped(text[match.end() : end].strip()))
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
    names = ("version", "vendor", "product", "device_version", "event")
    found = {f"leef.{name}": text.strip() for name, text in zip(names, head, strict=False)}
    delimiter, rest = _leef_delimiter(head[0], head[5])
    return found | (_attributes(rest, delimiter) if delimiter else _extension(rest))


_LEEF_DELIMITERS = ("\t", "\\t", "|", "^")


def _leef_delimiter(version: str, rest: str) -> tuple[str, str]:
    """Find what divides the attributes, and where they begin; empty where only spaces are left to divide them.

    Version 2 may name it; senders of version 1 choose their own, and a paste may have lost the tabs.
    """
    chosen, bar, after = rest.partition("|")
    if version.strip().startswith("2") and bar and len(chosen) <= 6 and "=" not in chosen:
        named = _named_delimiter(chosen)
        if named in after and named != " ":
            return named, after.removeprefix("|") if not chosen else after
        rest = after
    return next((one for one in _LEEF_DELIMITERS if _divides(one, rest)), ""), rest


def _named_delimiter(chosen: str) -> str:
    if len(chosen) <= 1:
        return chosen or "|"
    digits = chosen.lower().removeprefix("0x").removeprefix("x").removeprefix("\\x")
    try:
        return chr(int(digits, 16)) if len(digits) <= 2 else "\t"
    except ValueError:
        return "\t"


def _divides(delimiter: str, text: str) -> bool:
    parts = text.split(delimiter, 3)
    return len(parts) > 1 and sum("=" in part for part in parts) > 1


def _attributes(text: str, delimiter: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(delimiter):
        key, equals, value = part.partition("=")
        if equals:
            found.setdefault(key.strip(), value.strip())
    return found


def _json(_dialect: Dialect, line: str) -> Raw | None:
    begin = line.find("{")
    try:
        content, _end = json.JSONDecoder().raw_decode(line[begin:]) if begin >= 0 else (None, 0)
    except (ValueError, RecursionError):
        return None
    found: dict[str, str] = {}
    _flatten(content, "", found)
    return found or None


_DEEPEST = 8


def _flatten(content: Any, path: str, found: dict[str, str], depth: int = 0) -> None:
    if isinstance(content, dict):
        for key, value in content.items() if depth < _DEEPEST else ():
            _flatten(value, f"{path}.{key}" if path else str(key), found, depth + 1)
    elif content is not None and not isinstance(content, list) and path:
        found[path] = str(content).lower() if isinstance(content, bool) else str(content)


_HEX = r"[0-9A-Fa-f]{1,4}"
_IP = rf"(?:[\dxX*]{{1,3}}\.){{3}}[\dxX*]{{1,3}}|(?:{_HEX}:){{7}}{_HEX}|{_HEX}(?::{_HEX}){{0,6}}::(?:{_HEX}(?::{_HEX}){{0,6}})?"
_ADDRESS = rf"\[?\b(?P<{{0}}>{_IP})\]?(?:[/:](?P<{{0}}_port>\d{{1,5}})\b)?"
_FLAG = r"(?:SYN|ACK|FIN|RST|PSH|PUSH|URG|ECE|CWR)"
_FLAGS = rf"{_FLAG}(?:[ ,+/-]{{1,2}}{_FLAG}){{0,7}}"
_NUMBER_ENDS = r"(?:[,;)]|\.?$|\.\s|\s(?:after|and|at|but|by|every|for|from|in|of|once|over|since|then|to|via|when|while|with)\b)"
_HINTS: Mapping[str, str] = {
    "clock": r"(?:\b\d{4}-\d\d-\d\d[T ])?\b\d\d?:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\b",
    "src": _ADDRESS.replace("{0}", "src"),
    "dst": _ADDRESS.replace("{0}", "dst"),
    "port": rf"(?i)\b(?:ports?[ :=]{{1,2}}(?P<port>\d{{1,5}})\b|(?:tcp[ /:]|on |to |:)(?P<on_port>\d{{2,5}}){_NUMBER_ENDS}|(?P<port_tcp>\d{{1,5}})/tcp\b)",
    "period": rf"(?i)\bevery (?:about |few )?(?P<period>{SPOKEN}|\w+)",
    "spoken": rf"(?i)\b(?P<spoken>{SPOKEN})\b",
    "flags": rf"(?:\[|\bTCP:)(?P<flags>[AFRPSUEC.]{{1,8}}|{_FLAGS})(?:\]|\b)|(?i)\b(?:tcp[ _-]?)?flags?[ :=]{{0,3}}(?P<flag_words>{_FLAGS}|(?-i:[AFRPSUEC.]{{1,8}}))\b",
    "idle": r"(?i)\b(?P<idle>idle|idling|silen\w{1,3}|inactiv\w{1,4}|quiet|no traffic|without traffic)\b",
}


def _words(dialect: Dialect, line: str) -> Raw:
    """Free text: what its phrases say, and the addresses, ports, flags and durations among its words."""
    found: dict[str, str] = {}
    rest = line
    for text in dialect.patterns:
        rest = _take(text, rest, found)
    for name, text in _HINTS.items():
        if name not in found:
            rest = _take(text, rest, found)
    for name, others in (("port", ("on_port", "port_tcp")), ("flags", ("flag_words",))):
        found.setdefault(name, next((found[other] for other in others if other in found), ""))
    if "spoken" in found:
        found["idle_s" if "idle" in found else "duration"] = found["spoken"]
    period = [f"every {found['period']}"] if "period" in found else []
    return found | {"not understood": " ".join([*_left(rest), *period])}


def _take(text: str, rest: str, found: dict[str, str]) -> str:
    """Note what a pattern finds first, and blank it out."""
    match = pattern(text).search(rest)
    if match is None:
        return rest
    for name, value in _groups(match).items():
        found.setdefault(name, value)
    return rest[: match.start()] + " " * (match.end() - match.start()) + rest[match.end() :]


_SMALL_WORDS = frozenset(
    "a about after again all an and any are as at be but by for from get got had has have i in is it its just log message my "
    "no not of on only our over see seen she some sometimes tcp that the then there they this to very was we were what when "
    "which why with packet packets connection connections session firewall firewalls saw seeing getting".split()
)


def _left(rest: str) -> Sequence[str]:
    return [word for word in rest.split() if word.strip(".,;:!?()[]|\"'<>=-").lower() not in _SMALL_WORDS | {""}]


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
