"""What the step of a workflow gives to the steps after it: plain texts, none of them empty that it always has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.casebook import Consulted
from bot.phrases import percent, short
from bot.wording import Page, page
from knowledge.shelf import Shelf
from rules.case import Hypothesis

UNKNOWN = "unknown"
_LINES = 3
_LONGEST = 200
_SUMMARY = 2000
"""Characters; a workflow puts it into a message of its own."""


def outputs(consulted: Consulted, shelf: Shelf, link: str | None) -> Mapping[str, str]:
    """Give what manifest.json promises; `link` leads to the case, where there is a page."""
    words, named = page(consulted.diagnosis, shelf), _named(consulted)
    found = {
        **_cause(named),
        "summary": short("\n".join(_summary(words)), _SUMMARY),
        "case": consulted.kept.summary.id,
        "link": link or "",
    }
    return {name: text for name, text in found.items() if text}


def unread(why: str) -> Mapping[str, str]:
    """Give what is to be said of lines that were not even looked at."""
    return {**_cause(None), "summary": why}


def _named(consulted: Consulted) -> Hypothesis | None:
    """Give the cause that is named as the answer: as the headline does, none that is a mere possibility."""
    diagnosis = consulted.diagnosis
    if diagnosis.symptom is None or not diagnosis.hypotheses:
        return None
    first = diagnosis.hypotheses[0]
    return first if diagnosis.verdict or first.standing in ("likely", "established") else None


def _cause(named: Hypothesis | None) -> Mapping[str, str]:
    if named is None:
        return dict.fromkeys(("cause", "cause_code", "standing", "confidence"), UNKNOWN)
    sure = f"{named.standing}, {percent(named.probability)}"
    return {"cause": named.title, "cause_code": named.cause, "standing": named.standing, "confidence": sure}


def _summary(words: Page) -> Iterator[str]:
    """Say the whole answer, short."""
    if not words.understood:
        yield "No line of this was understood."
        yield from _some(words.not_understood)
    yield from _some(words.understood)
    yield words.headline
    for number, step in enumerate(words.steps[:_LINES], start=1):
        yield f"{number}. {step.title}"
    if words.question:
        yield f"The case goes on with a question: {words.question.text}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from (short(line, _LONGEST) for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"and {len(lines) - _LINES:,} more lines"
