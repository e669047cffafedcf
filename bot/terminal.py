"""The terminal face: a conversation, or one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from bot.explaining import moved_words, what_if_words, why_not_words, why_words
from bot.wording import Page, QuestionWords, Rank, StepWords, page
from knowledge.clause import Value, plain
from knowledge.model import Feature
from rules.answers import UNKNOWN, answered, asked_again, parse_answer, said
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from rules.explain import cause_named, grounds, moved, not_a_cause, what_if, why_not
from rules.quantities import whole

_BAR = 12
_WIDEST = 100
_ONE_LINE = 76
_MOST_SOURCES = 8
_MOST_LINES = 10
_ROOM_FOR_BARS = 60
_NARROWEST = 30
_WORDS = Text("unknown · why · why CAUSE · why not CAUSE · facts · back · quit", "dim")
_HELP = (
    "Answer with a number, a word or a duration. Also: unknown (skip it), why (why this question, and what each answer "
    "would change), why CAUSE (the facts behind it), why not CAUSE, facts (what is known), back (take the last answer "
    "back), quit."
)

Reader = Callable[[], str]
"""Gives the next typed line; raises EOFError or KeyboardInterrupt when the user leaves."""


def console() -> Console:
    """Make a console that is never wider than text is pleasant to read."""
    made = Console(highlight=False)
    made.width = fitted(made.width)
    return made


def fitted(width: int) -> int:
    """Give the columns to use of those there are."""
    return max(_NARROWEST, min(width, _WIDEST))


@dataclass
class Conversation:
    """Questions and answers about one case, until a verdict or until the user leaves."""

    expert: Expert
    out: Console
    read_line: Reader
    case: Case
    history: list[Case] = field(default_factory=list)

    def run(self) -> Diagnosis:
        """Talk until nothing is left to ask; give the last diagnosis."""
        diagnosis = self.expert.diagnose(self.case)
        words = page(diagnosis, self.expert.shelf)
        self.out.print(_understanding(words))
        while diagnosis.question is not None:
            words = page(diagnosis, self.expert.shelf)
            self.out.print(_standing(words, self.out.width))
            if words.question is None or not self._answered(diagnosis, words.question):
                break
            before, diagnosis = diagnosis, self.expert.diagnose(self.case)
            if before.symptom == diagnosis.symptom:
                self._say([moved_words(moved(before, diagnosis))])
        words = page(diagnosis, self.expert.shelf)
        if diagnosis.question is None:
            self.out.print(_standing(words, self.out.width))
        self.out.print(conclusion(words))
        return diagnosis

    def _answered(self, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        """Take typed lines until one changes the case; False when the user leaves."""
        self.out.print(_asked(question, len(self.history) + 1))
        while True:
            try:
                typed = " ".join(self.read_line().split())
            except (EOFError, KeyboardInterrupt):
                self.out.print()
                return False
            if typed.lower() in ("quit", "q", "exit"):
                return False
            if self._took(typed, diagnosis, question):
                return True

    def _took(self, typed: str, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        word = (typed.lower().rstrip("?") if len(typed) > 1 else typed.lower()).strip()
        if word == "back":
            return self._back()
        if word.startswith("why not"):
            self._say(self._why_not(typed[7:].rstrip("?"), diagnosis))
        elif word.startswith("why "):
            self._say(self._why(typed[4:].rstrip("?"), diagnosis))
        elif word.startswith("why"):
            self._say([question.why, *what_if_words(what_if(self.expert, self.case, question.feature))])
        elif word == "facts":
            self._say(page(diagnosis, self.expert.shelf).facts)
        elif word in ("help", "?", ""):
            self._say([_HELP])
        else:
            return self._answer(typed, diagnosis, question)
        return False

    def _back(self) -> bool:
        if not self.history:
            self._say(["There is no answer to take back."])
            return False
        self.case = self.history.pop()
        return True

    def _answer(self, typed: str, diagnosis: Diagnosis, question: QuestionWords) -> bool:
        feature = self.expert.shelf.features[question.feature]
        try:
            value = None if typed.lower() in UNKNOWN else _meant(question, feature, typed)
        except ValueError as wrong:
            self._say([f"{wrong}. Or: why, back, facts, quit."])
            return False
        self._say(["→ I don't know" if value is None else f"→ {heard(feature, value)}"])
        self.history.append(self.case)
        self.case = answered(self.case, feature.id, value, again=asked_again(diagnosis, feature.id))
        return True

    def _why(self, cause: str, diagnosis: Diagnosis) -> Sequence[str]:
        try:
            one, follows = grounds(self.expert, self.case, cause_named(self.expert, cause))
        except (ValueError, LookupError) as wrong:
            return [f"{wrong}."]
        return why_words(one, follows, {fact.feature: fact for fact in diagnosis.facts}, self.expert.shelf)

    def _why_not(self, cause: str, diagnosis: Diagnosis) -> Sequence[str]:
        if not cause.strip():
            return ["Why not which cause? Name one of the ranking, such as: why not idle timeout."]
        if dispute := not_a_cause(self.expert, cause):
            return [f"It is never offered as a cause. Claimed: {dispute.claim} But: {dispute.better}"]
        try:
            found = why_not(self.expert, self.case, cause_named(self.expert, cause))
        except (ValueError, LookupError) as wrong:
            return [f"{wrong}."]
        return why_not_words(found, {fact.feature: fact for fact in diagnosis.facts}, self.expert.shelf)

    def _say(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.out.print(Padding(Text(line, "cyan"), (0, 2)))


def whole_page(words: Page, width: int) -> RenderableType:
    """Lay a diagnosis out as it stands, without asking. `width` is the console's, in columns."""
    parts = [_understanding(words), _standing(words, width)]
    if words.question:
        values = ", ".join(plain(value) for value, _label in words.question.choices)
        hint = Text(f"Answer with --answer {words.question.feature}=VALUE: {values}, or unknown", "dim")
        parts += [_asked(words.question, 1, hint)]
    return Group(*parts, conclusion(words))


