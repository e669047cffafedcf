"""Transcripts: what somebody does and what whydrop says, as text that is read, run and written again.

    > a line            they paste it; several below each other are one paste, later ones are added to those before
    ! words             they type it: an answer, "I don't know", "why", "back", or "stop"
    ! [words]           they press what is so labelled, where there is something to press
    ~ question → words  they change an earlier answer
    = how. note         they tell how it ended: "This solved it", "It was something else: CAUSE", "It is not solved"
    (indented)          what whydrop says
    Doors: ...          the ways into Slack through which it is run

Everything else is narration. `python -m tests.conversations.transcript --write` writes down anew what whydrop says;
without `--write` it says what would change.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bot.history import UNKNOWN_SAID
from knowledge.load import load_shelf
from rules.answers import is_unknown
from rules.diagnose import Expert

FOLDER = Path(__file__).parent / "transcripts"
Kind = Literal["paste", "type", "press", "change", "end"]
_KINDS: dict[str, Kind] = {"> ": "paste", "! ": "type", "~ ": "change", "= ": "end"}
_ENDED = re.compile(r"(This solved it|It was something else|It is not solved)(?:: ([^.]+))?\.(?: (.+))?")
_WIDE = 116
MOST_RANKS = 3
_MOST_SOURCES = 3


@dataclass(frozen=True)
class Act:
    """Something that somebody does; of a change `question` names the answer that is changed."""

    kind: Kind
    words: str
    question: str = ""

    @property
    def ending(self) -> Ending:
        """Say how it ended, as they tell it."""
        found = _ENDED.fullmatch(self.words)
        assert found, f"write as the docstring says how it ended, not {self.words!r}"
        return Ending(found[1] != "It is not solved", found[1] == "This solved it", found[2] or "", found[3] or "")

    def __str__(self) -> str:
        """Write it as it stands in a transcript."""
        match self.kind:
            case "paste":
                return "\n".join(f"> {line}" for line in self.words.splitlines())
            case "press":
                return f"! [{self.words}]"
            case "change":
                return f"~ {self.question} → {self.words}"
        return f"{'=' if self.kind == 'end' else '!'} {self.words}"


@dataclass(frozen=True)
class Ending:
    """How a case ended: `by_verdict` was solved by what the verdict says, else by `cause`, "" where none is known."""

    solved: bool
    by_verdict: bool
    cause: str
    note: str


@dataclass(frozen=True)
class StepSaid:
    """One next step."""

    title: str
    command: str
    notes: str


@dataclass(frozen=True)
class Said:
    """What a face says after something was done, without that face's own markup; the words are all those of the face.

    `answered` repeats an answer as it was understood, `moved` says what it changed. `ranking` are the first three
    causes with their shares. `why` answers "why do you ask?".
    """

    read: Sequence[str] = ()
    aside: str = ""
    answered: str = ""
    moved: str = ""
    contradictions: Sequence[str] = ()
    headline: str = ""
    ranking: Sequence[tuple[str, str]] = ()
    question: str = ""
    choices: Sequence[str] = ()
    why: Sequence[str] = ()
    explanation: str = ""
    reasons_for: Sequence[str] = ()
    reasons_against: Sequence[str] = ()
    beside: Sequence[str] = ()
    refuted_by: str = ""
    disputed: Sequence[str] = ()
    steps: Sequence[StepSaid] = ()
    sources: Sequence[str] = ()
    outcome: Sequence[str] = ()


class Face(Protocol):
    """One of the places where a conversation can be held."""

    async def do(self, act: Act) -> Said:
        """Do what somebody does there, and give what they read there afterwards."""


@dataclass(frozen=True)
class Transcript:
    """A conversation: narration and acts, in order."""

    name: str
    parts: Sequence[str | Act]
    doors: Sequence[str] = field(default=())

    @classmethod
    def read(cls, name: str) -> Transcript:
        """Read one by its name."""
        parts = list(_parts((FOLDER / f"{name}.txt").read_text(encoding="utf-8")))
        told = [one for one in parts if isinstance(one, str) and one.startswith("Doors: ")]
        assert len(told) == 1, f"{name} names no doors"
        return cls(name, parts, told[0].removeprefix("Doors: ").split(", "))

    @property
    def text(self) -> str:
        """Give it as it is kept."""
        return (FOLDER / f"{self.name}.txt").read_text(encoding="utf-8")

    async def held(self, face: Face) -> str:
        """Hold the conversation at a face, and write down what was said."""
        written: list[str] = []
        before = Said()
        for part in self.parts:
            written.append(str(part))
            if isinstance(part, Act):
                try:
                    said = await face.do(part)
                except (AssertionError, LookupError, TimeoutError) as wrong:
                    wrong.add_note("\n\n".join(written))
                    raise
                written.append("\n".join(turn(part, said, before)))
                before = before if said.why else said
        return "\n\n".join(written) + "\n"


def names() -> list[str]:
    """Name all transcripts."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def differences(kept: str, now: str, where: str) -> str:
    """Say where a conversation went otherwise than it is written down; "" if it did not."""
    lines = difflib.unified_diff(kept.splitlines(), now.splitlines(), "as it is written", f"as {where} says it", n=2)
    return "\n".join(line.rstrip("\n") for line in lines)


