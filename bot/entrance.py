"""Who is let in: whoever bears a key that may do it, or anybody where the service is open on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from bot.keys import Keys, Scope, WrongKey
from bot.problems import Problem
from bot.rates import Rates, Verdict, note
from bot.settings import LOCAL

COOKIE = "whydrop_key"
_SCHEME = "bearer "
_LONGEST = 200
_CHALLENGE = {"www-authenticate": 'Bearer realm="whydrop"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key by its name and its public id, and the workspace whose cases it sees."""

    workspace: str
    name: str
    scopes: frozenset[Scope]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The entrance of a service. `keys` is None where none is asked for; `rates` count."""

    keys: Keys | None
    rates: Rates

    async def caller(self, request: Request, scope: Scope) -> Caller:
        """Tell who asks. Raises Problem."""
        if self.keys is None:
            return Caller(LOCAL, LOCAL, frozenset({"read", "write"}))
        caller = await self.bearer(_token(request))
        request.state.caller = caller
        verdict = self.rates.take(f"key {caller.key}")
        note(request.scope, verdict)
        _check(verdict)
        if scope not in caller.scopes:
            raise Problem("missing-scope", f"the key has not the scope “{scope}”")
        return caller

    async def bearer(self, token: str) -> Caller:
        """Tell whose key it is. Raises Problem for one that is none."""
        if self.keys is None:
            raise Problem("wrong-key", "no keys are asked for here")
        try:
            key = await self.keys.check(token)
        except WrongKey:
            raise Problem("wrong-key", headers=_CHALLENGE) from None
        return Caller(key.workspace, key.name, key.scopes, key.id)


def _check(verdict: Verdict) -> None:
    if not verdict.allowed:
        seconds = verdict.retry_after_s
        headers = {name.decode(): value.decode() for name, value in verdict.fields()}
        raise Problem("too-many-requests", f"ask again in {seconds} seconds", headers)


def _token(request: Request) -> str:
    stated = request.headers.get("authorization")
    token = request.cookies.get(COOKIE, "") if stated is None else stated
    if stated is not None:
        if stated[: len(_SCHEME)].lower() != _SCHEME:
            raise Problem("no-key", "the header Authorization is of the form: Bearer whydrop_...", _CHALLENGE)
        token = stated[len(_SCHEME) :].strip()
    if not token:
        raise Problem("no-key", headers=_CHALLENGE)
    if len(token) > _LONGEST or not token.isascii():
        raise Problem("wrong-key", headers=_CHALLENGE)
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
