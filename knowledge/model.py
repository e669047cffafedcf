"""The shapes of all knowledge entries. Frozen, nothing extra allowed: a misspelt key is an error, not a comment."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Regex = Annotated[str, StringConstraints(min_length=1)]
"""A pattern: a blank at either end of it counts."""
Scalar = bool | int | float | str
ClauseText = Scalar | list[Scalar]

SymptomId = Literal["out-of-state", "reset"]
Effort = Literal["glance", "lookup", "command", "capture"]
Strength = Literal["shows", "points to", "supports", "weakens", "excludes"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
"""The strengths, those for a cause first, the strongest at the ends."""
Prior = Literal["common", "uncommon", "rare"]
Known = Literal["usually", "often", "sometimes", "seldom"]
Event = Literal[
    "out-of-state",
    "reset-by-server",
    "reset-by-client",
    "reset-by-firewall",
    "idle-timeout",
    "handshake-timeout",
    "invalid-flags",
    "closed",
    "denied",
    "scan",
    "other",
]
"""What a line says happened (see docs/vocabulary.md). A line that says none of these has no event."""

LineEvent = (
    Event | Literal["reset-by-source", "reset-by-destination", "reset-by-someone", "opened", "packet", "irrelevant"]
)
"""What a dialect may call a line: an event; a reset whose side still has to become a role; an opening or a packet that
was seen, which matter to other lines only; or nothing for us."""


Stands = Literal["firewall", "load-balancer", "proxy", "nat-gateway", "sensor", "capture", "host"]
"""How a product stands to a connection: between its ends, listening beside the path, or on one of the ends."""


class Entry(BaseModel):
    """Base of every entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Source(Entry):
    """A document that is cited. `statements` lists, in our words, each claim of a document that must be encoded."""

    id: str = ""
    title: Text
    address: Text | None = None
    kind: Literal["founding", "vendor", "standard", "kernel", "community", "paper", "blog"]
    trust: Literal["high", "medium", "low"]
    note: Text | None = None
    statements: dict[str, Text] = {}


class Dispute(Entry):
    """A cited claim that better sources contradict: both are kept, the better one is weighed."""

    claim: Text
    source: Text
    better: Text
    better_source: Text = Field(validation_alias=AliasChoices("better source", "better_source"))


class Question(Entry):
    """How to obtain a missing fact. `how` maps a product id, or `any`, to how to find out there.

    `known` says how often those who have the problem know the answer already.
    `use` names a product command that helps, as in a remedy.
    """

    text: Text
    why: Text
    effort: Effort
    known: Known = "sometimes"
    use: Text | None = None
    how: dict[str, Text] = {}
    source: Text | None = None


class Feature(Entry):
    """Something that can be known about a case; askable if it has a question. `choices` maps a value to its label.

    A `broad` one is a list to look over: each of its choices stands for a fact of another feature, by an inference.
    Of an `ordered` one several values may be true at once; where several are told, the first of its choices stands.
    """

    id: str = ""
    title: Text
    type: Literal["choice", "number", "yes-no", "text"]
    unit: Literal["s"] | None = None
    choices: dict[str | int, Text] = {}
    broad: bool = False
    ordered: bool = False
    notes: list[Text] = []
    question: Question | None = None
    sources: list[Text] = []


class Remedy(Entry):
    """What to do. `use` names a product command that every product of the shelf may fill in its own way.

    `only for` names the products it exists for; it is not shown where another product is known to be in the case.
    """

    do: Text
    only_for: list[Text] = Field([], validation_alias=AliasChoices("only for", "only_for"))
    kind: Literal["look", "fix", "workaround"]
    risk: Literal["none", "reversible", "weakens-security"]
    caution: Text | None = None
    undo: Text | None = None
    check: Text
    use: Text | None = None
    commands: dict[str, Text] = {}
    source: Text


