"""A conversation in the terminal: questions and answers about one case, until a verdict or until the user leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType

from bot.case_events import Answered, CaseEvent, Pasted, Withdrawn, replayed
from bot.explaining import moved_words, what_if_words, why_not_words, why_words
from bot.history import UNKNOWN_SAID, told_words, value_said
from bot.terminal import asked, conclusion, drawn, drawn_or_not, heard, lines_said, show, standing, understanding
from bot.wording import QuestionWords, page
from knowledge.clause import Value
from knowledge.model import Feature
from rules.answers import NoAnswer, asked_again, is_unknown, parse_answer
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from rules.explain import cause_named, grounds, moved, not_a_cause, what_if, why_not
from rules.quantities import whole

_HELP = (
    "Answer with a number, a word or a duration. Also: unknown (skip it), why (why this question, and what each answer "
    "would change), why CAUSE (the facts behind it), why not CAUSE, facts (what is known), picture (what happened), "
    "back (take the last answer back), quit."
)

Reader = Callable[[], str]
"""Gives the next typed line; raises EOFError or KeyboardInterrupt when the user leaves."""


class Ledger(Protocol):
    """Where a conversation writes down what it is told, and looks up how the case stands."""

    @property
    def events(self) -> Sequence[CaseEvent]:
        """All that happened in the case."""

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of it."""

    def tell(self, told: Sequence[CaseEvent]) -> Sequence[CaseEvent]:
        """Write it down, diagnose again, and give what others told meanwhile."""


class Passing:
    """The ledger of a case that nobody keeps."""

    def __init__(self, expert: Expert, events: Sequence[CaseEvent]) -> None:
        self._expert = expert
        self.events = tuple(events)
        self.diagnosis = expert.diagnose(replayed(events))

    def tell(self, told: Sequence[CaseEvent]) -> Sequence[CaseEvent]:
        """Write it down, and diagnose again."""
        self.events += tuple(told)
        self.diagnosis = self._expert.diagnose(replayed(self.events))
        return ()


def beginning(case: Case) -> list[CaseEvent]:
    """Give the events with which such a case begins."""
    return [Pasted(paste=case.paste, product=case.product), *told_first(case)]


def told_first(case: Case) -> list[CaseEvent]:
    """Give the answers of a case as events."""
    answers = [Answered(feature=name, value=value) for name, value in case.answers.items()]
    return [*answers, *(Answered(feature=name, value=None) for name in sorted(case.declined))]


def still_told(events: Sequence[CaseEvent]) -> list[Answered]:
    """List the answers that were not taken back, in order; of one feature there may be several."""
    told: list[Answered] = []
    for event in events:
        if isinstance(event, Answered):
            told.append(event)
        elif isinstance(event, Withdrawn):
            told = [one for one in told if one.feature != event.feature]
    return told


def next_number(events: Sequence[CaseEvent]) -> int:
    """Give the number of the next question: each that stands answered counts once."""
    return len({one.feature for one in still_told(events)}) + 1


