"""Requests that may be repeated: one with an Idempotency-Key is done once, and answered again."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from bot.casebook import Casebook, Consulted, Keeping, Told
from bot.cases import Change, KeyReused, Reply
from bot.entrance import Caller, Reading, Writing
from bot.problems import Problem

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"


@dataclass(frozen=True, slots=True)
class Once:
    """A request, and the key under which its answer is kept; None if it came without one."""

    book: Casebook
    caller: Caller
    key: str | None
    fingerprint: str

    async def kept(self) -> Response | None:
        """Give the answer of the first time. Raises Problem."""
        if self.key is None:
            return None
        try:
            reply = await self.book.store.reply(self.caller.workspace, self.key, self.fingerprint)
        except ValueError as wrong:
            raise Problem("malformed", str(wrong)) from None
        except KeyReused:
            raise Problem("key-reused") from None
        return None if reply is None else sent(reply, again=True)

    def keeping(self, worded: Callable[[Consulted], Reply]) -> Keeping[Reply]:
        """Keep what was told and how it was answered, in one transaction. Raises Problem, and what the store raises."""

        async def keep(told: Told) -> Reply:
            return await self.done(lambda change: _answered(change, told, worded))

        return keep

    async def done(self, work: Callable[[Change], Awaitable[Reply]]) -> Reply:
        """Do work in one transaction with the keeping of its answer. Raises Problem, and what the work raises."""
        store, workspace = self.book.store, self.caller.workspace
        if self.key is None:
            return await store.change(workspace, work)
        try:
            return await store.once(workspace, self.key, self.fingerprint, work)
        except KeyReused:
            raise Problem("key-reused") from None


async def _answered(change: Change, told: Told, worded: Callable[[Consulted], Reply]) -> Reply:
    return worded(await told.keep(change))


def sent(reply: Reply, *, again: bool = False) -> Response:
    """Send a reply."""
    headers = {**reply.headers, **({REPLAYED: "true"} if again else {})}
    return Response(reply.body, reply.status, headers)


async def _once(request: Request, caller: Caller) -> Once:
    keys = request.headers.getlist(HEADER)
    if len(keys) > 1:
        raise Problem("malformed", "the header Idempotency-Key stands twice")
    # Another key of the workspace may repeat a request: the fingerprint is of what is asked, not of who asks.
    asked = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Once(request.app.state.casebook, caller, keys[0] if keys else None, hashlib.sha256(asked).hexdigest())


async def _reading_once(request: Request, caller: Reading) -> Once:
    return await _once(request, caller)


async def _writing_once(request: Request, caller: Writing) -> Once:
    return await _once(request, caller)


ReadingOnce = Annotated[Once, Depends(_reading_once)]
WritingOnce = Annotated[Once, Depends(_writing_once)]
