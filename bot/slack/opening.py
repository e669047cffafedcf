"""How the app in Slack is put together from the settings, for HTTP and for Socket Mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.casebook import Casebook
from bot.cases import Store
from bot.settings import Settings, told
from bot.slack.app import Desk, bolt_app
from bot.slack.behind import Behind, behind
from bot.slack.installs import STATE_S, ManyTokens, OneToken, States, Tokens, WithoutToken
from bot.slack.quiet import QUIET
from bot.slack.web_doors import slack_doors

OPTIONAL = ("channels:history", "files:write", "groups:history")
"""What whoever installs the app may leave out: without it there is no picture, or no looking back after a crash."""
SCOPES = tuple(
    sorted(("app_mentions:read", "assistant:write", "chat:write", "commands", "files:read", "im:history", *OPTIONAL))
)
"""What the app asks for; manifest.json says the same, and a test says why."""
REDIRECT = "/slack/oauth_redirect"
_TIMEOUT_S = 10

Parts = Callable[[Settings, Casebook, Tokens], Behind]


def web_client(settings: Settings) -> AsyncWebClient:
    """Make a client without a token, which waits when Slack asks for that, and tries again when Slack fails."""
    return AsyncWebClient(
        base_url=settings.slack_api_url,
        timeout=_TIMEOUT_S,
        logger=QUIET,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=1),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )


def tokens_of(settings: Settings, store: Store, client: AsyncWebClient) -> Tokens:
    """Give whose workspaces the app is in."""
    if settings.slack_client_id:
        return ManyTokens(store, settings.slack_client_id, told(settings.slack_client_secret), client)
    token = told(settings.slack_bot_token)
    return OneToken(token, client) if token else WithoutToken()


def oauth_flow(settings: Settings, store: Store, tokens: Tokens, client: AsyncWebClient) -> AsyncOAuthFlow | None:
    """Make what installs the app in further workspaces; None where it is in one."""
    if not settings.slack_client_id or not isinstance(tokens, ManyTokens):
        return None
    flow = AsyncOAuthSettings(
        client_id=settings.slack_client_id,
        client_secret=told(settings.slack_client_secret),
        scopes=SCOPES,
        user_scopes=(),
        redirect_uri=settings.public_url + REDIRECT if settings.public_url else None,
        install_page_rendering_enabled=False,  # the link to it is the page
        authorization_url=urljoin(settings.slack_api_url, "../oauth/v2/authorize"),
        installation_store=tokens,
        state_store=States(store),
        state_expiration_seconds=STATE_S,
        logger=QUIET,
    )
    return AsyncOAuthFlow(client=client, logger=QUIET, settings=flow)


@dataclass(frozen=True, slots=True)
class Slack:
    """The app in Slack, put together. `bolt` is None where it is not set up."""

    bolt: AsyncApp | None
    flow: AsyncOAuthFlow | None
    client: AsyncWebClient
    run: Callable[[], Awaitable[None]] | None

    def doors(self, settings: Settings) -> Starlette:
        """Give what is mounted at /slack."""
        return slack_doors(told(settings.slack_signing_secret), self.bolt, self.flow)


def open_slack(settings: Settings, casebook: Casebook, parts: Parts = behind) -> Slack:
    """Put the app together, for whichever way Slack's requests come; nothing is called yet."""
    client = web_client(settings)
    secret = told(settings.slack_signing_secret)
    if not secret and not told(settings.slack_app_token):
        return Slack(None, None, client, None)
    tokens = tokens_of(settings, casebook.store, client)
    found = parts(settings, casebook, tokens)
    bolt = bolt_app(secret, Desk(found.inbox, tokens, client, found.modal, found.parse_answer, found.respond))
    return Slack(bolt, oauth_flow(settings, casebook.store, tokens, client), client, found.run)
