"""A conversation over REST: what a program is told in JSON, and in the Markdown that it may put into a ticket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.explaining import moved_words
from bot.history import UNKNOWN_SAID
from rules.case import Diagnosis
from rules.diagnose import Expert
from rules.explain import moved
from tests.conversations.transcript import MOST_RANKS, Act, Said, StepSaid, chosen, plain
from tests.service import client_of, set_up

_RANK = re.compile(r"((?:over |under )?\d+ %) [a-z ]+: (.+)")
_STEP = re.compile(r"\d+\. (.+)")
_WHEN = re.compile(r" ?\(\d{4}-[0-9: -]+ UTC\)$")
_TOLD = re.compile(r"^Told on [0-9: -]+ UTC: ")
Json = dict[str, Any]


@asynccontextmanager
async def over_rest(folder: Path, expert: Expert) -> AsyncIterator[RestFace]:
    """Run the service, and a program that calls it."""
    async with client_of(expert, set_up(folder / "rest.sqlite3")) as client:
        yield RestFace(client)


@dataclass
class RestFace:
    """A program that holds a conversation; it asks people what it is asked, and looks their words up in the choices."""

    client: httpx.AsyncClient
    case: Json = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    async def do(self, act: Act) -> Said:
        """Do it, and read the case."""
        before, answered = self.case, ""
        if act.kind == "paste":
            await self._pasted(act.words)
        elif act.kind == "end":
            await self._ended(act)
        elif act.words == "back":
            await self._sent("DELETE", f"answers/{self.order.pop()}")
        elif act.words == "why":
            return Said(why=await self._why())
        elif act.words != "stop":
            answered = await self._answered(act)
        markdown = (await self._get("export")).text
        return self._said(Ticket.read(markdown), before, answered, told=act.kind not in ("paste", "end"))

    async def _pasted(self, lines: str) -> None:
        if not self.case:
            found = await self.client.post("/v1/cases", json={"paste": lines})
            assert found.status_code == 201, found.text
            self.case = found.json()
        else:
            await self._sent("POST", "pastes", {"paste": f"{self.case['paste']}\n{lines}"})

    async def _answered(self, act: Act) -> str:
        """Answer the question, or one that was answered before; give the question."""
        asked = await self._asked(act.question)
        choices = {one["label"]: one["value"] for one in asked["choices"]}
        words = chosen(act.words, list(choices))
        value = None if words == UNKNOWN_SAID else choices.get(words, words)
        self.order.append(asked["feature"])
        if act.words == "taken back":
            await self._sent("DELETE", f"answers/{asked['feature']}")
        else:
            await self._sent("POST", "answers", {"answers": {asked["feature"]: value}})
        return str(asked["text"])

    async def _asked(self, question: str) -> Json:
        now: Json = self.case["diagnosis"]["question"]
        if not question:
            return now
        known = (await self.client.get("/v1/questions")).json()["entries"]
        (name,) = [one["id"] for one in known if one["title"] == question]
        found = (await self.client.get(f"/v1/questions/{name}")).json()
        values = found.get("choices") or {"yes": "yes", "no": "no"}
        choices = [{"label": label, "value": value} for value, label in values.items()]
        return {"feature": name, "text": question, "choices": choices}

    async def _ended(self, act: Act) -> None:
        told, verdict = act.ending, self.case["diagnosis"]["verdict"]
        titles = {one["title"]: one["cause"] for one in self.case["diagnosis"]["hypotheses"]}
        cause = verdict["cause"] if told.by_verdict else titles[told.cause] if told.cause else None
        await self._sent("POST", "outcome", {"solved": told.solved, "cause": cause, "note": told.note})

    async def _why(self) -> list[str]:
        asked = self.case["diagnosis"]["question"]
        found = (await self._get(f"what-if/{asked['feature']}")).json()
        return [plain(one) for one in (asked["why"], *found["words"])]

    async def _get(self, path: str) -> httpx.Response:
        found = await self.client.get(f"/v1/cases/{self.case['id']}/{path}")
        assert found.status_code == 200, found.text
        return found

    async def _sent(self, method: str, path: str, body: Json | None = None) -> None:
        found = await self.client.request(method, f"/v1/cases/{self.case['id']}/{path}", json=body)
        assert found.status_code == 200, found.text
        self.case = found.json()

    def _said(self, ticket: Ticket, before: Json, answered: str, *, told: bool) -> Said:
        asked = self.case["diagnosis"]["question"] or {"text": "", "choices": []}
        return Said(
            read=[one for one in ticket.list("What was understood") if not _is_aside(one)],
            aside=" ".join(one for one in ticket.list("What was understood") if _is_aside(one)),
            answered=ticket.answer(answered) if answered else "",
            moved=self._moved(before) if told and before else "",
            contradictions=ticket.list("Contradictions"),
            headline=ticket.headline,
            ranking=[(found[1], found[2]) for one in ticket.list("Causes") if (found := _RANK.fullmatch(one))][
                :MOST_RANKS
            ],
            question=plain(asked["text"]),
            choices=[plain(one["label"]) for one in asked["choices"]],
            explanation=" ".join(ticket.list("What it means")),
            reasons_for=ticket.list("For “"),
            reasons_against=ticket.list("Against “"),
            beside=ticket.list("What it does not explain"),
            refuted_by=" ".join(ticket.list("What would refute it")),
            disputed=ticket.list("Disputed"),
            steps=list(ticket.steps()),
            sources=ticket.list("Sources"),
            outcome=[_TOLD.sub("", one) for one in ticket.list("How it ended")],
        )

    def _moved(self, before: Json) -> str:
        """Tell two answers of the service apart, as a program does: it is given the shares, not what changed."""
        then, now = (Diagnosis.model_validate(one["diagnosis"]) for one in (before, self.case))
        return moved_words(moved(then, now)) if then.symptom == now.symptom else ""


def _is_aside(text: str) -> bool:
    return text.startswith(("This log", "This is about"))


@dataclass
class Ticket:
    """A case in Markdown, taken apart: below each heading what stands there, a command as "$ ..."."""

    headline: str
    sections: dict[str, list[str]]

    @classmethod
    def read(cls, markdown: str) -> Ticket:
        """Take it apart, as what shows Markdown does."""
        titles, sections, level = ["", "", "", ""], dict[str, list[str]](), 0
        tokens = MarkdownIt().parse(markdown)
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                level = int(token.tag[1])
                titles[level] = _text(tokens[at + 1])
                sections[titles[level]] = []
            elif token.type == "fence":
                sections[titles[level]].append(f"$ {token.content.strip()}")
            elif token.type == "inline" and tokens[at - 1].type != "heading_open":
                sections[titles[level]].append(_text(token))
        rest = sections[titles[1]][0]
        return cls(titles[1] + (f". {rest}" if not rest.startswith("Case ") else "."), sections)

    def list(self, title: str) -> list[str]:
        """Give what stands below the heading that begins so."""
        return next((lines for name, lines in self.sections.items() if name.startswith(title)), [])

    def answer(self, question: str) -> str:
        """Give the answer that stands to a question."""
        (found,) = [one for one in self.list("Answers") if one.startswith(plain(question))]
        return _WHEN.sub("", found).removeprefix(plain(question)).strip()

    def steps(self) -> Iterator[StepSaid]:
        """Give the next steps."""
        for name, lines in self.sections.items():
            if found := _STEP.fullmatch(name):
                command = "".join(one.removeprefix("$ ") for one in lines if one.startswith("$ "))
                reading = [one for one in lines if one.startswith("Reading it: ")]
                notes = [one for one in lines if not one.startswith(("$ ", "Reading it: ", "Source: "))]
                yield StepSaid(found[1], command, " ".join([*reading, *notes]))


def _text(token: Token) -> str:
    return plain("".join(one.content if one.type != "softbreak" else " " for one in token.children or []))
