"""What somebody means by what they type in a case's thread: a command, an answer, further lines, or something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.case_events import Answered, Asked, CaseEvent, Pasted, Withdrawn
from bot.casebook import Consulted
from bot.conversation import meant, still_told
from bot.wording import question_words
from knowledge.clause import Value
from knowledge.model import Feature
from rules.answers import NoAnswer, asked_again, is_unknown, parse_answer
from rules.case import Case
from rules.diagnose import Expert
from rules.think import seen

_LONGEST_ANSWER = 200
_PLAIN = {
    "help": "help",
    "?": "help",
    "why": "why",
    "why do you ask": "why",
    "facts": "facts",
    "back": "back",
    "undo": "back",
    "status": "status",
}

Command = Literal["help", "why", "why not", "why cause", "facts", "back", "status"]


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and the cause that it is about."""

    command: Command
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing that could be made sense of; `why` says why it is no answer."""

    why: str


def order(text: str) -> Order | None:
    """Read a command."""
    if len(text) > _LONGEST_ANSWER:
        return None
    typed = " ".join(text.split())
    word = typed.lower().rstrip("?!. ") or typed
    if word in _PLAIN:
        return Order(_PLAIN[word])  # type: ignore[arg-type]
    if word == "why not" or word.startswith("why not "):
        return Order("why not", typed[len("why not") :].strip(" ?"))
    if word.startswith("why "):
        return Order("why cause", typed[len("why") :].strip(" ?"))
    return None


def told_by(text: str, consulted: Consulted, expert: Expert) -> Sequence[CaseEvent] | Unclear:
    """Say what a case is told by what somebody typed: lines, an answer, or a sentence. Raises PasteTooLarge."""
    if _is_log(text, expert):
        return [further(text, consulted)]
    answer = _answer(text, consulted, expert)
    if isinstance(answer, Answered):
        return [answer]
    if says_something(text, expert):
        return [further(text, consulted)]
    volunteered = _volunteered(" ".join(text.split()), consulted, expert)
    return [volunteered] if volunteered else answer


def _is_log(text: str, expert: Expert) -> bool:
    """Tell whether a dialect reads it; one that takes mere words does not count, for these may be an answer."""
    return any(not expert.shelf.dialects[one.record.dialect].fallback for one in expert.read(text).lines)


def says_something(text: str, expert: Expert) -> bool:
    """Tell whether a text holds a record, or a sentence that states a fact. Raises PasteTooLarge."""
    reading = expert.read(text)
    return bool(reading.lines or seen(Case(paste=text), reading, expert.shelf))


def last_taken_back(consulted: Consulted) -> Sequence[CaseEvent]:
    """Take the last answer back; one that it replaced stands again. Nothing if there is none."""
    told = still_told([one.event for one in consulted.kept.events])
    if not told:
        return []
    before = [one for one in told[:-1] if one.feature == told[-1].feature]
    return [Withdrawn(feature=told[-1].feature), *before[-1:]]


def further(text: str, consulted: Consulted, product: str | None = None) -> Pasted:
    """Add lines to those that were pasted before; what is there already is not added again."""
    before = consulted.case
    if text.strip() and text.strip() in before.paste:
        return Pasted(paste=before.paste, product=product or before.product)
    paste = f"{before.paste.rstrip()}\n{text}" if before.paste.strip() else text
    return Pasted(paste=paste, product=product or before.product)


def _answer(text: str, consulted: Consulted, expert: Expert) -> Answered | Unclear:
    """Read an answer to the question that is asked."""
    typed, question = " ".join(text.split()), consulted.diagnosis.question
    if question is None or len(typed) > _LONGEST_ANSWER or "\n" in text.strip():
        return Unclear("")
    feature = expert.shelf.features[question.feature]
    again = asked_again(consulted.diagnosis, feature.id)
    if is_unknown(typed):
        return Answered(feature=feature.id, value=None, again=again)
    try:
        return Answered(feature=feature.id, value=meant(question_words(question), feature, typed), again=again)
    except NoAnswer as wrong:
        return Unclear(wrong.spoken)


def _volunteered(typed: str, consulted: Consulted, expert: Expert) -> Answered | None:
    """Read what was not asked for now: an answer that came late, or early. A bare yes or number could mean anything."""
    if typed.isdecimal() or len(typed) > _LONGEST_ANSWER:
        return None
    current = consulted.diagnosis.question.feature if consulted.diagnosis.question else ""
    features = expert.shelf.features
    asked = dict.fromkeys(one.event.feature for one in consulted.kept.events if isinstance(one.event, Asked))
    late = [features[name] for name in reversed(asked) if name in features and name != current]
    early = [one for one in features.values() if one.question and one.type == "choice" and one.id != current]
    for candidates in (late, early):
        found = [(one.id, value) for one in candidates if (value := _value(one, typed)) is not None]
        if len(found) == 1:
            return Answered(feature=found[0][0], value=found[0][1])
    return None


def _value(feature: Feature, typed: str) -> Value | None:
    if feature.type not in {"choice", "number"} or is_unknown(typed):
        return None
    try:
        return parse_answer(feature, typed)
    except ValueError:
        return None
