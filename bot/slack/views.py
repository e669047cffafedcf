"""What each Slack message shows: a case while it is asked about, where it ends, and what one may ask about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.casebook import Consulted
from bot.explaining import what_if_words
from bot.history import UNKNOWN_SAID, AnswerWords, answer_words, outcome_said
from bot.phrases import percent, short
from bot.slack.aliases import aliased, aliases_of
from bot.slack.buttons import ButtonValue, Does
from bot.slack.parts import (
    ROW,
    Button,
    Buttons,
    Confirm,
    Divider,
    Drawn,
    Image,
    Links,
    Mention,
    Menu,
    Message,
    Part,
    Prose,
    Quoted,
    Small,
    Strong,
)
from bot.slack.verdict import has_more, reason_parts, small_print, step_parts
from bot.slack.words import is_web
from bot.wording import Page, QuestionWords, Rank, page, question_words
from knowledge.clause import Value
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.case import Asked
from rules.explain import WhatIf

_LINES = 3
"""How many records, and how many lines that could not be read, are shown."""
_ANSWERS = 6
"""How many answers are listed while asking; those before are counted."""
_RANKS = 3
_BAR = 8
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
_LONGEST = 200
_TYPE = "Or type it (in a channel after @whydrop):"


@dataclass(frozen=True, slots=True)
class Showing:
    """How a case is shown. `link` leads to its page; `moved` says what the last answer did to the ranking.

    `alone`: only the asker sees it, nobody can type an answer, and it may be shared. `aliases`: addresses are hidden.
    `stopped`: no further question is asked for now; None asks, unless the case's end was told. `whole`: all that is
    known about the answer is shown, no question. `shared_by` is the id of who showed to all what was theirs alone.
    """

    link: str | None = None
    alone: bool = False
    aliases: bool = False
    moved: str = ""
    picture: Image | None = None
    stopped: bool | None = None
    whole: bool = False
    shared_by: str = ""


@dataclass(frozen=True, slots=True)
class Doors:
    """Makes the buttons of one case."""

    case: str
    version: int

    def value(self, does: Does, feature: str = "", value: Value | None = None) -> ButtonValue:
        """Give what a button of this case carries."""
        return ButtonValue(does=does, case=self.case, version=self.version, feature=feature, value=value)

    def button(self, label: str, does: Does, feature: str = "", value: Value | None = None) -> Button:
        """Make a button."""
        return Button(label, self.value(does, feature, value))


def doors_of(consulted: Consulted) -> Doors:
    """Make the buttons of a case."""
    return Doors(consulted.kept.summary.id, consulted.kept.summary.version)


def case_message(consulted: Consulted, shelf: Shelf, showing: Showing) -> Message:
    """Show how a case stands: with its next question, or where it ends."""
    seen = seen_as(consulted, showing)
    words = page(seen.diagnosis, shelf)
    by: list[Part] = [Mention("Shared by", showing.shared_by)] if showing.shared_by else []
    foot = list(_foot(seen, showing))
    if asks(consulted, showing):
        asked = [*_standing(seen, shelf, words, showing), *_question(seen, shelf, words, showing)]
        return Message([*by, *_head(words), *asked, *foot])
    shown = [*by, *_conclusion(seen, shelf, words, showing), *foot]
    whole = [*by, *_conclusion(seen, shelf, words, replace(showing, whole=True)), *foot]
    return Message(shown, whole)


def asks(consulted: Consulted, showing: Showing) -> bool:
    """Tell whether a case is shown with its next question."""
    stopped = consulted.kept.summary.state == "closed" if showing.stopped is None else showing.stopped
    return bool(consulted.diagnosis.question) and not stopped and not showing.whole


def seen_as(consulted: Consulted, showing: Showing) -> Consulted:
    """Give the case as it is to be seen: with aliases for addresses, where they are wished for."""
    return aliased(consulted, aliases_of(consulted)) if showing.aliases else consulted


def _head(words: Page) -> Iterator[Part]:
    yield Small(_some([short(one, _LONGEST) for one in words.understood], "lines"), "What I read")
    yield Small(_some([short(one, _LONGEST) for one in words.not_understood], "lines"), "What I could not read")
    yield Small([words.aside] if words.aside else [])


def _some(lines: Sequence[str], what: str, most: int = _LINES) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more {what}"] if more > 1 else list(lines)


def _standing(seen: Consulted, shelf: Shelf, words: Page, showing: Showing) -> Iterator[Part]:
    if not words.understood and not words.ranking:
        yield Prose("No line of this was understood; whydrop can still ask.")
    yield ranking(words.ranking, words.headline)
    yield Prose(words.contradictions[0] if words.contradictions else "")
    given = [one for one in answer_words(seen.kept.events, shelf) if one.answer is not None]
    lines = [_given(one) for one in given[-_ANSWERS:]]
    if len(given) > _ANSWERS:
        lines.insert(0, f"{len(given) - _ANSWERS} answers before these")
    yield Small([*lines, *_moves(showing)] if lines else [], "Your answers")
    yield Small([] if lines else _moves(showing))


def _moves(showing: Showing) -> list[str]:
    return [f"↳ {showing.moved}"] if showing.moved.strip() else []


def _given(one: AnswerWords) -> str:
    return f"{one.question} → {one.answer}"


def ranking(ranks: Sequence[Rank], headline: str = "") -> Drawn:
    """Draw the leading causes as bars, under a sentence."""
    shown = ranks[:_RANKS]
    wide = max((len(one.percent) for one in shown), default=0)
    lines = [f"{_bar(one.probability)} {one.percent:>{wide}}  {one.title}" for one in shown]
    spoken = "; ".join(f"{one.title} {one.percent} ({one.word})" for one in shown)
    return Drawn("\n".join(lines), f"{spoken}." if spoken else "", headline)


def _bar(probability: float) -> str:
    eighths = max(round(probability * _BAR * 8), 1)
    full = "█" * (eighths // 8) + _EIGHTHS[eighths % 8]
    return f"{full:{_BAR}}"


def _question(seen: Consulted, shelf: Shelf, words: Page, showing: Showing) -> Iterator[Part]:
    asked = words.question
    if asked is None:
        return
    doors = doors_of(seen)
    yield Divider()
    yield Strong(asked.text)
    feature = shelf.features[asked.feature]
    yield from choices(doors, asked, feature, alone=showing.alone)
    if not showing.alone:
        yield Small([typing_hint(feature)])
    changed = [doors.button("Change an answer", "change")] if has_answers(seen) else []
    stop = doors.button("Stop here", "stop")
    yield Buttons([doors.button("Why do you ask?", "why", asked.feature), *changed, stop], "More")


def typing_hint(feature: Feature) -> str:
    """Say how an answer is typed."""
    if feature.type == "number":
        return f"{_TYPE} 3605s, 90 s, 1h, “about an hour”, “unknown”."
    return f"{_TYPE} a number of the list, its words, or “unknown”. Further log lines are welcome, too."


def has_answers(seen: Consulted) -> bool:
    """Tell whether there is an answer that can be changed."""
    return bool(seen.case.answers or seen.case.declined)


def choices(doors: Doors, asked: QuestionWords, feature: Feature, *, alone: bool) -> Iterator[Part]:
    """Offer the answers to a question: buttons, or a menu where there are many."""
    unknown = doors.button(UNKNOWN_SAID, "answer", asked.feature)
    offered = [(label, doors.value("answer", asked.feature, value)) for value, label in asked.choices]
    if feature.type == "number":
        typed = [doors.button("Another duration…", "type", asked.feature)] if alone else []
        yield Buttons([*(Button(label, value) for label, value in offered), unknown, *typed], "Answers")
    elif len(offered) > ROW:
        yield Menu(offered, "Choose an answer", "Answers", [unknown])
    else:
        yield Buttons([*(Button(label, value) for label, value in offered), unknown], "Answers", len(offered))


def _conclusion(seen: Consulted, shelf: Shelf, words: Page, showing: Showing) -> Iterator[Part]:
    if seen.diagnosis.verdict:
        yield Prose(words.headline, "Cause")
    else:
        yield ranking(words.ranking, words.headline)
    yield Small(_moves(showing))
    # Before what is long: at the end of the words that are spoken it could be cut.
    outcome, note = outcome_said(seen.kept.events, shelf)
    yield Small([outcome, *([f"“{short(note, _LONGEST)}”"] if note else [])] if outcome else [], "How it ended")
    yield from _head(words)
    yield from reason_parts(words, whole=showing.whole)
    if showing.picture:
        yield showing.picture
    yield from step_parts(words, whole=showing.whole)
    yield from small_print(seen.diagnosis, words, whole=showing.whole)
    yield Divider()
    doors = doors_of(seen)
    yield Buttons(list(_endings(doors, seen, outcome != "")), "How did it end?")
    more = (
        [doors.button("Less", "stop" if words.question else "show")]
        if showing.whole
        else [doors.button("All of it", "whole")]
    )
    more = more if has_more(seen.diagnosis, words) else []
    yield Buttons([*more, *_further(doors, seen, showing)], "More")


def _endings(doors: Doors, seen: Consulted, told: bool) -> Iterator[Button]:
    if seen.diagnosis.question:
        yield doors.button("Go on asking", "show")
    if told:
        yield doors.button("It ended otherwise…", "ended")
        return
    if verdict := seen.diagnosis.verdict:
        solved = doors.value("solved", "", verdict.cause)
        yield Button("This solved it", solved, "primary", spoken=f"This solved it: {verdict.title}")
    yield doors.button("It was something else…" if seen.diagnosis.verdict else "Tell how it ended…", "ended")


def _further(doors: Doors, seen: Consulted, showing: Showing) -> Iterator[Button]:
    yield doors.button("Export", "export")
    if has_answers(seen):
        yield doors.button("Change an answer", "change")
    if showing.alone:
        yield share_button(doors)
    elif showing.aliases:
        yield doors.button("Show addresses (only to me)", "raw")
    if showing.link and is_web(showing.link):
        yield Button("Open the page", doors.value("link"), url=showing.link)


def share_button(doors: Doors) -> Button:
    """Make the button that shows the asker's own answer to the channel."""
    sure = Confirm("Share this case?", "Everybody in this channel will see it and may go on with it.", "Share")
    return Button("Share with the channel", doors.value("share"), confirm=sure)


