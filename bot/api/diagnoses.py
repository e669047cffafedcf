"""What is answered without keeping anything: a diagnosis, and what lines say."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from bot.api.once import Once, ReadingOnce, sent
from bot.api.shallow import Shallow
from bot.api.shapes import Read, WantedDiagnosis, WantedReading
from bot.api.words import answers
from bot.casebook import Casebook
from bot.cases import Change, Reply
from bot.problems import Problem
from knowledge.shelf import Shelf
from rules.answers import make_case
from rules.case import Case, Diagnosis

router = APIRouter(route_class=Shallow, tags=["diagnoses"])
JSON = {"content-type": "application/json"}
LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
    "flags SYN ACK on interface outside"
)
_EXAMPLE = {"paste": LINE, "answers": {"timing.worked": "never"}}


@router.post("/v1/diagnoses", summary="Diagnose lines; nothing is kept", response_model=Diagnosis)
async def diagnoses(wanted: Annotated[WantedDiagnosis, Body(examples=[_EXAMPLE])], once: ReadingOnce) -> Response:
    """Give the diagnosis of lines and answers; the same ones get the same diagnosis."""
    again = await once.kept() is not None
    case = _case(wanted, once.book.expert.shelf)
    diagnosis = await once.book.diagnosis(case)
    return await _replied(once, diagnosis.model_dump_json(by_alias=True).encode(), again=again)


@router.post("/v1/read", summary="Say what each line says; nothing is kept", response_model=Read)
async def read(wanted: Annotated[WantedReading, Body(examples=[{"paste": LINE}])], once: ReadingOnce) -> Response:
    """Give one record, or one “unread”, for each line."""
    again = await once.kept() is not None
    reading = await once.book.in_thread(lambda: once.book.expert.read(wanted.paste))
    found = Read(records=[one.record for one in reading.lines], unread=reading.unread)
    return await _replied(once, found.model_dump_json().encode(), again=again)


async def _replied(once: Once, body: bytes, *, again: bool) -> Response:
    """Answer; of a request with an Idempotency-Key only that there was one is kept: found anew, it is the same."""
    if once.key is not None and not again:
        await once.done(_nothing)
    return sent(Reply(200, JSON, body), again=again)


async def _nothing(_change: Change) -> Reply:
    return Reply(200, {}, b"")


def _case(wanted: WantedDiagnosis, shelf: Shelf) -> Case:
    told = answers(wanted.answers, shelf)
    try:
        return make_case(shelf, wanted.paste, told, wanted.product, wanted.declined, wanted.confirmed)
    except ValueError as wrong:
        raise Problem("invalid", str(wrong)) from None


def casebook(request: Request) -> Casebook:
    """Give the service's casebook."""
    found: Casebook = request.app.state.casebook
    return found
