"""A diagnosis in sentences, worded once; each face only lays them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.phrases import capital, lower, percent, reflowed, sentence, short
from knowledge.clause import Value, plain
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Asked, Beside, Diagnosis, Endpoint, Fact, Finding, Hypothesis, Kind, Record, Step
from rules.flows import same_connection
from rules.prose import WROTE

TAGS: Mapping[Kind, str] = {
    "seen": "seen in the log",
    "told": "you said",
    "inferred": "inferred",
    "assumed": "assumed",
}
_EFFORTS = {
    "glance": "a glance at the same log",
    "lookup": "a look at another screen",
    "command": "a command",
    "capture": "a packet capture",
}
_RISKS = {
    "none": "no risk",
    "reversible": "a change that can be taken back",
    "weakens-security": "weakens security",
}
_KINDS = {"look": "To look at", "fix": "A fix", "workaround": "A workaround"}
_LEVEL = 0.005
"""Shares closer than this are level."""
_FEW = 5
_SHOWN = 5
"""How many causes are shown before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of the ranking."""

    title: str
    word: str
    probability: float

    @property
    def percent(self) -> str:
        """The probability as people read it: never 0 % or 100 %, for nothing is that sure."""
        return percent(self.probability)


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The next question. `choices` are labels beside the values they stand for."""

    feature: str
    text: str
    why: str
    how: str
    command: str | None
    reading: str
    choices: Sequence[tuple[Value, str]]


