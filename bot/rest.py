"""The service: the page, REST, and Slack over HTTP when it is set up, in one process."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from bot.api import asking, cases, diagnoses, health, knowing, problem_pages, telling
from bot.api.description import describe
from bot.api.showing import base_of
from bot.casebook import Casebook
from bot.cases import CaseFull, NoSuchCase, Stale, Store
from bot.entrance import COOKIE, Entrance
from bot.export import as_json, markdown
from bot.heads import Heads
from bot.health import Readiness, turning_red
from bot.keys import Keys
from bot.limits import Shield
from bot.logs import configure_logs, log_request
from bot.metrics import Metrics
from bot.origins import Origins
from bot.outbox import NoSuchWebhook, TooManyWebhooks, Webhooks
from bot.postman import Postman
from bot.problems import Problem, of_status, worded
from bot.rates import Paced, Rates, bearing
from bot.refusals import is_for_people
from bot.settings import Settings, load_settings
from bot.signing import DOORS, problem_for_people
from bot.slack.opening import open_slack
from bot.tables import Busy, trouble
from bot.targets import RefusedTarget
from bot.telemetry import Watch
from bot.thinking import Thinkers
from bot.threads import Threads, listen_closely
from bot.web.doors import Exports
from bot.web.pages import pages
from knowledge.load import load_shelf
from rules.diagnose import VERSION, Expert
from rules.prose import ear_of
from rules.read import PasteTooLarge

log = logging.getLogger("whydrop")

_SUMMARY = "whydrop: paste a firewall log line, get the cause, the proof and the next step."
_ROUTERS = (
    diagnoses.router,
    cases.router,
    asking.router,
    telling.router,
    knowing.router,
    health.router,
    problem_pages.router,
)
_REPLIES_KEPT = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""
_EXPIRY_S = 3600.0


def create_app(settings: Settings, expert: Expert, *, processes: int = 0) -> FastAPI:
    """Build the ASGI application, and start as many processes that diagnose.

    Raises ValueError and OSError for a database that cannot be opened.
    """
    in_thread = Threads(settings.threads)
    thinkers = Thinkers(expert, in_thread, processes, settings.knowledge)
    store = Store.open(settings.database_url.get_secret_value())
    api = FastAPI(
        title="whydrop",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        summary=_SUMMARY,
        lifespan=_lifespan,
        generate_unique_id_function=_operation,
    )
    api.state.settings = settings
    api.state.metrics = Metrics(VERSION, expert.shelf.hash)
    api.state.thinkers = thinkers
    api.state.casebook = Casebook(store, expert, in_thread, api.state.metrics, thinkers)
    rates = Rates(settings.rate)
    api.state.entrance = Entrance(None if settings.open else Keys(store), rates)
    api.state.webhooks = Webhooks(store)
    _watch(api, in_thread, rates)
    for kind in (Problem, HTTPException, RequestValidationError, *_PROBLEMS):
        api.add_exception_handler(kind, _answered)
    api.state.slack = open_slack(settings, api.state.casebook)
    api.mount("/slack", api.state.slack.doors(settings))  # before the others: it is in a hurry
    page = pages(settings, api.state.casebook, DOORS, Exports(markdown, lambda one: as_json(one, expert.shelf)))
    api.state.routers = (*_ROUTERS, page)
    for router in api.state.routers:
        api.include_router(router)
    describe(api, expert.shelf, keys=not settings.open)
    return api


def _watch(api: FastAPI, in_thread: Threads, rates: Rates) -> None:
    """Put around the routes what looks at every request: the last one named is the first to see it."""
    settings, casebook = api.state.settings, api.state.casebook
    api.state.readiness = Readiness(casebook.store.answers, casebook.expert.shelf)
    api.state.deliveries = {}
    api.state.metrics.deliveries(lambda: api.state.deliveries)
    api.state.metrics.waiting(lambda: in_thread.waiting + api.state.thinkers.waiting)
    api.add_middleware(Shield)
    api.add_middleware(Paced, rates=rates, who=None if settings.open else bearing(COOKIE))
    own = urlsplit(settings.public_url).netloc if settings.public_url else None
    api.add_middleware(Origins, open_to_all=settings.open, cookie=COOKIE, own=own)
    api.add_middleware(Watch, began=[api.state.metrics.began], ended=[api.state.metrics.ended, log_request])
    api.add_middleware(Heads)


def create() -> FastAPI:
    """Build the application from the environment; uvicorn calls this, in the process that serves."""
    configure_logs()
    settings = load_settings()
    expert = Expert(load_shelf(*([settings.knowledge] if settings.knowledge else [])))
    ear_of(expert.shelf)  # compiled before the first request has to wait for it; a wrong phrase ends it here
    listen_closely()
    return create_app(settings, expert, processes=settings.processes)


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Bring the tables up to date before the first request, and leave nothing half done after the last."""
    store: Store = api.state.casebook.store
    await store.migrate()
    beside = [
        asyncio.create_task(_expiring(store, api.state.settings.retention_days)),
        asyncio.create_task(Postman(store).run()),
    ]
    if api.state.slack.run:
        beside.append(asyncio.create_task(api.state.slack.run()))
    try:
        with turning_red(api.state.readiness):
            yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await store.close()
        await asyncio.to_thread(api.state.thinkers.close)


