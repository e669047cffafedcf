"""A stand-in for Slack on loopback: signs requests as Slack does, and takes the answers as strictly as Slack does."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.slack.guard import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
Fields = dict[str, Any]


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Run an app under uvicorn on a free loopback port; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(1000):
        if server.started:
            break
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class ResponseUrl:
    """What Slack has behind one response_url. `planned` answers come first; then messages are judged."""

    address: str
    planned: deque[Response] = field(default_factory=deque)
    posted: queue.Queue[Fields] = field(default_factory=queue.Queue)

    def take(self, message: Fields) -> Response:
        """Answer a message as Slack does."""
        self.posted.put(message)
        if self.planned:
            return self.planned.popleft()
        found = problems(message)
        return PlainTextResponse("invalid_blocks: " + "; ".join(found), 400) if found else PlainTextResponse("ok")

    def next(self) -> Fields:
        """Wait for the next message."""
        return self.posted.get(timeout=10)


class ResponseUrls:
    """The server of all response_urls, each with an address of its own."""

    def __init__(self) -> None:
        self.opened: dict[str, ResponseUrl] = {}
        self.app = Starlette(routes=[Route("/{name}", self._take, methods=["POST"])])

    def open(self, server: str) -> ResponseUrl:
        """Make one more."""
        name = f"commands-{len(self.opened)}"
        self.opened[name] = ResponseUrl(f"{server}/{name}")
        return self.opened[name]

    async def _take(self, request: Request) -> Response:
        return self.opened[request.path_params["name"]].take(await request.json())


@dataclass(frozen=True)
class Asker:
    """Somebody in Slack: types the command and presses buttons."""

    service: str
    response_url: str

    def command(self, text: str) -> httpx.Response:
        """Type `/whydrop TEXT`."""
        fields = {
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "team_id": "T0001",
            "team_domain": "example",
            "channel_id": "C2147483705",
            "channel_name": "test",
            "user_id": "U2147483697",
            "user_name": "Steve",
            "command": "/whydrop",
            "text": text,
            "response_url": self.response_url,
            "trigger_id": "13345224609.738474920.8088930838d88f008e0",
            "api_app_id": "A123456",
            "is_enterprise_install": "false",
        }
        return self.send(urlencode(fields).encode())

    def press(self, button: Fields) -> httpx.Response:
        """Press a button of a message that was received."""
        payload: Fields = {
            "type": "block_actions",
            "user": {"id": "U2147483697", "username": "steve", "name": "steve", "team_id": "T0001"},
            "api_app_id": "A123456",
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "container": {"type": "message", "message_ts": "1700000000.000100", "is_ephemeral": True},
            "trigger_id": "13345224609.738474920.8088930838d88f008e0",
            "team": {"id": "T0001", "domain": "example"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": "C2147483705", "name": "test"},
            "state": {"values": {}},
            "response_url": self.response_url,
            "actions": [{**button, "block_id": "b1", "action_ts": "1700000000.000200"}],
        }
        return self.send(urlencode({"payload": json.dumps(payload)}).encode())

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Post a signed body; headers that are given replace those that were made."""
        made = signed(body) | (headers or {})
        with httpx.Client(trust_env=False) as client:
            return client.post(f"{self.service}/slack/events", content=body, headers=made, timeout=10)


def signed(body: bytes, at: float | None = None, secret: str = SECRET, media: str = FORM) -> dict[str, str]:
    """Make the headers that Slack sends with a body."""
    timestamp = str(int(time.time() if at is None else at))
    signature = sign(secret, timestamp, body)
    return {"content-type": media, "x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


def buttons(message: Fields) -> list[Fields]:
    """List all buttons of a message."""
    blocks: list[Fields] = message.get("blocks", [])
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    beside = [block["accessory"] for block in blocks if "accessory" in block]
    return [*beside, *(button for row in rows for button in row)]


def labels(message: Fields) -> list[str]:
    """List the labels of all buttons of a message."""
    return [button["text"]["text"] for button in buttons(message)]


def labelled(message: Fields, label: str) -> Fields:
    """Find a button by its label."""
    return next(button for button in buttons(message) if button["text"]["text"] == label)


def problems(message: Fields) -> list[str]:
    """Say where a message breaks a documented limit of Block Kit."""
    blocks = message.get("blocks", [])
    found = [] if 1 <= len(message.get("text", "")) <= 40_000 else ["text"]
    found += [] if len(blocks) <= 50 else [f"{len(blocks)} blocks"]
    found += [] if "blocks" not in message or blocks else ["no blocks"]
    for block in blocks:
        found += {"section": _section, "actions": _actions}[block["type"]](block)
    ids = [button["action_id"] for button in buttons(message)]
    return found + ([] if len(ids) == len(set(ids)) else ["an action_id twice"])


def _section(block: Fields) -> list[str]:
    found = [] if block.keys() <= {"type", "text", "accessory"} else ["an unknown key"]
    found += [] if block["text"]["type"] == "mrkdwn" else ["a text that is no mrkdwn"]
    found += [] if 1 <= len(block["text"]["text"]) <= 3000 else [f"a section of {len(block['text']['text'])}"]
    return found + (_button(block["accessory"]) if "accessory" in block else [])


def _actions(block: Fields) -> list[str]:
    elements = block["elements"]
    found = [] if 1 <= len(elements) <= 25 else [f"{len(elements)} elements"]
    return found + [one for element in elements for one in _button(element)]


def _button(element: Fields) -> list[str]:
    found = [] if element["type"] == "button" and element["text"]["type"] == "plain_text" else ["a button's type"]
    found += [] if 1 <= len(element["text"]["text"]) <= 75 else [f"a label of {len(element['text']['text'])}"]
    found += [] if 1 <= len(element["value"]) <= 2000 else [f"a value of {len(element['value'])}"]
    return found + ([] if 1 <= len(element["action_id"]) <= 255 else ["an action_id"])
