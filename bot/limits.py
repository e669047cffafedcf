"""What stands between the network and everything else: a bound on request bodies, and the last word on failures."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.logs import place
from bot.paste import MOST_BYTES
from bot.refusals import refused
from bot.threads import LEAVING, ClientGone, TooBusy

log = logging.getLogger("whydrop")

LARGEST_BODY = MOST_BYTES * 2
"""Bytes of a request body: JSON may double a paste by escapes."""
PATIENCE_S = 30.0
"""Seconds without a byte after which a request body is given up."""
DEEPEST = 32
"""Levels of a JSON body."""
MOST_PARTS = 100_000
"""Texts, and brackets outside of them, of a JSON body; the largest request of ours has less than a thousand."""

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A text of JSON, or the rest of the body behind a quote that none closes. Linear: it fails nowhere."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_BREAKS_A_LINE = re.compile(rb"[\r\n\x00]")


class Shield:
    """ASGI middleware: bodies beyond the limits are refused, and a fault of ours is told and logged without content."""

    def __init__(self, app: ASGIApp, most: int = LARGEST_BODY) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif len(_lengths(scope)) > 1:
            # Whoever stands in front may believe the other one, and take what is behind for a request.
            twice = "the length of the request is stated twice"
            await refused(scope, send, "malformed", twice, [(b"connection", b"close")])
        elif _announced(scope) > self.most:
            await refused(scope, send, "too-large", _too_large(self.most))
        else:
            await self._guarded(scope, _Exchange(scope, receive, send, self.most))

    async def _guarded(self, scope: Scope, exchange: _Exchange) -> None:
        before = LEAVING.set(exchange.left)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except TooBusy as busy:
            await exchange.refuse_busy(busy)
        except (ClientDisconnect, ClientGone):
            pass  # nobody is there to be told
        except Exception as wrong:  # noqa: BLE001  (nothing may reach the user, or a log, as it is)
            log.error("unexpected %s at %s", type(wrong).__name__, place(wrong))
            await exchange.tell_fault()
        finally:
            LEAVING.reset(before)


class _Exchange:
    """A request on its way in, counted, and given up when nothing comes any more; and its answer on the way out."""

    __slots__ = ("_complete", "_most", "_receive", "_scope", "_send", "_started", "_taken")

    def __init__(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._most = most
        self._taken = 0
        self._complete = False
        self._started = False

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

    async def send(self, message: Message) -> None:
        """Send a message. Raises ValueError for a header that would end its line and begin another."""
        if message["type"] == "http.response.start":
            if any(_BREAKS_A_LINE.search(part) for field in message.get("headers", ()) for part in field):
                raise ValueError("a header of the answer breaks its line")
            self._started = True
        await self._send(message)

    async def left(self) -> None:
        """Wait until the client is gone: for ever if it is answered first, or has not sent all yet."""
        while self._complete and not self._started:
            message = await self._receive()
            # Servers say that a client is gone, too, when it has got its answer.
            if message["type"] == "http.disconnect" and not self._started:
                return
        await asyncio.Event().wait()

    async def refuse_busy(self, busy: TooBusy) -> None:
        """Answer that there is too much to do."""
        if not self._started:
            later = [(b"retry-after", b"%d" % busy.retry_after_s)]
            await refused(self._scope, self._send, "busy", "too many diagnoses wait already; nothing was kept", later)

    async def tell_fault(self) -> None:
        """Answer that something went wrong here."""
        if not self._started:
            await refused(self._scope, self._send, "fault", "nothing was kept")


def depth_of(body: bytes, most: int = DEEPEST) -> bool:
    """Tell whether JSON is nested deeper than `most` levels, without parsing it.

    It also is where a body has more parts than any of ours: then what is in it is not looked at to the end.
    """
    without_texts, texts = _TEXT.subn(b"", body, count=MOST_PARTS)
    brackets = without_texts.translate(_SQUARE, _NO_BRACKETS)
    open_ones = brackets.count(b"[")
    if texts >= MOST_PARTS or len(brackets) >= MOST_PARTS:
        return True
    brackets += b"]" * open_ones  # what is left open counts; what is closed too often does not
    for _ in range(most):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return b"[" in brackets


def _lengths(scope: Scope) -> Sequence[bytes]:
    """Give what the headers say about the length of the body."""
    return [value for name, value in scope["headers"] if name in _LENGTHS]


def _announced(scope: Scope) -> int:
    """Give the length that the request announces; 0 where it announces none."""
    stated = next(iter(_lengths(scope)), b"")
    return int(stated[:20]) if stated.isdigit() else 0


async def _in_time(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, f"nothing came for {PATIENCE_S:.0f} seconds; send the whole request") from None


def _too_large(most: int) -> str:
    return f"a request may have {most:,} bytes; paste fewer lines"
