"""Cases over REST: begin one, tell it something, read it, ask it why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field
from starlette.datastructures import URL

from bot.api.diagnoses import JSON, LINE, casebook
from bot.api.once import WritingOnce, sent
from bot.api.shallow import Shallow
from bot.api.shapes import (
    CaseList,
    CaseShown,
    EventList,
    Listed,
    NumberedEvent,
    WantedAnswers,
    WantedCase,
    WantedOutcome,
    WantedPaste,
)
from bot.api.showing import base_of, is_known, link_of, shown, tag_of
from bot.api.words import answers, feature_named
from bot.case_events import Answered, CaseEvent, Outcome, Pasted, Withdrawn
from bot.casebook import Consulted
from bot.cases import Filters, Reply, Stale
from bot.entrance import Reading, Writing
from bot.problems import Problem
from knowledge.complaint import unknown
from knowledge.shelf import Shelf
from rules.answers import product_id

router = APIRouter(route_class=Shallow, prefix="/v1/cases", tags=["cases"])
CURSOR = r"^[0-9]{1,16}-[a-z2-7]{26}$"


class Listing(Filters):
    """Which cases are listed, and which part of the list."""

    cursor: Annotated[str | None, Field(pattern=CURSOR)] = None
    limit: int = Field(20, ge=1, le=100)


_TAG = re.compile(r'"(\d{1,9})-([0-9a-f]+)"', re.ASCII)


@router.post("", summary="Begin a case", status_code=201, response_model=CaseShown)
async def begin(
    wanted: Annotated[WantedCase, Body(examples=[{"paste": LINE, "answers": {"timing.worked": "never"}}])],
    once: WritingOnce,
    request: Request,
) -> Response:
    """Begin a case with lines, answers, or both. It is kept, with its diagnosis and the next question."""
    if kept := await once.kept():
        return kept
    shelf = once.book.expert.shelf
    told: list[CaseEvent] = [_pasted(wanted.paste, wanted.product, shelf), *_answered(wanted.answers, shelf)]
    return sent(await once.book.begin_with(told, once.keeping(partial(_begun, request))))


@router.get("", summary="List cases, newest first", response_model=CaseList)
async def listed(
    request: Request,
    caller: Reading,
    wanted: Annotated[Listing, Query()],
) -> Response:
    """List the cases of the key's workspace. `next`, and the header Link, lead to the next part."""
    filters = Filters(**wanted.model_dump(exclude={"cursor", "limit"}))
    page = await casebook(request).list(caller.workspace, filters, wanted.cursor, wanted.limit)
    found = CaseList(cases=[Listed.model_validate(one, from_attributes=True) for one in page.cases], next=page.cursor)
    there = f"{base_of(request)}{request.url.path}?{request.query_params}"
    more = {"link": f'<{URL(there).include_query_params(cursor=page.cursor)}>; rel="next"'} if page.cursor else {}
    return Response(found.model_dump_json(), headers={**JSON, **more})


@router.get("/{case}", summary="Read a case", response_model=CaseShown)
async def read(request: Request, caller: Reading, case: str) -> Response:
    """Give a case with its diagnosis by today's knowledge. Its ETag stands for its version and that knowledge."""
    consulted = await casebook(request).read(caller.workspace, case)
    tag = tag_of(consulted)
    if is_known(request, tag):
        return Response(status_code=304, headers={"etag": tag})
    return sent(_shown(request, consulted))


@router.get("/{case}/events", summary="List what happened in a case", response_model=EventList)
async def events(request: Request, caller: Reading, case: str) -> Response:
    """Give all that was pasted, answered, asked and concluded, in order."""
    kept = await casebook(request).store.read(caller.workspace, case)
    found = [NumberedEvent.model_validate(one, from_attributes=True) for one in kept.events]
    return Response(EventList(events=found).model_dump_json(), headers=JSON)


@router.delete("/{case}", summary="Delete a case", status_code=204)
async def delete(request: Request, caller: Writing, case: str) -> None:
    """Delete a case with all that was pasted and answered. It cannot be taken back. With If-Match, as above."""
    expected = await _expected(request, caller.workspace, case)
    await casebook(request).store.delete(caller.workspace, case, expected)


