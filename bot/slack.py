"""Slack over HTTP: one command, `/whydrop`, and the buttons of its answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.webhook.async_client import AsyncWebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot import views
from bot.blocks import Message
from bot.guard import Guard
from bot.settings import Settings
from rules.diagnose import Expert

log = logging.getLogger("whydrop.slack")

# Bolt and its client write whole bodies into their lower log levels, and a body is what somebody pasted.
_QUIET = logging.getLogger("whydrop.slack.bolt")
_QUIET.setLevel(logging.ERROR)

_PATIENCE_S = 90.0
"""Seconds after which an answer is given up; Slack lets us answer for half an hour, but nobody waits that long."""
_PAUSES_S = (0.5, 2.0)
"""Seconds before each further try after a server error."""

T = TypeVar("T")
Fields = dict[str, Any]


class InThread(Protocol):
    """Runs a pure function in a worker thread, a bounded number at a time."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Give what the function gives."""


def slack_app(settings: Settings, in_thread: InThread, expert: Expert) -> Starlette:
    """Build the ASGI app that is mounted at /slack and answers at /slack/events; without a secret, nowhere."""
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
    if not secret:
        return Starlette()
    return Starlette(routes=[Route("/events", Guard(Listening(bolt_app(secret, in_thread, expert)), secret))])


def bolt_app(secret: str, in_thread: InThread, expert: Expert) -> AsyncApp:
    """Make the Bolt app: acknowledge at once, then work, then answer."""
    app = AsyncApp(name="whydrop-slack", signing_secret=secret, authorize=_authorize, logger=_QUIET)

    async def answer(body: Fields, work: Callable[[], Message]) -> None:
        try:
            message = await in_thread(work)
        except Exception as error:  # noqa: BLE001  whatever broke, somebody waits for an answer
            log.error("unexpected %s", _place(error))
            message = views.FAILED
        await post(body, message)

    async def command(ack: AsyncAck, body: Fields) -> None:
        await ack()
        await answer(body, lambda: views.answer(expert, body.get("text") or ""))

    async def button(ack: AsyncAck, body: Fields, action: Fields) -> None:
        await ack()
        name = str(action["action_id"]).split(":")[1]
        await answer(body, lambda: views.after(expert, name, str(action.get("value"))))

    app.command("/whydrop")(command)
    app.action(re.compile(r"whydrop:[a-z]+:\d+"))(button)
    app.error(_failed)
    return app


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Take every workspace whose requests carry the signature; answers need no token."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


async def _failed(error: Exception, response: BoltResponse | None) -> BoltResponse | None:
    """Answer a request that Bolt itself stumbles over; without this, it would be a 500, and its words in the log."""
    log.error("unexpected %s", _place(error))
    return response and BoltResponse(status=400, body="the request is not of the form that Slack sends")


def _place(error: Exception) -> str:
    """Say what broke and where, without the words of the error: they may quote the paste."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"{type(error).__name__} at {where}"


@dataclass(frozen=True, slots=True)
class Listening:
    """ASGI app that hands a guarded request to Bolt."""

    bolt: AsyncApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as Bolt answers; what Slack would not send may break Bolt's reading, and is refused."""
        request = Request(scope, receive)
        try:
            answer = to_starlette_response(await self.bolt.async_dispatch(bolt_request(await request.body(), request)))
        except (AttributeError, LookupError, TypeError, ValueError) as wrong:
            log.warning("a signed request could not be read: %s", type(wrong).__name__)
            answer = PlainTextResponse("the request is not of the form that Slack sends\n", 400)
        await answer(scope, receive, send)


def bolt_request(raw: bytes, request: Request) -> AsyncBoltRequest:
    """Make Bolt's request, with only the headers that are Slack's: others can switch Bolt's listeners off."""
    names = ("content-type", "x-slack-request-timestamp", "x-slack-signature")
    body = raw.decode()
    made = AsyncBoltRequest(body=readable(body), headers={name: request.headers.get(name, "") for name in names})
    made.raw_body = body  # Bolt verifies the signature once more, over what was signed
    return made


def readable(body: str) -> str:
    """Hide the word "payload" in a command's text: Bolt takes it for the field of that name, and loses the command."""
    if body.startswith("{") or "payload" in dict(parse_qsl(body, keep_blank_values=True)):
        return body
    return body.replace("payload", "%70ayload")


async def post(body: Fields, message: Message) -> None:
    """Post an answer to the address that the request names; if Slack refuses its blocks, post its words."""
    client = AsyncWebhookClient(
        str(body.get("response_url")),
        timeout=10,
        logger=_QUIET,
        retry_handlers=[AsyncConnectionErrorRetryHandler(), AsyncRateLimitErrorRetryHandler(max_retry_count=2)],
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            status = await _send(client, message.body())
            if 400 <= status < 500 and status != 429:
                log.warning("Slack refused an answer with %s; now without blocks", status)
                status = await _send(client, message.plain_body())
        if status != 200:
            log.error("an answer was not delivered: %s", status)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as wrong:
        log.error("an answer was not delivered: %s", type(wrong).__name__)


async def _send(client: AsyncWebhookClient, body: Fields) -> int:
    """Send once, and again after server errors: the webhook client asks its retry handlers about 429 only."""
    response = await client.send_dict(body)
    for pause in _PAUSES_S:
        if response.status_code < 500:
            break
        await asyncio.sleep(pause)
        response = await client.send_dict(body)
    return 400 if '"ok":false' in response.body.replace(" ", "") else response.status_code
