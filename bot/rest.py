"""The service: REST, and Slack over HTTP when it is set up, in one process."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException

from bot.limits import Shield
from bot.settings import Settings, load_settings
from bot.slack import slack_app
from bot.threads import Threads
from knowledge.clause import Value
from knowledge.load import load_shelf
from rules.answers import make_case
from rules.case import Case, Diagnosis
from rules.diagnose import VERSION, Expert
from rules.prose import ear_of
from rules.read import PasteTooLarge


def _sound(text: Any) -> Any:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else text


Cleaned = Annotated[str, BeforeValidator(_sound)]


class Wanted(BaseModel):
    """What a diagnosis is wanted for: a paste, and what is known already."""

    model_config = ConfigDict(extra="forbid")

    paste: Cleaned = Field("", description="The log line or lines, verbatim")
    answers: dict[str, Value | None] = Field({}, max_length=200, description="Feature to value; null: I don't know")
    product: Cleaned | None = Field(None, max_length=100, description="The product that wrote the line")
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


def create_app(settings: Settings, expert: Expert) -> FastAPI:
    """Build the ASGI application."""
    in_thread = Threads(settings.threads)
    api = FastAPI(title="whydrop", version=VERSION, docs_url=None, redoc_url=None, summary=_WELCOME.splitlines()[0])
    api.add_middleware(Shield)
    api.add_exception_handler(HTTPException, _http_problem)
    api.add_exception_handler(RequestValidationError, _call_problem)
    api.add_exception_handler(PasteTooLarge, _too_large)

    @api.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def welcome() -> PlainTextResponse:
        return PlainTextResponse(_WELCOME)

    @api.head("/livez", include_in_schema=False)
    @api.get("/livez", summary="Tell that the process answers")
    async def livez() -> dict[str, str]:
        return {"status": "alive", "knowledge": expert.shelf.hash}

    @api.post("/v1/diagnoses", summary="Diagnose a paste; nothing is stored", response_model_by_alias=True)
    async def diagnoses(wanted: Annotated[Wanted, Body(examples=[_EXAMPLE])]) -> Diagnosis:
        case = _case(wanted, expert)
        return await in_thread(lambda: expert.diagnose(case))

    api.mount("/slack", slack_app(settings, in_thread, expert))
    return api


def create() -> FastAPI:
    """Build the application from the environment; uvicorn calls this, in the process that serves."""
    settings = load_settings()
    expert = Expert(load_shelf(*([settings.knowledge] if settings.knowledge else [])))
    ear_of(expert.shelf)  # compiled before the first request has to wait for it; a wrong phrase ends it here
    return create_app(settings, expert)


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


async def _call_problem(request: Request, wrong: Exception) -> JSONResponse:
    if "json" not in request.headers.get("content-type", ""):
        return problem(415, "The body is not JSON", "send JSON, with the header Content-Type: application/json")
    errors = wrong.errors() if isinstance(wrong, RequestValidationError) else []
    found = [{"at": "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in errors[:20]]
    return problem(422, "The request is not of the form that is wanted", "see errors, and /openapi.json", errors=found)


async def _too_large(_request: Request, wrong: Exception) -> JSONResponse:
    return problem(413, "The paste is too large", str(wrong))
