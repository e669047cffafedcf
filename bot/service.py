"""The service: REST, and Slack over HTTP when it is set up, in one process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated

import anyio
import uvicorn
from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from bot.limits import BodyLimit
from bot.settings import Settings
from bot.slack import slack_app
from knowledge.clause import Value
from rules.answers import make_case
from rules.case import Case, Diagnosis
from rules.diagnose import VERSION, Expert
from rules.read import LARGEST_PASTE, PasteTooLarge

log = logging.getLogger("whydrop")

Diagnose = Callable[[Case], Awaitable[Diagnosis]]
"""The service's own entrance: one diagnosis, in a worker thread, a bounded number at a time."""


class Wanted(BaseModel):
    """What a diagnosis is wanted for: a paste, and what is known already."""

    model_config = ConfigDict(extra="forbid")

    paste: str = Field("", max_length=LARGEST_PASTE, description="The log line or lines, verbatim")
    answers: dict[str, Value | None] = Field({}, max_length=200, description="Feature to value; null: I don't know")
    product: str | None = Field(None, max_length=100, description="The product that wrote the line")
    declined: list[str] = Field([], max_length=200, description="Features never to be asked for")
    confirmed: list[str] = Field([], max_length=200, description="Answers that stand in spite of a contradiction")


_EXAMPLE = {
    "paste": "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK "
    "on interface outside",
    "answers": {"timing.worked": "never"},
}
_WELCOME = """whydrop: paste a firewall log line, get the cause, the proof and the next step.

  curl -s HOST/v1/diagnoses -H 'Content-Type: application/json' \\
    -d '{"paste": "...", "answers": {"timing.worked": "never"}}'

The description of the interface: /openapi.json
"""


def threaded(expert: Expert, threads: int) -> Diagnose:
    """Make the entrance: diagnoses run in worker threads, so that a long paste keeps nobody waiting."""
    limit = anyio.CapacityLimiter(threads)

    async def diagnose(case: Case) -> Diagnosis:
        return await anyio.to_thread.run_sync(expert.diagnose, case, limiter=limit)

    return diagnose


def create_app(settings: Settings, expert: Expert) -> FastAPI:
    """Build the ASGI application."""
    diagnose = threaded(expert, settings.threads)
    api = FastAPI(title="whydrop", version=VERSION, docs_url=None, redoc_url=None, summary=_WELCOME.splitlines()[0])
    api.add_middleware(BodyLimit)
    api.add_exception_handler(HTTPException, _http_problem)
    api.add_exception_handler(RequestValidationError, _call_problem)
    api.add_exception_handler(Exception, _our_problem)

    @api.get("/", include_in_schema=False)
    async def welcome() -> PlainTextResponse:
        return PlainTextResponse(_WELCOME)

    @api.get("/livez", summary="Tell that the process answers")
    async def livez() -> dict[str, str]:
        return {"status": "alive", "knowledge": expert.shelf.hash}

    @api.post("/v1/diagnoses", summary="Diagnose a paste; nothing is stored", response_model_by_alias=True)
    async def diagnoses(wanted: Annotated[Wanted, Body(examples=[_EXAMPLE])]) -> Diagnosis:
        return await diagnose(_case(wanted, expert))

    api.mount("/slack", slack_app(settings, diagnose, expert))
    return api


def _case(wanted: Wanted, expert: Expert) -> Case:
    try:
        return make_case(expert.shelf, wanted.paste, wanted.answers, wanted.product, wanted.declined, wanted.confirmed)
    except ValueError as wrong:
        raise HTTPException(422, str(wrong)) from None


def problem(status: int, title: str, detail: str, **more: object) -> JSONResponse:
    """Answer with a problem as RFC 9457 writes it."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(content, status, media_type="application/problem+json")


async def _http_problem(_request: Request, wrong: Exception) -> JSONResponse:
    status = wrong.status_code if isinstance(wrong, HTTPException) else 500
    detail = wrong.detail if isinstance(wrong, HTTPException) else ""
    answer = problem(status, "The request was refused", str(detail))
    if isinstance(wrong, HTTPException) and wrong.headers:
        answer.headers.update(wrong.headers)
    return answer


async def _call_problem(_request: Request, wrong: Exception) -> JSONResponse:
    errors = wrong.errors() if isinstance(wrong, RequestValidationError) else []
    found = [{"at": "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in errors[:20]]
    return problem(422, "The request is not of the form that is wanted", "see errors, and /openapi.json", errors=found)


async def _our_problem(_request: Request, wrong: Exception) -> JSONResponse:
    if isinstance(wrong, PasteTooLarge):
        return problem(413, "The paste is too large", str(wrong))
    log.error("unexpected %s", type(wrong).__name__)
    return problem(500, "Something went wrong here", "this is a fault of whydrop's; the paste was not kept")


def serve(settings: Settings, expert: Expert) -> None:
    """Run until stopped."""
    uvicorn.run(create_app(settings, expert), host=settings.host, port=settings.port, log_level="info")
