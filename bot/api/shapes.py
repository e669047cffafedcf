"""What REST takes and gives beside the diagnosis itself; every shape is strict about what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.case_events import CaseEvent, State
from knowledge.model import SymptomId
from rules.case import Diagnosis, Finding, Hypothesis, KnowledgeStamp, Record, Standing, Unread
from rules.read import LARGEST_PASTE

CASE_ID = r"^[a-z2-7]{26}$"
_MOST = 200
_NAME = 100


def _sound(text: Any) -> Any:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else text


Cleaned = Annotated[str, BeforeValidator(_sound)]
# The limit of a paste is not checked here: whoever pastes too much is told so with a 413, and what to leave out.
Paste = Annotated[
    Cleaned, WithJsonSchema({"type": "string", "maxLength": LARGEST_PASTE, "description": "The log lines, verbatim"})
]
Answers = dict[str, Any]
"""Feature to value; the description lists what each may be, bot/api/words.py checks it."""


class Wanting(BaseModel):
    """Base of what is taken: nothing extra, no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class WantedReading(Wanting):
    """Lines to be read."""

    paste: Paste


class WantedDiagnosis(Wanting):
    """What a diagnosis is wanted for: a paste, and what is known already."""

    paste: Paste = ""
    answers: Answers = Field({}, max_length=_MOST)
    product: Cleaned | None = Field(None, max_length=_NAME, description="The product that wrote the lines")
    declined: list[str] = Field([], max_length=_MOST, description="Features never to be asked for")
    confirmed: list[str] = Field([], max_length=_MOST, description="Answers that stand in spite of a contradiction")


class WantedCase(Wanting):
    """A case to be begun."""

    paste: Paste = ""
    answers: Answers = Field({}, max_length=_MOST)
    product: Cleaned | None = Field(None, max_length=_NAME, description="The product that wrote the lines")


class WantedPaste(Wanting):
    """Lines that stand for those of the case from now on; its answers stay."""

    paste: Paste
    product: Cleaned | None = Field(None, max_length=_NAME, description="The product that wrote the lines")


class WantedAnswers(Wanting):
    """Answers to one or several questions, asked or not; an earlier answer to the same question is changed."""

    answers: Answers = Field(min_length=1, max_length=_MOST)


class WantedOutcome(Wanting):
    """How it ended. With `solved` and without a cause it was something that whydrop does not know."""

    solved: bool
    cause: str | None = Field(None, max_length=_NAME, description="The id of the cause that it had been")
    note: Cleaned = Field("", max_length=2000)


class Given(BaseModel):
    """Base of what is given."""

    model_config = ConfigDict(frozen=True)


class Read(Given):
    """What the lines say, and which lines nobody reads."""

    records: Sequence[Record]
    unread: Sequence[Unread]


class Listed(Given):
    """A case in a list; times are in UTC."""

    id: str
    version: int
    created: datetime
    updated: datetime
    state: State
    symptom: SymptomId | None
    cause: str | None
    standing: Standing | None
    product: str | None


class CaseList(Given):
    """A part of the list of cases, newest first; `next` is the cursor of the next part."""

    cases: Sequence[Listed]
    next: str | None


class ToldOutcome(Given):
    """How it ended, as it was told last; whatever is told later opens the case again."""

    at: datetime
    solved: bool
    cause: str | None
    note: str


class ConcludedThen(Given):
    """How the case was concluded, and by which knowledge."""

    at: datetime
    cause: str | None
    confidence: float
    knowledge: KnowledgeStamp


class CaseShown(Given):
    """A case as it stands: what was told, what came of it, and its diagnosis by today's knowledge."""

    id: str
    version: int
    state: State
    created: datetime
    updated: datetime
    link: str = Field(description="The page of the case")
    paste: str
    product: str | None
    answers: dict[str, bool | int | float | str]
    declined: Sequence[str]
    confirmed: Sequence[str]
    concluded: ConcludedThen | None
    outcome: ToldOutcome | None
    diagnosis: Diagnosis


class NumberedEvent(Given):
    """An event of a case, with its number from 1."""

    number: int
    at: datetime
    event: CaseEvent


class EventList(Given):
    """All that happened in a case, in order."""

    events: Sequence[NumberedEvent]


class Why(Given):
    """From which facts a cause has its place; `follows` says what inferred facts follow from."""

    hypothesis: Hypothesis
    follows: dict[str, Sequence[str]]
    words: Sequence[str] = Field(description="The same in sentences")


class UnmetClue(Given):
    """A clue that was not met: the features that say otherwise, and those that are not known."""

    because: str
    failed: Sequence[str]
    missing: Sequence[str]


class WhyNotShown(Given):
    """Why a cause does not lead: what speaks against it, what is not so, and what is not known."""

    hypothesis: Hypothesis
    against: Sequence[Finding]
    failed: Sequence[UnmetClue]
    missing: Sequence[UnmetClue]
    words: Sequence[str] = Field(description="The same in sentences")


class Leads(Given):
    """What one answer would do: the cause that would lead, and its probability."""

    label: str
    leader: str
    probability: float


class WhatIfShown(Given):
    """What each answer to a question would do."""

    feature: str
    answers: Sequence[Leads]
    words: Sequence[str] = Field(description="The same in sentences")


class Wrong(Given):
    """One place of a request that is wrong."""

    at: str
    detail: str


class ProblemShown(Given):
    """A problem as RFC 9457 writes it; `type` leads to a page that says how to mend it."""

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[Wrong] | None = Field(None, json_schema_extra={"type": "array"})
