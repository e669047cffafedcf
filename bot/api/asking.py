"""Questions to a case: why this cause, why not that one, what would an answer change, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from bot.api.diagnoses import casebook
from bot.api.shapes import Leads, UnmetClue, WhatIfShown, Why, WhyNotShown
from bot.api.showing import link_of
from bot.api.words import question_named
from bot.casebook import Consulted
from bot.entrance import Reading
from bot.explaining import what_if_words, why_not_words, why_words
from bot.export import as_json, markdown
from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.problems import Problem
from knowledge.complaint import unknown
from rules.case import Case, Fact
from rules.diagnose import Expert
from rules.explain import Unmet, grounds, what_if, why_not

router = APIRouter(prefix="/v1/cases/{case}", tags=["cases"])
T = TypeVar("T")
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A picture", "content": {"image/svg+xml": {"schema": {"type": "string"}}}},
    204: {"description": "Nothing of what happened is known"},
}


@router.get("/why/{cause}", summary="Tell from which facts a cause has its place")
async def why(request: Request, caller: Reading, case: str, cause: str) -> Why:
    """Give what speaks for and against a cause, and what the facts behind it follow from."""
    consulted = await casebook(request).read(caller.workspace, case)
    hypothesis, follows = await _asked(request, consulted, cause, grounds)
    words = why_words(hypothesis, follows, _facts(consulted), casebook(request).expert.shelf)
    return Why(hypothesis=hypothesis, follows=dict(follows), words=words)


@router.get("/why-not/{cause}", summary="Tell why a cause does not lead")
async def why_not_cause(request: Request, caller: Reading, case: str, cause: str) -> WhyNotShown:
    """Give what speaks against a cause, which of its clues are not met, and what is not known."""
    consulted = await casebook(request).read(caller.workspace, case)
    found = await _asked(request, consulted, cause, why_not)
    return WhyNotShown(
        hypothesis=found.hypothesis,
        against=found.against,
        failed=[_unmet(one) for one in found.failed],
        missing=[_unmet(one) for one in found.missing],
        words=why_not_words(found, _facts(consulted), casebook(request).expert.shelf),
    )


@router.get("/what-if/{feature}", summary="Tell what each answer to a question would change")
async def what_if_answered(request: Request, caller: Reading, case: str, feature: str) -> WhatIfShown:
    """Give, for each answer, the cause that would lead then."""
    book = casebook(request)
    asked = question_named(feature, book.expert.shelf).id
    kept = await book.store.read(caller.workspace, case)
    found = await book.in_thread(lambda: what_if(book.expert, kept.case, asked))
    answers = [Leads.model_validate(one, from_attributes=True) for one in found]
    return WhatIfShown(feature=asked, answers=answers, words=what_if_words(found))


@router.get("/picture", summary="Draw what happened", response_class=Response, responses=_PICTURE)
async def drawn(request: Request, caller: Reading, case: str) -> Response:
    """Give a picture of the packets as SVG; no content where nothing of what happened is known."""
    consulted = await casebook(request).read(caller.workspace, case)
    found = picture(consulted.diagnosis, casebook(request).expert.shelf)
    if found is None:
        return Response(status_code=204)
    return Response(picture_svg(found), media_type="image/svg+xml")


_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The case",
        "content": {
            "text/markdown": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/export", summary="Write a case down for a ticket", response_class=Response, responses=_EXPORT)
async def exported(
    request: Request,
    caller: Reading,
    case: str,
    format: Literal["markdown", "json"] = "markdown",  # noqa: A002
) -> Response:
    """Give the evidence, the reasoning, the answers and the steps, as Markdown or JSON."""
    consulted = await casebook(request).read(caller.workspace, case)
    shelf = casebook(request).expert.shelf
    if format == "json":
        return JSONResponse(as_json(consulted, shelf))
    return Response(markdown(consulted, shelf, link_of(request, case)), media_type="text/markdown")


async def _asked(request: Request, consulted: Consulted, cause: str, work: Callable[[Expert, Case, str], T]) -> T:
    book = casebook(request)
    if cause not in book.expert.shelf.causes:
        raise Problem("no-such-entry", unknown("cause", cause[:60], book.expert.shelf.causes))
    try:
        return await book.in_thread(lambda: work(book.expert, consulted.case, cause))
    except LookupError as wrong:
        raise Problem("other-symptom", str(wrong)) from None


def _facts(consulted: Consulted) -> dict[str, Fact]:
    return {fact.feature: fact for fact in consulted.diagnosis.facts}


def _unmet(one: Unmet) -> UnmetClue:
    return UnmetClue(
        because=one.because,
        failed=[clause.feature for clause in one.failed],
        missing=[clause.feature for clause in one.missing],
    )
