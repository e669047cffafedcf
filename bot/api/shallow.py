"""A route whose JSON is looked at before it is parsed: nested too deep, it would cost more than it is worth."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bot.limits import DEEPEST, depth_of
from bot.problems import Problem


class Shallow(APIRoute):
    """Refuses bodies that are nested too deep."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what answers a request."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if request.headers.get("content-encoding", "identity") != "identity":
                raise Problem("encoded")
            if request.method == "POST" and depth_of(await request.body()):
                raise Problem("malformed", f"the body is nested more than {DEEPEST} levels deep")
            return await inner(request)

        return guarded
