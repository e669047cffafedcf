"""Where a case ends, in parts: the cause with its proof, the next steps with their commands, and the small print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack.parts import Divider, Links, Part, Prose, Small, Step, Strong
from bot.wording import Page, StepWords
from rules.case import Cited, Diagnosis

_REASONS = 4
_SOURCES = 3
_STEPS = 3
"""How many steps are shown whole; of the others only what to do and what it risks."""

TYPE = "A number of the list, its words, a duration such as 3605s, or “unknown” would do. Log lines, too."
"""What may be typed while a question is open."""


def reason_parts(words: Page) -> Iterator[Part]:
    """Say what speaks for and against the cause that leads."""
    yield _list("What speaks for it", words.reasons_for)
    yield _list("What speaks against it", words.reasons_against)


def step_parts(words: Page, *, whole: bool) -> Iterator[Part]:
    """Say what to do next; `whole` tells the later steps, too."""
    if words.steps:
        yield Divider()
        yield Strong("Next steps")
    for number, step in enumerate(words.steps[:_STEPS], start=1):
        notes = " ".join(note for note in step.notes if not note.startswith("Source: "))
        small = [one for one in (step.reading, notes) if one]
        yield Step(f"{number}.", step.title, step.command or "", small)
    rest = words.steps[_STEPS:]
    if whole:
        yield Small(
            [_short(number, step) for number, step in enumerate(rest, start=_STEPS + 1)], "If that is not enough"
        )
    elif rest:
        yield Small([f"and {len(rest)} more {'step' if len(rest) == 1 else 'steps'}, if that is not enough"])


def small_print(diagnosis: Diagnosis, words: Page, *, whole: bool) -> Iterator[Part]:
    """Say what would refute it and what it rests on; `whole` tells what happens and what is disputed, too."""
    if whole:
        yield Small(words.explanation.splitlines(), "What happens")
    yield Small([words.refuted_by] if words.refuted_by else [], "What would refute it")
    yield Small(_bulleted(words.beside), "What it does not explain")
    if whole:
        yield Small(_bulleted(words.disputed), "What is disputed")
    most = len(diagnosis.sources) if whole else _SOURCES
    yield Links([_source(one) for one in diagnosis.sources[:most]], "Sources")


def has_more(diagnosis: Diagnosis, words: Page) -> bool:
    """Tell whether the whole says more than what is shown first."""
    many = len(words.steps) > _STEPS or len(diagnosis.sources) > _SOURCES
    return many or bool(words.explanation or words.disputed)


def _short(number: int, step: StepWords) -> str:
    undo = [note for note in step.notes[1:] if note.startswith("Undo: ")]
    return " ".join([f"{number}. {step.title}", step.notes[0], *undo])


def _list(title: str, lines: Sequence[str]) -> Prose:
    more = len(lines) - _REASONS
    shown = [*lines[:_REASONS], *([f"and {more} more"] if more > 0 else [])]
    return Prose("\n".join(f"• {line}" for line in shown), title)


def _bulleted(lines: Sequence[str]) -> list[str]:
    return [f"• {line}" for line in lines] if len(lines) > 1 else list(lines)


def _source(one: Cited) -> tuple[str, str, str]:
    return one.title, one.address or "", f"({one.trust} trust)"
