"""Pages to look at: a new paste, one case, the list of cases, and why a cause stands where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from bot.case_events import State
from bot.casebook import Casebook, Consulted
from bot.cases import Filters
from bot.explaining import what_if_words, why_not_words, why_words
from bot.phrases import capital
from bot.settings import Settings
from bot.web.case_view import case_view
from bot.web.doors import COOKIE, Exports, Refused
from bot.web.examples import EXAMPLES
from bot.web.layout import html
from rules.diagnose import Expert
from rules.explain import cause_named, grounds, not_a_cause, what_if, why_not

_FILTERS = ("symptom", "state", "cause", "product")


@dataclass(frozen=True, slots=True)
class CasePages:
    """The pages of one casebook. Somebody was let in before any of them is called."""

    settings: Settings
    casebook: Casebook
    exports: Exports

    @property
    def expert(self) -> Expert:
        """Who is consulted."""
        return self.casebook.expert

    def add_to(self, router: APIRouter) -> None:
        """Make the routes."""
        router.add_api_route("/", self.paste, methods=["GET", "HEAD"])
        router.add_api_route("/cases", self.list, methods=["GET"])
        router.add_api_route("/cases/{case}", self.show, methods=["GET"])
        router.add_api_route("/cases/{case}/what-if", self.what_if, methods=["GET"])
        router.add_api_route("/cases/{case}/why", self.why, methods=["GET"])
        router.add_api_route("/cases/{case}/delete", self.delete, methods=["GET"])
        router.add_api_route("/cases/{case}/paste.txt", self.verbatim, methods=["GET"])
        router.add_api_route("/cases/{case}/export.md", self.markdown, methods=["GET"])
        router.add_api_route("/cases/{case}/export.json", self.json, methods=["GET"])
        for form in ("answers", "withdrawn", "pastes", "outcome"):  # an address that a reload may lead to
            router.add_api_route(f"/cases/{{case}}/{form}", self.back, methods=["GET"])

    async def paste(self, request: Request, example: str = "") -> Response:
        """Ask for lines."""
        shown = EXAMPLES.get(example)
        return paste_page(request, self.expert, {"paste": shown.paste if shown else ""})

    async def list(self, request: Request, cursor: str | None = None) -> Response:
        """List cases, newest first."""
        chosen = {name: request.query_params.get(name, "").strip() for name in _FILTERS}
        try:
            filters = Filters.model_validate({name: value for name, value in chosen.items() if value})
        except ValidationError:
            raise Refused(422, "There is no such filter", "Choose one of those that are offered.") from None
        found = await self.casebook.list(request.state.viewer.workspace, filters, cursor)
        context = _framed(request) | {"page": found, "chosen": chosen, "shelf": self.expert.shelf}
        return html("cases.html", context | {"states": get_args(State), "filtered": any(chosen.values())})

    async def show(self, request: Request, case: str, change: str | None = None) -> Response:
        """Show a case."""
        return await self.page_of(request, await self._found(request, case), change=change)

    async def page_of(
        self,
        request: Request,
        found: Consulted,
        *,
        change: str | None = None,
        status: int = 200,
        more: Mapping[str, Any] | None = None,
    ) -> Response:
        """Lay a case out; `more` is what a form that was not taken brings along."""
        view = await self.casebook.in_thread(lambda: case_view(self.expert, found, change))
        context = _framed(request) | {"case": found.kept.summary, "view": view, "diagnosis": found.diagnosis}
        context |= {"shelf": self.expert.shelf, "link": self._link(request, found)}
        return html("case.html", context | {"mistake": "", "typed": "", "again": None} | dict(more or {}), status)

    async def what_if(self, request: Request, case: str, feature: str = "") -> Response:
        """Say what each answer to a question would change."""
        found = await self._found(request, case)
        asked = found.diagnosis.question
        name = feature or (asked.feature if asked else "")
        known = self.expert.shelf.features.get(name)
        if known is None or known.question is None:
            raise Refused(404, "There is no such question", "The case may have gone on since.")
        words = await self.casebook.in_thread(lambda: what_if_words(what_if(self.expert, found.case, name)))
        context = {"case": found.kept.summary, "question": known.question.text, "words": words}
        return html("what_if.html", _framed(request) | context)

    async def why(self, request: Request, case: str, cause: str = "") -> Response:
        """Say why a cause stands where it stands, and what keeps it from leading."""
        found = await self._found(request, case)
        words = await self.casebook.in_thread(lambda: self._why(found, cause))
        context = {"case": found.kept.summary, "shelf": self.expert.shelf, "diagnosis": found.diagnosis}
        return html("why.html", _framed(request) | context | words)

    def _why(self, found: Consulted, cause: str) -> dict[str, Any]:
        facts = {fact.feature: fact for fact in found.diagnosis.facts}
        if dispute := not_a_cause(self.expert, cause):
            return {"cause": None, "title": dispute.claim, "for_it": [dispute.better], "not_it": []}
        try:
            id_ = cause_named(self.expert, cause)
            one, follows = grounds(self.expert, found.case, id_)
            unmet = why_not_words(why_not(self.expert, found.case, id_), facts, self.expert.shelf)
        except (ValueError, LookupError) as wrong:
            raise Refused(404, "That cannot be said", f"{capital(str(wrong))}.") from None
        why = why_words(one, follows, facts, self.expert.shelf)
        not_it = [line for line in unmet if line.startswith(("Not met", "Not known"))]
        return {"cause": id_, "title": one.title, "for_it": why, "not_it": not_it}

    async def delete(self, request: Request, case: str) -> Response:
        """Ask whether a case is to be deleted."""
        found = await self._found(request, case)
        return html("delete.html", _framed(request) | {"case": found.kept.summary, "diagnosis": found.diagnosis})

    async def verbatim(self, request: Request, case: str) -> Response:
        """Give the paste as it was pasted."""
        return PlainTextResponse((await self._found(request, case)).case.paste)

    async def markdown(self, request: Request, case: str) -> Response:
        """Give a case to be put into a ticket."""
        found = await self._found(request, case)
        text = self.exports.markdown(found, self.expert.shelf, self._link(request, found))
        named = {"Content-Disposition": f'attachment; filename="whydrop-{found.kept.summary.id}.md"'}
        return Response(text, headers=named, media_type="text/markdown")

    async def json(self, request: Request, case: str) -> Response:
        """Give a case to a program."""
        found = await self._found(request, case)
        named = {"Content-Disposition": f'attachment; filename="whydrop-{found.kept.summary.id}.json"'}
        return JSONResponse(self.exports.as_json(found), headers=named)

    async def back(self, case: str) -> Response:
        """Lead from the address of a form back to its case."""
        return RedirectResponse(f"/cases/{case}", 303)

    async def _found(self, request: Request, case: str) -> Consulted:
        return await self.casebook.read(request.state.viewer.workspace, case)

    def _link(self, request: Request, found: Consulted) -> str:
        return f"{self.settings.public_url or str(request.base_url).rstrip('/')}/cases/{found.kept.summary.id}"


def _framed(request: Request) -> dict[str, Any]:
    """Give what every page of somebody who was let in shows."""
    return {"may_write": "write" in request.state.viewer.scopes, "signed_in": COOKIE in request.cookies}


def paste_page(request: Request, expert: Expert, typed: Mapping[str, str], mistake: str = "") -> Response:
    """Ask for lines, with what was typed already and what was wrong with it."""
    context = {"paste": "", "product": ""} | dict(typed) | {"mistake": mistake, "examples": EXAMPLES}
    products = sorted(expert.shelf.products.values(), key=lambda one: one.title.lower())
    return html("paste.html", _framed(request) | context | {"products": products}, 422 if mistake else 200)
