"""Carries requests and times them, in a process of its own: `python bench/courier.py`, a request in JSON on each line.

Whoever plays Slack and all its people in one process would time its own pace as well. `nothing` is an app that answers
at once: what the libraries and the machine take.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LONGEST_LINE = 4_000_000
"""Bytes."""


async def taken(_: Request) -> Response:
    """Acknowledge without reading."""
    return Response()


nothing = Starlette(routes=[Route("/events", taken, methods=["POST"])])


async def carry(client: aiohttp.ClientSession, told: dict[str, Any]) -> None:
    """Carry one request over a connection of its own; tells the status, None if there was none, and the seconds."""
    found: dict[str, Any] = {"number": told["number"], "status": None, "media": "", "body": ""}
    began = time.monotonic()
    try:
        async with client.post(told["url"], data=told["body"].encode(), headers=told["headers"]) as answer:
            found |= {"status": answer.status, "media": answer.content_type, "body": await answer.text()}
    except (aiohttp.ClientError, TimeoutError) as wrong:
        found["body"] = type(wrong).__name__
    found["seconds"] = time.monotonic() - began
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Carry what comes, all at once, until the input ends."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    patience = aiohttp.ClientTimeout(total=3.0)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as client, asyncio.TaskGroup() as carrying:
        async for line in reader:
            carrying.create_task(carry(client, json.loads(line)))


if __name__ == "__main__":
    asyncio.run(main())
