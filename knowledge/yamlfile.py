"""Read one YAML file into plain data, with the line of every key and item, refusing duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""The path from the top of a file to a key or an item, as pydantic's `loc` writes it."""

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
        loader = _LOADER(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise YamlProblem(line, f"this is not YAML: {wrong.problem or wrong.context}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise YamlProblem(1, f"this is not YAML: {wrong}") from None
    lines: dict[Where, int] = {(): 1}
    content = None if node is None else _build(loader, node, (), lines)
    return YamlFile(path, content, lines)


_DEEPEST = 30
_MOST_PARTS = 200_000
"""Bounds that aliases of aliases would break; the largest entry of ours has some thousand parts."""


def _build(loader: Any, node: Any, where: Where, lines: dict[Where, int]) -> Any:
    if len(where) > _DEEPEST or len(lines) > _MOST_PARTS:
        raise YamlProblem(node.start_mark.line + 1, "this nests too deep or has too many parts")
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(loader, node, where, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*where, index), lines) for index, item in enumerate(node.value)]
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as wrong:
        raise YamlProblem(node.start_mark.line + 1, f"this value cannot be read: {wrong}") from None


def _build_mapping(loader: Any, node: Any, where: Where, lines: dict[Where, int]) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlProblem(key_node.start_mark.line + 1, "a key must be a plain word")
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if key in mapping:
            raise YamlProblem(line, f"duplicate key {key!r}; it stands on line {lines[(*where, key)]} already")
        lines[(*where, key)] = line
        mapping[key] = _build(loader, value_node, (*where, key), lines)
    return mapping
