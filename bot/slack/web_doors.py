"""Slack over HTTP: its requests at /slack/events, and installing at /slack/install and /slack/oauth_redirect."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.logs import place
from bot.slack.guard import CHECKED, Guard

log = logging.getLogger("whydrop.slack")

_SIGNED = ("content-type", "x-slack-request-timestamp", "x-slack-signature")


def slack_doors(secret: str, bolt: AsyncApp | None, flow: AsyncOAuthFlow | None) -> Starlette:
    """Build the ASGI app that is mounted at /slack; without a secret nothing answers there."""
    routes = [Route("/events", Guard(Events(bolt), secret))] if secret and bolt else []
    if flow:
        routes += [Route("/install", Installing(flow).begin), Route("/oauth_redirect", Installing(flow).end)]
    return Starlette(routes=routes)


@dataclass(frozen=True, slots=True)
class Events:
    """ASGI app that hands a guarded request to Bolt."""

    bolt: AsyncApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as Bolt answers; what Slack would not send may break Bolt's reading, and is refused."""
        request = Request(scope, receive)
        try:
            answer = to_starlette_response(await self.bolt.async_dispatch(await bolt_request(request)))
        except (AttributeError, LookupError, TypeError, ValueError) as wrong:
            log.warning("a signed request could not be read: %s", type(wrong).__name__)
            answer = PlainTextResponse("the request is not of the form that Slack sends\n", 400)
        await answer(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Installing:
    """Somebody adds the app to their workspace."""

    flow: AsyncOAuthFlow

    async def begin(self, request: Request) -> Response:
        """Send them to Slack, with a state that their browser keeps as well."""
        return to_starlette_response(await self.flow.handle_installation(_of_browser(request)))

    async def end(self, request: Request) -> Response:
        """Take the code that they come back with, once, and keep the installation."""
        try:
            return to_starlette_response(await self.flow.handle_callback(_of_browser(request)))
        except Exception as wrong:  # noqa: BLE001  whatever broke, somebody sits before this page
            log.error("an installation failed: %s at %s", type(wrong).__name__, place(wrong))
            return PlainTextResponse("The app could not be installed just now. Please try again.\n", 502)


def _of_browser(request: Request) -> AsyncBoltRequest:
    return AsyncBoltRequest(body="", query=request.url.query, headers={"cookie": request.headers.get("cookie", "")})


async def bolt_request(request: Request) -> AsyncBoltRequest:
    """Make Bolt's request of what the guard read, with only the headers that are Slack's: others can switch it off."""
    headers: dict[str, str | Sequence[str]] = {name: request.headers.get(name, "") for name in _SIGNED}
    # A form that Bolt reads itself is lost if the word "payload" is in a command's text.
    made = AsyncBoltRequest(body=request.scope[CHECKED], headers=headers)
    made.raw_body = (await request.body()).decode()  # Bolt verifies the signature once more, over what was signed
    return made
