"""What stands between the network and everything else: a bound on request bodies, and the last word on failures."""

from __future__ import annotations

import json
import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.paste import MOST_BYTES

log = logging.getLogger("whydrop")

LARGEST_BODY = MOST_BYTES * 2
"""Bytes of a request body: JSON may double a paste by escapes."""


class Shield:
    """ASGI middleware: bodies beyond the limit are refused, and a fault of ours is told and logged without content."""

    def __init__(self, app: ASGIApp, most: int = LARGEST_BODY) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most:
                raise HTTPException(413, f"a request may have {self.most:,} bytes; paste fewer lines")
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except Exception as wrong:  # noqa: BLE001  (nothing may reach the user, or a log, as it is)
            log.error("unexpected %s at %s", type(wrong).__name__, _place(wrong))
            if not started:
                await _fault(send)


def _place(wrong: Exception) -> str:
    """Say where an exception arose, without its message: that may quote what was pasted."""
    frames = traceback.extract_tb(wrong.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"


async def _fault(send: Send) -> None:
    content = {"type": "about:blank", "title": "A fault of whydrop's", "status": 500, "detail": "nothing was kept"}
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
