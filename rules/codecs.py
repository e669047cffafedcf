"""Codecs turn one line into raw names and texts. Written once; a dialect only says which one it uses.

All matching on pasted text is linear in its length (RE2, or plain scanning).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from knowledge.model import Dialect
from knowledge.pattern import Patterns, pattern
from rules.words import read_words

Raw = Mapping[str, str]
"""Raw names and texts, as the line spells them."""

# Possessive, and begun at a word's start only: as linear as RE2, and many times faster than its matches one by one.
# A comma ends a value if another name follows it.
_BARE = r"(?:[^\s,]|,(?![\w.-]{1,64}=))"
_PAIR = re.compile(rf"""(?<![\w.-])([A-Za-z_][\w.-]{{0,63}}+)=("(?:[^"\\]|\\.)*+"|(?!"){_BARE}++|)""")
_CEF_BEGIN = r"CEF: ?\d"
_CEF_KEY = re.compile(r"(?:^|\s)([A-Za-z_][\w.-]{0,63}+)=")
_LONGEST_CSV_FIELD = 1 << 17

_INSTEAD_OF_TAB = {"leef": "\t", "table": "\t", "words": "  "}
"""Only LEEF and tables are divided by tabs; elsewhere a copy made them of blanks. Words need to see where cells end."""


def decode(dialect: Dialect, line: str, columns: Mapping[str, int] | None = None) -> Raw | None:
    """Give the raw names and texts of a line that the dialect recognised; None where it breaks off too early.

    Tabs count as blanks where the format is not divided by them. Groups named in the recogniser, and in those
    `details` that match, are raw names too. `columns` are those that a header line above has named.
    """
    if "\t" in line:
        line = line.replace("\t", _INSTEAD_OF_TAB.get(dialect.codec, " "))
    found = _table(dialect, line, columns) if dialect.codec == "table" else _CODECS[dialect.codec](dialect, line)
    if found is None or not (dialect.details or "(?P<" in dialect.recognise):
        return found
    more = _patterns(*reversed(dialect.details), dialect.recognise).found(line)
    return {**{name: value for one in more for name, value in one.items()}, **found}


@cache
def _patterns(*texts: str) -> Patterns:
    return Patterns(texts)


def _regex(dialect: Dialect, line: str) -> Raw | None:
    return next(_patterns(*dialect.patterns).found(line), None)


def split(dialect: Dialect, row: str) -> list[str]:
    """Divide a row of a table: by its delimiter, or by blanks where it has none or a copy has lost it."""
    delimiter = dialect.delimiter or ""
    delimiter = "\t" if delimiter == "\\t" else delimiter
    return row.split(delimiter) if delimiter.strip(" ") and delimiter in row else row.split()


def _table(dialect: Dialect, line: str, columns: Mapping[str, int] | None) -> Raw | None:
    begin = pattern(dialect.recognise).found(line) if "(?P<row>" in dialect.recognise else {"row": line}
    cells = split(dialect, (begin or {}).get("row", line))
    places = dialect.columns if columns is None else columns
    return {name: cells[place].strip() for name, place in places.items() if place < len(cells)}


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
    for key, value in pattern(dialect.pair).pairs(line) if dialect.pair else _PAIR.findall(line):
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
    cells: list[str] = []
    start = position = 0
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
    keys = list(_CEF_KEY.finditer(text))
    ends = [*(match.start() for match in keys), len(text)][1:]
    found: dict[str, str] = {}
    for match, end in zip(keys, ends, strict=True):
        found.setdefault(match.group(1), _unescaped(text[match.end() : end].strip()))
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


_LEEF_DELIMITERS = ("\t", "\\t", "#011", "|", "^")


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


_DEEPEST = 12
_LONGEST_LIST = 64
"""Items of a list that are looked at."""
_LONGEST_NAME = 256
"""Characters of a name joined with dots; every value below it repeats it."""


def _flatten(content: Any, path: str, found: dict[str, str], depth: int = 0) -> None:
    if isinstance(content, (dict, list)):
        items = content.items() if isinstance(content, dict) else enumerate(content[:_LONGEST_LIST])
        for key, value in items if depth < _DEEPEST else ():
            name = f"{path}.{key}" if path else str(key)
            if len(name) <= _LONGEST_NAME:
                _flatten(value, name, found, depth + 1)
    elif content is not None and path:
        found[path] = str(content).lower() if isinstance(content, bool) else str(content)


def _words(dialect: Dialect, line: str) -> Raw:
    """What is said in words that this dialect makes nothing of is given back with what was not understood."""
    words = read_words(dialect.patterns, line)
    used = _used(dialect, words.found)
    unused = [text for name, text in words.said.items() if name not in used]
    return {**words.found, "not understood": " ".join([*words.left, *unused])}


def _used(dialect: Dialect, found: Raw) -> set[str]:
    """Name what the fact rules need: those that the line meets, and that say more than those before them."""
    used, stated = set[str](), set[str]()
    for rule in dialect.facts:
        if not stated >= set(rule.facts) and all(_meets(found.get(name), text) for name, text in rule.when.items()):
            used |= set(rule.when)
            stated |= set(rule.facts)
    return used


def _meets(value: str | None, text: str) -> bool:
    return value is not None and pattern(text).fullmatch(value) is not None


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
