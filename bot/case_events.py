"""What happens in a case, one event after the other, and what comes of it: the case, and its line in a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from knowledge.clause import Value
from knowledge.model import SymptomId
from rules.answers import answered, withdrawn
from rules.case import Case, Diagnosis, KnowledgeStamp, Shape, Standing

State = Literal["open", "concluded", "closed"]
"""Closed is a case whose outcome was told; whatever is pasted or answered later opens it again."""


def _sound(value: Any) -> Any:
    """Replace lone surrogates, which JSON and UTF-8 cannot carry."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Sound = Annotated[str, AfterValidator(_sound)]
Name = Annotated[Sound, Field(max_length=200)]


class Happening(Shape):
    """Base of the events: strict, and without the numbers that JSON does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Pasted(Happening):
    """Lines were pasted. Those of a later paste stand for those of an earlier one; answers stay."""

    kind: Literal["pasted"] = "pasted"
    paste: Sound
    product: Name | None = None


class Answered(Happening):
    """A question was answered; None is "I don't know". `again`: it was asked because of a contradiction, and stands."""

    kind: Literal["answered"] = "answered"
    feature: Name
    value: Annotated[Value | None, AfterValidator(_sound)]
    again: bool = False


class Withdrawn(Happening):
    """An answer, or an "I don't know", was taken back."""

    kind: Literal["withdrawn"] = "withdrawn"
    feature: Name


class Asked(Happening):
    """A question was shown. `again`: because what is known of the feature contradicts something else."""

    kind: Literal["asked"] = "asked"
    feature: Name
    again: bool = False


class Concluded(Happening):
    """There was nothing left to ask. `cause` is None where no cause stood out; `confidence` is from 0 to 1."""

    kind: Literal["concluded"] = "concluded"
    cause: Name | None
    confidence: float = Field(ge=0, le=1)
    knowledge: KnowledgeStamp


class Outcome(Happening):
    """It was told how it ended: `solved`, by a cause that is known or (None) by something else; or not solved."""

    kind: Literal["outcome"] = "outcome"
    solved: bool = True
    cause: Name | None
    note: Sound = Field("", max_length=2000)


CaseEvent = Annotated[
    Pasted | Answered | Withdrawn | Asked | Concluded | Outcome,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[CaseEvent] = TypeAdapter(CaseEvent)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event with its number in the case, from 1, and its time in UTC."""

    number: int
    at: datetime
    event: CaseEvent


def read_event(body: str) -> CaseEvent:
    """Read an event from its JSON. Raises ValueError."""
    return _EVENT.validate_json(body)


def replayed(events: Iterable[CaseEvent]) -> Case:
    """Give the case that comes of the events."""
    return reduce(_told, events, Case())


def _told(case: Case, event: CaseEvent) -> Case:
    match event:
        case Pasted():
            return case.model_copy(update={"paste": event.paste, "product": event.product})
        case Answered():
            return answered(case, event.feature, event.value, again=event.again)
        case Withdrawn():
            return withdrawn(case, event.feature)
        case Asked() | Concluded() | Outcome():
            return case


def state_after(state: State, event: CaseEvent) -> State:
    """Give the state of a case after an event. What we say ourselves does not open a closed case."""
    match event:
        case Outcome():
            return "closed"
        case Concluded():
            return "closed" if state == "closed" else "concluded"
        case Asked():
            return "closed" if state == "closed" else "open"
        case Pasted() | Answered() | Withdrawn():
            return "open"


@dataclass(frozen=True, slots=True)
class Leading:
    """What a list shows of the last diagnosis."""

    symptom: SymptomId | None = None
    cause: str | None = None
    standing: Standing | None = None
    product: str | None = None

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> Leading:
        """Take it from a diagnosis; without a symptom no cause leads."""
        product = next((str(fact.value) for fact in diagnosis.facts if fact.feature == "log.product"), None)
        if not diagnosis.symptom or not diagnosis.hypotheses:
            return cls(diagnosis.symptom, product=product)
        first = diagnosis.hypotheses[0]
        return cls(diagnosis.symptom, first.cause, first.standing, product)


@dataclass(frozen=True, slots=True)
class Summary:
    """A case as a list shows it; `version` is the number of its events, times are in UTC."""

    id: str
    version: int
    created: datetime
    updated: datetime
    state: State = "open"
    symptom: SymptomId | None = None
    cause: str | None = None
    standing: Standing | None = None
    product: str | None = None

    def after(self, events: Sequence[CaseEvent], leading: Leading | None, at: datetime) -> Summary:
        """Give the summary after further events and, where there was one, a diagnosis."""
        state = reduce(state_after, events, self.state)
        further = replace(self, version=self.version + len(events), updated=at, state=state)
        if leading is None:
            return further
        return replace(
            further,
            symptom=leading.symptom,
            cause=leading.cause,
            standing=leading.standing,
            product=leading.product,
        )


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case with all that happened in it."""

    summary: Summary
    events: tuple[Numbered, ...]

    @property
    def case(self) -> Case:
        """What is known by now."""
        return replayed(one.event for one in self.events)
