"""Read one YAML file into plain data, with the line of every key and item, refusing duplicates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""The path from the top of a file to a key or an item, as pydantic's `loc` writes it."""

_BRACKETS = re.compile(r"[\[\]{}]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlProblem(Exception):
    """A file that is no YAML, or says one key twice; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Plain data and where each part of it stands."""

    path: Path
    content: Any
    lines: dict[Where, int]

    def line_of(self, where: Where) -> int:
        """Give the line of the nearest part that is known, walking up from `where`."""
        for length in range(len(where), -1, -1):
            if where[:length] in self.lines:
                return self.lines[where[:length]]
        return 1


def read_yaml(path: Path) -> YamlFile:
    """Read a file. Raises YamlProblem with a line."""
    try:
        loader = _LOADER(_text(path))
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise YamlProblem(line, f"this is not YAML: {wrong.problem or wrong.context}") from None
    except (yaml.YAMLError, ValueError) as wrong:
        raise YamlProblem(1, f"this is not YAML: {wrong}") from None
    except OSError as wrong:
        raise YamlProblem(1, f"this cannot be read: {wrong.strerror}") from None
    lines: dict[Where, int] = {(): 1}
    content = None if node is None else _build(loader, node, (), lines)
    return YamlFile(path, content, lines)


_DEEPEST = 30
_MOST_PARTS = 200_000
"""Bounds that aliases of aliases would break; the largest entry of ours has some thousand parts."""
_LARGEST = 2_000_000
_MOST_OPEN = 500
"""Bytes of a file, and brackets or dashes open in it: PyYAML recurses by them in C and would overrun the stack."""


def _text(path: Path) -> str:
    if not path.is_file():
        raise YamlProblem(1, "this is no file")
    if path.stat().st_size > _LARGEST:
        raise YamlProblem(1, f"this file has more than {_LARGEST:,} bytes")
    text = path.read_text(encoding="utf-8")
    if _depth(text) > _MOST_OPEN or "- " * _MOST_OPEN in text or "? " * _MOST_OPEN in text:
        raise YamlProblem(1, "this nests too deep or has too many parts")
    return text


def _depth(text: str) -> int:
    """Give how many brackets are open at once at most, wherever they stand."""
    deepest = now = 0
    for one in _BRACKETS.findall(text):
        if one in "[{":
            now += 1
            deepest = max(deepest, now)
        else:
            now -= 1
    return deepest


def _build(loader: Any, node: Any, where: Where, lines: dict[Where, int]) -> Any:
    if len(where) > _DEEPEST or len(lines) > _MOST_PARTS:
        raise YamlProblem(node.start_mark.line + 1, "this nests too deep or has too many parts")
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(loader, node, where, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*where, index), lines) for index, item in enumerate(node.value)]
    return _scalar(loader, node)


def _scalar(loader: Any, node: Any) -> Any:
    try:
        return loader.construct_object(node)
    except Exception as wrong:  # noqa: BLE001  (PyYAML's constructors raise whatever dates, bytes and tags make them)
        reason = getattr(wrong, "problem", None) or wrong
        raise YamlProblem(node.start_mark.line + 1, f"this value cannot be read: {reason}") from None


def _build_mapping(loader: Any, node: Any, where: Where, lines: dict[Where, int]) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlProblem(key_node.start_mark.line + 1, "a key must be a plain word")
        key = _scalar(loader, key_node)
        line = key_node.start_mark.line + 1
        if key in mapping:
            raise YamlProblem(line, f"duplicate key {key!r}; it stands on line {lines[(*where, key)]} already")
        lines[(*where, key)] = line
        mapping[key] = _build(loader, value_node, (*where, key), lines)
    return mapping
