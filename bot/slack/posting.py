"""Calls of Slack's Web API by slack_sdk: what may be repeated is repeated there, what may not is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.settings import is_loopback
from bot.slack.quiet import QUIET
from bot.slack.web import EVENT_TYPE, CannotLook, Fields, Later, Refused, SharedFile, Uncertain

TIMEOUT_S = 10
"""Seconds that one call may take."""
_SHORT_S = 3
"""Seconds of a Retry-After that are waited for at once; for longer ones the wish is put off."""
_AGAIN = 3
"""How often a call is repeated at once, for whatever reason."""
_RETRY_S = 2.0
_FAILED = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
"""Errors by which Slack says that it failed itself."""
_GONE = {"thread_not_found", "message_not_found"}
"""Errors that say that nothing stands where we look; all others leave it open."""
_PAGES = 5
_SLACKS = {"slack.com", "slack-gov.com"}

TokenOf = Callable[[str], Awaitable[str]]
"""Gives the token of a team. Raises NoToken."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Slack is. Answers and downloads go nowhere else, whatever a request names."""

    api: str = "https://slack.com/api/"
    hooks: str = "https://hooks.slack.com/"
    files: str = "https://files.slack.com/"

    @classmethod
    def beside(cls, api: str) -> Addresses:
        """Give those that belong to a Web API: Slack's own hosts, or for an emulator's all of its address."""
        address = urlsplit(api)
        if address.hostname in _SLACKS:
            return cls(api, f"https://hooks.{address.hostname}/", f"https://files.{address.hostname}/")
        whole = f"{address.scheme}://{address.netloc}/"
        return cls(api, whole, whole)


class _ShortWaits(AsyncRateLimitErrorRetryHandler):
    """Waits as long as Slack asks for, if that is not long."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return limited and response is not None and _retry_after(response.headers) <= _SHORT_S


class WebApi:
    """Slack itself. One per process; close it at the end."""

    def __init__(self, token_of: TokenOf, addresses: Addresses | None = None) -> None:
        self._token_of = token_of
        self._addresses = addresses or Addresses()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def post(self, team: str, channel: str, thread: str, body: Fields, key: str) -> tuple[str, str]:
        """Post a message that bears the key; give its channel and ts."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        more: Fields = {"thread_ts": thread} if thread else {}
        async with self._client(team, again=False) as client:
            said = await client.chat_postMessage(
                channel=channel, metadata=metadata, unfurl_links=False, unfurl_media=False, **_shown(body), **more
            )
        return str(said["channel"]), str(said["ts"])

    async def find(self, team: str, channel: str, thread: str, key: str, since: float) -> str | None:
        """Look for our message with that key, posted since (seconds since 1970); give its ts."""
        wanted: Fields = {"channel": channel, "include_all_metadata": True, "oldest": f"{since:.6f}", "limit": 15}
        try:
            async with self._client(team) as client:
                for _ in range(_PAGES):
                    if thread:
                        page = await client.conversations_replies(ts=thread, **wanted)
                    else:
                        page = await client.conversations_history(**wanted)
                    for message in page.get("messages") or []:
                        if _key_of(message) == key:
                            return str(message["ts"])
                    wanted["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
                    if not wanted["cursor"]:
                        return None
        except Refused as refused:
            if refused.error in _GONE:
                return None
            raise CannotLook from None
        raise CannotLook  # so much was said since that it may stand further on

    async def update(self, team: str, channel: str, ts: str, body: Fields) -> None:
        """Put a message in the place of another."""
        async with self._client(team) as client:
            # Blocks that are not given would stay.
            await client.chat_update(channel=channel, ts=ts, **{"blocks": [], **_shown(body)})

    async def post_for_one(self, team: str, channel: str, thread: str, user: str, body: Fields) -> None:
        """Post a message that one person sees."""
        more: Fields = {"thread_ts": thread} if thread else {}
        async with self._client(team, again=False) as client:
            await client.chat_postEphemeral(channel=channel, user=user, **_shown(body), **more)

    async def respond(self, url: str, body: Fields) -> None:
        """Answer at the address that a request named, over a connection of its own: none that just ended."""
        self._checked(url, self._addresses.hooks)
        client = AsyncWebhookClient(
            url, timeout=TIMEOUT_S, logger=QUIET, retry_handlers=[_ShortWaits(max_retry_count=2)]
        )
        async with _told():
            said = await client.send_dict(body)
        if said.status_code == 429:
            raise Later(_retry_after(said.headers))
        if said.status_code >= 500:
            raise Later(_RETRY_S)
        if said.status_code >= 300 or '"ok":false' in said.body.replace(" ", ""):
            # Blocks are refused with 404, as an address is that is used up.
            gone = "_url" in said.body or (said.status_code in (404, 410) and "invalid_blocks" not in said.body)
            raise Refused("expired_url" if gone else "invalid_blocks")

    async def publish(self, team: str, user: str, view: Fields) -> None:
        """Show somebody the app's home."""
        async with self._client(team) as client:
            await client.views_publish(user_id=user, view=view)

    async def file(self, team: str, file: str) -> SharedFile:
        """Tell about a file."""
        async with self._client(team) as client:
            told = (await client.files_info(file=file))["file"]
        return SharedFile(
            str(told.get("name") or "file"),
            str(told.get("mimetype") or ""),
            str(told.get("mode") or ""),
            int(told.get("size") or 0),
            str(told.get("url_private_download") or told.get("url_private") or ""),
        )

    async def download(self, team: str, url: str, most: int) -> bytes:
        """Read a file, not more than `most` bytes of it. Whoever may not is sent a page to sign in at: Refused."""
        self._checked(url, self._addresses.files)
        headers = {"Authorization": f"Bearer {await self._token_of(team)}"}
        reading = self._opened().get(url, headers=headers, allow_redirects=False)
        async with _told(may_be_done=False), reading as answer:
            if answer.status == 429:
                raise Later(_retry_after(answer.headers))
            if answer.status >= 500:
                raise Later(_RETRY_S)
            if answer.status != 200 or answer.content_type == "text/html":
                raise Refused("file_not_found")
            return await _read(answer, most)
        raise AssertionError  # it was read, or something was raised

    async def upload(
        self, team: str, name: str, title: str, content: bytes, channel: str = "", thread: str = ""
    ) -> str:
        """Bring a file, into a thread or for a message to show; give its id."""
        where: Fields = {"channel": channel, "thread_ts": thread} if channel else {}
        async with self._client(team, again=not channel) as client:
            said = await client.files_upload_v2(filename=name, title=title, content=content, **where)
        return str(said["files"][0]["id"])

    async def complete_step(self, team: str, execution: str, outputs: Mapping[str, str]) -> None:
        """Say what a step of a workflow gave."""
        async with self._client(team) as client:
            await client.functions_completeSuccess(function_execution_id=execution, outputs=dict(outputs))

    async def fail_step(self, team: str, execution: str, error: str) -> None:
        """Say that a step of a workflow failed."""
        async with self._client(team) as client:
            await client.functions_completeError(function_execution_id=execution, error=error)

    @asynccontextmanager
    async def _client(self, team: str, *, again: bool = True) -> AsyncIterator[AsyncWebClient]:
        """Give a client of a team. `again`: calls may be repeated when nobody knows whether they were done."""
        handlers: list[Any] = [_ShortWaits(max_retry_count=_AGAIN)]
        if again:
            handlers += [AsyncServerErrorRetryHandler(_AGAIN), AsyncConnectionErrorRetryHandler(_AGAIN)]
        else:
            never_sent: list[type[Exception]] = [aiohttp.ClientConnectorError]
            handlers.append(AsyncConnectionErrorRetryHandler(_AGAIN, error_types=never_sent))
        token = await self._token_of(team)
        async with _told(may_be_done=not again):
            yield AsyncWebClient(
                token,
                base_url=self._addresses.api,
                timeout=TIMEOUT_S,
                session=self._opened(),
                logger=QUIET,
                retry_handlers=handlers,
            )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=True)
        return self._session

    def _checked(self, url: str, allowed: str) -> None:
        """Refuse an address that is not Slack's: a request could name any. An emulator's may be any of its machine."""
        try:
            ours, named = urlsplit(allowed), urlsplit(url)
        except ValueError:
            raise Refused("not_slacks_address") from None
        emulated = is_loopback(ours.hostname or "") and is_loopback(named.hostname or "")
        same = emulated or (named.netloc == ours.netloc and named.path.startswith(ours.path))
        if named.scheme != ours.scheme or not same:
            raise Refused("not_slacks_address")


