"""Signing in on the page: a key is put into a cookie, and whoever has none is led to where it can be given."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from bot.entrance import COOKIE, Caller, Entrance
from bot.problems import Problem
from bot.refusals import page_of
from bot.web.doors import Doors

_SIGNED_IN_S = 30 * 24 * 3600
_LED_TO_SIGN_IN = ("no-key", "wrong-key")


async def _viewer(request: Request) -> Caller:
    entrance: Entrance = request.app.state.entrance
    return await entrance.caller(request, "read")


async def _enter(request: Request, answer: Response, key: str) -> bool:
    entrance: Entrance = request.app.state.entrance
    try:
        await entrance.bearer(key)
    except Problem as wrong:
        if wrong.kind != "wrong-key":
            raise
        return False
    secure = (request.app.state.settings.public_url or str(request.url)).startswith("https:")
    answer.set_cookie(COOKIE, key, _SIGNED_IN_S, httponly=True, samesite="lax", secure=secure)
    return True


def _leave(answer: Response) -> None:
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")


DOORS = Doors(viewer=_viewer, enter=_enter, leave=_leave)


def problem_for_people(request: Request, problem: Problem) -> Response:
    """Show a problem in a browser; who needs a key is led to where it can be given."""
    if problem.kind in _LED_TO_SIGN_IN:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/signin?next={quote(asked)}", 303)
    return page_of(request, problem)