@dataclass(frozen=True, slots=True)
class StepWords:
    """One next step: what to do, and everything to know before doing it."""

    title: str
    notes: Sequence[str]
    command: str | None
    reading: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a face shows, in reading order."""

    understood: Sequence[str]
    aside: str
    not_understood: Sequence[str]
    facts: Sequence[str]
    headline: str
    leader: str
    ranking: Sequence[Rank]
    more_causes: int
    contradictions: Sequence[str]
    question: QuestionWords | None
    explanation: str
    reasons_for: Sequence[str]
    reasons_against: Sequence[str]
    beside: Sequence[str]
    refuted_by: str
    disputed: Sequence[str]
    steps: Sequence[StepWords]
    sources: Sequence[str]


def page(diagnosis: Diagnosis, shelf: Shelf) -> Page:
    """Put a diagnosis into words."""
    leader = diagnosis.hypotheses[0] if diagnosis.hypotheses else None
    facts = {fact.feature: fact for fact in diagnosis.facts}
    shown = [one for one in diagnosis.hypotheses[:_SHOWN] if one.probability >= 0.005] if diagnosis.symptom else []
    counts = leader is not None and diagnosis.symptom is not None and _counts(leader)
    return Page(
        understood=[*(_understood(record, shelf) for record in diagnosis.records), *_heard(diagnosis, shelf)],
        aside=_aside(diagnosis),
        not_understood=[f"Line {one.line}, {one.why}: {short(one.text)}" for one in diagnosis.unread],
        facts=[_fact(fact, shelf) for fact in evident(diagnosis, shelf)],
        headline=headline(diagnosis),
        leader=leader.title if leader and diagnosis.symptom else "",
        ranking=[Rank(one.title, one.standing, one.probability) for one in shown],
        more_causes=len(diagnosis.hypotheses) - len(shown) if shown else 0,
        contradictions=[f"This does not go together: {one.because}." for one in diagnosis.contradictions],
        question=question_words(diagnosis.question) if diagnosis.question else None,
        explanation=reflowed(diagnosis.verdict.explanation) if diagnosis.verdict else "",
        reasons_for=[reason(one, facts, shelf) for one in leader.for_] if leader and counts else [],
        reasons_against=[reason(one, facts, shelf) for one in leader.against] if leader and counts else [],
        beside=[_beside(one, facts, shelf) for one in diagnosis.beside],
        refuted_by=sentence(capital(leader.refuted_by)) if leader and counts else "",
        disputed=_disputed(diagnosis, shelf),
        steps=[_step(step, shelf) for step in diagnosis.steps],
        sources=[_source(one.title, one.address, one.trust) for one in diagnosis.sources],
    )


def headline(diagnosis: Diagnosis) -> str:
    """Say in one sentence where the case stands."""
    if diagnosis.verdict:
        verdict = diagnosis.verdict
        word = diagnosis.hypotheses[0].standing
        return f"{verdict.title} ({word}, {percent(verdict.confidence)}). {verdict.summary.strip()}"
    if diagnosis.symptom is None:
        return _without_symptom(diagnosis)
    leader = diagnosis.hypotheses[0]
    if leader.standing in ("likely", "established"):
        return f"So far “{leader.title}” leads ({leader.standing}, {percent(leader.probability)})."
    if diagnosis.question is None:
        return "I don't know: what is known fits several causes, and none of them well enough to name it."
    level = [one.title for one in diagnosis.hypotheses if leader.probability - one.probability < _LEVEL]
    if len(level) > 1:
        return f"Nothing stands out yet; {len(level)} causes are level at {percent(leader.probability)}."
    return f"Nothing stands out yet; “{leader.title}” leads with {percent(leader.probability)}."


_BY_EVENT = {
    "denied": "The line says that a rule refused the packet. That is decided by the rule, not by connection state.",
    "closed": "The line says that the connection ended in good order.",
    "idle-timeout": "The line says that the connection was removed after silence. What is sent on it later is dropped.",
    "handshake-timeout": "The line says that the handshake was never answered or completed. A closed port would have "
    "answered with a reset: think of a filter, a host that is down, or a reply that takes another path.",
}


def _without_symptom(diagnosis: Diagnosis) -> str:
    """Say what is read and what is missing while it is open whether it is a drop or a reset."""
    event = next((record.event for record in diagnosis.records if record.line == diagnosis.about_line), None)
    said_so = _BY_EVENT.get(event or "", "")
    if diagnosis.question:
        return f"{said_so} By itself this is neither a packet dropped without a connection nor a reset.".strip()
    return f"{said_so} whydrop explains drops without a connection and resets; paste the line that reports one.".strip()


def _aside(diagnosis: Diagnosis) -> str:
    """Tell what this way of writing leaves open, and which lines this diagnosis is not about."""
    main = next((one for one in diagnosis.records if one.line == diagnosis.about_line), None)
    if main is None:
        return ""
    open_ = f"This log cannot say {main.cannot_say}." if main.cannot_say else ""
    return " ".join(part for part in (open_, _other_connections(diagnosis, main)) if part)


def _other_connections(diagnosis: Diagnosis, main: Record) -> str:
    same = same_connection(main, diagnosis.records)
    other = [
        str(one.line)
        for place, one in enumerate(diagnosis.records)
        if one.event and place not in same and one.line != main.line
    ]
    if not other:
        return ""
    lines = ", ".join(other[:_FEW]) + (f" and {len(other) - _FEW} more" if len(other) > _FEW else "")
    return f"This is about line {main.line}. Other connections stand in line {lines}: paste them alone for an answer."


def _disputed(diagnosis: Diagnosis, shelf: Shelf) -> list[str]:
    """Tell claims about the verdict's cause that better sources contradict, with both sources."""
    if diagnosis.verdict is None:
        return []
    return [
        f"Claimed by “{_titled(one.source, shelf)}”: {sentence(one.claim)} "
        f"Better known from “{_titled(one.better_source, shelf)}”: {sentence(one.better)}"
        for one in shelf.causes[diagnosis.verdict.cause].disputes
    ]


def _titled(reference: str, shelf: Shelf) -> str:
    return shelf.sources[reference.partition("#")[0]].title


def _counts(leader: Hypothesis) -> bool:
    return leader.standing in ("established", "likely", "possible") and bool(leader.for_)


def _understood(record: Record, shelf: Shelf) -> str:
    what = "a connection was opened" if record.seen == "opened" else "a packet of a connection, or its state, was seen"
    if record.event:
        what = str(shelf.features["log.event"].choices[record.event])
    named = record.product if record.product.startswith(record.vendor) else f"{record.vendor} {record.product}"
    writer = f", {named}" if record.vendor != "unknown" else ""
    parts = [f"Line {record.line}{writer}: {what}"]
    if record.source.ip or record.destination.ip:
        parts.append(f"{_end(record.source)} to {_end(record.destination)}")
    elif port := record.destination.port or record.source.port:
        parts.append(f"port {port}")
    if record.flags:
        parts.append("flags " + "+".join(record.flags))
    if record.duration_s is not None:
        parts.append(f"after {plain(record.duration_s)} s")
    if record.reason:
        parts.append(f"reason “{short(record.reason, 60)}”")
    return "; ".join(parts) + "."


