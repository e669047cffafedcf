"""What stands between the network and everything else: a bound on request bodies, and the last word on failures."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.paste import MOST_BYTES

log = logging.getLogger("whydrop")

LARGEST_BODY = MOST_BYTES * 2
"""Bytes of a request body: JSON may double a paste by escapes."""
PATIENCE_S = 30.0
"""Seconds without a byte after which a request body is given up."""


class Shield:
    """ASGI middleware: bodies beyond the limits are refused, and a fault of ours is told and logged without content."""

    def __init__(self, app: ASGIApp, most: int = LARGEST_BODY) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _announced(scope) > self.most:
            await _told(send, 413, "The request is too large", _too_large(self.most))
        else:
            await self._guarded(scope, _Body(receive, self.most), send)

    async def _guarded(self, scope: Scope, body: _Body, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, body.receive, noted)
        except Exception as wrong:  # noqa: BLE001  (nothing may reach the user, or a log, as it is)
            log.error("unexpected %s at %s", type(wrong).__name__, _place(wrong))
            if not started:
                await _told(send, 500, "A fault of whydrop's", "nothing was kept")


class _Body:
    """A request body on its way in: counted, and given up when nothing comes any more."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._taken = 0
        self._complete = False

    async def receive(self) -> Message:
        """Give the next message. Raises HTTPException for too much, or for nothing in time."""
        if self._complete:
            return await self._receive()
        message = await _in_time(self._receive)
        self._taken += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._taken > self._most:
            raise HTTPException(413, _too_large(self._most))
        return message


def _place(wrong: Exception) -> str:
    """Say where an exception arose, without its message: that may quote what was pasted."""
    frames = traceback.extract_tb(wrong.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"


def _announced(scope: Scope) -> int:
    """Give the length that the request announces; 0 where it announces none."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() and len(lengths[0]) < 20 else 0


async def _in_time(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, f"nothing came for {PATIENCE_S:.0f} seconds; send the whole request") from None


def _too_large(most: int) -> str:
    return f"a request may have {most:,} bytes; paste fewer lines"


async def _told(send: Send, status: int, title: str, detail: str) -> None:
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
