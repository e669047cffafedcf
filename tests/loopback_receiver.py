"""A receiver of webhooks on loopback: takes what is posted, and answers as planned, or badly, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

SILENT = b""
"""A planned answer that never comes."""
CUT = b"cut"
"""A planned answer that is a closed connection."""
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nagain\r\n"
"""A planned answer whose body never ends."""


@dataclass(frozen=True)
class Taken:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Give the id of the message."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What was taken, and what is answered: what a path always gives, or the planned answers, then 200."""

    port: int = 0
    always: dict[str, bytes] = field(default_factory=dict)
    planned: deque[bytes] = field(default_factory=deque)
    taken: list[Taken] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """Give its address."""
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.taken.append(Taken(first.split(" ")[1], headers, body))
        answer = self._next(self.taken[-1].path)
        self.came.set()
        if answer == SILENT:
            await reader.read()  # until the other side has had enough
        elif answer != CUT:
            writer.write(answer)
            while answer is ENDLESS:
                await writer.drain()
                writer.write(b"5\r\nagain\r\n" * 1000)
            await writer.drain()

    def _next(self, path: str) -> bytes:
        if path in self.always:
            return self.always[path]
        return self.planned.popleft() if self.planned else answered(200)


def answered(status: int, *headers: str) -> bytes:
    """Make an answer with a status and headers."""
    return "\r\n".join((f"HTTP/1.1 {status} It", *headers, "Content-Length: 0", "", "")).encode()


@asynccontextmanager
async def receiving(context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()
    async with listening(receiver.serve, context) as port:
        receiver.port = port
        yield receiver


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Listen on a free port; gives it. Connections that are open at the end are waited for."""
    tasks: set[asyncio.Task[None]] = set()

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await serve(reader, writer)

    server = await asyncio.start_server(tracked, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
