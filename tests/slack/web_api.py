"""The Web API over HTTP, with uploads, downloads and response_urls, as slack_sdk calls them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from tests.slack import methods_app, methods_chat, methods_views
from tests.slack.answering import answered_at
from tests.slack.faults import Call, Fault, Faults
from tests.slack.methods import METHODS, Request
from tests.slack.oauth import access, authorized
from tests.slack.shapes import Fields
from tests.slack.workspace import APP_TOKEN, Refusal, Slack

_AS_JSON = ("attachments", "blocks", "files", "message", "metadata", "outputs", "prompts", "unfurls", "view")
_LOGIN = "<!DOCTYPE html><title>Sign in to Slack</title>"
_FILLED = (methods_app, methods_chat, methods_views)  # importing them fills the table
Perform = Callable[[], tuple[int, Fields]]


@dataclass
class WebApi:
    """What answers at /api/, /upload/, /files-pri/ and /response/. `rates` bounds the calls in so many seconds."""

    slack: Slack
    faults: Faults = field(default_factory=Faults)
    # conversations.replies: 1 a minute for apps that are distributed outside the Marketplace (rate-limits)
    rates: dict[str, tuple[int, float]] = field(default_factory=lambda: {"conversations.replies": (1, 60.0)})
    connect: Callable[[], str] = lambda: ""
    _times: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def routes(self) -> list[web.AbstractRouteDef]:
        """Give the routes."""
        return [
            web.route("*", "/api/{method}", self._call),
            web.post("/response/{name}", self._response_url),
            web.post("/upload/v1/{name}", self._upload),
            web.get("/files-pri/{name}/{rest:.*}", self._download),
        ]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            args = await _arguments(request)
        except Refusal as refusal:
            return web.json_response({"ok": False, "error": refusal.error})
        authorization = request.headers.get("authorization", "")
        bearer = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else ""
        token = bearer or str(args.pop("token", ""))
        call = Call(name, args, token, self.slack.clock.now())

        def perform() -> tuple[int, Fields]:
            address = f"http://{request.host}"
            return self._limited(call) or (200, self._answer(call, authorization, address))

        return await self._with_faults(request, call, perform)

    async def _with_faults(self, request: web.Request, call: Call, perform: Perform) -> web.StreamResponse:
        fault = self.faults.next(call.method)
        if fault and not fault.done:
            self.faults.calls.append(call)
            self.slack.changed()
            return await _failed(request, fault)
        status, answer = perform()
        call = replace(call, answer=None if fault else answer)
        self.faults.calls.append(call)
        if answer.get("ok"):
            self.faults.did(call, lost=fault is not None)
        self.slack.changed()
        if fault:
            return await _failed(request, fault)
        return web.json_response(answer, status=status, headers=self._headers(call, answer))

    def _headers(self, call: Call, answer: Fields) -> dict[str, str]:
        if answer.get("error") == "ratelimited":
            return {"Retry-After": str(answer.pop("retry_after"))}
        token = self.slack.tokens.get(call.token)
        return {"x-oauth-scopes": ",".join(sorted(token.scopes))} if token else {}

    def _limited(self, call: Call) -> tuple[int, Fields] | None:
        if call.method not in self.rates:
            return None
        count, seconds = self.rates[call.method]
        place = str(call.args.get("channel", "")) if call.method.startswith("chat.") else ""  # one a second a channel
        times, now = self._times[call.method, call.token + place], self.slack.clock.now()
        while times and now - times[0] >= seconds:
            times.popleft()
        if len(times) >= count:
            return 429, {"ok": False, "error": "ratelimited", "retry_after": int(seconds - (now - times[0])) + 1}
        times.append(now)
        return None

    def _answer(self, call: Call, authorization: str, address: str) -> Fields:
        try:
            return {"ok": True, **self._done(call, authorization, address)}
        except Refusal as refusal:
            return {"ok": False, "error": refusal.error, **refusal.more}

    def _done(self, call: Call, authorization: str, address: str) -> Fields:
        if call.method == "oauth.v2.access":
            return access(self.slack, call.args, authorization)
        if call.method == "apps.connections.open":
            if call.token != APP_TOKEN:
                raise Refusal("invalid_auth" if call.token not in self.slack.tokens else "not_allowed_token_type")
            return {"url": self.connect()}
        if call.method not in METHODS:
            raise Refusal("unknown_method")
        method = METHODS[call.method]
        token = authorized(self.slack, call.token, method.scopes)
        return method.call(Request(self.slack, token, call.args, address))

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        message: Fields = await request.json()
        call = Call("response_url", message, request.match_info["name"], self.slack.clock.now())

        def perform() -> tuple[int, Fields]:
            try:
                answered_at(self.slack, call.token, message)
            except Refusal as refusal:
                # java-slack-sdk issue 1349: refused blocks are answered with 404, like an address that is used up.
                status = 404 if refusal.error in ("used_url", "expired_url", "invalid_blocks") else 400
                return status, {"ok": False, "error": refusal.error, **refusal.more}
            return 200, {"ok": True}

        return await self._with_faults(request, call, perform)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        team, _, name = request.match_info["name"].partition("-")
        file = self.slack.teams[team].files[name]
        content = await request.read()
        if fault := self.faults.next("upload"):
            self.slack.changed()
            return await _failed(request, fault)
        if len(content) != len(file.content):
            return web.Response(status=400, text="the length is not the one that was announced")
        file.content, file.complete = content, True
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        team, _, name = request.match_info["name"].partition("-")
        if fault := self.faults.next("download"):
            return await _failed(request, fault)
        try:
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            token = authorized(self.slack, bearer, ("files:read",))
        except Refusal:
            # Slack sends those who may not see it a page to sign in at, with status 200.
            return web.Response(text=_LOGIN, content_type="text/html")
        file = self.slack.teams[team].files.get(name) if token.team == team else None
        if not file:
            return web.Response(text=_LOGIN, content_type="text/html")
        return web.Response(body=file.content, content_type="application/octet-stream")


async def _failed(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.silent:
        await asyncio.Event().wait()  # ends with the connection, or with the server
    if fault.cut:
        assert request.transport
        request.transport.abort()
        return web.Response()
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return web.json_response({"ok": False, "error": fault.error}, status=fault.status, headers=headers)


async def _arguments(request: web.Request) -> Fields:
    """Read the arguments of a call: from the address, from a form, or from JSON."""
    args: Fields = dict(request.query)
    if request.content_type == "application/json":
        body = await _json(request)
        args |= body
    elif request.can_read_body:
        args |= {key: str(value) for key, value in (await request.post()).items()}
    for key in _AS_JSON:
        if isinstance(args.get(key), str):
            args[key] = _read(key, args[key])
    return args


async def _json(request: web.Request) -> Fields:
    try:
        body = await request.json()
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal("json_not_object")
    return body


def _read(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Refusal("invalid_blocks_format" if key == "blocks" else "invalid_arguments") from None
