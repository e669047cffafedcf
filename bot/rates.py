"""How often somebody may ask: buckets of tokens, by key or by address, in bounded memory.

Not for several threads at once: all of it happens in the loop that serves.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.refusals import Fields, refused

MOST_BUCKETS = 10_000
SPARED = frozenset({"/livez", "/readyz", "/version", "/metrics"})
"""Paths that machines ask for regularly."""
SPARED_BELOW = ("/static/", "/slack/")
"""Below these: files, and Slack, which asks for all its users from a few addresses and signs what it sends."""

_LEAST_BURST = 10
_SHARES = 4096
_NOBODY = "unknown"

Clock = Callable[[], float]
Who = Callable[[Scope], str | None]
"""Says whose bucket a request is taken from; None leaves that to the app, which calls `note`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests (`quota`) in so many seconds, of which `burst` may come at once."""

    name: str
    quota: int
    window_s: int
    burst: int

    @property
    def field(self) -> bytes:
        """The header RateLimit-Policy."""
        return b'"%s";q=%d;w=%d' % (self.name.encode(), self.quota, self.window_s)


class Verdict(NamedTuple):
    """Whether a request is let through. `remaining` may follow at once; in `reset_s` the bucket is full again."""

    policy: Policy
    allowed: bool
    remaining: int
    reset_s: int
    retry_after_s: int

    @property
    def limit(self) -> int:
        """How many requests the policy allows in its window."""
        return self.policy.quota

    def fields(self) -> Fields:
        """Give the headers that tell the asker, as draft-ietf-httpapi-ratelimit-headers-10 writes them."""
        name = self.policy.name.encode()
        told = [
            (b"ratelimit-policy", self.policy.field),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (name, self.remaining, self.reset_s)),
        ]
        return told if self.allowed else [*told, (b"retry-after", b"%d" % self.retry_after_s)]


class _Buckets:
    """The buckets of one policy, those used last at the end.

    Where there are too many, the one unused for longest goes. What it lacked is remembered in one of 4,096 places that
    it shares with others by chance: whoever comes back never finds more than was left, and a newcomer may find less,
    but goes on at the full rate.
    """

    def __init__(self, policy: Policy, clock: Clock, most: int) -> None:
        self._policy = policy
        self._clock = clock
        self._most = most
        self._rate = policy.quota / policy.window_s
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._left: list[tuple[float, float]] = [(float(policy.burst), -math.inf)] * _SHARES

    def __len__(self) -> int:
        return len(self._filled)

    def take(self, who: str, cost: int) -> Verdict:
        """Take so many tokens, or none where there are not as many."""
        now = self._clock()
        cost = min(cost, self._policy.burst)
        level = self._level(self._filled.get(who) or self._left[hash(who) % _SHARES], now)
        allowed = level >= max(cost, 1)
        level -= cost if allowed else 0
        self._filled[who] = level, now
        self._filled.move_to_end(who)
        if len(self._filled) > self._most:
            self._let_go(now)
        full = math.ceil((self._policy.burst - level) / self._rate)
        wait = 0 if allowed else max(1, math.ceil((max(cost, 1) - level) / self._rate))
        return Verdict(self._policy, allowed, int(level), full, wait)

    def _level(self, filled: tuple[float, float], now: float) -> float:
        level, at = filled
        return min(self._policy.burst, level + (now - at) * self._rate)

    def _let_go(self, now: float) -> None:
        who, filled = self._filled.popitem(last=False)
        share = hash(who) % _SHARES
        self._left[share] = min(self._level(filled, now), self._level(self._left[share], now)), now


class Rates:
    """How often everybody may ask (`a_minute` each). Keys that are none count by address like everything else:
    nobody finds 256 random bits by trying, and others may share the address.

    `clock` gives seconds that never go back.
    """

    def __init__(self, a_minute: int, clock: Clock = time.monotonic, most: int = MOST_BUCKETS) -> None:
        burst = max(_LEAST_BURST, a_minute // 4)
        self._requests = _Buckets(Policy("default", a_minute, 60, burst), clock, most)

    def take(self, who: str, cost: int = 1) -> Verdict:
        """Take a request from somebody's bucket; with cost 0 only look whether there is one to take."""
        return self._requests.take(who, cost)


class Paced:
    """ASGI middleware: whoever asks too often is refused, and everybody is told how often they may.

    A request that `who` leaves to the app, and that the app does not `note`, is counted by its address afterwards:
    no header that nobody looked at opens a way around.
    """

    def __init__(self, app: ASGIApp, rates: Rates, who: Who | None = None) -> None:
        self.app = app
        self.rates = rates
        self.who = who or address_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or _is_spared(scope["path"]):
            await self.app(scope, receive, send)
            return
        who = self.who(scope)
        unasked = f"unasked {address_of(scope)}" if who is None else ""
        verdict = self.rates.take(who) if who is not None else self.rates.take(unasked, 0)
        if not verdict.allowed:
            seconds = verdict.retry_after_s
            await refused(scope, send, "too-many-requests", f"ask again in {seconds} seconds", verdict.fields())
            return
        state = scope.setdefault("state", {})
        if who is not None:
            state["verdict"] = verdict

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                noted = state.get("verdict") or self.rates.take(unasked)
                message = {**message, "headers": [*message.get("headers", ()), *_missing(noted, message)]}
            await send(message)

        await self.app(scope, receive, told)


def _is_spared(path: str) -> bool:
    return path in SPARED or path.startswith(SPARED_BELOW)


def note(scope: Scope, verdict: Verdict) -> None:
    """Note on a request what the app found when it took from the bucket of a key; Paced tells it to the asker."""
    scope.setdefault("state", {})["verdict"] = verdict


def address_of(scope: Scope) -> str:
    """Give whose bucket an address shares: IPv6 counts by its /64, which one household or host has."""
    return _counted(scope["client"][0]) if scope.get("client") else _NOBODY


def bearing(cookie: str) -> Who:
    """Leave to the app whoever bears a key, in the header Authorization or in a cookie; others go by address."""
    name = cookie.encode() + b"="

    def who(scope: Scope) -> str | None:
        for header, value in scope["headers"]:
            if header == b"authorization" or (header == b"cookie" and name in value):
                return None
        return address_of(scope)

    return who


def _missing(verdict: Verdict, message: Message) -> Fields:
    has = {name.lower() for name, _ in message.get("headers", ())}
    return [field for field in verdict.fields() if field[0] not in has]


@lru_cache(maxsize=4096)
def _counted(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return _NOBODY
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
