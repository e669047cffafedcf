"""The casebook: what every face does with a case that lasts. It is told something, thinks, and keeps both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from bot.case_events import (
    Answered,
    Asked,
    CaseEvent,
    Concluded,
    KeptCase,
    Leading,
    Numbered,
    Pasted,
    Summary,
    Withdrawn,
    replayed,
)
from bot.cases import Change, Filters, Page, Stale, Store
from bot.outbox import announce
from bot.remembered import Remembered
from bot.tables import Busy
from bot.thinking import Here
from bot.threads import Threads
from knowledge.model import SymptomId
from rules.answers import asked_again
from rules.case import Case, Diagnosis, Standing
from rules.diagnose import Expert

_TRIES = 50
"""How often what was told is thought through again because another process was faster."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Consulted:
    """A case with all that happened in it, and its diagnosis by today's knowledge."""

    kept: KeptCase
    diagnosis: Diagnosis

    @property
    def case(self) -> Case:
        """What is known by now."""
        return self.kept.case


@dataclass(frozen=True, slots=True)
class Told:
    """What was told and what follows from it, ready to be kept. `before` is None for a case that begins."""

    before: KeptCase | None
    events: Sequence[CaseEvent]
    diagnosis: Diagnosis

    async def keep(self, change: Change) -> Consulted:
        """Keep it, in the transaction of the change. Raises NoSuchCase, Stale, CaseFull."""
        leading = Leading.of(self.diagnosis)
        if self.before is None:
            summary = await change.create(self.events, leading)
            earlier: tuple[Numbered, ...] = ()
        else:
            known = self.before.summary
            summary = await change.append(known.id, self.events, known.version, leading)
            earlier = self.before.events
        for event in self.events:
            if isinstance(event, Concluded):
                await announce(change, "case.concluded", _about(summary, event))
        added = (
            Numbered(number, summary.updated, event) for number, event in enumerate(self.events, start=len(earlier) + 1)
        )
        return Consulted(KeptCase(summary, (*earlier, *added)), self.diagnosis)


def _about(summary: Summary, event: Concluded) -> dict[str, object]:
    """Say what webhooks are told: nothing of what was pasted."""
    known = {"case": summary.id, "symptom": summary.symptom, "product": summary.product}
    return {**known, **event.model_dump(exclude={"kind"})}


Keeping = Callable[[Told], Awaitable[T]]
"""Keeps what was told, alone or together with something else: in one transaction."""


class Counting(Protocol):
    """Counts what happens."""

    def diagnosed(self, symptom: SymptomId | None, standing: Standing | None) -> None:
        """Count a diagnosis."""

    def happened(self, event: CaseEvent) -> None:
        """Count an event that was kept."""


class Casebook:
    """All cases, and the expert who is consulted about them. One per process."""

    def __init__(
        self,
        store: Store,
        expert: Expert,
        in_thread: Threads,
        counting: Counting | None = None,
        thinking: Here | None = None,
    ) -> None:
        self._counting = counting
        self.thinking = thinking or Here(expert, in_thread)
        self._remembered = Remembered()
        self.store = store
        self.expert = expert
        self.in_thread = in_thread
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, workspace: str, told: Sequence[CaseEvent]) -> Consulted:
        """Begin a case. Raises PasteTooLarge, Busy."""
        return await self.begin_with(told, lambda one: self.store.change(workspace, one.keep))

    async def begin_with(self, told: Sequence[CaseEvent], keep: Keeping[T]) -> T:
        """Begin a case and keep it as `keep` does. Raises PasteTooLarge, and what that raises."""
        thought = await self._thought_through(None, told)
        kept = await keep(thought)
        self._count(thought)
        return kept

    async def tell(
        self, workspace: str, case: str, told: Sequence[CaseEvent], expected: int | None = None
    ) -> Consulted:
        """Tell a case something; with `expected`, only at that version.

        Raises NoSuchCase, Stale, CaseFull, PasteTooLarge, Busy.
        """
        return await self.tell_with(workspace, case, told, expected, lambda one: self.store.change(workspace, one.keep))

    async def tell_with(
        self, workspace: str, case: str, told: Sequence[CaseEvent], expected: int | None, keep: Keeping[T]
    ) -> T:
        """Tell a case something and keep it as `keep` does; whoever was faster is heard first. Raises as `tell`."""
        async with self._turns.setdefault(f"{workspace} {case}", asyncio.Lock()):
            for _ in range(_TRIES):
                before = await self.store.read(workspace, case)
                if expected not in {None, before.summary.version}:
                    raise Stale(before.summary.version)
                thought = await self._thought_through(before, told)
                try:
                    kept = await keep(thought)
                except Stale:
                    if expected is not None:
                        raise
                    continue
                self._count(thought)
                return kept
        raise Busy

    async def read(self, workspace: str, case: str) -> Consulted:
        """Read a case, and diagnose it by today's knowledge. Raises NoSuchCase."""
        kept = await self.store.read(workspace, case)
        return Consulted(kept, await self.diagnosis(kept.case))

    async def list(
        self, workspace: str, filters: Filters | None = None, cursor: str | None = None, limit: int = 20
    ) -> Page:
        """List cases; see Store.list."""
        return await self.store.list(workspace, filters, cursor, limit)

    async def diagnosis(self, case: Case) -> Diagnosis:
        """Diagnose, beside the loop that serves. Raises PasteTooLarge."""
        diagnosis = self._remembered.of(case)
        if diagnosis is None:
            diagnosis = await self.thinking(case)
            self._remembered.keep(case, diagnosis)
        if self._counting:
            leading = Leading.of(diagnosis)
            self._counting.diagnosed(leading.symptom, leading.standing)
        return diagnosis

    def _count(self, told: Told) -> None:
        if self._counting:
            for event in told.events:
                self._counting.happened(event)

    async def _thought_through(self, before: KeptCase | None, told: Sequence[CaseEvent]) -> Told:
        earlier = [one.event for one in before.events] if before else []
        noticed = [_noticed(event, earlier) for event in told]
        diagnosis = await self.diagnosis(replayed([*earlier, *noticed]))
        return Told(before, [*noticed, *_said(diagnosis, [*earlier, *noticed])], diagnosis)


def _noticed(event: CaseEvent, earlier: Sequence[CaseEvent]) -> CaseEvent:
    """Mark the answer to a question that was asked because of a contradiction: it stands."""
    if not isinstance(event, Answered) or event.again:
        return event
    asked = next((one for one in reversed(earlier) if isinstance(one, Asked)), None)
    again = asked is not None and asked.feature == event.feature and asked.again
    return event.model_copy(update={"again": again})


def _said(diagnosis: Diagnosis, events: Sequence[CaseEvent]) -> list[CaseEvent]:
    """Give what whydrop says then, unless it said just that before: its next question, or where the case ends."""
    if diagnosis.question:
        feature = diagnosis.question.feature
        said: CaseEvent = Asked(feature=feature, again=asked_again(diagnosis, feature))
    else:
        verdict = diagnosis.verdict
        said = Concluded(
            cause=verdict.cause if verdict else None,
            confidence=verdict.confidence if verdict else 0.0,
            knowledge=diagnosis.knowledge,
        )
    kinds = (Asked, Concluded) if diagnosis.question else (Pasted, Answered, Withdrawn, Asked, Concluded)
    last = next((one for one in reversed(events) if isinstance(one, kinds)), None)
    return [] if said == last else [said]
