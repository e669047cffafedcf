"""How a request is refused before any route sees it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Send

from bot.problems import Problem, worded

Fields = Sequence[tuple[bytes, bytes]]
"""Headers as ASGI has them: names in lower case."""


async def refused(send: Send, kind: str, detail: str, fields: Fields = ()) -> None:
    """Answer with a problem."""
    problem = worded(Problem(kind, detail))
    headers = [
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
        (b"content-length", b"%d" % len(problem.body)),
        *fields,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": problem.body})