def _end(end: Endpoint) -> str:
    address = end.ip or "unknown address"
    if end.port is None:
        return address
    return f"[{address}]:{end.port}" if ":" in address else f"{address}:{end.port}"


def evident(diagnosis: Diagnosis, shelf: Shelf) -> list[Fact]:
    """Give the facts that `Page.facts` states, in the same order."""
    return [fact for fact in diagnosis.facts if _is_evidence(fact, shelf)]


def _is_evidence(fact: Fact, shelf: Shelf) -> bool:
    """Tell whether a fact is more than the addresses and ports that are shown with the line anyway."""
    return not fact.feature.startswith(("packet.source", "packet.destination", "packet.interface", "log.product")) and (
        fact.feature in shelf.features
    )


def _fact(fact: Fact, shelf: Shelf) -> str:
    feature = shelf.features[fact.feature]
    origin = fact.origin if fact.kind in ("inferred", "assumed") else f"{TAGS[fact.kind]}, {fact.origin}"
    return f"{feature.title}: {said(feature, fact.value)} ({fact.origin if fact.kind == 'told' else origin})"


def _heard(diagnosis: Diagnosis, shelf: Shelf) -> list[str]:
    """Say what was taken from the engineer's own sentences."""
    facts = [fact for fact in diagnosis.facts if fact.origin.startswith(WROTE)]
    return [
        f"{capital(fact.origin)}: {lower(shelf.features[fact.feature].title)} = "
        f"{said(shelf.features[fact.feature], fact.value)}."
        for fact in facts
    ]


def reason(finding: Finding, facts: Mapping[str, Fact], shelf: Shelf) -> str:
    """Say why a clue speaks for or against, and where its facts come from."""
    grounds = "; ".join(evidence(facts[name], shelf) for name in finding.facts if name in facts)
    because = " ".join(finding.because.split())
    lead = f"Nearly ruled out: {because}" if finding.strength == "excludes" else capital(because)
    return f"{lead} [{grounds}]"


def _beside(one: Beside, facts: Mapping[str, Fact], shelf: Shelf) -> str:
    """Name a cause that may be at work as well, and the sign that the leading one leaves unexplained."""
    grounds = "; ".join(evidence(facts[name], shelf) for name in one.facts if name in facts)
    return f"“{one.title}” may be at work as well: {one.because} [{grounds}]"


def evidence(fact: Fact, shelf: Shelf) -> str:
    """Name a fact with its origin; of what was inferred, assumed or heard in a sentence, with the grounds too."""
    feature = shelf.features[fact.feature]
    own = fact.kind in ("inferred", "assumed") or (fact.kind == "told" and fact.origin != TAGS["told"])
    origin = fact.origin if own else TAGS[fact.kind]
    return f"{origin}: {lower(feature.title)} = {said(feature, fact.value)}"


def question_words(asked: Asked) -> QuestionWords:
    """Put a question into words."""
    return QuestionWords(
        feature=asked.feature,
        text=asked.text,
        why=asked.why,
        how=f"{asked.how} (This takes {_EFFORTS[asked.effort]}.)"
        if asked.how
        else f"This takes {_EFFORTS[asked.effort]}.",
        command=asked.command,
        reading=_reading(asked.reading),
        choices=[(one.value, one.label) for one in asked.choices],
    )


def _step(step: Step, shelf: Shelf) -> StepWords:
    notes = [f"{_KINDS[step.kind]}; {_RISKS[step.risk]}." + (f" {sentence(step.caution)}" if step.caution else "")]
    if step.undo:
        notes.append(f"Undo: {sentence(step.undo)}")
    notes.append(f"Check: {sentence(step.check)}")
    notes.append(f"Source: {_titled(step.source, shelf)}")
    return StepWords(sentence(step.do), notes, step.command, _reading(step.reading))


def _reading(text: str | None) -> str:
    return f"Reading it: {sentence(text)}" if text else ""


def _source(title: str, address: str | None, trust: str) -> str:
    return f"{title} ({trust} trust)" + (f", {address}" if address else "")