@asynccontextmanager
async def _told(*, may_be_done: bool = True) -> AsyncIterator[None]:
    """Tell in our words how a call failed, and not in those of the client: they may quote what was sent."""
    try:
        yield
    except SlackApiError as wrong:
        meant = _meaning(wrong)
        raise (meant if may_be_done or not isinstance(meant, Uncertain) else Later(_RETRY_S)) from None
    except aiohttp.ClientConnectorError:
        raise Later(_RETRY_S) from None
    except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError):
        raise (Uncertain(answered=False) if may_be_done else Later(_RETRY_S)) from None


def _meaning(wrong: SlackApiError) -> Exception:
    response: Any = wrong.response
    status, error = getattr(response, "status_code", 200), str(response.get("error") or "")
    if status == 429 or error in {"ratelimited", "rate_limited"}:
        return Later(_retry_after(getattr(response, "headers", {})))
    if status >= 500 or error in _FAILED:
        return Uncertain(answered=True)
    return Refused(error or "unknown_error")


def _retry_after(headers: Mapping[str, Any]) -> float:
    value: Any = next((value for name, value in headers.items() if name.lower() == "retry-after"), _RETRY_S)
    if isinstance(value, list):
        value = value[0]
    try:
        return min(max(float(value), 1.0), 600.0)
    except ValueError:
        return _RETRY_S


def _shown(body: Fields) -> Fields:
    return {name: body[name] for name in ("text", "blocks") if name in body}


def _key_of(message: Fields) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    found = (metadata.get("event_payload") or {}).get("key")
    return found if isinstance(found, str) else None


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    read = bytearray()
    async for piece in answer.content.iter_chunked(65_536):
        read += piece
        if len(read) > most:
            return bytes(read[: most + 1])
    return bytes(read)