async def _expiring(store: Store, days: int | None) -> None:
    """Forget, every hour, what is kept for a time only."""
    while True:
        now = datetime.now(UTC)
        try:
            await store.expire_replies(now - _REPLIES_KEPT)
            if days is not None:
                await store.expire(now - timedelta(days=days))
        except Busy:
            pass  # the next time will do
        await asyncio.sleep(_EXPIRY_S)


def _operation(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'whydrop'}-{route.name}".replace("_", "-")


_PROBLEMS: Mapping[type[Exception], str] = {
    PasteTooLarge: "too-large",
    NoSuchCase: "no-such-case",
    Stale: "stale",
    CaseFull: "case-full",
    NoSuchWebhook: "no-such-webhook",
    TooManyWebhooks: "too-many-webhooks",
    RefusedTarget: "refused-target",
    Busy: "busy",
    DBAPIError: "unavailable",
    sqlite3.Error: "unavailable",
    PostgresError: "unavailable",
    InterfaceError: "unavailable",
    OSError: "unavailable",
}
_RETRY_S = {"busy": "1", "unavailable": "5"}


async def _answered(request: Request, wrong: Exception) -> Response:
    """Answer what was raised with a problem."""
    problem = _problem(request, wrong)
    if is_for_people(request.scope):
        return problem_for_people(request, problem)
    sent = worded(problem, base_of(request))
    return Response(sent.body, sent.status, dict(sent.headers))


def _problem(request: Request, wrong: Exception) -> Problem:
    if isinstance(wrong, Problem):
        return wrong
    if isinstance(wrong, RequestValidationError):
        return _invalid(request, wrong)
    if isinstance(wrong, HTTPException):
        headers = {"allow": ", ".join(_methods(request))} if wrong.status_code == 405 else wrong.headers
        return of_status(wrong.status_code, str(wrong.detail), headers)
    kind = next(name for type_, name in _PROBLEMS.items() if isinstance(wrong, type_))
    if kind == "unavailable":
        log.error("the database cannot be used: %s", trouble(wrong))
        return Problem(kind, headers={"retry-after": _RETRY_S[kind]})
    return Problem(kind, str(wrong), {"retry-after": _RETRY_S[kind]} if kind in _RETRY_S else None)


def _invalid(request: Request, wrong: RequestValidationError) -> Problem:
    if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
        return Problem("not-json", "send JSON, with the header Content-Type: application/json")
    errors = [{"at": "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in wrong.errors()[:20]]
    return Problem("invalid", errors[0]["detail"] if errors else "", errors=errors)


def _methods(request: Request) -> list[str]:
    """List what can be done at an address: each router knows only its own."""
    found = {
        method
        for router in request.app.state.routers
        for route in _routes(router)
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return sorted({*found, "HEAD"} if "GET" in found else found)


def _routes(router: APIRouter) -> Iterator[BaseRoute]:
    """Give the routes of a router, and of those that were put into it."""
    for route in router.routes:
        yield route
        if (inside := getattr(route, "original_router", None)) is not None:
            yield from _routes(inside)
