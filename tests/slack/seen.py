"""What somebody has before them: messages and views as they are shown, and what can be pressed in them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.slack.shapes import Fields
from tests.slack.workspace import Message, View, elements

_CONTROL = re.compile(r"<(?:[^<>|]*\|)?([^<>|]*)>")


def unescaped(text: str) -> str:
    """Give mrkdwn as people see it: links by their names, control characters as such."""
    return html.unescape(_CONTROL.sub(r"\1", text))


def label(element: Fields) -> str:
    """Give the words on an element."""
    text = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text", "")) if isinstance(text, dict) else ""


def written(value: Any) -> Iterator[str]:
    """Give all words of blocks, in order."""
    if isinstance(value, dict):
        kind = value.get("type")
        if isinstance(value.get("text"), str):
            yield unescaped(value["text"]) if kind == "mrkdwn" else value["text"]
        for key, inner in value.items():
            if key not in ("confirm", "options", "option_groups", "initial_option"):
                yield from written(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from written(inner)


@dataclass(frozen=True)
class Part:
    """Something that can be used: an element and the block that it stands in."""

    block: Fields
    element: Fields

    @property
    def label(self) -> str:
        """Give the words on it; of an input, those above it."""
        above = self.block.get("label", {}).get("text", "") if self.block["type"] == "input" else ""
        return str(above) or label(self.element)

    @property
    def options(self) -> list[Fields]:
        """Give what can be chosen."""
        grouped = [one for group in self.element.get("option_groups", []) for one in group["options"]]
        return [*self.element.get("options", []), *grouped]


def parts(blocks: list[Fields]) -> list[Part]:
    """Give all that can be used in blocks."""
    return [Part(block, element) for block in blocks for element in elements(block)]


def part(blocks: list[Fields], wanted: str) -> Part:
    """Find what can be used by its words or ids. Raises AssertionError that tells what there is."""
    there = parts(blocks)
    for one in there:
        if wanted in (one.label, one.element.get("action_id"), one.block.get("block_id")):
            return one
    raise AssertionError(f"{wanted!r} is not there; there are: {', '.join(repr(one.label) for one in there) or 'none'}")


@dataclass(frozen=True)
class Seen:
    """A message as somebody sees it."""

    message: Message

    @property
    def ts(self) -> str:
        """Give its timestamp."""
        return self.message.ts

    @property
    def private(self) -> bool:
        """Tell whether "Only visible to you" stands above it."""
        return self.message.only is not None

    @property
    def blocks(self) -> list[Fields]:
        """Give its blocks."""
        return self.message.blocks

    def words(self) -> str:
        """Give what a screen reader says and a notification shows: the top-level text."""
        return unescaped(self.message.text)

    def shows(self) -> str:
        """Give what is shown: the words of the blocks, or the text when there are none."""
        return "\n".join(written(self.blocks)) if self.blocks else self.words()

    def buttons(self) -> list[str]:
        """Give the words on all buttons."""
        return [one.label for one in parts(self.blocks) if one.element["type"] == "button"]


@dataclass(frozen=True)
class SeenView:
    """A modal or a Home tab as somebody sees it."""

    view: View

    @property
    def title(self) -> str:
        """Give the title of a modal."""
        return str(self.view.body.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Fields]:
        """Give its blocks."""
        found: list[Fields] = self.view.body["blocks"]
        return found

    @property
    def errors(self) -> dict[str, str]:
        """Give the errors that are shown at its fields, by block_id."""
        return self.view.errors

    def shows(self) -> str:
        """Give what is shown."""
        return "\n".join(written(self.blocks))

    def buttons(self) -> list[str]:
        """Give the words on all buttons."""
        return [one.label for one in parts(self.blocks) if one.element["type"] == "button"]

    def fields(self) -> list[str]:
        """Give the labels of its inputs."""
        return [one.label for one in parts(self.blocks) if one.block["type"] == "input"]
