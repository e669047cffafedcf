"""What happened in a kept case, in sentences: what was answered and when, what was concluded, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.case_events import Answered, CaseEvent, Concluded, Numbered, Outcome, Pasted, Withdrawn
from bot.phrases import percent, sentence
from knowledge.clause import Value, plain
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import KnowledgeStamp

UNKNOWN_SAID = "I don't know"


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """One question that was answered: the answer that stands (None if it was taken back), and those before it."""

    feature: str
    question: str
    answer: str | None
    at: datetime
    earlier: Sequence[tuple[str, datetime]]

    @property
    def earlier_said(self) -> str:
        """What stood there before, with times."""
        return "; ".join(f"{answer} ({when(at)})" for answer, at in self.earlier)


def when(at: datetime) -> str:
    """Write a time, to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def answer_words(events: Iterable[Numbered], shelf: Shelf) -> list[AnswerWords]:
    """Tell all answers, in the order in which their questions were first answered."""
    given: dict[str, list[tuple[str | None, datetime]]] = {}
    for one in events:
        if isinstance(one.event, Answered):
            given.setdefault(one.event.feature, []).append((value_said(one.event, shelf), one.at))
        elif isinstance(one.event, Withdrawn) and one.event.feature in given:
            given[one.event.feature].append((None, one.at))
    return [
        AnswerWords(feature, question_text(feature, shelf), answer, at, [(one or "taken back", t) for one, t in before])
        for feature, (*before, (answer, at)) in given.items()
    ]


def question_text(feature: str, shelf: Shelf) -> str:
    """Give the question about a feature; knowledge may have forgotten it since."""
    entry = shelf.features.get(feature)
    if entry is None:
        return feature
    return entry.question.text if entry.question else entry.title


def value_said(event: Answered, shelf: Shelf) -> str:
    """Write an answer for people."""
    return UNKNOWN_SAID if event.value is None else _said(event.feature, event.value, shelf)


def _said(feature: str, value: Value, shelf: Shelf) -> str:
    entry = shelf.features.get(feature)
    return plain(value) if entry is None or entry.type == "yes-no" else said(entry, value)


def concluded_otherwise(events: Sequence[Numbered], today: KnowledgeStamp, shelf: Shelf) -> str:
    """Say what was concluded last, if it was by other knowledge than today's; "" if it was not."""
    last = next((one for one in reversed(events) if isinstance(one.event, Concluded)), None)
    if last is None or not isinstance(last.event, Concluded) or last.event.knowledge == today:
        return ""
    stamp, what = last.event.knowledge, conclusion_said(last.event, shelf)
    return f"Concluded on {when(last.at)} with knowledge {stamp.version} {stamp.hash}: {what}"


def conclusion_said(concluded: Concluded, shelf: Shelf) -> str:
    """Say what was concluded."""
    if concluded.cause is None:
        return "no cause stood out."
    return f"{cause_title(concluded.cause, shelf)} ({percent(concluded.confidence)})."


def cause_title(cause: str, shelf: Shelf) -> str:
    """Give a cause's title; knowledge may have forgotten it since."""
    return shelf.causes[cause].title if cause in shelf.causes else cause


def outcome_said(events: Sequence[Numbered], shelf: Shelf) -> tuple[str, str]:
    """Say how the case ended, and the note that was left; both "" if that was not told."""
    last = next((one for one in reversed(events) if isinstance(one.event, Outcome)), None)
    if last is None or not isinstance(last.event, Outcome):
        return "", ""
    outcome = last.event
    if not outcome.solved:
        how = "not solved"
    elif outcome.cause is None:
        how = "solved; it was none of the known causes"
    else:
        how = f"solved; it was “{cause_title(outcome.cause, shelf)}”"
    return f"Told on {when(last.at)}: {how}.", outcome.note


def told_words(events: Iterable[CaseEvent], shelf: Shelf) -> Iterator[str]:
    """Say what was told, an event a sentence."""
    for event in events:
        match event:
            case Pasted():
                yield "Other lines were pasted."
            case Answered():
                yield f"{question_text(event.feature, shelf)} → {value_said(event, shelf)}"
            case Withdrawn():
                yield f"{question_text(event.feature, shelf)} → taken back"
            case Outcome():
                yield sentence("It was told how the case ended")
            case _:
                pass
