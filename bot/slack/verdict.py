"""Where a case ends, in parts: the cause with its proof, the next steps with their commands, and the small print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack.parts import Divider, Links, Part, Prose, Small, Step, Strong
from bot.wording import Page
from rules.case import Cited, Diagnosis

_REASONS = 4
_SOURCES = 3
_MOST_SOURCES = 8
"""How many sources the whole names; the export names all."""
_STEPS = 3
"""How many steps are shown at first."""

TYPE = "A number of the list, its words, a duration such as 3605s, or “unknown” would do. Log lines, too."
"""What may be typed while a question is open."""


def reason_parts(words: Page, *, whole: bool) -> Iterator[Part]:
    """Say what speaks for and against the cause that leads; `whole` leaves none out."""
    yield _list("What speaks for it", words.reasons_for, whole=whole)
    yield _list("What speaks against it", words.reasons_against, whole=whole)


def step_parts(words: Page, *, whole: bool) -> Iterator[Part]:
    """Say what to do next; `whole` tells the later steps, too."""
    if words.steps:
        yield Divider()
        yield Strong("Next steps")
    shown = words.steps if whole else words.steps[:_STEPS]
    for number, step in enumerate(shown, start=1):
        notes = " ".join(note for note in step.notes if not note.startswith("Source: "))
        small = [one for one in (step.reading, notes) if one]
        yield Step(f"{number}.", step.title, step.command or "", small)
    if more := len(words.steps) - len(shown):
        yield Small([f"and {more} more {'step' if more == 1 else 'steps'}, if that is not enough"])


def small_print(diagnosis: Diagnosis, words: Page, *, whole: bool) -> Iterator[Part]:
    """Say what would refute it and what it rests on; `whole` tells what happens and what is disputed, too."""
    if whole:
        yield Small(words.explanation.splitlines(), "What happens", ours=True)
    yield Small([words.refuted_by] if words.refuted_by else [], "What would refute it", ours=True)
    yield Small(_bulleted(words.beside), "What it does not explain")
    if whole:
        yield Small(_bulleted(words.disputed), "What is disputed")
    most = _MOST_SOURCES if whole else _SOURCES
    more = len(diagnosis.sources) - most if whole else 0
    last = [(f"and {more} more, in the export", "", "")] if more > 0 else []
    yield Links([*(_source(one) for one in diagnosis.sources[:most]), *last], "Sources")


def has_more(diagnosis: Diagnosis, words: Page) -> bool:
    """Tell whether the whole says more than what is shown first."""
    many = len(words.steps) > _STEPS or len(diagnosis.sources) > _SOURCES
    many = many or max(len(words.reasons_for), len(words.reasons_against)) > _REASONS
    return many or bool(words.explanation or words.disputed)


def _list(title: str, lines: Sequence[str], *, whole: bool) -> Prose:
    more = 0 if whole else len(lines) - _REASONS
    shown = [*lines[:_REASONS], f"and {more} more"] if more > 0 else lines
    return Prose("\n".join(f"• {line}" for line in shown), title)


def _bulleted(lines: Sequence[str]) -> list[str]:
    return [f"• {line}" for line in lines] if len(lines) > 1 else list(lines)


def _source(one: Cited) -> tuple[str, str, str]:
    return one.title, one.address or "", f"({one.trust} trust)"
