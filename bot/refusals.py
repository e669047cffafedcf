"""How a request is refused before any route sees it: the one place where the middleware words problems."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from starlette.types import Send

Kind = Literal["malformed", "misdirected", "cross-site", "too-large", "too-many-requests", "fault", "busy"]

KINDS: Mapping[Kind, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "misdirected": (421, "That is not this service's name"),
    "cross-site": (403, "The request comes from another site"),
    "too-large": (413, "The request is too large"),
    "too-many-requests": (429, "Too many requests"),
    "fault": (500, "A fault of whydrop's"),
    "busy": (503, "whydrop is busy"),
}
"""Status and title by kind."""

Fields = Sequence[tuple[bytes, bytes]]
"""Headers as ASGI has them: names in lower case."""


async def refused(send: Send, kind: Kind, detail: str, fields: Fields = ()) -> None:
    """Answer with a problem."""
    status, title = KINDS[kind]
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        *fields,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
