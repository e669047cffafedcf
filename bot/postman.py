"""The postman: delivers to webhooks what waits for them, signed as Standard Webhooks asks for. It may come twice.

Every delivery arrives at least once, with the same id each time, in no certain order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import re
import ssl
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import anyio
import httpcore
import httpx

from bot.cases import Store
from bot.deliveries import LONGEST_WAIT, Answer, Claimed, claimed, expired, settled, waiting
from bot.outbox import key_of
from bot.tables import Busy
from bot.targets import CheckedNetwork, Reach, RefusedTarget, Target

log = logging.getLogger("whydrop")

TIMEOUT_S = 15.0
"""Seconds that an attempt may take as a whole."""
POLL_S = 1.0
"""Seconds between two looks for what is due."""
MOST_AT_ONCE = 16
"""Attempts of one process at the same time, each to another webhook."""
MOST_OF_WORKSPACE = 4
"""Attempts for one workspace at the same time: those who answer slowly keep nobody else waiting."""
_EXPIRE_EVERY = timedelta(hours=1)
_PATIENT = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""Statuses with which a receiver may say how long to wait."""
_SECONDS = re.compile(r"[0-9]{1,9}")


class Postman:
    """Delivers what is due, in any number of processes at once. `trusted` says which certificates are good."""

    def __init__(self, store: Store, reach: Reach | None = None, trusted: ssl.SSLContext | None = None) -> None:
        self._store = store
        self._reach = reach or Reach()
        self._network = CheckedNetwork(self._reach)
        self._trusted = trusted or httpx.create_ssl_context()
        self._expired = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Deliver until cancelled. An attempt that is under way then is made again when its lease has run out."""
        while True:
            try:
                await self._forget_old()
                await self.deliver_due()
            except Exception as wrong:  # noqa: BLE001  (whatever it is, later deliveries are not to wait for ever)
                log.error("deliveries to webhooks wait: %s", type(wrong).__name__)
            await asyncio.sleep(POLL_S)

    async def deliver_due(self) -> int:
        """Attempt all that is due, and what becomes due meanwhile; gives the number of attempts."""
        running: dict[asyncio.Task[None], Claimed] = {}
        made = 0
        try:
            while (one := await self._claim(running.values())) or running:
                if one:
                    running[asyncio.create_task(self._deliver(one))] = one
                    made += 1
                else:
                    await asyncio.wait(running, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                for done in [task for task in running if task.done()]:
                    del running[done]
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*running, return_exceptions=True)
        return made

    async def _claim(self, running: Collection[Claimed]) -> Claimed | None:
        if len(running) >= MOST_AT_ONCE:
            return None
        many = Counter(one.workspace for one in running)
        full = [workspace for workspace, number in many.items() if number >= MOST_OF_WORKSPACE]
        chosen = waiting(now := self._store.now(), [one.webhook for one in running], full)
        # Looked before it is taken: on SQLite whoever takes keeps all others from writing.
        found = await self._store.read_with(lambda connection: connection.execute(chosen))
        if found.first() is None:
            return None
        with suppress(Busy):
            return await self._store.write_with(lambda connection: claimed(connection, now, chosen))
        return None

    async def _deliver(self, one: Claimed) -> None:
        answer = await self._attempt(one)
        log.info("delivery %s to webhook %s: %s", one.id, one.webhook, answer.outcome)
        try:
            await self._store.write_with(lambda connection: settled(connection, one, answer, self._store.now()))
        except Exception as wrong:  # noqa: BLE001  (the lease runs out, and it is delivered once more)
            log.error("delivery %s: not written down: %s", one.id, type(wrong).__name__)

    async def _attempt(self, one: Claimed) -> Answer:
        """Post once. Whatever goes wrong is an answer too, told without what the receiver sent."""
        try:
            with anyio.fail_after(TIMEOUT_S):
                return await self._post(one, self._reach.target(one.url))
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(f"no answer within {TIMEOUT_S:.0f} seconds")
        except RefusedTarget as refused:
            return Answer(str(refused))
        except httpcore.ConnectError as wrong:
            insecure = any(isinstance(one, ssl.SSLError) for one in wrong.args)  # httpcore forgets the cause
            return Answer("its certificate or its TLS is wrong" if insecure else "no connection could be made")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Answer("the connection broke off, or what came was no HTTP")
        except Exception as wrong:  # noqa: BLE001  (a fault of ours is not to stop the others' deliveries)
            log.error("delivery %s: %s", one.id, type(wrong).__name__)
            return Answer("it could not be sent")

    async def _post(self, one: Claimed, target: Target) -> Answer:
        # Not by httpx itself: it logs whole addresses. What it is made of follows no redirect, keeps no cookie, and
        # reads no proxy from the environment.
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        headers = self._headers(one, target)
        pool = httpcore.AsyncConnectionPool(self._trusted, max_keepalive_connections=0, network_backend=self._network)
        async with pool, pool.stream("POST", url, headers=headers, content=one.body) as response:
            # The body is never read: closing the connection is cheaper than to be told something for ever.
            wait = _asked_for(response.headers, self._store.now()) if response.status in _PATIENT else timedelta()
            return Answer(f"HTTP {response.status}", response.status, wait)

    def _headers(self, one: Claimed, target: Target) -> list[tuple[str, str]]:
        timestamp = str(int(self._store.now().timestamp()))
        return [
            ("host", target.authority),
            ("user-agent", "whydrop"),
            ("content-type", "application/json"),
            ("connection", "close"),
            ("webhook-id", one.id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", " ".join(sign(secret, one.id, timestamp, one.body) for secret in one.secrets)),
        ]

    async def _forget_old(self) -> None:
        now = self._store.now()
        if now - self._expired >= _EXPIRE_EVERY:
            await self._store.write_with(lambda connection: expired(connection, now))
            self._expired = now


def sign(secret: str, message: str, timestamp: str, body: bytes) -> str:
    """Sign a message as Standard Webhooks says; the timestamp is in seconds since 1970."""
    signed = b".".join((message.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def _asked_for(headers: Iterable[tuple[bytes, bytes]], now: datetime) -> timedelta:
    """Read how long a receiver asks to wait, in seconds or until a date; nothing sensible asks for nothing."""
    asked = next((value.decode("latin-1").strip() for name, value in headers if name.lower() == b"retry-after"), "")
    if _SECONDS.fullmatch(asked):
        wait = timedelta(seconds=int(asked))
    else:
        try:
            until = parsedate_to_datetime(asked)
            wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
        except (ValueError, OverflowError):
            return timedelta()
    return min(max(wait, timedelta()), LONGEST_WAIT)
