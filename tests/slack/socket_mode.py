"""Socket Mode: WebSockets over which Slack hands out envelopes, each to any one of the app's connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.slack.shapes import Fields
from tests.slack.workspace import APP, Ids

MOST_CONNECTIONS = 10
"""using-socket-mode: up to ten connections at the same time."""


@dataclass(eq=False)
class Connection:
    """One WebSocket. A half-open one looks alive from afar: nothing goes over it, not even pongs."""

    number: int
    socket: web.WebSocketResponse
    half_open: bool = False
    told: list[str] = field(default_factory=list)

    async def send(self, message: Fields) -> None:
        """Send a message, unless it would go nowhere."""
        if not self.half_open:
            with suppress(ConnectionError):
                await self.socket.send_json(message)


@dataclass
class SocketMode:
    """The server of all connections."""

    ids: Ids
    changed: Callable[[], None] = lambda: None
    open: list[Connection] = field(default_factory=list)
    accepted: int = 0
    acks: dict[str, asyncio.Future[Fields]] = field(default_factory=dict)
    strange: list[Fields] = field(default_factory=list)
    _tickets: set[str] = field(default_factory=set)
    _next: int = 0

    def ticket(self) -> str:
        """Give what lets one connection in, once."""
        made = self.ids.make("ticket-")
        self._tickets.add(made)
        return made

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(autoping=False, timeout=0.5)
        await socket.prepare(request)
        self.accepted += 1
        connection = Connection(self.accepted, socket)
        if len(self.open) >= MOST_CONNECTIONS:
            await connection.send({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
            await socket.close()
            return socket
        self.open.append(connection)
        await connection.send(
            {
                "type": "hello",
                "num_connections": len(self.open),
                "connection_info": {"app_id": APP},
                "debug_info": {"host": "loopback", "approximate_connection_time": 18060},
            }
        )
        self.changed()
        try:
            await self._listen(connection)
        finally:
            self.open = [one for one in self.open if one is not connection]
            self.changed()
        return socket

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.half_open:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._heard(json.loads(message.data))

    def _heard(self, message: Fields) -> None:
        waiting = self.acks.get(str(message.get("envelope_id")))
        if waiting is None or waiting.done():
            self.strange.append(message)
        else:
            waiting.set_result(message)
        self.changed()

    async def deliver(self, envelope: Fields, patience: float) -> Fields | None:
        """Send an envelope to one of the connections in turn; gives the acknowledgement, None when none came."""
        if not self.open:
            return None
        self._next += 1
        connection = self.open[self._next % len(self.open)]
        connection.told.append(envelope["envelope_id"])
        waiting = self.acks[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        await connection.send(envelope)
        with suppress(TimeoutError):
            return await asyncio.wait_for(waiting, patience)
        return None

    async def warn(self) -> None:
        """Say that the connections will be closed in a while."""
        await self._say("warning")

    async def refresh(self) -> None:
        """Close all connections as Slack does every few hours: the app is to come back."""
        leaving = list(self.open)
        await self._say("refresh_requested")
        for connection in leaving:
            with suppress(ConnectionError):
                await connection.socket.close()

    async def _say(self, reason: str) -> None:
        for connection in list(self.open):
            await connection.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})

    def go_silent(self) -> list[Connection]:
        """Make all connections half-open; gives them."""
        for connection in self.open:
            connection.half_open = True
        return list(self.open)
