"""Concluded cases on today's knowledge: which of them would end otherwise, and whether how they ended speaks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from bot.case_events import Concluded, KeptCase, Outcome, replayed
from bot.cases import Store
from bot.history import cause_title
from bot.phrases import percent
from knowledge.shelf import Shelf
from rules.case import Case, Diagnosis
from rules.diagnose import Expert


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a case was concluded with and what it ends with now; `cause` is None where no verdict is given.

    `asks` is the feature that today's knowledge asks for before it concludes. `told` is how it ended, if that was told;
    `at` is the time of the conclusion.
    """

    workspace: str
    case: str
    at: datetime
    then: Concluded
    cause: str | None
    confidence: float
    asks: str | None
    told: Outcome | None

    @property
    def changed(self) -> bool:
        """Whether another verdict is given now, or none any more, or one where there was none."""
        return self.then.cause != self.cause

    def agrees(self, cause: str | None) -> bool | None:
        """Tell whether a verdict agrees with how the case ended; None if that is not known."""
        if self.told is None or not self.told.solved:
            return None
        return cause == self.told.cause


def at_conclusion(kept: KeptCase) -> tuple[Case, Concluded, datetime] | None:
    """Give a case as it was when it was last concluded, and that conclusion with its time; None if it never was."""
    for one in reversed(kept.events):
        if isinstance(one.event, Concluded):
            return replayed(each.event for each in kept.events[: one.number - 1]), one.event, one.at
    return None


def compared(workspace: str, kept: KeptCase, then: Concluded, at: datetime, now: Diagnosis) -> Replayed:
    """Compare a conclusion and its time with what today's knowledge says of the same case."""
    told = next((one.event for one in reversed(kept.events) if isinstance(one.event, Outcome)), None)
    return Replayed(
        workspace=workspace,
        case=kept.summary.id,
        at=at,
        then=then,
        cause=now.verdict.cause if now.verdict else None,
        confidence=now.verdict.confidence if now.verdict else 0.0,
        asks=now.question.feature if now.question else None,
        told=told if isinstance(told, Outcome) else None,
    )


async def replay(
    store: Store, expert: Expert, workspace: str | None = None, since: datetime | None = None
) -> AsyncIterator[Replayed]:
    """Think all concluded cases through again, one after the other, of one workspace or of all.

    `since` leaves out those in which nothing happened since. Raises PasteTooLarge.
    """
    async for where, kept in store.concluded(workspace, since):
        if found := at_conclusion(kept):
            case, then, at = found
            yield compared(where, kept, then, at, expert.diagnose(case))


def replay_words(one: Replayed, shelf: Shelf) -> list[str]:
    """Say how a verdict changed, and which of the two agrees with how the case ended."""
    now = _verdict(one.cause, one.confidence, shelf)
    asks = f" (asks for {one.asks} first)" if one.asks else ""
    lines = [f"{_verdict(one.then.cause, one.then.confidence, shelf)} → {now}{asks}"]
    if one.told is not None:
        lines.append(f"How it ended: {_ended(one, shelf)}")
    return lines


def _verdict(cause: str | None, confidence: float, shelf: Shelf) -> str:
    return f"{cause_title(cause, shelf)} {percent(confidence)}" if cause else "no verdict"


def _ended(one: Replayed, shelf: Shelf) -> str:
    if one.told is None or not one.told.solved:
        return "not solved; that speaks for neither."
    cause = cause_title(one.told.cause, shelf) if one.told.cause else "none of the known causes"
    agree = [name for name, verdict in (("then", one.then.cause), ("now", one.cause)) if one.agrees(verdict)]
    return f"{cause}; {'both agree' if len(agree) > 1 else ''.join(agree or ['neither']) + ' agrees'}."
