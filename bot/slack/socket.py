"""Socket Mode: the same app over WebSockets that we open, with a watchdog, because they can die without a word."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import place
from bot.slack.quiet import QUIET

log = logging.getLogger("whydrop.slack")

CONNECTIONS = 2
"""Connections at the same time: while one is replaced, envelopes come over the other."""
PING_S = 10.0
"""Seconds between pings: Slack answers each."""
SILENT_S = 45.0
"""Seconds without a sign after which a connection is made anew; without any from all of them readiness is red."""
DEAD_S = 120.0
"""Seconds without a sign from any connection after which the process ends, so that its supervisor starts another."""
_CLOSING_S = 2.0

Clock = Callable[[], float]


class _Handler(AsyncSocketModeHandler):
    """Hands envelopes to Bolt; what goes wrong is said without the words of the error, which may quote a paste."""

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as Bolt
        """Hand an envelope to Bolt. One that fails is not acknowledged, and comes again."""
        try:
            await super().handle(client, req)
        except Exception as wrong:  # noqa: BLE001  whatever broke, the connection goes on
            log.error("an envelope was not acknowledged: %s at %s", type(wrong).__name__, place(wrong))


class Line:
    """One connection, made again and again. `heard` is when there was a last sign of life, by the clock."""

    def __init__(self, bolt: AsyncApp, app_token: str, client: AsyncWebClient, clock: Clock, ping_s: float) -> None:
        self._make: Callable[[], _Handler] = lambda: _Handler(
            bolt, app_token, logger=QUIET, web_client=client, ping_interval=ping_s
        )
        self._clock = clock
        self._handler: _Handler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._pong: float | None = None
        self.heard = clock()

    def open(self) -> None:
        """Begin to connect; slack_sdk tries until it succeeds."""
        self._handler = self._make()
        self._handler.client.on_message_listeners.append(self._told)
        self._pong = None
        self._connecting = asyncio.create_task(self._handler.client.connect())  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Leave, and wait until all is left."""
        self._leave()
        await asyncio.gather(*self._leaving)

    def renew(self) -> None:
        """Leave the connection and open another."""
        self._leave()
        self.open()

    def _leave(self) -> None:
        """Begin to leave; a connection that is dead may take its time, and nobody waits for it."""
        if self._connecting:
            self._connecting.cancel()
        if self._handler:
            leaving = asyncio.create_task(_left(self._handler))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            self._handler = None

    def look(self) -> None:
        """Notice pongs; of them slack_sdk tells only by when it sent what they answer."""
        last = self._handler.client.last_ping_pong_time if self._handler else None
        # From None it is set by a ping, which is no sign of life.
        if last is not None and self._pong is not None and last != self._pong:
            self.heard = self._clock()
        self._pong = last

    async def _told(self, message: WSMessage) -> None:
        """Notice envelopes and what Slack says of the connection."""
        self.heard = self._clock()
        if '"disconnect"' in message.data[:200]:
            with suppress(ValueError):
                log.info("Slack asks to connect anew: %s", _reason(json.loads(message.data)))


async def _left(handler: _Handler) -> None:
    with suppress(Exception):
        await asyncio.wait_for(handler.client.close(), _CLOSING_S)  # type: ignore[no-untyped-call]


def _reason(told: dict[str, object]) -> str:
    reason = told.get("reason")
    known = ("warning", "refresh_requested", "too_many_websockets", "link_disabled")
    return reason if isinstance(reason, str) and reason in known else "for a reason that is new to us"


class Lines:
    """All connections, and the watchdog over them."""

    def __init__(
        self,
        bolt: AsyncApp,
        app_token: str,
        client: AsyncWebClient,
        *,
        clock: Clock = time.monotonic,
        ping_s: float = PING_S,
    ) -> None:
        self._clock = clock
        self._lines: Sequence[Line] = [Line(bolt, app_token, client, clock, ping_s) for _ in range(CONNECTIONS)]
        self._renewed = [line.heard for line in self._lines]

    def open(self) -> None:
        """Begin to connect."""
        for line in self._lines:
            line.open()

    async def close(self) -> None:
        """Leave."""
        await asyncio.gather(*(line.close() for line in self._lines))

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign of any connection."""
        return self._clock() - max(line.heard for line in self._lines)

    @property
    def listening(self) -> bool:
        """Whether Slack gave a sign lately: readiness."""
        return self.silent_s < SILENT_S

    @property
    def dead(self) -> bool:
        """Whether it is time to end."""
        return self.silent_s >= DEAD_S

    def look(self) -> None:
        """Look at each connection, and begin to make one anew that has been silent for long."""
        for number, line in enumerate(self._lines):
            line.look()
            if self._clock() - max(line.heard, self._renewed[number]) >= SILENT_S:
                self._renewed[number] = self._clock()
                log.warning("a connection with Slack is silent; it is made anew")
                line.renew()

    async def watch(self, every_s: float = 1.0) -> None:
        """Look again and again; return when they are dead."""
        while not self.dead:
            await asyncio.sleep(every_s)
            self.look()
        log.error("no connection with Slack gives a sign of life; this process ends, so that another begins")