def heard(feature: Feature, value: Value) -> str:
    """Repeat an answer as it was understood."""
    return plain(value) if feature.type == "yes-no" else said(feature, value)


def _understanding(words: Page) -> RenderableType:
    lines = [Text(line) for line in _some(words.understood, _MOST_LINES, "lines")]
    lines += [Text(words.aside, "yellow")] if words.aside else []
    lines += [Text(line, "yellow") for line in _some(words.not_understood, _MOST_LINES, "that were not read")]
    if not words.understood:
        lines.append(Text("No line of this was understood; whydrop can still ask.", "yellow"))
    return Group(_title("Understood"), *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _title(text: str) -> RenderableType:
    return Line(Text(text, "bold"), align="left", style="dim")


def _standing(words: Page, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    for _ in range(3):
        table.add_column(no_wrap=True)
    for rank in words.ranking:
        bar = [_bar(rank)] if width >= _ROOM_FOR_BARS else []
        table.add_row(Text(rank.title), *bar, Text(rank.percent, justify="right"), Text(rank.word, "dim"))
    more = [Text(f"  and {words.more_causes} less likely causes", "dim")] if words.more_causes else []
    if not words.ranking:
        return Group(Text(), Padding(Text(words.headline), (0, 0, 1, 2)))
    contradictions = [Padding(Text(line, "yellow"), (0, 0, 0, 2)) for line in words.contradictions]
    return Group(Text(), *contradictions, Padding(table, (0, 0, 0, 2)), *more, Text())


def _bar(rank: Rank) -> Text:
    full = round(rank.probability * _BAR)
    return Text("█" * full, "green") + Text("░" * (_BAR - full), "dim")


def _asked(question: QuestionWords, number: int, hint: Text = _WORDS) -> RenderableType:
    return Group(
        _title(f"Question {number}"),
        Padding(Text(question.text, "bold"), (0, 0, 0, 2)),
        Padding(Text("Why: " + question.why, "dim"), (0, 0, 0, 2)),
        Padding(Text("How: " + question.how, "dim"), (0, 0, 0, 2)),
        *_command(question.command, question.reading),
        Text(),
        _durations(question) if isinstance(question.choices[0][0], float) else _choices(question),
        Padding(hint, (0, 0, 0, 2)),
    )


def _command(command: str | None, reading: str) -> list[RenderableType]:
    texts = [Text(command.strip(), "cyan", overflow="fold")] if command else []
    texts += [Text(reading, "dim")] if reading else []
    return [Padding(text, (0, 0, 0, 4)) for text in texts]


def _durations(question: QuestionWords) -> RenderableType:
    """A number is typed as it is, so its choices bear no numbers of their own."""
    labels = ", ".join(label for _value, label in question.choices)
    return Padding(Text(f"A duration, such as 3605, 90s, 1h, or: {labels}"), (0, 0, 0, 2))


def _choices(question: QuestionWords) -> RenderableType:
    """Lay the choices out beside each other where they fit, else below each other."""
    numbered = [
        Text.assemble((f"{number} ", "bold green"), (label, ""))
        for number, (_value, label) in enumerate(question.choices, start=1)
    ]
    short = sum(len(one) + 3 for one in numbered) < _ONE_LINE
    return Padding(Text("   " if short else "\n").join(numbered), (0, 0, 0, 2))


def conclusion(words: Page) -> RenderableType:
    """Lay out where the case ends: the headline, its proof, and the next steps."""
    parts: list[RenderableType] = [_title("Verdict" if words.explanation else "As it stands")]
    parts.append(Padding(Text(words.headline, "bold"), (0, 0, 1, 2)))
    if words.explanation:
        parts.append(Padding(Text(words.explanation), (0, 0, 1, 2)))
    parts += _listed(f"For “{words.leader}”", words.reasons_for, "green", "+")
    parts += _listed(f"Against “{words.leader}”", words.reasons_against, "red", "-")
    parts += _listed("What it does not explain", words.beside, "yellow", "&")
    if words.refuted_by:
        parts += _listed("What would refute it", [words.refuted_by], "yellow", "?")
    parts += _listed("Disputed", words.disputed, "yellow", "!")
    if words.steps:
        parts.append(_title("Next steps"))
    parts += [_step(number, step) for number, step in enumerate(words.steps, start=1)]
    parts += _listed("Sources", _some(words.sources, _MOST_SOURCES, "(--json lists them all)"), "dim", "·")
    return Group(*parts)


def _some(lines: Sequence[str], most: int, what: str) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more {what}"] if more > 1 else list(lines)


def _meant(question: QuestionWords, feature: Feature, typed: str) -> Value:
    """Read an answer; a number is that of a choice on the screen. Raises ValueError."""
    number = whole(typed.strip())
    if feature.type == "choice" and number is not None and 1 <= number <= len(question.choices):
        return question.choices[number - 1][0]
    return parse_answer(feature, typed)


def _listed(title: str, lines: Sequence[str], style: str, mark: str) -> list[RenderableType]:
    if not lines:
        return []
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(Text("  " + mark, style), Text(line, "dim" if style == "dim" else ""))
    return [Text("  " + title, "bold"), table, Text()]


def _step(number: int, step: StepWords) -> RenderableType:
    parts: list[RenderableType] = [Text(step.title, "bold")]
    parts += _command(step.command, step.reading)
    parts += [Text(note, "dim") for note in step.notes]
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(f"  {number}", "bold green"), Group(*parts, Text()))
    return table
