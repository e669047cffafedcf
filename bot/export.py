"""A kept case as text for a ticket, and as one object for a machine."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bot.case_events import Pasted
from bot.casebook import Consulted
from bot.history import AnswerWords, answer_words, concluded_otherwise, outcome_said, when
from bot.markdown import code, fenced, inline, ours
from bot.phrases import percent, short
from bot.picture import picture
from bot.picture_text import HEADING, below_heading
from bot.wording import Page, StepWords, page
from knowledge.shelf import Shelf
from rules.case import Diagnosis

_MOST_LINES = 40
_LONGEST_LINE = 2000
_ADDRESS = re.compile(r"(.*), (https?://[^\s<>]+)", re.DOTALL)


def markdown(consulted: Consulted, shelf: Shelf, link: str | None = None) -> str:
    """Write a case as Markdown, to be pasted into a ticket; `link` is where it can be seen.

    Nothing that was pasted or told can be more than text in it.
    """
    words = page(consulted.diagnosis, shelf)
    drawn = picture(consulted.diagnosis, shelf)
    outcome, note = outcome_said(consulted.kept.events, shelf)
    blocks = [
        *_head(consulted, words, shelf, link),
        *_section(
            "How it ended", [inline(outcome), *([f"> {inline(note)}"] if note.strip() else [])] if outcome else []
        ),
        *_section("What was pasted", _pasted(consulted)),
        *_section("What was understood", [_list([*words.understood, words.aside]), _list(words.not_understood)]),
        *_section(HEADING, [fenced(below_heading(drawn))] if drawn else []),
        *_section("What is known", [_list(words.facts)]),
        *_section("Answers", [_answers(answer_words(consulted.kept.events, shelf))]),
        *_reasoning(words),
        *_section("Next question", [ours(words.question.text)] if words.question else []),
        *_section("Next steps", [block for number, one in enumerate(words.steps, 1) for block in _step(number, one)]),
        *_section("Sources", ["\n".join(f"- {_source(one)}" for one in words.sources)]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def as_json(consulted: Consulted, shelf: Shelf) -> dict[str, object]:
    """Give the whole case: all that JSON knows, in an order that does not change. Times are in UTC (ISO 8601)."""
    kept = consulted.kept
    case = consulted.case.model_dump(mode="json")
    summary = asdict(kept.summary) | {
        "created": kept.summary.created.isoformat(),
        "updated": kept.summary.updated.isoformat(),
    }
    return {
        "summary": summary,
        "events": [
            {"number": one.number, "at": one.at.isoformat(), **one.event.model_dump(mode="json")} for one in kept.events
        ],
        "answers": [_answer_json(one) for one in answer_words(kept.events, shelf)],
        "case": case | {name: sorted(case[name]) for name in ("declined", "confirmed")},
        "diagnosis": consulted.diagnosis.model_dump(mode="json", by_alias=True),
    }


def _answer_json(one: AnswerWords) -> dict[str, object]:
    earlier = [{"answer": answer, "at": at.isoformat()} for answer, at in one.earlier]
    return {
        "feature": one.feature,
        "question": one.question,
        "answer": one.answer,
        "at": one.at.isoformat(),
        "earlier": earlier,
    }


def _head(consulted: Consulted, words: Page, shelf: Shelf, link: str | None) -> Iterator[str]:
    title, _, rest = words.headline.partition(". ")
    yield f"# {inline(title.rstrip('.'))}"
    yield inline(rest)
    summary, stamp = consulted.kept.summary, consulted.diagnosis.knowledge
    place = f", <{link}>" if link and _ADDRESS.fullmatch(f", {link}") else ""
    then = concluded_otherwise(consulted.kept.events, stamp, shelf)
    lines = [
        f"Case {code(summary.id)}, {summary.state}{place}",
        f"Begun {when(summary.created)}, last change {when(summary.updated)}",
        f"Knowledge {code(f'{stamp.version} {stamp.hash}')}",
        *([f"{inline(then)} Below stands what today's knowledge says."] if then else []),
    ]
    yield "\n".join(f"- {line}" for line in lines)


def _section(title: str, blocks: Sequence[str]) -> list[str]:
    filled = [block for block in blocks if block]
    return [f"## {title}", *filled] if filled else []


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {inline(line)}" for line in lines if line.strip())


def _pasted(consulted: Consulted) -> list[str]:
    lines = [line.rstrip("\n") for line in io.StringIO(consulted.case.paste, newline=None)]  # as it is read
    if not any(line.strip() for line in lines):
        return []
    kept = _telling(len(lines), consulted.diagnosis)
    blocks = [fenced("\n".join(short(lines[number - 1], _LONGEST_LINE) for number in kept))]
    if more := len(lines) - len(kept):
        blocks.append(f"Of {len(lines):,} lines those are shown of which a record was made; {more:,} are left out.")
    earlier = [one for one in consulted.kept.events if isinstance(one.event, Pasted)][:-1]
    if earlier:
        blocks.append(
            f"Lines were pasted before, on {', '.join(when(one.at) for one in earlier)}; these stand for them."
        )
    return blocks


def _telling(count: int, diagnosis: Diagnosis) -> Sequence[int]:
    """Choose the lines that are shown: all of a short paste, else the first of which records were made."""
    if count <= _MOST_LINES:
        return range(1, count + 1)
    spans = (range(one.line, (one.last_line or one.line) + 1) for one in diagnosis.records)
    read = sorted({number for span in spans for number in span if number <= count})
    return (read or range(1, count + 1))[:_MOST_LINES]


def _answers(answers: Sequence[AnswerWords]) -> str:
    lines = []
    for one in answers:
        stands = f"**{inline(one.answer)}**" if one.answer is not None else "taken back"
        lines.append(f"- {inline(one.question)} {stands} ({when(one.at)})")
        lines += [f"  - before: {inline(one.earlier_said)}"] if one.earlier else []
    return "\n".join(lines)


def _reasoning(words: Page) -> list[str]:
    ranks = [f"{percent(one.probability)} {one.word}: {one.title}" for one in words.ranking]
    more = [f"and {words.more_causes} less likely causes"] if words.more_causes else []
    ranking = "\n".join(f"- {inline(line)}" for line in [*ranks, *more])
    parts = [
        ("Causes", ranking),
        ("Contradictions", _list(words.contradictions)),
        ("What it means", "\n\n".join(ours(line) for line in words.explanation.splitlines())),
        (f"For “{inline(words.leader)}”", _list(words.reasons_for)),
        (f"Against “{inline(words.leader)}”", _list(words.reasons_against)),
        ("What it does not explain", _list(words.beside)),
        ("What would refute it", ours(words.refuted_by)),
        ("Disputed", _list(words.disputed)),
    ]
    return _section("Reasoning", [block for title, text in parts if text for block in (f"### {title}", text)])


def _step(number: int, step: StepWords) -> Iterator[str]:
    yield f"### {number}. {ours(step.title)}"
    yield "\n".join(f"- {ours(note)}" for note in step.notes)
    if step.command:
        yield fenced(step.command.strip("\n"))
    yield ours(step.reading)


def _source(line: str) -> str:
    found = _ADDRESS.fullmatch(line)
    return f"{inline(found[1])}, <{found[2]}>" if found else inline(line)
