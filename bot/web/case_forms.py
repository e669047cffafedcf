"""Forms: what a case is told. A form that comes too late is shown again, with nothing of it lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.case_events import Answered, CaseEvent, Outcome, Pasted, Withdrawn
from bot.casebook import Consulted
from bot.cases import Stale
from bot.phrases import capital
from bot.web.case_pages import CasePages, paste_page
from bot.web.doors import Refused
from bot.web.forms import BrokenFile, Form, sent
from knowledge.clause import Value, plain
from knowledge.model import Feature
from rules.answers import NoAnswer, answered, is_unknown, parse_answer, product_id, said, withdrawn
from rules.ask import answers_of

_NOTE = 2000
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class Again:
    """A form that came too late, to be sent again: what it was, and its fields."""

    action: str
    what: str
    fields: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CaseForms:
    """The forms of one casebook."""

    pages: CasePages

    def add_to(self, router: APIRouter) -> None:
        """Make the routes."""
        router.add_api_route("/cases", self.begin, methods=["POST"])
        router.add_api_route("/cases/{case}/answers", self.answer, methods=["POST"])
        router.add_api_route("/cases/{case}/withdrawn", self.withdraw, methods=["POST"])
        router.add_api_route("/cases/{case}/pastes", self.paste, methods=["POST"])
        router.add_api_route("/cases/{case}/outcome", self.outcome, methods=["POST"])
        router.add_api_route("/cases/{case}/delete", self.delete, methods=["POST"])

    async def begin(self, request: Request) -> Response:
        """Begin a case."""
        try:
            form = await _sent(request)
        except BrokenFile as wrong:
            return paste_page(request, self.pages.expert, wrong.fields, str(wrong))
        if not form.paste:
            return paste_page(request, self.pages.expert, form.fields, "There is nothing to look at yet: paste a line.")
        try:
            product = product_id(form["product"], self.pages.expert.shelf) if form["product"].strip() else None
        except ValueError:
            mistake = "No product of that name is known. Leave it empty, and whydrop finds out from the line."
            return paste_page(request, self.pages.expert, {**form.fields, "paste": form.paste}, mistake)
        begun = await self.pages.casebook.begin(_workspace(request), [Pasted(paste=form.paste, product=product)])
        return RedirectResponse(f"/cases/{begun.kept.summary.id}", 303)

    async def answer(self, request: Request, case: str) -> Response:
        """Take an answer."""
        form = await _sent(request)
        feature = self._asked_for(form)
        try:
            value = _meant(feature, form)
        except NoAnswer as wrong:
            found = await self.pages.casebook.read(_workspace(request), case)
            more = {"mistake": _sentence(wrong.spoken), "typed": form["typed"]}
            asked = found.diagnosis.question
            change = None if asked and asked.feature == feature.id else feature.id
            return await self.pages.page_of(request, found, change=change, status=422, more=more)
        words = "I don't know" if value is None else said(feature, value)
        question = feature.question.text if feature.question else feature.title
        return await self._told(
            request, case, form, Answered(feature=feature.id, value=value), f"Your answer “{words}” to “{question}”"
        )

    async def withdraw(self, request: Request, case: str) -> Response:
        """Take an answer back."""
        form = await _sent(request)
        feature = self._asked_for(form)
        return await self._told(request, case, form, Withdrawn(feature=feature.id), "Taking that answer back")

    async def paste(self, request: Request, case: str) -> Response:
        """Take more lines, below those that are there or instead of them."""
        try:
            form = await _sent(request)
        except BrokenFile as wrong:
            raise Refused(422, "The file was not taken", str(wrong)) from None
        if not form.paste:
            raise Refused(422, "There is nothing to add", "Paste at least one line.")
        kept = await self.pages.casebook.store.read(_workspace(request), case)
        before = kept.case
        if form.expected not in (None, kept.summary.version) and before.paste.endswith(form.paste):
            return _to(case)  # a second click
        lines = form.paste if form["how"] == "instead" else f"{before.paste.rstrip(chr(10))}\n{form.paste}"
        told = Pasted(paste=lines, product=before.product)
        return await self._told(request, case, form, told, "The lines that you added")

    async def outcome(self, request: Request, case: str) -> Response:
        """Take how the case ended."""
        form = await _sent(request)
        cause = form["cause"] if form["cause"] in self.pages.expert.shelf.causes else None
        if form["how"] not in ("solved", "unsolved"):
            raise Refused(422, "The outcome is not complete", "Say whether it is solved.")
        solved = form["how"] == "solved"
        told = Outcome(solved=solved, cause=cause if solved else None, note=form["note"][:_NOTE])
        return await self._told(request, case, form, told, "The outcome that you told")

    async def delete(self, request: Request, case: str) -> Response:
        """Delete a case, once that was confirmed."""
        form = await _sent(request)
        if form["sure"] != "yes":
            return RedirectResponse(f"/cases/{case}/delete", 303)
        await self.pages.casebook.store.delete(_workspace(request), case)
        return RedirectResponse("/cases", 303)

    def _asked_for(self, form: Form) -> Feature:
        feature = self.pages.expert.shelf.features.get(form["feature"])
        if feature is None or feature.question is None:
            raise Refused(422, "There is no such question", "Open the case again and answer the question there.")
        return feature

    async def _told(self, request: Request, case: str, form: Form, event: CaseEvent, what: str) -> Response:
        """Tell a case something; if it went on meanwhile, show it as it stands and offer the same again."""
        try:
            await self.pages.casebook.tell(_workspace(request), case, [event], form.expected)
        except Stale:
            found = await self.pages.casebook.read(_workspace(request), case)
            if not _changes(found, event):
                return _to(case)
            return await self._again(request, found, form, what)
        return _to(case)

    async def _again(self, request: Request, found: Consulted, form: Form, what: str) -> Response:
        fields = {**form.fields, "expected": str(found.kept.summary.version)}
        if form.file:
            fields["paste"] = form.paste
        again = Again(request.url.path, what, list(fields.items()))
        page = await self.pages.page_of(request, found, status=409, more={"again": again})
        page.headers["HX-Replace-Url"] = f"/cases/{found.kept.summary.id}"
        return page


async def _sent(request: Request) -> Form:
    if "write" not in request.state.viewer.scopes:
        raise Refused(403, "You may only read here", "Sign in with a key that may write.")
    return await sent(request)


def _workspace(request: Request) -> str:
    workspace: str = request.state.viewer.workspace
    return workspace


def _meant(feature: Feature, form: Form) -> Value | None:
    """Read an answer: the value of a button, or what was typed. Raises NoAnswer."""
    if "value" in form.fields:
        if form["value"] == "unknown":
            return None
        for one in answers_of(feature):
            if plain(one) == form["value"]:
                return one
    typed = form["value"] or form["typed"]
    return None if is_unknown(typed) else parse_answer(feature, typed)


def _changes(found: Consulted, event: CaseEvent) -> bool:
    """Tell whether an event would still change the case; a second click on the same button does not."""
    case = found.case
    match event:
        case Answered():
            after = answered(case, event.feature, event.value)
            return (after.answers, after.declined) != (case.answers, case.declined)
        case Withdrawn():
            return withdrawn(case, event.feature) != case
        case Outcome():
            return found.kept.events[-1].event != event
    return True


def _sentence(wrong: object) -> str:
    text = capital(str(wrong))
    return text if text.endswith(".") else f"{text}."


def _to(case: str) -> Response:
    """Lead to where the case goes on."""
    return RedirectResponse(f"/cases/{case}#now", 303)
