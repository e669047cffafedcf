"""The terminal face: how a case is laid out there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from bot.case_events import Numbered, Summary
from bot.history import answer_words, concluded_otherwise, outcome_said, when
from bot.picture import picture
from bot.picture_text import COLUMNS, HEADING, below_heading
from bot.settings import LOCAL
from bot.wording import Page, QuestionWords, Rank, StepWords
from knowledge.clause import Value, plain
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Diagnosis, KnowledgeStamp
from rules.clean import clean

_BAR = 12
_WIDEST = 100
_ONE_LINE = 76
_MOST_SOURCES = 8
_MOST_LINES = 10
_ROOM_FOR_BARS = 60
_NARROWEST = 30
_ROOM_FOR_PICTURE = COLUMNS + 2
_WORDS = Text("unknown · why · why CAUSE · why not CAUSE · facts · picture · back · quit", "dim")


@dataclass(frozen=True, slots=True)
class Shown:
    """How a case is shown: asked about, or as it stands; as JSON; with what happened drawn."""

    asks: bool
    as_json: bool
    pictured: bool


def console() -> Console:
    """Make a console that is never wider than text is pleasant to read."""
    made = Console(highlight=False)
    made.width = fitted(made.width)
    return made


def show(out: Console, laid_out: RenderableType) -> None:
    """Print a page, with all of the lines that are longer than the console is wide."""
    out.print(laid_out, crop=False)


def fitted(width: int) -> int:
    """Give the columns to use of those there are."""
    return max(_NARROWEST, min(width, _WIDEST))


def whole_page(words: Page, width: int, seen: Sequence[RenderableType] = (), number: int = 1) -> RenderableType:
    """Lay a diagnosis out as it stands, without asking. `width` is the console's, in columns.

    `seen` stands behind what was understood; `number` is that of the question.
    """
    parts = [understanding(words), *([Text(), *seen[:-1]] if seen else []), standing(words, width)]
    if words.question:
        values = ", ".join(plain(value) for value, _label in words.question.choices)
        hint = Text(f"Answer with --answer {words.question.feature}=VALUE: {values}, or unknown", "dim")
        parts += [asked(words.question, number, hint)]
    return Group(*parts, conclusion(words))


def drawn(diagnosis: Diagnosis, shelf: Shelf, width: int) -> list[RenderableType]:
    """Draw what happened; nothing if there is nothing to draw, or no room. `width` is the console's, in columns."""
    seen = picture(diagnosis, shelf) if width >= _ROOM_FOR_PICTURE else None
    if seen is None:
        return []
    lines = below_heading(seen).rstrip()
    return [title(HEADING), Padding(Text(lines, no_wrap=True), (0, 0, 0, 2)), Text()]


def drawn_or_not(diagnosis: Diagnosis, shelf: Shelf, width: int) -> RenderableType:
    """Draw what happened, or say why not."""
    if parts := drawn(diagnosis, shelf, width):
        return Group(*parts)
    narrow = f"The picture needs a terminal of {_ROOM_FOR_PICTURE} columns."
    return lines_said(["There is nothing to draw yet." if width >= _ROOM_FOR_PICTURE else narrow])


def lines_said(lines: Sequence[str]) -> RenderableType:
    """Lay out an answer to what was typed."""
    return Group(*(Padding(Text(line, "cyan"), (0, 2)) for line in lines))


def kept_head(summary: Summary, workspace: str) -> list[RenderableType]:
    """Say which case this is."""
    place = "" if workspace == LOCAL else f"workspace {clean(workspace)}, "
    changed = f", changed {when(summary.updated)}" if summary.updated > summary.created else ""
    about = Text(f"{place}{summary.state}, begun {when(summary.created)}{changed}", "dim")
    return [title(f"Case {summary.id}"), Padding(about, (0, 0, 0, 2)), Text()]


def so_far(events: Sequence[Numbered], today: KnowledgeStamp, shelf: Shelf) -> list[RenderableType]:
    """List the answers that were given until now, what was concluded by other knowledge, and how the case ended."""
    table = Table.grid(padding=(0, 2, 0, 0))
    answers = [one for one in answer_words(events, shelf) if one.answer is not None]
    for one in answers:
        table.add_row(Text(one.question), Text(f"→ {one.answer}", "cyan"))
    outcome, note = outcome_said(events, shelf)
    notes = (concluded_otherwise(events, today, shelf), outcome, clean(note))
    inside: list[RenderableType] = [
        *([table] if answers else []),
        *(Text(line, "yellow") for line in notes if line),
    ]
    return [title("So far"), *(Padding(one, (0, 0, 0, 2)) for one in inside), Text()] if inside else []


def heard(feature: Feature, value: Value) -> str:
    """Repeat an answer as it was understood."""
    return plain(value) if feature.type == "yes-no" else said(feature, value)


def understanding(words: Page) -> RenderableType:
    lines = [Text(line) for line in _some(words.understood, _MOST_LINES, "lines")]
    lines += [Text(words.aside, "yellow")] if words.aside else []
    lines += [Text(line, "yellow") for line in _some(words.not_understood, _MOST_LINES, "that were not read")]
    if not words.understood:
        lines.append(Text("No line of this was understood; whydrop can still ask.", "yellow"))
    return Group(title("Understood"), *(Padding(line, (0, 0, 0, 2)) for line in lines))


def title(text: str) -> RenderableType:
    return Line(Text(text, "bold"), align="left", style="dim")


def standing(words: Page, width: int) -> RenderableType:
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


def asked(question: QuestionWords, number: int, hint: Text = _WORDS) -> RenderableType:
    return Group(
        title(f"Question {number}"),
        Padding(Text(question.text, "bold"), (0, 0, 0, 2)),
        Padding(Text("Why: " + question.why, "dim"), (0, 0, 0, 2)),
        Padding(Text("How: " + question.how, "dim"), (0, 0, 0, 2)),
        *_command(question.command, question.reading, 4),
        Text(),
        _durations(question) if isinstance(question.choices[0][0], float) else _choices(question),
        Padding(hint, (0, 0, 0, 2)),
    )


def _command(command: str | None, reading: str, indent: int) -> list[RenderableType]:
    """Lay out a command and how to read what it says.

    The terminal breaks a long line of a command itself, if need be: what is copied there is still one line.
    """
    lines = "\n".join(" " * indent + line for line in command.strip().splitlines()) if command else ""
    return [
        *([Text(lines, "cyan", no_wrap=True, overflow="ignore")] if lines else []),
        *([Padding(Text(reading, "dim"), (0, 0, 0, indent))] if reading else []),
    ]


def _durations(question: QuestionWords) -> RenderableType:
    """A number is typed as it is, so its choices bear no numbers of their own."""
    labels = "; ".join(label for _value, label in question.choices)
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
    parts: list[RenderableType] = [title("Verdict" if words.explanation else "As it stands")]
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
        parts.append(title("Next steps"))
    parts += [_step(number, step) for number, step in enumerate(words.steps, start=1)]
    parts += _listed("Sources", _some(words.sources, _MOST_SOURCES, "(--json lists them all)"), "dim", "·")
    return Group(*parts)


def _some(lines: Sequence[str], most: int, what: str) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more {what}"] if more > 1 else list(lines)


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
    head = Table.grid(padding=(0, 1, 0, 0))
    head.add_row(Text(f"  {number}", "bold green"), Text(step.title, "bold"))
    notes = [Padding(Text(note, "dim"), (0, 0, 0, 4)) for note in step.notes]
    return Group(head, *_command(step.command, step.reading, 8), *notes, Text())
