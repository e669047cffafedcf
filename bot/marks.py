"""What both kinds of pictures share: colours, signs, and what a mark says."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from bot.phrases import percent
from knowledge.model import Cause, Strength
from rules.workbench import Mark, Node, Row

SIGNS: Mapping[Strength, str] = {"shows": "+++", "points to": "++", "supports": "+", "weakens": "–", "excludes": "✕"}
"""How a strength is drawn."""
_WEIGHTIEST: Sequence[Strength] = ("excludes", "shows", "points to", "weakens", "supports")
COLOURS = """
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1c2128; --faint: #59636e; --line: #d5dae0; --band: #f3f5f7; --group: #e6eaef;
  --points-to: #17693a; --on-points-to: #ffffff; --supports: #c3e8cd; --on-supports: #0b3d1f;
  --weakens: #fbdcb4; --on-weakens: #5a3000; --excludes: #b3261e; --on-excludes: #ffffff; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14181d; --ink: #e4e8ed; --faint: #9aa5b1; --line: #363d46; --band: #1b2027; --group: #272e37;
  --points-to: #4cc37a; --on-points-to: #04220f; --supports: #1d4a2d; --on-supports: #c8f0d4;
  --weakens: #5b3a10; --on-weakens: #ffdfb0; --excludes: #f2857c; --on-excludes: #3d0703; } }
"""
FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
LEGEND = (
    "A dashed frame: only together with other evidence. A small number: so many clues. Point at a mark to read them."
)

MARK_STYLE = "\n".join(
    f".{kind} {{ background: var(--{kind}); color: var(--on-{kind}); fill: var(--{kind}); }} "
    f"text.on-{kind} {{ fill: var(--on-{kind}); }}"
    for kind in ("points-to", "supports", "weakens", "excludes")
)


_UNDRAWABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(text: str) -> str:
    """Escape a text for HTML and SVG, and leave out what XML cannot hold."""
    return html.escape(_UNDRAWABLE.sub("", text))


def groups_of(rows: Sequence[Row]) -> list[list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.feature.id, []).append(row)
    return list(groups.values())


def weightiest(marks: Sequence[Mark]) -> Mark:
    """Choose the mark that is drawn: one that stands alone before one that does not, then by strength."""
    return min(marks, key=lambda one: (bool(one.beside), _WEIGHTIEST.index(one.strength)))


def kind_of(strength: Strength) -> str:
    return strength.replace(" ", "-")


def spelt(row: Row, cause: Cause, marks: Sequence[Mark]) -> str:
    """Spell the marks of one cell out."""
    beside = [f" (with {', '.join(one.beside)})" if one.beside else "" for one in marks]
    clues = [f"{one.strength}{more}: {one.because}" for one, more in zip(marks, beside, strict=True)]
    return "\n".join([f"{row.feature.title}: {row.value} · {cause.title}", *clues])


def leads(node: Node) -> str:
    return f"{node.leader}, {percent(node.probability)} ({node.standing})"


def clash(node: Node) -> str:
    return f"does not go together: {node.contradiction}"