def _parts(text: str) -> Iterator[str | Act]:
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in block.splitlines() if not line.startswith("    ")]
        kind = _KINDS.get(lines[0][:2]) if lines else None
        if kind is None:
            yield from ["\n".join(lines)] if lines else []
        elif kind == "paste":
            yield Act("paste", "\n".join(line.removeprefix("> ") for line in lines))
        else:
            yield _act(kind, " ".join(lines)[2:])


def _act(kind: Kind, words: str) -> Act:
    if kind == "change":
        question, _, answer = words.rpartition(" → ")
        return Act(kind, answer, question)
    pressed = kind == "type" and words.startswith("[")
    return Act("press", words[1:-1]) if pressed else Act(kind, words)


def turn(act: Act, said: Said, before: Said) -> Iterator[str]:
    """Write down what is said in answer to one act: of what was said before, only what is new."""
    if act.kind == "end":
        yield from (line for one in said.outcome for line in _wrapped(one))
        return
    if said.why:
        yield from (line for one in said.why for line in _wrapped(one))
        return
    yield from _wrapped(f"→ {said.answered}" if said.answered else "")
    yield from _wrapped(said.moved if act.kind != "paste" and act.words != "stop" else "")
    for one in said.read:
        yield from _wrapped(f"Read: {one}" if one not in before.read else "")
    yield from _wrapped(said.aside if said.aside != before.aside else "")
    yield from (line for one in said.contradictions for line in _wrapped(one))
    yield from _wrapped(said.headline if said.headline != before.headline or act.words == "stop" else "")
    yield from _ranked(said.ranking if said.ranking != before.ranking and not said.explanation else ())
    if said.question and act.words != "stop":
        yield from _wrapped(f"? {said.question}")
        yield from _wrapped(" | ".join(said.choices if said.choices != before.choices else ()), "      ")
    else:
        yield from _ending(said)


def _ranked(ranking: Sequence[tuple[str, str]]) -> Iterator[str]:
    wide = max((len(percent) for percent, _ in ranking), default=0)
    yield from (f"      {percent:>{wide}}  {title}" for percent, title in ranking)


def _ending(said: Said) -> Iterator[str]:
    yield from _titled("What happens", [said.explanation])
    yield from _titled("For it", said.reasons_for, "+ ")
    yield from _titled("Against it", said.reasons_against, "- ")
    yield from _titled("What it does not explain", said.beside, "& ")
    yield from _titled("What would refute it", [said.refuted_by])
    yield from _titled("Disputed", said.disputed, "! ")
    if said.steps:
        yield "    Next steps:"
    for number, step in enumerate(said.steps, start=1):
        yield from _wrapped(f"{number}. {step.title}", "      ")
        yield from (f"          $ {line}" for line in step.command.splitlines())
        yield from _wrapped(step.notes, "         ")
    more = len(said.sources) - _MOST_SOURCES
    last = [f"and {more} more"] if more > 0 else []
    yield from _titled("Sources", [*said.sources[:_MOST_SOURCES], *last], "* ")


def _titled(title: str, lines: Sequence[str], mark: str = "") -> Iterator[str]:
    kept = [line for line in lines if line]
    if kept:
        yield f"    {title}:"
    for line in kept:
        yield from _wrapped(f"{mark}{line}", "      ")


def _wrapped(text: str, indent: str = "    ") -> list[str]:
    found = textwrap.TextWrapper(
        _WIDE, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )
    return found.wrap(text)


def chosen(words: str, labels: Sequence[str]) -> str:
    """Give the label that typed words mean where one can only choose: a number of the list, or one's own words."""
    if is_unknown(words):
        return UNKNOWN_SAID
    return labels[int(words) - 1] if words.isdecimal() and int(words) <= len(labels) else words


def plain(text: str) -> str:
    """Take off what only lays words out: blanks, thin ones too, and the marks of code."""
    return " ".join(text.replace("\u200a", "").replace("\u2009", "").replace("`", "").split())


async def _again(chosen: Sequence[str], *, write: bool) -> int:
    wrong, expert = 0, Expert(load_shelf())
    for name in chosen or names():
        transcript = Transcript.read(name)
        door = transcript.doors[0]
        try:
            now = await _held_in_slack(transcript, expert, door)
        except (AssertionError, LookupError, TimeoutError) as error:
            told = "\n".join([*getattr(error, "__notes__", ()), f"It did not go on: {error}"])
        else:
            told = differences(transcript.text, now, f"Slack ({door})")
            if write:
                (FOLDER / f"{name}.txt").write_text(now, encoding="utf-8")
                continue
        if told:
            wrong += 1
            sys.stdout.write(f"{name}\n{told}\n\n")
    return min(wrong, 1)


async def _held_in_slack(transcript: Transcript, expert: Expert, door: str) -> str:
    from tests.conversations.slack_face import in_slack  # noqa: PLC0415  (it knows of transcripts, too)

    with tempfile.TemporaryDirectory() as folder:
        async with in_slack(Path(folder), expert, door) as face:
            return await transcript.held(face)


def main() -> int:
    """Hold all conversations, or those that are named, in Slack; say what changed, and write it down if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.conversations.transcript")
    parser.add_argument("names", nargs="*", help="the transcripts, all without")
    parser.add_argument("--write", action="store_true", help="write down what whydrop says now")
    told = parser.parse_args()
    return asyncio.run(_again(told.names, write=told.write))


if __name__ == "__main__":
    sys.exit(main())
