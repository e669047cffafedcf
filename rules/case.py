"""The shapes that travel: records, facts, the case, and the diagnosis, as the contract fixes them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from knowledge.clause import Value
from knowledge.model import Effort, Event, Strength, SymptomId

Kind = Literal["seen", "told", "inferred", "assumed"]
Standing = Literal["established", "likely", "possible", "unlikely", "excluded"]


def _whole(value: Value) -> bool | int | float | str:
    """Write 443, not 443.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_unset = partial(operator.is_, None)
"""Tells whether an optional field is left out of what is sent: the contract's own fields are always there."""

Worth = Annotated[Value, PlainSerializer(_whole, when_used="json")]


class Shape(BaseModel):
    """Base of every shape: frozen, nothing extra."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoint(Shape):
    """One end as the line states it; what is masked or missing is None. `translated_*` is what NAT made of it."""

    ip: str | None = None
    port: int | None = None
    zone: str | None = None
    interface: str | None = None
    translated_ip: str | None = Field(None, exclude_if=_unset)
    translated_port: int | None = Field(None, exclude_if=_unset)


class Amount(Shape):
    """Bytes or packets in each direction, from the source's point of view; None where the line does not say."""

    sent: int | None = None
    received: int | None = None


class Record(Shape):
    """One line in vendor-neutral fields. `source` and `destination` are the packet's, or the session's, as stated.

    `seen` is what a line without an event shows: a connection was opened, or a packet or state of it was seen.
    `last_line` is set where a record stands on several lines; `payload` counts bytes of TCP data; `cannot_say` is what
    this way of writing leaves open.
    """

    line: int
    last_line: int | None = Field(None, exclude_if=_unset)
    dialect: str
    vendor: str
    product: str
    device: str | None = Field(None, exclude_if=_unset)
    event: Event | None = None
    seen: Literal["opened", "packet"] | None = Field(None, exclude_if=_unset)
    time: str | None = None
    source: Endpoint = Endpoint()
    destination: Endpoint = Endpoint()
    transport: str | None = None
    flags: list[str] = []
    reason: str | None = None
    action: str | None = None
    duration_s: float | None = None
    bytes: Amount = Amount()
    packets: Amount = Amount()
    ttl: int | None = Field(None, exclude_if=_unset)
    payload: int | None = Field(None, exclude_if=_unset)
    rule: str | None = None
    id: str | None = None
    cannot_say: str | None = Field(None, exclude_if=_unset)
    raw: str = ""


class Unread(Shape):
    """A line, or a part of one, that gave nothing, and why. `last_line` is set where it stands on several lines.

    `cut` tells that `text` is only the beginning of a line that is too long to be read.
    """

    line: int
    last_line: int | None = Field(None, exclude_if=_unset)
    text: str
    why: str
    cut: bool = Field(False, exclude=True)


class Fact(Shape):
    """One feature's value in this case, with its origin: `line 2`, `you said`, `inferred by ...`, `assumed: ...`."""

    feature: str
    value: Worth
    origin: str
    kind: Kind


class Case(Shape):
    """All that is known in one consultation. `answers` are what was told; `declined` features are never asked again.

    `confirmed` features were asked a second time because of a contradiction, and the answer stood.
    """

    paste: str = ""
    product: str | None = None
    answers: Mapping[str, Value] = {}
    declined: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    observed: tuple[Fact, ...] | None = Field(None, exclude=True)


class Finding(Shape):
    """A clue that was met, and by which facts."""

    clue: str
    strength: Strength
    because: str
    facts: list[str]
    source: str | None = None


class Hypothesis(Shape):
    """A cause under consideration, with all that speaks for and against it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    cause: str
    title: str
    probability: float
    standing: Standing
    for_: list[Finding] = Field(alias="for")
    against: list[Finding]
    refuted_by: str


class Choice(Shape):
    """One answer that is offered."""

    value: Worth
    label: str


class Asked(Shape):
    """The next question. `why` says what it would decide; `how` how to find out, for the product in the case.

    `command` is one that helps to find out, filled in, where the product has one; `reading` what to look for in it.
    """

    feature: str
    text: str
    choices: list[Choice]
    why: str
    effort: Effort
    how: str
    command: str | None
    reading: str | None


class Verdict(Shape):
    """The explanation that stands at the end."""

    cause: str
    title: str
    confidence: float
    summary: str
    explanation: str


class Step(Shape):
    """What to do next. `command` is filled in for the product in the case, where one is known.

    `reading` says what to look for in its output, and what to replace in it.
    """

    do: str
    kind: Literal["look", "fix", "workaround"]
    risk: Literal["none", "reversible", "weakens-security"]
    caution: str | None
    undo: str | None
    check: str
    command: str | None
    reading: str | None
    source: str


class Cited(Shape):
    """A source that the answer rests on."""

    id: str
    title: str
    address: str | None
    trust: str


class Contradicted(Shape):
    """Facts that do not go together, and which one is asked again."""

    facts: list[str]
    because: str
    ask_again: str


class Beside(Shape):
    """A cause that may be at work beside the leading one, and the sign of it that the leading one does not explain."""

    cause: str
    title: str
    because: str
    facts: list[str]


class KnowledgeStamp(Shape):
    """Which knowledge gave the answer."""

    version: str
    hash: str


class Diagnosis(Shape):
    """The answer, the same object everywhere. `about_line` is the line it is about, where several were pasted."""

    symptom: SymptomId | None
    about_line: int | None = None
    records: list[Record]
    unread: list[Unread]
    facts: list[Fact]
    hypotheses: list[Hypothesis]
    question: Asked | None
    verdict: Verdict | None
    steps: list[Step]
    sources: list[Cited]
    contradictions: list[Contradicted] = []
    beside: list[Beside] = Field([], exclude_if=operator.not_)
    knowledge: KnowledgeStamp
