"""A conversation in the terminal: `python -m bot diagnose`, with what somebody types on its standard input."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot.cli import app
from bot.history import UNKNOWN_SAID
from rules.diagnose import Expert
from tests.conversations.transcript import MOST_RANKS, Act, Said, StepSaid, plain
from tests.service import client_of, set_up

_WIDE = 3000
"""Columns: no line is broken, for where it is says nothing."""
_TITLE = re.compile(r"^(\S.*?) ─+$")
_RANK = re.compile(r"^  (\S.*?) +[█░]+ +((?:over |under )?\d+ %)  [a-z]")
_STEP = re.compile(r"^  (\d+) (.+)$")
_CASE = re.compile(r"--case ([a-z2-7]{26})")
_TOLD = re.compile(r"^Told on [0-9: -]+ UTC: ")
_MORE = re.compile(r"and (\d+) more \(--json lists them all\)")
_MOVED = re.compile(r"% → (?:over |under )?\d+ %|^ *That changes little\.$")
_MARKS = ("+", "-", "&", "?", "!", "·")


@pytest.fixture
def in_the_terminal(tmp_path: Path, expert: Expert, monkeypatch: pytest.MonkeyPatch) -> TerminalFace:
    """Give somebody before a wide terminal, with a database of their own."""
    database = tmp_path / "terminal.sqlite3"
    monkeypatch.setenv("WHYDROP_DATABASE_URL", f"sqlite:///{database}")
    monkeypatch.setattr("bot.cli.our_expert", lambda: expert)
    monkeypatch.setattr("bot.cli.console", lambda: Console(width=_WIDE, highlight=False))
    monkeypatch.setattr("bot.cli._interactive", lambda: True)
    return TerminalFace(expert, database)


@dataclass
class TerminalFace:
    """Somebody before a terminal, who leaves after each answer and goes on with the kept case."""

    expert: Expert
    database: Path
    case: str = ""
    pasted: str = ""
    question: str = ""

    async def do(self, act: Act) -> Said:
        """Do it, and read what is printed."""
        if act.kind == "end":
            await self._told_elsewhere(act)
        screen = Screen(await asyncio.to_thread(self._printed, act))
        self.case = self.case or screen.case
        said = screen.said(self.question if act.kind in ("type", "press") else act.question)
        self.question = said.question
        return said

    def _printed(self, act: Act) -> str:
        if act.kind == "paste":
            self.pasted = f"{self.pasted}\n{act.words}" if self.case else act.words
            return self._run([*(["--case", self.case] if self.case else ["--keep"]), "--", self.pasted], "quit")
        there = ["--case", self.case]
        if act.kind == "change":
            features = self.expert.shelf.features.values()
            (name,) = [one.id for one in features if one.question and one.question.text == act.question]
            return self._run([*there, "--answer", f"{name}={act.words}"], "quit")
        if act.kind == "end" or act.words == "stop":
            return self._run(there, "quit")
        return self._run(there, "unknown" if act.words == UNKNOWN_SAID else act.words, "quit")

    def _run(self, words: list[str], *typed: str) -> str:
        done = CliRunner().invoke(app, ["diagnose", *words], input="".join(f"{one}\n" for one in typed))
        assert done.exit_code in (0, 3), done.output
        return done.output

    async def _told_elsewhere(self, act: Act) -> None:
        """Tell how it ended over REST: the terminal shows it, and has no way to say it."""
        told = act.ending
        async with client_of(self.expert, set_up(self.database)) as client:
            verdict = (await client.get(f"/v1/cases/{self.case}")).json()["diagnosis"]["verdict"]
            causes = {one.title: one.id for one in self.expert.shelf.causes.values()}
            cause = verdict["cause"] if told.by_verdict else causes[told.cause] if told.cause else None
            body = {"solved": told.solved, "cause": cause, "note": told.note}
            assert (await client.post(f"/v1/cases/{self.case}/outcome", json=body)).status_code == 200


class Screen:
    """What was printed, taken apart."""

    def __init__(self, printed: str) -> None:
        self.lines = [line.rstrip() for line in printed.splitlines()]
        self.case = found[1] if (found := _CASE.search(printed)) else ""
        self.sections: dict[str, list[str]] = {}
        title = ""
        for line in self.lines:
            if found := _TITLE.match(line.removeprefix("> ")):
                title = re.sub(r"^Question \d+$", "Question", found[1])
                self.sections[title] = []
            elif line.strip() and not line.startswith("> ") and title:
                self.sections[title].append(line)

    def said(self, question: str) -> Said:
        """Give what it says; `question` is what was answered."""
        answered, moved = self._heard()
        return Said(
            read=[one for one in self._understood() if not one.startswith(("This ", "No line of this"))],
            aside=" ".join(one for one in self._understood() if one.startswith(("This log", "This is about"))),
            answered=answered if question else "",
            moved=moved,
            contradictions=list(dict.fromkeys(self._contradictions())),
            headline=self._end()[0] if self._end() else "",
            ranking=self._ranking(),
            question=self._asked()[0] if self._asked() else "",
            choices=self._choices(),
            why=self._why(),
            explanation=" ".join(one for one in self._end()[1:]),
            reasons_for=self._listed("For “"),
            reasons_against=self._listed("Against “"),
            beside=self._listed("What it does not explain"),
            refuted_by=" ".join(self._listed("What would refute it")),
            disputed=self._listed("Disputed"),
            steps=list(self._steps()),
            sources=list(self._sources()),
            outcome=self._outcome(),
        )

    def _heard(self) -> tuple[str, str]:
        """Give what an answer was understood as, and what it moved."""
        told = [line.removeprefix("> ").strip() for line in self.lines if line.startswith((">   ", "  → "))]
        told = [line for line in told if line not in self.sections.get("So far", [])]
        heard = [line.removeprefix("→ ") for line in told if line.startswith("→ ")]
        moved = [line.strip() for line in self.lines if _MOVED.search(line) and not line.startswith(("  “", "Case"))]
        return (plain(heard[0]) if heard else "", plain(moved[0]) if moved else "")

    def _understood(self) -> list[str]:
        below = self.sections.get("Understood", [])
        kept = [line for line in below if not _RANK.match(line) and not _MOVED.search(line)]
        shown = [plain(line) for line in kept if not line.startswith(("  and ", "  → "))]
        return [line for line in shown if line not in self._end()[:1]]

    def _contradictions(self) -> Iterator[str]:
        """Give those that stand since the last answer."""
        heard = [place for place, line in enumerate(self.lines) if line.startswith(">   ")]
        since = self.lines[heard[-1] if heard else 0 :]
        yield from (plain(line) for line in since if line.startswith("  This does not go together"))

    def _ranking(self) -> list[tuple[str, str]]:
        """Give the last ranking: it stands below the last blank line before which there is one."""
        rows: list[tuple[str, str]] = []
        for before, line in pairwise(["", *self.lines]):
            if found := _RANK.match(line):
                rows = [*(rows if _RANK.match(before) else []), (found[2], plain(found[1]))]
        return rows[:MOST_RANKS]

    def _asked(self) -> list[str]:
        """Give the question that is open, unless the case came to its end."""
        return [plain(line) for line in self.sections.get("Question", [])] if self._left else []

    @property
    def _left(self) -> bool:
        """Tell whether somebody left while they were asked."""
        return any(line == ">" or re.match(r"> \S", line) for line in self.lines)

    def _choices(self) -> list[str]:
        found: list[str] = []
        for line in self.sections.get("Question", []) if self._asked() else []:
            if line.startswith("  A duration, such as"):
                return plain(line).partition("or: ")[2].split("; ")
            for one in re.split(r"   +", line.strip()):
                if one.startswith(f"{len(found) + 1} "):
                    found.append(plain(one.partition(" ")[2]))
        return found

    def _why(self) -> list[str]:
        told = [line for line in self.lines if line.startswith("  “") and "would lead with" in line]
        if not told:
            return []
        (why,) = [line.removeprefix(">").strip() for line in self.lines if line.startswith(">   ")]
        return [plain(one) for one in (why, *told)]

    def _end(self) -> list[str]:
        """Give the headline and the explanation, which stand before the first list."""
        found: list[str] = []
        for line in self.sections.get("Verdict", self.sections.get("As it stands", [])):
            if line.strip().startswith(("For “", "Against “", "What ", "Disputed", "Sources")) and found:
                break
            found.append(plain(line))
        return found

    def _listed(self, title: str) -> list[str]:
        below = [line for name in ("Verdict", "As it stands", "Next steps") for line in self.sections.get(name, [])]
        found: list[str] = []
        within = False
        for line in below:
            if line.startswith("  ") and line[2:3] in _MARKS and line[3:4] == " ":
                found += [plain(line[4:])] if within else []
            else:
                within = line.strip().startswith(title)
        return found

    def _steps(self) -> Iterator[StepSaid]:
        steps: list[list[str]] = []
        for line in self.sections.get("Next steps", []):
            if line.startswith("  Sources"):
                break
            if (found := _STEP.match(line)) and int(found[1]) == len(steps) + 1:
                steps.append([found[2]])
            else:
                steps[-1].append(line)
        for title, *below in steps:
            deep = [line[8:] for line in below if line.startswith(" " * 8)]
            reading = [plain(line) for line in deep if line.startswith("Reading it: ")]
            command = "\n".join(line for line in deep if not line.startswith("Reading it: "))
            notes = [plain(line) for line in below if not line.startswith(" " * 8)]
            kept = [line for line in notes if not line.startswith("Source: ")]
            yield StepSaid(plain(title), command, " ".join([*reading, *kept]))

    def _sources(self) -> Iterator[str]:
        """Give the sources; of those that are only counted, that they are there."""
        for line in self._listed("Sources"):
            found = _MORE.fullmatch(line)
            yield from [""] * int(found[1]) if found else [line]

    def _outcome(self) -> list[str]:
        """Give how it ended, and the note below."""
        told = [line for line in self.sections.get("So far", []) if not _RANK.match(line)]
        below = [line.strip() for line in told if not line.startswith("  and ")]
        at = next((place for place, line in enumerate(below) if line.startswith("Told on")), None)
        return [] if at is None else [plain(_TOLD.sub("", one)) for one in below[at : at + 2]]
