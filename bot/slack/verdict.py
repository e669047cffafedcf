"""Where a case ends, in parts: the cause with its proof, and the next steps with their commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack.parts import Divider, Links, Part, Prose, Small, Step
from bot.wording import Page
from rules.case import Cited, Diagnosis

_REASONS = 5
_SOURCES = 6
_STEPS = 6


def verdict_parts(diagnosis: Diagnosis, words: Page) -> Iterator[Part]:
    """Say what the cause is, why, and what to do; nothing of it depends on who reads."""
    yield Prose(words.headline, "Cause" if diagnosis.verdict else "As it stands")
    yield Prose(words.explanation, "What happens")
    yield _list("What speaks for it", words.reasons_for)
    yield _list("What speaks against it", words.reasons_against)
    yield Small([words.refuted_by] if words.refuted_by else [], "What would refute it")
    yield Small(_bulleted(words.beside), "What it does not explain")
    yield Small(_bulleted(words.disputed), "What is disputed")
    if words.steps:
        yield Divider()
    for number, step in enumerate(words.steps[:_STEPS], start=1):
        yield Step(f"{number}. {step.title}", step.command or "", step.reading, step.notes)
    if len(words.steps) > _STEPS:
        yield Small([f"and {len(words.steps) - _STEPS} more steps"])
    yield Links([_source(one) for one in diagnosis.sources[:_SOURCES]], "Sources")


def _list(title: str, lines: Sequence[str]) -> Prose:
    more = len(lines) - _REASONS
    shown = [*lines[:_REASONS], *([f"and {more} more"] if more > 0 else [])]
    return Prose("\n".join(f"• {line}" for line in shown), title)


def _bulleted(lines: Sequence[str]) -> list[str]:
    return [f"• {line}" for line in lines] if len(lines) > 1 else list(lines)


def _source(one: Cited) -> tuple[str, str, str]:
    return one.title, one.address or "", f"({one.trust} trust)"


UNREAD_HINT = "A number of the list, its words, a duration such as 3605s, or “unknown” would do. Log lines, too."
"""What may be typed while a question is open."""
