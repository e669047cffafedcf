"""How a request is refused before any route sees it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope, Send

from bot.phrases import capital, sentence
from bot.problems import KINDS, Problem, worded
from bot.web.errors import error_page

Fields = Sequence[tuple[bytes, bytes]]
"""Headers as ASGI has them: names in lower case."""
_TOOLS = ("/v1/", "/slack/", "/openapi.json", "/livez", "/readyz", "/version", "/metrics")


async def refused(scope: Scope, send: Send, kind: str, detail: str, fields: Fields = ()) -> None:
    """Answer with a problem: with a page where somebody looks at it in a browser."""
    problem = Problem(kind, detail)
    answer = page_of(Request(scope), problem) if is_for_people(scope) else _json_of(problem)
    headers = [*answer.raw_headers, *fields]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def is_for_people(scope: Scope) -> bool:
    """Tell whether somebody looks at the answer in a browser."""
    return "text/html" in Headers(scope=scope).get("accept", "") and not scope["path"].startswith(_TOOLS)


def page_of(request: Request, problem: Problem) -> Response:
    """Show a problem in a browser."""
    kind = KINDS[problem.kind]
    page = error_page(request, kind.status, kind.title, sentence(capital(problem.detail or kind.mending[0])))
    page.headers.update(problem.headers)
    return page


def _json_of(problem: Problem) -> Response:
    told = worded(problem)
    return Response(told.body, told.status, dict(told.headers))
