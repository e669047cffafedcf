"""What each Slack message shows: a diagnosis, why a question is asked, what was told so far. All pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from bot.explaining import what_if_words
from bot.phrases import percent
from bot.slack.case_token import UNDERSTOOD, Carried, decode, encode, fit
from bot.slack.token_blocks import Button, Buttons, Message, Part, Prose, Quoted
from bot.wording import Page, StepWords, headline, page
from knowledge.clause import Value
from rules.answers import answered, asked_again, said, withdrawn
from rules.case import Asked, Case, Diagnosis
from rules.diagnose import Expert
from rules.explain import what_if
from rules.read import PasteTooLarge
from rules.think import seen

HELP = Message(
    [
        Prose(
            "Type `/whydrop` and paste one or more firewall log lines behind it: a packet dropped as out of state, "
            "or a connection that was reset. I say what I read, ask a few questions, and give the cause, the proof "
            "and the next steps. “I don't know” is always an answer.\n"
            "Only you see the answer, and nothing is stored. Mask addresses if you must: keep the ports, the flags and "
            "the times, they matter most.",
            "whydrop: why was it dropped, who reset it?",
        )
    ]
)
OLDER = Message(
    [
        Prose(
            "This button cannot be read; it may be from an older whydrop. "
            "Paste the line again: `/whydrop` and the line."
        )
    ]
)
FAILED = Message(
    [Prose("Something went wrong here; this is a fault of whydrop's, and nothing was kept. Please try again.")]
)
_LEFT_OUT = "Some details of the lines were left out so that the case fits into this message; their facts still count."
_ALSO = 3
"""How many causes are named beside the leading one."""
_REASONS = 8
"""How many reasons for or against are given before the rest is only counted."""
_UNREAD = 3
"""How many lines are shown that could not be read."""


def answer(expert: Expert, text: str) -> Message:
    """Answer the command: help, or the diagnosis of a paste."""
    if text.strip().lower() in ("", "help", "?", "-h", "--help"):
        return HELP
    try:
        reading = expert.read(text)
    except PasteTooLarge as wrong:
        return Message([Prose(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}")])
    observed = Case(paste=text, observed=tuple(seen(Case(paste=text), reading, expert.shelf)))
    diagnosis = expert.diagnose(observed)
    worded = page(diagnosis, expert.shelf)
    case = observed.model_copy(update={"paste": ""})
    return _diagnosed(expert, Carried(case, _understood(worded.understood)), diagnosis, worded)


def after(expert: Expert, action: str, token: str) -> Message:
    """Answer a button."""
    try:
        carried = decode(token, expert.shelf)
        view = _VIEWS[action]
    except (ValueError, KeyError):
        return OLDER
    return view(expert, carried)


def _understood(sentences: Sequence[str]) -> str:
    text = "\n".join(sentences)
    return text if len(text) <= UNDERSTOOD else text[: UNDERSTOOD - 1] + "…"


def _go(expert: Expert, carried: Carried) -> Message:
    diagnosis = expert.diagnose(carried.case)
    return _diagnosed(expert, carried, diagnosis, page(diagnosis, expert.shelf), replace=True)


def _diagnosed(
    expert: Expert, carried: Carried, diagnosis: Diagnosis, worded: Page, *, replace: bool = False
) -> Message:
    travels, left_out = fit(carried, expert.shelf.features)
    parts = chain(
        _line(carried.understood, worded),
        _standing(diagnosis, worded),
        _question(travels, diagnosis, worded) if diagnosis.question else _end(worded),
        [Prose(_LEFT_OUT)] if left_out else [],
        [Buttons(_doors(travels, diagnosis), "More")],
    )
    return Message([part for part in parts if not isinstance(part, Buttons) or part.buttons], replace)


def _line(understood: str, worded: Page) -> Iterator[Part]:
    yield Quoted(understood, "What I read")
    unread = worded.not_understood
    more = [f"and {len(unread) - _UNREAD} more lines"] if len(unread) > _UNREAD else []
    yield Quoted("\n".join([*unread[:_UNREAD], *more]), "What I could not read")
    yield Prose(worded.aside)
    if unread and not understood:
        yield Prose("No line could be read, so nothing is known yet. You can still answer, or paste another line.")


def _standing(diagnosis: Diagnosis, worded: Page) -> Iterator[Part]:
    yield Prose(headline(diagnosis), "Cause" if diagnosis.verdict else "Where this stands")
    for contradiction in worded.contradictions[:1]:
        yield Prose(contradiction)
    others = [f"{one.title} {percent(one.probability)}" for one in worded.ranking[1 : 1 + _ALSO]]
    if others and not diagnosis.verdict and diagnosis.symptom:
        rest = worded.more_causes + len(worded.ranking) - 1 - len(others)
        yield Prose("Also possible: " + "; ".join(others) + (f"; and {rest} more." if rest > 0 else "."))


def _question(carried: Carried, diagnosis: Diagnosis, worded: Page) -> Iterator[Part]:
    if worded.steps and diagnosis.symptom:
        yield Prose(f"If you stop here, begin with this: {worded.steps[0].title}")
    if diagnosis.question:
        yield Prose(diagnosis.question.text, "Question")
        yield Buttons(_choices(carried, diagnosis, diagnosis.question), "Answers")


def _choices(carried: Carried, diagnosis: Diagnosis, asked: Asked) -> list[Button]:
    """Offer each answer; its button carries the case in which it was given."""
    again = asked_again(diagnosis, asked.feature)
    offered = [(one.label, answered(carried.case, asked.feature, one.value, again=again)) for one in asked.choices]
    offered.append(("I don't know", answered(carried.case, asked.feature, None, again=again)))
    return [_go_button(label, case, carried.understood) for label, case in offered]


def _go_button(label: str, case: Case, understood: str) -> Button:
    return Button(label, "go", encode(Carried(case, understood)))


def _doors(carried: Carried, diagnosis: Diagnosis) -> list[Button]:
    token = encode(carried)
    doors = [Button("Why do you ask?", "why", token)] if diagnosis.question else []
    if carried.case.answers or carried.case.declined:
        doors.append(Button("Change an answer", "change", token))
    return doors


def _end(worded: Page) -> Iterator[Part]:
    yield Prose(worded.explanation, "What happens")
    yield _list("What speaks for it", _some(worded.reasons_for))
    yield _list("What speaks against it", _some(worded.reasons_against))
    yield _list("What it does not explain", worded.beside)
    yield Prose(worded.refuted_by, "What would refute it")
    yield _list("What is disputed", worded.disputed)
    for number, step in enumerate(worded.steps, start=1):
        yield from _step(number, step)
    yield _list("Sources", worded.sources, links=True)


def _some(reasons: Sequence[str]) -> list[str]:
    rest = len(reasons) - _REASONS
    return [*reasons[:_REASONS], *([f"and {rest} more"] if rest > 0 else [])]


def _step(number: int, step: StepWords) -> Iterator[Part]:
    yield Prose("\n".join(step.notes), f"{number}. {step.title}")
    yield Quoted(step.command or "")
    yield Prose(step.reading)


def _list(title: str, lines: Sequence[str], *, links: bool = False) -> Prose:
    return Prose("\n".join(f"• {line}" for line in lines), title, links)


def _why(expert: Expert, carried: Carried) -> Message:
    diagnosis = expert.diagnose(carried.case)
    worded = page(diagnosis, expert.shelf)
    if diagnosis.question is None or worded.question is None:
        return _go(expert, carried)
    travels, _ = fit(carried, expert.shelf.features)
    changes = what_if_words(what_if(expert, carried.case, diagnosis.question.feature))
    parts: list[Part] = [
        Quoted(carried.understood, "What I read"),
        Prose(worded.question.text, "Question"),
        Prose(worded.question.why, "Why I ask"),
        Prose(worded.question.how, "How to find out"),
        Quoted(worded.question.command or ""),
        Prose(worded.question.reading),
        _list("What each answer would change", changes),
        Buttons(_choices(travels, diagnosis, diagnosis.question), "Answers"),
        Buttons([_go_button("Back", travels.case, travels.understood)], "More"),
    ]
    return Message(parts, replace=True)


def _change(expert: Expert, carried: Carried) -> Message:
    travels, _ = fit(carried, expert.shelf.features)
    told: Mapping[str, Value | None] = {**dict.fromkeys(sorted(carried.case.declined)), **carried.case.answers}
    rows = [_told(expert, travels, feature, value) for feature, value in told.items()]
    parts: list[Part] = [
        Quoted(carried.understood, "What I read"),
        Prose("What you told me so far. Take an answer back, and it may be asked again.", "Change an answer"),
        *rows,
        Buttons([_go_button("Back", travels.case, travels.understood)], "More"),
    ]
    return Message(parts, replace=True)


def _told(expert: Expert, carried: Carried, feature: str, value: Value | None) -> Prose:
    entry = expert.shelf.features[feature]
    shown = "I don't know" if value is None else said(entry, value)
    question = entry.question.text if entry.question else entry.title
    button = _go_button("Take back", withdrawn(carried.case, feature), carried.understood)
    return Prose(f"{question}\n{shown}", button=button)


_VIEWS: Mapping[str, Callable[[Expert, Carried], Message]] = {"go": _go, "why": _why, "change": _change}
"""What a button opens: the diagnosis, why its question is asked, or what was told so far."""