def _foot(seen: Consulted, showing: Showing) -> Iterator[Part]:
    who = "· Only you see this." if showing.alone else "· Addresses stand behind aliases." if showing.aliases else ""
    yield Links([(f"Case {seen.kept.summary.id}", showing.link or "", who)])


def why_message(seen: Consulted, shelf: Shelf, what_ifs: Sequence[WhatIf], *, alone: bool) -> Message:
    """Say why the question is asked, how to find the answer, and what each answer would change."""
    if seen.diagnosis.question is None:
        return Message([Prose("There is nothing left to ask in this case.")])
    asked = question_words(seen.diagnosis.question)
    doors = doors_of(seen)
    return Message(
        [
            Strong(asked.text),
            Prose(asked.why, "Why I ask"),
            Prose(asked.how, "How to find out"),
            Quoted(asked.command or ""),
            Prose(asked.reading),
            Small(_changes(what_ifs, seen), "What each answer would change"),
            *choices(doors, asked, shelf.features[asked.feature], alone=alone),
            Buttons([doors.button("Back", "show")], "More"),
        ]
    )


def _changes(what_ifs: Sequence[WhatIf], seen: Consulted) -> list[str]:
    """Say which answers would put another cause in the lead; the others in one sentence, if they are many."""
    leader = next((one.title for one in seen.diagnosis.hypotheses), "")
    others = [one for one in what_ifs if one.leader != leader]
    if len(what_ifs) <= ROW:
        return [f"• {line}" for line in what_if_words(what_ifs)]
    rest = [one.probability for one in what_ifs if one.leader == leader]
    spread = f" ({percent(min(rest))} to {percent(max(rest))})" if rest else ""
    last = [f"• Every other answer leaves “{leader}” in the lead{spread}."] if rest else []
    return [*(f"• {line}" for line in what_if_words(others)), *last]


