"""How Slack hands things to an app: signed HTTP or Socket Mode, at least once, and in no promised order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import httpx

from tests.loopback_slack import FORM, SECRET, signed
from tests.slack.shapes import Fields
from tests.slack.socket_mode import SocketMode
from tests.slack.workspace import Ids

PATIENCE_S = 3.0
"""Seconds that Slack waits for an acknowledgement."""
RETRIES = 3
"""events-api: at once, after a minute, after five. No time passes here."""
JSON = "application/json"


@dataclass(frozen=True)
class Parcel:
    """One thing to hand over."""

    kind: Literal["events_api", "slash_commands", "interactive"]
    payload: Fields


@dataclass(frozen=True)
class Retry:
    """Which retry it is, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Ack:
    """How an app took a parcel: `status` is None when no answer came within Slack's patience."""

    parcel: Parcel
    status: int | None
    body: Any = None
    seconds: float = 0.0
    retry: Retry | None = None
    final: bool = False

    @property
    def good(self) -> bool:
        """Tell whether Slack is content."""
        return self.status == 200


class Door(Protocol):
    """A way into an app."""

    async def send(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Hand over a parcel, once."""


@dataclass
class HttpDoor:
    """The request URL of an app."""

    url: str
    secret: str = SECRET
    patience: float = PATIENCE_S

    async def send(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Post a signed request."""
        body, headers = posted(parcel, self.secret, retry)
        began = time.monotonic()
        try:
            # Nothing is encrypted; to make ready for that would take longer than all the rest.
            client = httpx.AsyncClient(trust_env=False, timeout=self.patience, verify=False)  # noqa: S501
            async with client, asyncio.timeout(self.patience):
                answer = await client.post(self.url, content=body, headers=headers)
        except (httpx.TimeoutException, TimeoutError):
            return Ack(parcel, None, "http_timeout", time.monotonic() - began, retry)
        except httpx.TransportError:
            return Ack(parcel, None, "connection_failed", time.monotonic() - began, retry)
        final = answer.headers.get("x-slack-no-retry") == "1"
        return Ack(parcel, answer.status_code, _read(answer), time.monotonic() - began, retry, final)

    async def verify(self) -> Ack:
        """Send the challenge with which Slack checks a request URL; a good app answers it."""
        challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
        ack = await self.send(Parcel("events_api", {"type": "url_verification", "token": "t", "challenge": challenge}))
        told = ack.body.get("challenge") if isinstance(ack.body, dict) else ack.body
        return ack if told == challenge else Ack(ack.parcel, None, ack.body, ack.seconds)


def posted(parcel: Parcel, secret: str = SECRET, retry: Retry | None = None) -> tuple[bytes, dict[str, str]]:
    """Give the body and the headers of a signed request."""
    body = _written(parcel)
    headers = signed(body, secret=secret, media=JSON if parcel.kind == "events_api" else FORM)
    if retry:
        headers |= {"x-slack-retry-num": str(retry.number), "x-slack-retry-reason": retry.reason}
    return body, headers


def _written(parcel: Parcel) -> bytes:
    if parcel.kind == "events_api":
        return json.dumps(parcel.payload).encode()
    if parcel.kind == "slash_commands":
        return urlencode(parcel.payload).encode()
    return urlencode({"payload": json.dumps(parcel.payload)}).encode()


def _read(answer: httpx.Response) -> Any:
    if answer.headers.get("content-type", "").startswith(JSON):
        return answer.json()
    return answer.text


@dataclass
class SocketDoor:
    """The WebSockets of an app; any one of them gets a parcel."""

    sockets: SocketMode
    ids: Ids
    patience: float = PATIENCE_S

    async def send(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Send an envelope."""
        envelope: Fields = {
            "envelope_id": self.ids.make("envelope-"),
            "type": parcel.kind,
            "payload": parcel.payload,
            "accepts_response_payload": parcel.kind != "events_api",
        }
        if parcel.kind == "events_api":
            envelope |= {"retry_attempt": retry.number if retry else 0, "retry_reason": retry.reason if retry else ""}
        began = time.monotonic()
        ack = await self.sockets.deliver(envelope, self.patience)
        took = time.monotonic() - began
        if ack is None:
            return Ack(parcel, None, "http_timeout", took, retry)
        return Ack(parcel, 200, ack.get("payload"), took, retry)


@dataclass
class Round:
    """Hands parcels over as Slack does, and remembers how the app took each."""

    door: Door
    acks: list[Ack] = field(default_factory=list)

    async def once(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Hand over a parcel, one time."""
        ack = await self.door.send(parcel, retry)
        self.acks.append(ack)
        return ack

    async def deliver(self, parcel: Parcel) -> Ack:
        """Hand over a parcel; an event again and again, until Slack is content or gives it up."""
        ack = await self.once(parcel)
        for number in range(1, RETRIES + 1):
            if ack.good or ack.final or parcel.kind != "events_api":
                break
            ack = await self.once(parcel, Retry(number, ack.body if ack.status is None else "http_error"))
        return ack

    async def repeat(self, parcel: Parcel, times: int = 2) -> list[Ack]:
        """Hand over a parcel several times at once, as happens when Slack has missed an acknowledgement."""
        again = [Retry(number, "http_timeout") if number else None for number in range(times)]
        return list(await asyncio.gather(*(self.once(parcel, retry) for retry in again)))

    async def disordered(self, parcels: Sequence[Parcel]) -> list[Ack]:
        """Hand over parcels, the last first."""
        return [await self.deliver(parcel) for parcel in reversed(parcels)]

    def slowest(self) -> float:
        """Give the seconds of the slowest acknowledgement."""
        return max((ack.seconds for ack in self.acks), default=0.0)
