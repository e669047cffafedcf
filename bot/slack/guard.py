"""A small gate in front of Bolt: what Slack did not sign, or what Bolt would stumble over, ends here with a clear 4xx.

Bolt's adapter decodes and parses a body before it checks the signature, and answers junk with 500. Nothing is parsed
here before the signature holds. Bodies and headers are never logged: they are what somebody pasted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from yarl import query_to_pairs

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of a body: 40,000 characters, at most sixteen bytes each (%5Cud83d%5Cudd25), in its text and in its blocks."""
FRESH_S = 300
"""Seconds that a request may be old, or ahead of our clock; what Slack's documentation asks for."""
DEEPEST = 32
"""Levels of a JSON body; Slack's own have about ten."""
CHECKED = "slack.checked"
"""Where the scope that is passed on holds what was read, as the text of a JSON object: nobody reads the body again.

Whoever did might read it otherwise; and a press bears its whole message in its form, which takes long to read.
"""
_MOST_FIELDS = 100
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class Refused(Exception):
    """A request that does not reach Bolt: the status and the reason it is answered with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI app that passes on what Slack signed and Bolt can read. `clock` gives the seconds since 1970."""

    app: ASGIApp
    secret: str
    clock: Callable[[], float] = time.time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 4xx, or let the app answer."""
        try:
            body = await self._signed_body(Request(scope, receive))
            checked = read_body(body, Request(scope).headers.get("content-type", ""))
        except ClientDisconnect:
            return
        except Refused as refused:
            headers = {"allow": "POST"} if refused.status == 405 else None
            await PlainTextResponse(refused.reason + "\n", refused.status, headers)(scope, receive, send)
            return
        await self.app({**scope, CHECKED: checked}, _replayed(body, receive), send)

    async def _signed_body(self, request: Request) -> bytes:
        if request.method != "POST":
            raise Refused(405, "only POST is answered here")
        timestamp = self._fresh_timestamp(request)
        signature = _only(request, "x-slack-signature")
        if not _SIGNATURE.fullmatch(signature):
            raise Refused(401, "the signature is missing or of another form than Slack's")
        body = await _bounded_body(request)
        if not hmac.compare_digest(sign(self.secret, timestamp, body), signature):
            raise Refused(401, "the signature does not fit the request")
        return body

    def _fresh_timestamp(self, request: Request) -> str:
        timestamp = _only(request, "x-slack-request-timestamp")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Refused(401, "the timestamp of the request is missing or no number")
        if abs(self.clock() - int(timestamp)) > FRESH_S:
            raise Refused(401, "the timestamp of the request is more than five minutes off")
        return timestamp


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a request as Slack does."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def _only(request: Request, name: str) -> str:
    """Give a header that stands once; two of them could mean one to us and the other to Bolt."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else ""


async def _bounded_body(request: Request) -> bytes:
    too_large = Refused(413, f"a request may have {MOST_BYTES:,} bytes")
    stated = request.headers.get("content-length", "")
    if len(stated) > len(str(MOST_BYTES)) or (stated.isdecimal() and int(stated) > MOST_BYTES):
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read to the next reader, then whatever the connection says."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def read_body(body: bytes, content_type: str) -> str:
    """Give the JSON object that a body is, or the `payload` of a form, or else the form itself as an object.

    Raises Refused for what is neither a JSON object nor a form, and for a form whose `payload` is no JSON object.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8") from None
    media = content_type.partition(";")[0].strip().lower()
    # Bolt reads whatever begins with a brace as JSON, whatever its content type says.
    if media == "application/json" or text.startswith("{"):
        _check_json(text)
        return text
    if media == "application/x-www-form-urlencoded":
        return _read_form(text)
    raise Refused(400, "the body is neither a form nor JSON")


def _read_form(text: str) -> str:
    parts = text.split("&")
    if len(parts) > _MOST_FIELDS or not all("=" in part for part in parts):
        raise Refused(400, "the body is no form")
    fields = query_to_pairs(text)
    for name, value in fields:
        if name == "payload":
            _check_json(value)
    named = dict(fields)
    return named.get("payload") or json.dumps(named)


def _check_json(text: str) -> None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "the body is no JSON object")
    if _deeper_than(found, DEEPEST):
        raise Refused(400, f"the body is nested more than {DEEPEST} levels deep")


def _deeper_than(found: object, levels: int) -> bool:
    """Tell whether a JSON value is nested deeper; level by level, for a recursion would be what it guards against."""
    level = [found]
    for _ in range(levels):
        parts = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [part for inside in parts for part in inside]
    return any(isinstance(one, (dict, list)) for one in level)