class Clue(Entry):
    """Clauses that together say something about one cause, with one of four strengths."""

    shows: dict[str, ClauseText] | None = None
    points_to: dict[str, ClauseText] | None = Field(None, validation_alias=AliasChoices("points to", "points_to"))
    supports: dict[str, ClauseText] | None = None
    weakens: dict[str, ClauseText] | None = None
    excludes: dict[str, ClauseText] | None = None
    because: Text
    source: Text | None = None

    @property
    def strength(self) -> Strength:
        """The one strength that this clue states."""
        return self.parts()[0][0]

    @property
    def clauses(self) -> dict[str, ClauseText]:
        """The clauses under that strength."""
        return self.parts()[0][1]

    def parts(self) -> list[tuple[Strength, dict[str, ClauseText]]]:
        """Every strength that is stated; an entry must state exactly one (the shelf checks it)."""
        stated: list[tuple[Strength, dict[str, ClauseText] | None]] = [
            ("shows", self.shows),
            ("points to", self.points_to),
            ("supports", self.supports),
            ("weakens", self.weakens),
            ("excludes", self.excludes),
        ]
        return [(strength, clauses) for strength, clauses in stated if clauses is not None]


class Example(Entry):
    """A worked case: a paste, told facts, or both. `explained by` says which cause a lookalike really is."""

    name: Text
    paste: str = ""
    facts: dict[str, Scalar] = {}
    symptom: SymptomId | None = None
    explained_by: Text | None = Field(None, validation_alias=AliasChoices("explained by", "explained_by"))
    source: Text | None = None


class Cause(Entry):
    """A known explanation, top to bottom as a page: meaning, clues, remedies, sources, proof."""

    id: str = ""
    title: Text
    symptoms: Annotated[list[SymptomId], Field(min_length=1)]
    prior: Prior
    severity: Literal["normal", "nuisance", "degrading", "outage", "security"]
    summary: Text
    explanation: Text
    clues: Annotated[list[Clue], Field(min_length=1)]
    refuted_by: Text = Field(validation_alias=AliasChoices("refuted by", "refuted_by"))
    remedies: Annotated[list[Remedy], Field(min_length=1)]
    disputes: list[Dispute] = []
    sources: Annotated[list[Text], Field(min_length=1)]
    examples: list[Example] = []
    lookalikes: list[Example] = []


class Symptom(Entry):
    """A family of messages: what it means, when it is normal, what everybody should look at first."""

    id: str = ""
    title: Text
    summary: Text
    explanation: Text
    normal: Text
    impact: Text
    steps: list[Remedy] = []
    not_causes: dict[str, Dispute] = Field({}, validation_alias=AliasChoices("not causes", "not_causes"))
    notes: list[Text] = []
    sources: Annotated[list[Text], Field(min_length=1)]


class Inference(Entry):
    """A rule that derives one fact from facts."""

    when: Annotated[dict[str, ClauseText], Field(min_length=1)]
    then: Annotated[dict[str, Scalar], Field(min_length=1, max_length=1)]
    because: Text
    source: Text


class Contradiction(Entry):
    """Facts that do not go together: the named told fact is asked again instead of averaging."""

    when: Annotated[dict[str, ClauseText], Field(min_length=1)]
    ask_again: Text = Field(validation_alias=AliasChoices("ask again", "ask_again"))
    because: Text
    source: Text


class InferenceBook(Entry):
    """The file of all inferences and contradictions."""

    inferences: dict[str, Inference] = {}
    contradictions: dict[str, Contradiction] = {}


class Command(Entry):
    """A command template of one product; `{source}`-like fields come from the paste, safely quoted."""

    run: Text
    reading: Text | None = None
    source: Text


class Timer(Entry):
    """A default timer as documented, in seconds; firmware versions differ."""

    seconds: Annotated[float, Field(gt=0)]
    title: Text
    source: Text


class Product(Entry):
    """What one product does: default timers, commands, traps of its log fields.

    `here` tells whether it can be the device that logged (a firewall), or is only met on the path (a cloud gateway).
    `stands` tells how it stands between client and server, or beside them.
    """

    id: str = ""
    title: Text
    vendor: Text
    product: Text
    aliases: list[Text] = []
    here: bool = True
    stands: Stands = "firewall"
    timers: dict[str, Timer] = {}
    commands: dict[str, Command] = {}
    traps: list[Text] = []
    sources: Annotated[list[Text], Field(min_length=1)]


class FieldRule(Entry):
    """Where a record field comes from: the first raw name that has a value, optionally renamed by `map`."""

    raw: str | list[str]
    map: dict[str, str] = {}
    format: str | list[str] | None = None


