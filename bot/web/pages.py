"""The whole page as one router, to be put into the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.casebook import Casebook
from bot.settings import Settings
from bot.web.assets import assets
from bot.web.case_forms import CaseForms
from bot.web.case_pages import CasePages
from bot.web.doors import Doors, Exports, PageRoute, Refused
from bot.web.forms import sent
from bot.web.handbook import Handbook
from bot.web.layout import html

_LONG = "public, max-age=31536000, immutable"


def pages(settings: Settings, casebook: Casebook, doors: Doors, exports: Exports) -> APIRouter:
    """Make all routes of the page. Cases need somebody who was let in; the handbook is for everybody."""
    public = APIRouter(route_class=PageRoute, include_in_schema=False)
    admitted = Depends(_admitted(doors.viewer))
    private = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[admitted])
    shown = CasePages(settings, casebook, exports)
    shown.add_to(private)
    CaseForms(shown).add_to(private)
    Handbook(casebook.expert).add_to(public)
    public.add_api_route("/static/{digest}/{name}", static, methods=["GET", "HEAD"])
    _Signing(doors).add_to(public)
    public.include_router(private)
    return public


def _admitted(viewer: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """Note who was let in, for the page that is shown to them."""

    async def admit(request: Request, who: Any = Depends(viewer)) -> None:
        request.state.viewer = who

    return admit


async def static(digest: str, name: str) -> Response:
    """Serve a file; its address names its content, so it may be kept for long."""
    asset = assets().get(name)
    if asset is None or asset.address != f"/static/{digest}/{name}":
        raise Refused(404, "There is no such file", "Reload the page that asked for it.")
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": _LONG})


class _Signing:
    """Signing in and out."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def add_to(self, router: APIRouter) -> None:
        router.add_api_route("/signin", self.ask, methods=["GET"])
        router.add_api_route("/signin", self.enter, methods=["POST"])
        router.add_api_route("/signout", self.leaving, methods=["GET"])
        router.add_api_route("/signout", self.leave, methods=["POST"])

    async def ask(self, next: str = "/") -> Response:  # noqa: A002  (it is the name in the address)
        return html("signin.html", {"next": own_path(next), "mistake": ""})

    async def enter(self, request: Request) -> Response:
        form = await sent(request)
        answer = RedirectResponse(own_path(form["next"]), 303)
        if await self._doors.enter(request, answer, form["key"].strip()):
            return answer
        return html("signin.html", {"next": own_path(form["next"]), "mistake": "No such key is known here."}, 403)

    async def leaving(self) -> Response:
        return html("signout.html", {})

    async def leave(self) -> Response:
        answer = RedirectResponse("/signin", 303)
        self._doors.leave(answer)
        return answer


def own_path(path: str) -> str:
    """Give a path of ours to go on to; `/` for what leads elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    return path if plain and "\\" not in path else "/"
