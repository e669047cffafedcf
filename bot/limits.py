"""A bound on request bodies, before anything reads them."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.paste import MOST_BYTES

_MOST = MOST_BYTES * 2
"""Bytes of a request body: JSON may double a paste by escapes."""


class BodyTooLarge(Exception):
    """More bytes than are taken."""


class BodyLimit:
    """ASGI middleware: refuses bodies that are too large, stated or streamed, with 413."""

    def __init__(self, app: ASGIApp, most: int = _MOST) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its bytes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most:
                raise BodyTooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except BodyTooLarge:
            if not started:
                await _refuse(send, self.most)


async def _refuse(send: Send, most: int) -> None:
    detail = f"a request may have {most:,} bytes; paste the lines around the drop or the reset"
    content = {"type": "about:blank", "title": "The request is too large", "status": 413, "detail": detail}
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