class LineRule(Entry):
    """What a line with these raw values says. `when` maps a raw name to a pattern its whole value must match.

    `says` are the product's own words for it, as they stand in its lines.
    """

    when: dict[str, str] = {}
    event: LineEvent
    says: list[Text] = []
    why: Text | None = None
    client: Literal["source", "destination"] | None = None
    any_transport: bool = Field(False, validation_alias=AliasChoices("any transport", "any_transport"))


class FactRule(Entry):
    """Facts that a line with these raw values states."""

    when: dict[str, str] = {}
    facts: dict[str, Scalar]
    because: Text
    source: Text | None = None


class Phrase(Entry):
    """Words by which engineers state a fact, matched in one sentence at a time, whatever their case.

    A pattern may use the shelf's macros, as `{clear}`. At its beginning `{clear}` asks for a clause in which nothing is
    denied or doubted up to there, and `{calm}` for one in which nothing is said to work either. A group `duration`
    gives the value of a number. `with` are patterns that the same sentence must match as well, wherever;
    `{clear}` and `{calm}` hold for each by itself; `unless` are patterns that it must not match anywhere. `not` are
    sentences like it that state no such thing.
    """

    pattern: Regex
    with_: Annotated[list[Regex], Field(validation_alias=AliasChoices("with", "with_"))] = []
    unless: list[Regex] = []
    samples: Annotated[list[Text], Field(min_length=1)]
    not_: Annotated[list[Text], Field(min_length=1, validation_alias=AliasChoices("not", "not_"))]


class Phrases(Entry):
    """How one feature's values are said in sentences: each value's phrases; a number's stand under `*`."""

    id: str = ""
    values: Annotated[dict[str, list[Phrase]], Field(min_length=1)]


class Macro(Entry):
    """A pattern that phrases share: they name it in braces."""

    id: str = ""
    pattern: Regex


class PhraseBook(BaseModel):
    """A file of phrases: how features are said, each value's phrases by feature, and what their patterns share."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, dict[str, list[Phrase]]] = {}
    macros: dict[str, Regex] = {}


class ProductRule(Entry):
    """The product that writes lines with these raw values, where several share one way of writing."""

    when: Annotated[dict[str, str], Field(min_length=1)]
    product: Text


class Sample(Entry):
    """A real-format line, or a block of lines, beside what it must yield; expect only what matters."""

    line: Text
    event: Event | Literal["opened", "packet", "irrelevant"]
    expect: dict[str, Scalar | list[str] | None] = {}
    facts: dict[str, Scalar] = {}


class Dialect(Entry):
    """How one product writes its lines.

    `marks` are what every line of it holds, in words beside a pattern: an unread line is told what it lacks of the
    nearest dialect. `unless` takes a line back that `recognise` claims. `block` tells which lines still belong to the
    record that a recognised line opened. `each` names the raw names of which every one is a record of its own.
    `cannot say` is what this way of writing leaves open, whatever happened.
    """

    id: str = ""
    title: Text
    product: Text
    products: list[ProductRule] = []
    names: FieldRule | None = None
    codec: Literal["regex", "csv", "table", "pairs", "cef", "leef", "json", "words"]
    recognise: Regex
    unless: Regex | None = None
    marks: dict[str, Regex] = {}
    cannot_say: Text | None = Field(None, validation_alias=AliasChoices("cannot say", "cannot_say"))
    fallback: bool = False
    block: Regex | None = None
    joined_by_id: bool = Field(False, validation_alias=AliasChoices("joined by id", "joined_by_id"))
    each: Regex | None = None
    patterns: list[Regex] = []
    details: list[Regex] = []
    columns: dict[str, int] = {}
    header: Regex | None = None
    delimiter: Text | None = None
    pair: Regex | None = None
    transport: Literal["tcp"] | None = None
    client: Literal["source", "destination"] | None = None
    client_because: Text | None = Field(None, validation_alias=AliasChoices("client because", "client_because"))
    fields: dict[str, str | list[str] | FieldRule] = {}
    lines: Annotated[list[LineRule], Field(min_length=1)]
    facts: list[FactRule] = []
    sources: Annotated[list[Text], Field(min_length=1)]
    samples: Annotated[list[Sample], Field(min_length=1)]