@dataclass
class Conversation:
    """Talks about the case of a ledger. `since` is the number of events whose answers cannot be taken back.

    `opening` stands in front of the first question, instead of what was understood. `pictured`: the end shows what
    happened.
    """

    expert: Expert
    out: Console
    read_line: Reader
    ledger: Ledger
    since: int = 0
    opening: RenderableType | None = None
    pictured: bool = True

    def run(self) -> Diagnosis:
        """Talk until nothing is left to ask; give the last diagnosis."""
        words = page(self.ledger.diagnosis, self.expert.shelf)
        self.out.print(self.opening or understanding(words))
        try:
            self._talk()
        except (EOFError, KeyboardInterrupt):
            self.out.print()
        diagnosis = self.ledger.diagnosis
        words = page(diagnosis, self.expert.shelf)
        if diagnosis.question is None:
            self.out.print(standing(words, self.out.width))
        seen = drawn(diagnosis, self.expert.shelf, self.out.width) if self.pictured else []
        show(self.out, Group(*seen, conclusion(words)))
        return diagnosis

    def _talk(self) -> None:
        while (before := self.ledger.diagnosis).question is not None:
            words = page(before, self.expert.shelf)
            self.out.print(standing(words, self.out.width))
            if words.question is None or not self._answered(before, words.question):
                break
            after = self.ledger.diagnosis
            if before.symptom == after.symptom:
                self._say([moved_words(moved(before, after))])

    def _answered(self, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        """Take typed lines until one changes the case; False when the user leaves."""
        show(self.out, asked(question, next_number(self.ledger.events[self.since :])))
        while (typed := " ".join(self.read_line().split())).lower() not in ("quit", "q", "exit"):
            if self._took(typed, diagnosis, question):
                return True
        return False

    def _took(self, typed: str, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        word = (typed.lower().rstrip("?") if len(typed) > 1 else typed.lower()).strip()
        if word == "back":
            return self._back()
        if word == "picture":
            self.out.print(drawn_or_not(diagnosis, self.expert.shelf, self.out.width))
        elif word.startswith("why not"):
            self._say(self._why_not(typed[7:].rstrip("?"), diagnosis))
        elif word.startswith("why "):
            self._say(self._why(typed[4:].rstrip("?"), diagnosis))
        elif word.startswith("why"):
            self._say([question.why, *what_if_words(what_if(self.expert, self._case, question.feature))])
        elif word == "facts":
            self._say(page(diagnosis, self.expert.shelf).facts)
        elif word in ("help", "?", ""):
            self._say([_HELP])
        else:
            return self._answer(typed, diagnosis, question)
        return False

    @property
    def _case(self) -> Case:
        return replayed(self.ledger.events)

    def _back(self) -> bool:
        """Take the last answer back; one that it replaced stands again."""
        told = still_told(self.ledger.events[self.since :])
        if not told:
            self._say(["There is no answer to take back."])
            return False
        last = told[-1]
        before = [one for one in still_told(self.ledger.events)[:-1] if one.feature == last.feature]
        self._tell([Withdrawn(feature=last.feature), *before[-1:]])
        self._say([f"← {value_said(last, self.expert.shelf)}"])
        return True

    def _answer(self, typed: str, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        feature = self.expert.shelf.features[question.feature]
        try:
            value = None if is_unknown(typed) else meant(question, feature, typed)
        except NoAnswer as wrong:
            self._say([f"{wrong.spoken}. Or: why, back, facts, picture, quit."])
            return False
        again = asked_again(diagnosis, feature.id)
        self._tell([Answered(feature=feature.id, value=value, again=again)])
        self._say([f"→ {UNKNOWN_SAID if value is None else heard(feature, value)}"])
        return True

    def _tell(self, told: Sequence[CaseEvent]) -> None:
        """Write it down; then say what the case was told elsewhere since it was last looked at."""
        others = self.ledger.tell(told)
        if not others:
            return
        self._say(
            ["Meanwhile this case went on elsewhere:", *(f"  {one}" for one in told_words(others, self.expert.shelf))]
        )
        if {_about(one) for one in others} & {_about(one) for one in told} - {None}:
            self._say(["What you say now stands; “back” takes it back."])

    def _why(self, cause: str, diagnosis: Diagnosis) -> Sequence[str]:
        try:
            one, follows = grounds(self.expert, self._case, cause_named(self.expert, cause))
        except (ValueError, LookupError) as wrong:
            return [f"{wrong}."]
        return why_words(one, follows, {fact.feature: fact for fact in diagnosis.facts}, self.expert.shelf)

    def _why_not(self, cause: str, diagnosis: Diagnosis) -> Sequence[str]:
        if not cause.strip():
            return ["Why not which cause? Name one of the ranking, such as: why not idle timeout."]
        if dispute := not_a_cause(self.expert, cause):
            return [f"It is never offered as a cause. Claimed: {dispute.claim} But: {dispute.better}"]
        try:
            found = why_not(self.expert, self._case, cause_named(self.expert, cause))
        except (ValueError, LookupError) as wrong:
            return [f"{wrong}."]
        return why_not_words(found, {fact.feature: fact for fact in diagnosis.facts}, self.expert.shelf)

    def _say(self, lines: Sequence[str]) -> None:
        self.out.print(lines_said(lines))


def _about(event: CaseEvent) -> str | None:
    return event.feature if isinstance(event, Answered | Withdrawn) else None


def meant(question: QuestionWords, feature: Feature, typed: str) -> Value:
    """Read an answer; a number is that of a choice on the screen. Raises NoAnswer."""
    number = whole(typed.strip())
    if feature.type == "choice" and number is not None and 1 <= number <= len(question.choices):
        return question.choices[number - 1][0]
    return parse_answer(feature, typed)
