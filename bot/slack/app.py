"""The app in Slack, whichever way its requests come: a wish is kept, then acknowledged; nothing else is done here."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.cases import NoSuchCase
from bot.logs import place
from bot.slack import hearing
from bot.slack.hearing import Fields, ParseAnswer, Private
from bot.slack.installs import Tokens
from bot.slack.modals import OUTCOME, PASTE, TYPE
from bot.slack.quiet import QUIET
from bot.slack.web import Later, NoToken, Refused, Uncertain
from bot.slack.wishes import Wish
from bot.tables import Busy
from bot.threads import TooBusy

log = logging.getLogger("whydrop.slack")

EVENTS = ("app_mention", "message", "app_home_opened", "app_uninstalled", "tokens_revoked", "function_executed")
LATE = "The window could not be opened in time. Please try again, or type `/whydrop` with the line behind it."
BUSY = "whydrop is busy and has not taken this. Please try again in a moment."
UNKNOWN = "whydrop is not installed in this workspace (any longer). Somebody who may add apps has to install it again."

_UNSIGNED_IN = ("url_verification", "ssl_check")
_LEAVING = ("app_uninstalled", "tokens_revoked")
_MODAL_S = 2
"""Seconds in which a modal is opened; what lets us open it lives for three."""
_CANNOT_OPEN = (
    *(SlackClientError, aiohttp.ClientError, OSError, TimeoutError),
    *(NoToken, NoSuchCase, Busy, TooBusy),
)
_WRONG = (AttributeError, LookupError, TypeError, ValueError)
"""What the reading of a request raises that is not of the form that Slack sends."""


class Inbox(Protocol):
    """Keeps wishes until they are carried out."""

    async def accept(self, wish: Wish) -> bool:
        """Keep a wish; False if it came before. Raises what the database raises: then it is not kept."""


ModalOf = Callable[[str, Private], Awaitable[Fields]]
"""Makes the modal that a button of a team's opens, or without a button the one to paste lines into."""

Respond = Callable[[str, Fields], Awaitable[None]]
"""Answers at the address that a request named. Raises Later, Refused, Uncertain."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the app needs of the rest: where wishes go, whose tokens there are, modals, and how answers are read."""

    inbox: Inbox
    tokens: Tokens
    client: AsyncWebClient
    modal: ModalOf
    parse_answer: ParseAnswer
    respond: Respond


def bolt_app(secret: str, desk: Desk) -> AsyncApp:
    """Make the Bolt app."""
    app = AsyncApp(
        name=QUIET.name,  # Bolt sets the level and the filters of the logger that is named like the app
        signing_secret=secret,
        client=AsyncWebClient(base_url=desk.client.base_url, timeout=_MODAL_S, logger=QUIET),
        before_authorize=_Door(desk.tokens),
        authorize=_authorizing(desk.tokens),
        logger=QUIET,
    )
    listening = Listening(desk)
    app.command(hearing.COMMAND)(listening.command)
    app.message_shortcut(hearing.DIAGNOSE)(listening.shortcut)
    app.global_shortcut(hearing.START)(listening.start)
    app.action(re.compile(r"whydrop:[a-z]+:\d+"))(listening.action)
    for modal in (PASTE, OUTCOME, TYPE):
        app.view(modal)(listening.submission)
    for event in EVENTS:
        # Bolt acknowledges events before their listeners are called, and after their middleware.
        app.event(event, middleware=[listening.event])(_acknowledged)
    app.error(_failed)
    return app


def _authorizing(tokens: Tokens) -> Callable[..., Awaitable[AuthorizeResult]]:
    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        found = await tokens.authorize(enterprise_id, team_id)
        return found or AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

    return authorize