@router.post("/{case}/answers", summary="Answer, or change answers", response_model=CaseShown)
async def answer(
    case: str,
    wanted: Annotated[WantedAnswers, Body(examples=[{"answers": {"timing.worked": "never"}}])],
    once: WritingOnce,
    request: Request,
) -> Response:
    """Answer one or several questions, asked or not. With If-Match, only if the case is still as you read it."""
    if kept := await once.kept():
        return kept
    told = _answered(wanted.answers, once.book.expert.shelf)
    return await _told(case, told, once, request)


@router.delete("/{case}/answers/{feature}", summary="Take an answer back", response_model=CaseShown)
async def withdraw(case: str, feature: str, request: Request, caller: Writing) -> Response:
    """Take an answer, or an “I don't know”, back; the question may be asked again. With If-Match, as above."""
    book = casebook(request)
    name = feature_named(feature, book.expert.shelf).id
    expected = await _expected(request, caller.workspace, case)
    consulted = await book.read(caller.workspace, case)
    if name in {*consulted.case.answers, *consulted.case.declined, *consulted.case.confirmed}:
        consulted = await book.tell(caller.workspace, case, [Withdrawn(feature=name)], expected)
    return sent(_shown(request, consulted))


@router.post("/{case}/pastes", summary="Paste other lines", response_model=CaseShown)
async def paste(
    case: str, wanted: Annotated[WantedPaste, Body(examples=[{"paste": LINE}])], once: WritingOnce, request: Request
) -> Response:
    """Put other lines in the place of those of the case, such as more of the same log. With If-Match, as above."""
    if kept := await once.kept():
        return kept
    return await _told(case, [_pasted(wanted.paste, wanted.product, once.book.expert.shelf)], once, request)


@router.post("/{case}/outcome", summary="Tell how it ended", response_model=CaseShown)
async def outcome(
    case: str,
    wanted: Annotated[WantedOutcome, Body(examples=[{"solved": True, "cause": "asymmetric-routing"}])],
    once: WritingOnce,
    request: Request,
) -> Response:
    """Tell what solved it: a cause, something else (no cause), or nothing. With If-Match, as above."""
    if kept := await once.kept():
        return kept
    causes = once.book.expert.shelf.causes
    if wanted.cause is not None and wanted.cause not in causes:
        raise Problem("invalid", unknown("cause", wanted.cause, causes))
    told = Outcome(solved=wanted.solved, cause=wanted.cause if wanted.solved else None, note=wanted.note)
    return await _told(case, [told], once, request)


async def _told(case: str, told: Sequence[CaseEvent], once: WritingOnce, request: Request) -> Response:
    expected = await _expected(request, once.caller.workspace, case)
    keep = once.keeping(partial(_shown, request))
    return sent(await once.book.tell_with(once.caller.workspace, case, told, expected, keep))


def _pasted(text: str, product: str | None, shelf: Shelf) -> Pasted:
    try:
        return Pasted(paste=text, product=None if product is None else product_id(product, shelf))
    except ValueError as wrong:
        raise Problem("invalid", str(wrong)) from None


def _answered(raw: dict[str, object], shelf: Shelf) -> list[Answered]:
    return [Answered(feature=name, value=value) for name, value in answers(raw, shelf).items()]


async def _expected(request: Request, workspace: str, case: str) -> int | None:
    """Give the version that the request is for; None for any. Raises Stale for one that is not today's."""
    stated = request.headers.get("if-match")
    if stated is None or stated.strip() == "*":
        return None
    book = casebook(request)
    now = (await book.store.read(workspace, case)).summary.version
    known = {(int(version), hash_) for version, hash_ in _TAG.findall(stated)}
    if (now, book.expert.shelf.hash) not in known:
        raise Stale(now)
    return now


def _shown(request: Request, consulted: Consulted, status: int = 200) -> Reply:
    body = shown(consulted, link_of(request, consulted.kept.summary.id)).model_dump_json(by_alias=True).encode()
    return Reply(status, {**JSON, "etag": tag_of(consulted)}, body)


def _begun(request: Request, consulted: Consulted) -> Reply:
    reply = _shown(request, consulted, 201)
    return Reply(201, {**reply.headers, "location": f"/v1/cases/{consulted.kept.summary.id}"}, reply.body)
