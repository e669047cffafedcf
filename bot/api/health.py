"""Whether the service answers, whether it can serve, what it is, and what it has counted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from bot.api.shapes import Given
from bot.entrance import Reading
from bot.health import Readiness, livez, version
from bot.metrics import Metrics, exposition
from rules.case import KnowledgeStamp

router = APIRouter(tags=["health"])
_PLAIN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


class Alive(Given):
    """The process answers."""

    status: str


class ReadyShown(Given):
    """Whether it can serve; with `verbose` check by check."""

    status: str
    checks: dict[str, str] | None = None


class Running(Given):
    """What is running."""

    version: str
    knowledge: KnowledgeStamp
    python: str


@router.get("/livez", summary="Tell that the process answers", response_model=Alive)
async def alive() -> Response:
    """Answer, whatever else may be wrong."""
    return JSONResponse(livez())


_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"description": "It cannot serve now", "model": ReadyShown}}


@router.get("/readyz", summary="Tell whether it can serve", response_model=ReadyShown, responses=_NOT_READY)
async def ready(request: Request) -> Response:
    """Ask the database, and look whether the process is about to end; `?verbose` lists the checks."""
    readiness: Readiness = request.app.state.readiness
    found = await readiness.ready()
    later = {"retry-after": "5"} if found.status == 503 else None
    return JSONResponse(found.told("verbose" in request.query_params), found.status, later)


@router.get("/version", summary="Tell what is running", response_model=Running)
async def running(request: Request) -> Response:
    """Give the version, and that of the knowledge."""
    return JSONResponse(version(request.app.state.casebook.expert.shelf))


@router.get("/metrics", summary="Give the metrics for Prometheus", response_class=Response, responses=_PLAIN)
async def metrics(request: Request, _caller: Reading) -> Response:
    """Give what was counted since the process began."""
    counted: Metrics = request.app.state.metrics
    request.app.state.deliveries = await request.app.state.webhooks.counts()
    body, type_ = exposition(counted.registry, request.headers.get("accept", ""))
    return Response(body, headers={"content-type": type_})
