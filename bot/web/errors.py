"""Pages for what went wrong, and for every kind of problem that REST tells of."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.web.layout import html


def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """Say what went wrong to somebody who looks at it in a browser."""
    back = f"/cases/{case}" if (case := request.path_params.get("case")) and status != 404 else None
    return html("error.html", {"status": status, "title": title, "detail": detail, "back": back}, status)


def problem_page(slug: str, title: str, status: int, mending: Sequence[str]) -> HTMLResponse:
    """Explain a kind of problem: `mending` says, sentence by sentence, what to do about it."""
    context = {"slug": slug, "title": title, "status": status, "mending": mending}
    return html("problem.html", context, cache="private, max-age=300")
