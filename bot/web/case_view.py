"""What the page of a case shows, beside the sentences that every face shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.case_events import Answered, Outcome, Pasted, Withdrawn, replayed
from bot.casebook import Consulted
from bot.explaining import moved_words
from bot.history import outcome_said
from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.web.marked import Stretch, kinds_in, marked
from bot.web.spots import SpotKind
from bot.wording import TAGS, Page, QuestionWords, evident, page, question_words, reason
from knowledge.clause import plain
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Asked, Case, Hypothesis, Kind
from rules.diagnose import Expert
from rules.explain import moved


@dataclass(frozen=True, slots=True)
class Known:
    """A fact in words, with where it comes from; `origin` is what the tag does not say already."""

    title: str
    value: str
    kind: Kind
    tag: str
    origin: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that was given; `words` is what was said, `sure` that it was confirmed against a contradiction."""

    feature: str
    title: str
    words: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One cause of the ranking with what speaks for and against it."""

    cause: str
    title: str
    word: str
    percent: str
    width: float
    for_: Sequence[str]
    against: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asking:
    """A question with how to answer it: by buttons whose values the form sends, or by typing a duration."""

    words: QuestionWords
    choices: Sequence[tuple[str, str]]
    number: bool
    given: str | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """All that the page of a case lays out."""

    words: Page
    lines: Sequence[Stretch]
    kinds: Sequence[SpotKind]
    bars: Sequence[Bar]
    facts: Sequence[Known]
    answers: Sequence[Given]
    question: Asking | None
    change: Asking | None
    svg: str
    moved: str
    outcome: Outcome | None
    ended: str
    answered: int


def case_view(expert: Expert, found: Consulted, change: str | None = None) -> CaseView:
    """Prepare the page of a case; `change` is a feature whose question is shown again. This diagnoses: use a thread."""
    shelf, case, diagnosis = expert.shelf, found.case, found.diagnosis
    words = page(diagnosis, shelf)
    lines = marked(case.paste, diagnosis, shelf)
    drawn = picture(diagnosis, shelf)
    known = shelf.features.get(change or "")
    again = expert.asked(case, known.id) if known and known.question else None
    return CaseView(
        words=words,
        lines=lines,
        kinds=kinds_in(lines),
        bars=list(_bars(found, words, shelf)),
        facts=list(_facts(found, shelf)),
        answers=list(_answers(case, shelf)),
        question=_asking(diagnosis.question, case, shelf) if diagnosis.question else None,
        change=_asking(again, case, shelf) if again else None,
        svg=picture_svg(drawn, style=False) if drawn else "",
        moved=_moved(expert, found),
        outcome=_outcome(found),
        ended=outcome_said(found.kept.events, shelf)[0],
        answered=len(case.answers) + len(case.declined),
    )


def _bars(found: Consulted, words: Page, shelf: Shelf) -> Iterator[Bar]:
    for rank, one in zip(words.ranking, found.diagnosis.hypotheses, strict=False):
        yield bar(one, rank.percent, found, shelf)


def bar(one: Hypothesis, percent: str, found: Consulted, shelf: Shelf) -> Bar:
    """Prepare one cause of the ranking."""
    facts = {fact.feature: fact for fact in found.diagnosis.facts}
    return Bar(
        one.cause,
        one.title,
        one.standing,
        percent,
        round(one.probability * 100, 1),
        [reason(finding, facts, shelf) for finding in one.for_],
        [reason(finding, facts, shelf) for finding in one.against],
    )


def _facts(found: Consulted, shelf: Shelf) -> Iterator[Known]:
    for fact in evident(found.diagnosis, shelf):
        feature, tag = shelf.features[fact.feature], TAGS[fact.kind]
        origin = fact.origin.removeprefix(tag).lstrip(" :")
        yield Known(feature.title, said(feature, fact.value), fact.kind, tag, origin)


def _answers(case: Case, shelf: Shelf) -> Iterator[Given]:
    for name, value in case.answers.items():
        if (feature := shelf.features.get(name)) is not None:
            words = plain(value) if feature.type == "yes-no" else said(feature, value)
            yield Given(name, _asked_as(name, shelf), words, name in case.confirmed)
    for name in sorted(case.declined):
        if name in shelf.features:
            yield Given(name, _asked_as(name, shelf), "I don't know", False)


def _asked_as(name: str, shelf: Shelf) -> str:
    question = shelf.features[name].question
    return question.text if question else shelf.features[name].title


def _asking(asked: Asked, case: Case, shelf: Shelf) -> Asking:
    feature = shelf.features[asked.feature]
    told = case.answers.get(asked.feature)
    words = question_words(asked)
    choices = [(plain(value), label) for value, label in words.choices]
    return Asking(words, choices, feature.type == "number", None if told is None else plain(told))


def _moved(expert: Expert, found: Consulted) -> str:
    """Say what the last answer moved; nothing where something else happened last."""
    events = [one.event for one in found.kept.events]
    last = next(
        (at for at in range(len(events) - 1, -1, -1) if isinstance(events[at], (Answered, Withdrawn, Pasted))), 0
    )
    if not events or isinstance(events[last], Pasted):
        return ""
    before = expert.diagnose(replayed(events[:last]))
    return moved_words(moved(before, found.diagnosis)) if before.symptom == found.diagnosis.symptom else ""


def _outcome(found: Consulted) -> Outcome | None:
    """Give the outcome that was told last; it stands until something else is told."""
    if found.kept.summary.state != "closed":
        return None
    return next((one.event for one in reversed(found.kept.events) if isinstance(one.event, Outcome)), None)
