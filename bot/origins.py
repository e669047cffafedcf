"""Whose pages may reach the service through a browser, and what browsers are told to keep to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.refusals import Fields, refused

LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
"""Names by which a service without keys may be asked for."""
SECURITY: Fields = (
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Headers of every answer that has not set its own."""

_PORT = re.compile(rb":[0-9]{1,5}\Z")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = ([b"same-origin"], [b"none"])


class Origins:
    """ASGI middleware: refuses what pages of other sites send, and sets the headers that browsers keep to.

    `open_to_all` is a service without keys, on loopback: then a page of somebody else must not reach it by a name of
    its own that leads to loopback. `cookie` is the name of the cookie that lets in. `own` is the host, with its port if
    it has one, by which people reach the service, where a proxy in front asks by another.
    """

    def __init__(self, app: ASGIApp, open_to_all: bool, cookie: str, own: str | None = None) -> None:
        self.app = app
        self.open_to_all = open_to_all
        self._own = () if own is None else (own.lower().encode(),)
        self._cookie = re.compile(rb"(?:^|[;\s])" + re.escape(cookie.encode()) + rb"\s*=")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": with_security(message.get("headers", ()))}
            await send(message)

        hosts = values(scope, b"host")
        if self.open_to_all and not _is_loopback(hosts):
            await refused(scope, secured, "misdirected", "without keys it is localhost, 127.0.0.1 or [::1]")
        elif self._is_guarded(scope) and not _is_from_here(scope, [*(hosts if len(hosts) == 1 else ()), *self._own]):
            await refused(scope, secured, "cross-site", "open whydrop's own page and do it there")
        else:
            await self.app(scope, receive, secured)

    def _is_guarded(self, scope: Scope) -> bool:
        if scope["method"] not in _READS and (self.open_to_all or not values(scope, b"authorization")):
            return True  # signing in is among these: nobody else is to choose with whose key somebody pastes
        return any(self._cookie.search(value) for value in values(scope, b"cookie"))


def with_security(headers: Sequence[tuple[bytes, bytes]]) -> Fields:
    """Add the security headers that are not there."""
    has = {name.lower() for name, _ in headers}
    return [*headers, *(field for field in SECURITY if field[0] not in has)]


def values(scope: Scope, wanted: bytes) -> Sequence[bytes]:
    """Give all values of a header."""
    return [value for name, value in scope["headers"] if name == wanted]


def _is_loopback(hosts: Sequence[bytes]) -> bool:
    return len(hosts) == 1 and _PORT.sub(b"", hosts[0].lower()) in LOOPBACK


def _is_from_here(scope: Scope, names: Sequence[bytes]) -> bool:
    """Tell whether a browser says that our own page sent it, or the user; what no browser sent passes.

    `names` are the hosts by which our own page is reached.
    """
    sites = values(scope, b"sec-fetch-site")
    if sites:
        return sites in _OURS or _is_followed(scope)
    origins = values(scope, b"origin")
    if not origins:
        return True
    return len(origins) == 1 and origins[0].lower().partition(b"://")[2] in {host.lower() for host in names}


def _is_followed(scope: Scope) -> bool:
    """Tell whether somebody follows a link, from a chat or a wiki, to a page of ours: that changes nothing."""
    reads = scope["method"] in {"GET", "HEAD"}
    navigates = values(scope, b"sec-fetch-mode") == [b"navigate"]
    return reads and navigates and values(scope, b"sec-fetch-dest") == [b"document"]