@dataclass(frozen=True, slots=True)
class Listening:
    """The listeners."""

    desk: Desk

    async def event(
        self,
        body: Fields,
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002  (Bolt's name)
    ) -> None:
        """Keep what an event asks for; only then it is acknowledged."""
        if wish := hearing.event(body, context.bot_user_id or ""):
            await self.desk.inbox.accept(wish)
        await next()

    async def command(self, ack: AsyncAck, body: Fields) -> None:
        """Keep what was typed behind the command; alone, it opens a modal."""
        if wish := hearing.command(body):
            await self.desk.inbox.accept(wish)
            await ack()
        else:
            await ack()
            await self._open(body, Private(place=hearing.place_of_command(body)))

    async def shortcut(self, ack: AsyncAck, body: Fields) -> None:
        """Keep the message that the shortcut was used on."""
        if wish := hearing.shortcut(body):
            await self.desk.inbox.accept(wish)
        await ack()

    async def start(self, ack: AsyncAck, body: Fields) -> None:
        """Open the modal to paste lines into."""
        await ack()
        await self._open(body, Private(place=hearing.place_of_action(body)))

    async def action(self, ack: AsyncAck, body: Fields, action: Fields) -> None:
        """Keep what a button asks for; some open a modal."""
        pressed = hearing.pressed(action)
        opens = pressed.does in hearing.OPENING
        if not opens and pressed.does not in hearing.SILENT:
            await self.desk.inbox.accept(hearing.press(body, action))
        await ack()
        if opens:
            await self._open(body, Private(place=hearing.place_of_action(body), press=pressed))

    async def submission(self, ack: AsyncAck, body: Fields) -> None:
        """Keep what was submitted, or say in the modal what is missing."""
        heard = hearing.submission(body, self.desk.parse_answer)
        if not isinstance(heard, Wish):
            await ack(response_action="errors", errors=dict(heard))
            return
        await self.desk.inbox.accept(heard)
        await ack()

    async def _open(self, body: Fields, private: Private) -> None:
        """Open a modal at once: what lets us is good for three seconds."""
        team = hearing.team_of(body)
        try:
            token = await self.desk.tokens.token_of(team)
            view = await self.desk.modal(team, private)
            await self.desk.client.views_open(token=token, trigger_id=str(body["trigger_id"]), view=view)
        except _CANNOT_OPEN as wrong:
            log.warning("a modal was not opened: %s", _named(wrong))
            await self._say(str(body.get("response_url") or ""), LATE)

    async def _say(self, response_url: str, words: str) -> None:
        """Tell the asker something at the address that a request named, if it named one."""
        if not response_url:
            return
        try:
            await self.desk.respond(response_url, {"text": words, "replace_original": False})
        except (Later, Refused, Uncertain) as wrong:
            log.error("an answer was not delivered: %s", type(wrong).__name__)


class _Door:
    """Refuses the requests of workspaces without the app, before anything of them is looked at."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def __call__(
        self,
        request: AsyncBoltRequest,
        next: Callable[[], Awaitable[None]],  # noqa: A002  (Bolt's name)
    ) -> BoltResponse | None:
        """Let a request in, or answer it."""
        body = request.body
        event = body.get("event")
        leaving = isinstance(event, dict) and event.get("type") in _LEAVING
        known = leaving or body.get("type") in _UNSIGNED_IN or "ssl_check" in body
        if known or await self._tokens.authorize(request.context.enterprise_id, request.context.team_id):
            await next()
            return None
        # The answer to a command is shown to whoever typed it; for others there is nobody whom we could tell.
        return BoltResponse(status=200, body=UNKNOWN if "command" in body else "")


async def _acknowledged() -> None:
    """Do nothing: what there was to do is done."""


async def _failed(error: Exception, body: Fields, response: BoltResponse | None) -> BoltResponse | None:
    """Answer a request that Bolt or a listener stumbled over; without this it would be a 500, its words in the log."""
    if response is None:  # it was acknowledged before
        log.error("unexpected %s at %s", type(error).__name__, place(error))
        return None
    if isinstance(error, _WRONG):
        log.warning("a signed request could not be read: %s at %s", type(error).__name__, place(error))
        return BoltResponse(status=400, body="the request is not of the form that Slack sends")
    log.error("a request was not kept: %s at %s", _named(error), place(error))
    # Slack delivers an event again; a command it does not, so whoever typed it is told.
    return BoltResponse(status=200, body=BUSY) if "command" in body else BoltResponse(status=503, body="")


def _named(error: Exception) -> str:
    """Name an error, without its words: they may quote a paste. Slack's own names are no secret."""
    told = error.response.get("error") if isinstance(error, SlackApiError) else None
    return f"{type(error).__name__} {told}" if told else type(error).__name__
