"""A conversation on the page, without JavaScript: its forms are sent, and what stands on it is read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.history import UNKNOWN_SAID
from bot.phrases import short
from rules.diagnose import Expert
from tests.conversations.transcript import MOST_RANKS, Act, Said, StepSaid, chosen, plain
from tests.markup import Element, Markup
from tests.service import client_of, set_up

_TOLD = re.compile(r"^Told on [0-9: -]+ UTC: ")


@asynccontextmanager
async def on_the_page(folder: Path, expert: Expert) -> AsyncIterator[PageFace]:
    """Run the service, and a browser that goes no further than forms and links."""
    same = {"sec-fetch-site": "same-origin"}
    async with client_of(expert, set_up(folder / "page.sqlite3"), **same) as client:
        yield PageFace(client)


@dataclass
class PageFace:
    """Somebody before the page. `html` is what they have before them."""

    client: httpx.AsyncClient
    case: str = ""
    html: str = ""

    async def do(self, act: Act) -> Said:
        """Do it, and read the page."""
        answered = act.question
        if act.kind == "paste":
            await self._pasted(act.words)
        elif act.kind == "end":
            await self._ended(act)
        elif act.words == "why":
            return Said(why=await self._why())
        elif act.words == "back" or (act.kind == "change" and act.words == "taken back"):
            await self._taken_back(act.question)
            answered = ""
        elif act.words != "stop":
            answered = act.question or self._section("question").all("h2")[0].text
            await self._answered(act)
        return self._said(plain(answered))

    # What they do

    async def _looks(self, address: str) -> None:
        found = await self.client.get(address)
        assert found.status_code == 200, found.text
        self.html = found.text

    async def _sends(self, form: str, **fields: str) -> None:
        if form != "/cases":
            fields["expected"] = Markup(self.html).field("expected")
        found = await self.client.post(form, data=fields)
        assert found.status_code == 303, Markup(found.text).text
        self.case = found.headers["location"].partition("#")[0]
        await self._looks(self.case)

    async def _pasted(self, lines: str) -> None:
        if self.case:
            await self._sends(f"{self.case}/pastes", paste=lines, how="add")
        else:
            await self._sends("/cases", paste=lines)

    async def _answered(self, act: Act) -> None:
        """Press the button with these words, or type them where there is a field."""
        where = "question"
        if act.question:
            await self._looks(f"{self.case}?change={self._feature(act.question)}")
            where = "changing"
        form = self._section(where)
        words = chosen(act.words, [_plain(one) for one in form.all("button", name="value")])
        pressed = [one for one in form.all("button", name="value") if _fits(one, words)]
        told = {"value": pressed[0].attributes["value"]} if pressed else {"typed": words}
        await self._sends(f"{self.case}/answers", feature=form.field("feature"), **told)

    async def _taken_back(self, question: str) -> None:
        given = self._section("given").all("button")
        named = f"Take back your answer to: {question}"
        fits = [one for one in given if one.attributes["aria-label"].startswith(named)]
        text = fits[-1].attributes["aria-label"].partition(": ")[2]
        await self._sends(f"{self.case}/withdrawn", feature=self._feature(text))

    def _feature(self, question: str) -> str:
        """Find which answer a link changes."""
        links = self._section("given").all("a", aria_label=f"Change your answer to: {question}")
        return links[0].attributes["href"].partition("?change=")[2].partition("#")[0]

    async def _ended(self, act: Act) -> None:
        told, form = act.ending, self._section("outcome")
        titles = {plain(one.text): one.attributes["value"] for one in form.all("option")}
        cause = plain(Markup(self.html).all("h1")[0].text) if told.by_verdict else told.cause or "Something else"
        how = "solved" if told.solved else "unsolved"
        await self._sends(f"{self.case}/outcome", how=how, cause=titles[cause], note=told.note)

    async def _why(self) -> list[str]:
        asked = self._section("question")
        (link,) = [one.attributes["href"] for one in asked.all("a") if "/what-if" in one.attributes["href"]]
        found = await self.client.get(link)
        effects = Markup(found.text.partition('id="effects"')[2])
        return [_plain(asked.all("p", class_="why")[0]).removeprefix("Why: "), *map(_plain, effects.all("li"))]

    # What they see

    def _section(self, name: str) -> Markup:
        """Give what stands in a section; sections do not stand in each other."""
        return Markup(self.html.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0].partition(">")[2])

    def _said(self, answered: str) -> Said:
        proof, asked, whole = self._section("proof"), self._section("question"), Markup(self.html)
        moved = [_plain(one) for one in whole.all("p", class_="moved")]
        disputed = Markup(self.html.partition("<h3>Disputed</h3>")[2].partition("</ul>")[0])
        refuted = Markup(self.html.partition("<h3>What would refute it</h3>")[2].partition("</p>")[0])
        return Said(
            read=list(self._read()),
            aside=" ".join(
                text for one in self._section("pasted").all("p", class_="note") if (text := _plain(one))[:5] == "This "
            ),
            answered=self._answer(answered) if answered else "",
            moved=moved[0].removeprefix("Your last answer: ") if moved else "",
            contradictions=[
                _plain(one) for one in whole.all("p", class_="note warn") if one.text.startswith("This does not go")
            ],
            headline=self._headline(whole),
            ranking=self._ranking(),
            question=_plain(asked.all("h2")[0]) if asked.all("h2") else "",
            choices=[_plain(one) for one in asked.all("button", name="value") if _plain(one) != UNKNOWN_SAID],
            explanation=" ".join(_plain(one) for one in self._before_lists().all("p")),
            reasons_for=_reasons(proof, "for"),
            reasons_against=_reasons(proof, "against"),
            beside=_reasons(proof, "beside"),
            refuted_by=plain(refuted.text),
            disputed=[_plain(one) for one in disputed.all("li")],
            steps=list(self._steps()),
            sources=list(self._sources()),
            outcome=self._outcome(),
        )

    def _headline(self, whole: Markup) -> str:
        (title,) = whole.all("h1")
        if not (lead := whole.all("p", class_="lead")):
            return _plain(title)
        standing = plain(Markup(self.html.partition('<p class="lead">')[2].partition("</span>")[0]).text)
        return (
            f"{_plain(title)} ({standing}).{_plain(lead[0]).removeprefix(standing).rstrip().join([' ', ''])}".replace(
                ".  ", ". "
            )
        )

    def _read(self) -> Iterator[str]:
        pasted = self._section("pasted")
        for one in self.html.split('<ul class="understood">')[1:]:
            yield from map(_plain, Markup(one.partition("</ul>")[0]).all("li"))
        for part in re.findall(r"<li [^>]*class=\"unread\">.*?</li>", self.html, re.DOTALL):
            line = Markup(part)
            why, number = line.all("span", class_="why")[0].text, line.all("li")[0].attributes["value"]
            text = line.all("code")[0].text
            yield plain(f"Line {number}, {why.removeprefix('not read: ')}: {short(text)}")
        assert pasted.text

    def _answer(self, question: str) -> str:
        for one in self.html.split('<ul class="given">')[1].split("<li>")[1:]:
            told = Markup(one.partition("</p>")[0])
            words = plain(told.all("strong")[0].text)
            if plain(told.text).startswith(question):
                return words
        raise AssertionError(f"{question!r} is not among the answers")

    def _ranking(self) -> list[tuple[str, str]]:
        listed = self._section("ranking")
        causes, shares = listed.all("span", class_="cause"), listed.all("span", class_="share")
        return [(_plain(share), _plain(cause)) for cause, share in zip(causes, shares, strict=True)][:MOST_RANKS]

    def _before_lists(self) -> Markup:
        there = self.html.partition('aria-labelledby="proof"')[2].partition("</section>")[0]
        return Markup(there.partition("<h3>")[0].partition(">")[2])

    def _steps(self) -> Iterator[StepSaid]:
        listed = self.html.partition('<ol class="steps">')[2].partition("</ol>")[0]
        for one in listed.split("<h3>")[1:]:
            step = Markup(f"<h3>{one}")
            command = step.all("code", id=step_id) if (step_id := _id(step)) else []
            notes = [*map(_plain, step.all("p", class_="faint")), *map(_plain, step.all("li"))]
            kept = [one for one in notes if not one.startswith("Source: ")]
            yield StepSaid(_plain(step.all("h3")[0]), command[0].text if command else "", " ".join(kept))

    def _sources(self) -> Iterator[str]:
        listed = self.html.partition('aria-labelledby="sources"')[2].partition("</section>")[0]
        for one in listed.split("<li>")[1:]:
            line = Markup(one.partition("</li>")[0])
            trust = line.all("small")[0].text
            title = plain(line.text).removesuffix(trust).strip()
            address = "".join(f", {link.attributes['href']}" for link in line.all("a"))
            yield f"{title} ({trust}){address}"

    def _outcome(self) -> list[str]:
        there = self._section("outcome")
        told = [_TOLD.sub("", text) for one in there.all("p") if (text := _plain(one)).startswith("Told on")]
        return [*told, *map(_plain, there.all("blockquote"))]


def _plain(one: Element) -> str:
    return plain(one.text)


def _fits(button: Element, words: str) -> bool:
    return words in (plain(button.text), button.attributes["value"])


def _id(step: Markup) -> str:
    return next((one.attributes["id"] for one in step.all("code") if "id" in one.attributes), "")


def _reasons(proof: Markup, sign: str) -> list[str]:
    """Give the reasons of one list; what they rest on stands small behind each."""
    found, within = [], False
    elements = iter(proof.elements)
    for one in elements:
        if one.tag == "ul":
            within = one.attributes.get("class") == f"reasons {sign}"
        elif one.tag == "li" and within:
            found.append(_plain(one))
        elif one.tag == "small" and within:
            grounds = _plain(one)
            found[-1] = f"{found[-1].removesuffix(grounds).strip()} [{grounds}]"
    return found
