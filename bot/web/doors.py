"""Who comes in: what the page asks of the service it stands in, and what becomes of a request that went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.casebook import Consulted
from bot.cases import CaseFull, NoSuchCase, Stale, WrongCursor
from bot.phrases import capital, sentence
from bot.tables import Busy
from bot.web.errors import error_page
from bot.web.layout import secured
from knowledge.shelf import Shelf
from rules.read import PasteTooLarge

COOKIE = "whydrop_key"
"""The cookie in which a browser that signed in keeps its key."""


class Viewer(Protocol):
    """Somebody who may see a workspace's cases; `scopes` has `write` if they may tell them something."""

    @property
    def workspace(self) -> str:
        """Whose cases they see."""

    @property
    def scopes(self) -> Collection[str]:
        """What they may do."""


@dataclass(frozen=True, slots=True)
class Doors:
    """How the service lets people in.

    `viewer` is a FastAPI dependency that gives a Viewer, or raises what leads to /signin. `enter` takes a key, puts the
    cookie on the response that it is given, and tells whether the key is one; `leave` takes the cookie off.
    """

    viewer: Callable[..., Any]
    enter: Callable[[Request, Response, str], Awaitable[bool]]
    leave: Callable[[Response], None]


@dataclass(frozen=True, slots=True)
class Exports:
    """How a case is written down for others."""

    markdown: Callable[[Consulted, Shelf, str | None], str]
    as_json: Callable[[Consulted], Any]


class Refused(Exception):
    """A request that is answered with an error page."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail


_MISHAPS: dict[type[Exception], tuple[int, str, str]] = {
    NoSuchCase: (404, "There is no such case", "It was deleted, or its address is not complete."),
    CaseFull: (409, "This case is full", "Begin another one with the same lines."),
    WrongCursor: (400, "This part of the list does not exist", "Begin at the first part again."),
    Busy: (503, "whydrop is busy", "Nothing was kept. Please try again in a moment."),
    Stale: (409, "The case went on meanwhile", "Open it again and look at how it stands now."),
}


def mishap(wrong: Exception) -> Refused | None:
    """Say what happened in words; None for what is a fault of ours."""
    if isinstance(wrong, Refused):
        return wrong
    if isinstance(wrong, PasteTooLarge):
        return Refused(413, "This is too much at once", capital(str(wrong)))
    if isinstance(wrong, HTTPException) and wrong.status_code >= 400:  # smaller ones lead elsewhere
        return Refused(wrong.status_code, "The request was refused", sentence(capital(wrong.detail)))
    found = next((said for kind, said in _MISHAPS.items() if isinstance(wrong, kind)), None)
    return Refused(*found) if found else None


class PageRoute(APIRoute):
    """A route of the page: what goes wrong becomes a page, and every answer bears the headers that keep it safe."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put what every route of the page does around what this one does."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return secured(await inner(request))
            except Exception as wrong:
                said = mishap(wrong)
                if said is None:
                    raise
                answer = error_page(request, said.status, said.title, said.detail)
                answer.headers.update(getattr(wrong, "headers", None) or {})
                return answer

        return handle