def change_message(seen: Consulted, shelf: Shelf) -> Message:
    """List what was answered, each with a button to change it."""
    doors = doors_of(seen)
    given = [one for one in answer_words(seen.kept.events, shelf) if one.answer is not None]
    rows = [
        Prose(f"{one.question}\n→ {one.answer}", button=doors.button("Change", "edit", one.feature)) for one in given
    ]
    lead = Prose(
        "Choose what was otherwise; the case is thought through again." if rows else "Nothing was answered yet."
    )
    return Message([lead, *rows, Buttons([doors.button("Back", "show")], "More")])


def edit_message(seen: Consulted, shelf: Shelf, asked: Asked, *, alone: bool) -> Message:
    """Ask a question again that was answered before."""
    words, doors = question_words(asked), doors_of(seen)
    before = [one for one in answer_words(seen.kept.events, shelf) if one.feature == asked.feature and one.answer]
    back = [doors.button("Take the answer back", "withdraw", asked.feature)] if before else []
    feature = shelf.features[asked.feature]
    # What is typed answers the question that comes next, not this one: its duration is typed in a modal.
    offered = choices(doors, words, feature, alone=alone or feature.type == "number")
    return Message(
        [
            Strong(words.text),
            Small([f"So far: {before[-1].answer}"] if before else []),
            *offered,
            Buttons([*back, doors.button("Back", "show")], "More"),
        ]
    )


def addresses_message(consulted: Consulted) -> Message:
    """Tell whoever asks what stands behind the aliases; to be shown to nobody else."""
    listed = aliases_of(consulted).listed
    wide = max((len(one.alias) for one in listed), default=0)
    lines = "\n".join(f"{one.alias:{wide}}  {one.raw}" for one in listed)
    said = Quoted(lines, "Addresses in this case") if listed else Prose("There are no addresses in this case.")
    return Message([said, Small(["Only you see this."])])
