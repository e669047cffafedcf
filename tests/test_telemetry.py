"""What is seen of a request: templates and kinds, and nothing that anybody wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.telemetry import GONE, OTHER, REQUEST, Seen, Watch, peer


@dataclass(frozen=True)
class Caller:
    name: str
    workspace: str


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


async def mounted(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("mounted")


def service() -> FastAPI:
    api = FastAPI()
    inner, outer = APIRouter(prefix="/cases"), APIRouter(prefix="/v1")

    @api.get("/")
    async def first() -> PlainTextResponse:
        return PlainTextResponse("first")

    @inner.get("/{case}")
    async def one(case: str, request: Request) -> PlainTextResponse:
        request.state.caller = Caller("laptop", "network")
        CLOCK.now += 0.25
        return PlainTextResponse(f"{case} {REQUEST.get()}")

    @inner.post("")
    async def begin(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    @inner.get("/{case}/events")
    async def events(case: str) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield case
            yield case

        return StreamingResponse(parts())

    @inner.get("/{case}/broken")
    async def broken(case: str) -> None:
        raise RuntimeError(case)

    outer.include_router(inner)
    api.include_router(outer)
    api.mount("/slack", Starlette(routes=[Route("/events/{one}", mounted)]))
    api.mount("/static", mounted_alone)
    return api


async def mounted_alone(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("static")(scope, receive, send)


async def asked(
    path: str, method: str = "GET", headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b""
) -> tuple[httpx.Response, Seen]:
    told: list[Seen] = []
    transport = httpx.ASGITransport(Watch(service(), ended=[told.append], clock=CLOCK), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.request(method, path, headers=headers, content=body)
    (seen,) = told
    return answer, seen


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/v1/cases/abc?paste=secret", "/v1/cases/{case}"),
        ("/v1/cases/abc/events", "/v1/cases/{case}/events"),
        ("/slack/events/secret", "/slack/events/{one}"),
        ("/static/secret.css", "/static"),
        ("/slack/secret", "/slack"),
        ("/secret", OTHER),
        ("/v1/secret", OTHER),
    ],
)
async def test_a_request_is_known_by_its_template(path: str, template: str) -> None:
    assert (await asked(path))[1].route == template


async def test_a_method_that_a_route_has_not_keeps_the_route() -> None:
    answer, seen = await asked("/v1/cases/abc", "DELETE")
    assert (answer.status_code, seen.status, seen.method, seen.route) == (405, 405, "DELETE", "/v1/cases/{case}")


async def test_a_method_that_nobody_knows_is_not_repeated() -> None:
    assert (await asked("/", "SECRET"))[1].method == OTHER


async def test_the_caller_the_time_and_the_size_are_seen() -> None:
    answer, seen = await asked("/v1/cases/abc")
    assert (seen.key, seen.workspace, seen.seconds, seen.status) == ("laptop", "network", 0.25, 200)
    assert (seen.bytes_in, seen.bytes_out) == (0, len(answer.content))
    _, sent = await asked("/v1/cases", "POST", body=b"x" * 1000)
    assert (sent.key, sent.bytes_in, sent.bytes_out) == (None, 1000, 4)
    _, streamed = await asked("/v1/cases/abc/events")
    assert streamed.bytes_out == 6


async def test_a_fault_is_seen_as_one() -> None:
    answer, seen = await asked("/v1/cases/abc/broken")
    assert (answer.status_code, seen.status) == (500, 500)


async def test_an_id_that_a_request_brings_is_kept() -> None:
    answer, seen = await asked("/v1/cases/abc", headers=[(b"X-Request-Id", b"proxy-1.a_B")])
    assert answer.headers.get_list("x-request-id") == ["proxy-1.a_B"]
    assert seen.request == "proxy-1.a_B"
    assert answer.text == "abc proxy-1.a_B"


@pytest.mark.parametrize(
    "brought",
    [[""], ["a b"], ["a" * 65], ['"'], ["a", "b"], ["é"], []],
)
async def test_an_id_of_another_form_is_replaced(brought: list[str]) -> None:
    answer, seen = await asked("/", headers=[(b"X-Request-Id", one.encode()) for one in brought])
    assert answer.headers.get_list("x-request-id") == [seen.request]
    assert seen.request not in brought
    assert len(seen.request) == 16


async def test_no_two_requests_get_one_id() -> None:
    assert len({(await asked("/"))[1].request for _ in range(20)}) == 20


async def test_a_request_given_up_before_its_answer_is_seen_as_that() -> None:
    async def leaves(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(60)

    told: list[Seen] = []
    task = asyncio.create_task(_called(Watch(leaves, ended=[told.append])))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.status for one in told] == [GONE]


async def test_an_exception_passes_and_is_told_before() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    told: list[Seen] = []
    with pytest.raises(ClientDisconnect):
        await _called(Watch(fails, ended=[told.append]))
    assert [one.status for one in told] == [500]
    assert REQUEST.get(None) is None


async def test_what_is_no_request_is_not_watched() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        scopes.append(scope)

    await _called(Watch(app, ended=[lambda _: pytest.fail("told")]), {"type": "lifespan"})
    assert scopes == [{"type": "lifespan"}]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("fd00::1", "private"),
        ("fe80::1%eth0", "private"),
        ("8.8.8.8", "public"),
        ("2600::1", "public"),
        ("somewhere", "unknown"),
    ],
)
def test_of_an_address_only_its_kind_is_told(address: str, kind: str) -> None:
    assert peer(address) == kind


async def _called(app: ASGIApp, scope: Scope | None = None) -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    await app(scope or {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}, receive, send)
