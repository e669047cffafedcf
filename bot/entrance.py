"""Who is let in: whoever bears a key that may do it, or anybody where the service is open on loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request

from bot.problems import Problem

Scope = Literal["read", "write"]
COOKIE = "whydrop_key"
LOCAL = "local"
"""The workspace of a service without keys."""
_SCHEME = "bearer "
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key, by its name, and the workspace whose cases it sees."""

    workspace: str
    name: str
    scopes: frozenset[Scope]


class Ring(Protocol):
    """Knows keys."""

    def caller(self, token: str) -> Awaitable[Caller]:
        """Tell whose key it is. Raises Problem for a key that is none."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The entrance of a service. `ring` is None where no keys are asked for."""

    ring: Ring | None

    async def caller(self, request: Request, scope: Scope) -> Caller:
        """Tell who asks. Raises Problem."""
        if self.ring is None:
            return Caller(LOCAL, LOCAL, frozenset({"read", "write"}))
        caller = await self.ring.caller(_token(request))
        request.state.caller = caller
        if scope not in caller.scopes:
            raise Problem("missing-scope", f"the key has not the scope “{scope}”")
        return caller


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _token(request: Request) -> str:
    challenge = {"www-authenticate": 'Bearer realm="whydrop"'}
    stated = request.headers.get("authorization")
    token = request.cookies.get(COOKIE, "") if stated is None else stated
    if stated is not None:
        if stated[: len(_SCHEME)].lower() != _SCHEME:
            raise Problem("no-key", "the header Authorization is of the form: Bearer whydrop_...", challenge)
        token = stated[len(_SCHEME) :].strip()
    if not token:
        raise Problem("no-key", headers=challenge)
    if len(token) > _LONGEST or not token.isascii():
        raise Problem("wrong-key", headers=challenge)
    return token


async def _reading(request: Request) -> Caller:
    entrance: Entrance = request.app.state.entrance
    return await entrance.caller(request, "read")


async def _writing(request: Request) -> Caller:
    entrance: Entrance = request.app.state.entrance
    return await entrance.caller(request, "write")


Reading = Annotated[Caller, Depends(_reading)]
"""Whoever asks may read."""
Writing = Annotated[Caller, Depends(_writing)]
"""Whoever asks may write."""
