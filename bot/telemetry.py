"""Each request is watched once, from outside; what was seen is told to those who write it down or count it.

What is seen of a request has no content: a route's template and no path, a kind of peer and no address.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER = "other"
"""What stands for a route that is none, and for a method that nobody knows."""
GONE = 499
"""The status of a request that was given up before its answer began."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST: ContextVar[str] = ContextVar("whydrop_request")
"""The id of the request that is being answered."""

Peer = Literal["loopback", "private", "public", "unknown"]

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Seen(NamedTuple):
    """What was seen of one request. `key` and `workspace` are None for a caller that is not known."""

    method: str
    route: str
    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    request: str
    key: str | None
    workspace: str | None
    peer: Peer


class Watch:
    """ASGI middleware, the outermost: tells when a request begins, and what was seen of it when it has ended.

    `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        began: Sequence[Callable[[], None]] = (),
        ended: Sequence[Callable[[Seen], None]] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.app = app
        self.began = began
        self.ended = ended
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with an id that the answer bears too."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for begin in self.began:
            begin()
        request = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request
        one = _Watched(request, receive, send)
        token, began = REQUEST.set(request), self.clock()
        try:
            await self.app(scope, one.receive, one.send)
        except Exception:
            one.status = one.status or 500
            raise
        finally:
            seen = one.seen(scope, self.clock() - began)
            for tell in self.ended:
                tell(seen)
            REQUEST.reset(token)


class _Watched:
    """A request under way."""

    __slots__ = ("_receive", "_request", "_send", "bytes_in", "bytes_out", "status")

    def __init__(self, request: str, receive: Receive, send: Send) -> None:
        self._request = request
        self._receive = receive
        self._send = send
        self.status = self.bytes_in = self.bytes_out = 0

    async def receive(self) -> Message:
        """Give the next message."""
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Send a message; the first with the request's id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            fields = [*message.get("headers", ()), (b"x-request-id", self._request.encode())]
            message = {**message, "headers": fields}
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    def seen(self, scope: Scope, seconds: float) -> Seen:
        """Say what was seen."""
        caller = scope["state"].get("caller")
        return Seen(
            scope["method"] if scope["method"] in METHODS else OTHER,
            template(scope),
            self.status or GONE,
            seconds,
            self.bytes_in,
            self.bytes_out,
            self._request,
            getattr(caller, "name", None),
            getattr(caller, "workspace", None),
            peer(scope["client"][0]) if scope.get("client") else "unknown",
        )


def template(scope: Scope) -> str:
    """Give the template of the route that answered, such as /v1/cases/{case}; what is mounted counts as one route."""
    route = scope.get("route")
    outside = scope.get("app_root_path")  # there is one behind a mount only
    mounted = "" if outside is None else scope["root_path"][len(outside) :]
    if route is None or isinstance(route, Mount):
        return mounted or OTHER
    # The route of an included router has no prefix; FastAPI keeps beside it how it was included.
    included: Any = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(included, "path_format", None) or getattr(route, "path_format", None)
    return f"{mounted}{path}" if path else OTHER


@lru_cache(maxsize=4096)
def peer(address: str) -> Peer:
    """Say of what kind an address is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return "loopback" if found.is_loopback else "private" if found.is_private else "public"


def _request_id(scope: Scope) -> str:
    """Keep the id that the request came with, or make one."""
    stated = [value for name, value in scope["headers"] if name == b"x-request-id"]
    if len(stated) == 1 and _ID.fullmatch(stated[0]):
        return str(stated[0], "ascii")
    return secrets.token_hex(8)
