"""What stands between the network and everything else, also on the wire, with bytes that no client would send."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.limits import DEEPEST, LARGEST_BODY, MOST_PARTS, Shield, depth_of
from bot.origins import Origins
from bot.telemetry import Watch
from bot.threads import TooBusy
from tests.loopback_slack import running

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('[]{}"\\,: a'), max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from('[{"\\a'), inside, max_size=3),
    max_leaves=20,
)


def levels(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(levels, parts), default=0)


@given(JSON, st.integers(0, 6))
def test_levels_are_counted_as_a_parser_would(value: object, most: int) -> None:
    assert depth_of(json.dumps(value).encode(), most) == (levels(value) > most)


@pytest.mark.parametrize(
    ("body", "deeper"),
    [
        (b"[" * 32, False),
        (b"[" * 33, True),
        (b"[" * 32 + b"]" * 32, False),
        (b'{"a":' * 33 + b"1" + b"}" * 33, True),
        (b"[" * 20 + b"{" * 13, True),
        (b"]" * 100 + b"[" * 32, False),
        (b"[]" * 1000, False),
        (b"[]" * MOST_PARTS, True),
        (b'"",' * MOST_PARTS, True),
        (b'"' + b"[" * 1000, False),
        (b'"' + b"[" * 1000 + b'"', False),
        (b'"\\"' + b"[" * 1000 + b'"', False),
        (b'"\\\\"' + b"[" * 1000, True),
        (b'"\n"' + b"[" * 33, True),
        (b"\\" + b"[" * 33, True),
        (b"\xff\x00" + b"[" * 33, True),
        (b"", False),
    ],
)
def test_the_deepest_is_32_levels(body: bytes, deeper: bool) -> None:
    assert depth_of(body) is deeper


@pytest.mark.parametrize(
    "body",
    [
        b'{"paste": "' + b'\\"a\\n' * (LARGEST_BODY // 5) + b'"}',
        b"[" * LARGEST_BODY,
        b"[]," * (LARGEST_BODY // 3),
        b'\\"' * (LARGEST_BODY // 2),
        b'"\\"' * (LARGEST_BODY // 3),
    ],
    ids=["paste", "opened", "flat", "escaped quotes", "quotes"],
)
def test_levels_are_counted_in_linear_time(body: bytes) -> None:
    began = time.process_time()
    depth_of(body)
    assert time.process_time() - began < 2


def test_what_is_let_through_can_be_parsed() -> None:
    body = b"[" * DEEPEST + b"]" * DEEPEST
    assert not depth_of(body)
    assert levels(json.loads(body)) == DEEPEST


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def odd_header(request: Request) -> Response:
    return PlainTextResponse("", headers={"x-odd": f"a{request.query_params['end']}set-cookie: b=c"})


async def odd_name(_request: Request) -> Response:
    return PlainTextResponse("", headers={"x-odd\r\nset-cookie": "b=c"})


async def hung_up(_request: Request) -> Response:
    raise ClientDisconnect


async def too_busy(_request: Request) -> Response:
    raise TooBusy


ROUTES = [
    Route("/echo", echo, methods=["GET", "POST"]),
    Route("/value", odd_header),
    Route("/name", odd_name),
    Route("/gone", hung_up),
    Route("/busy", too_busy),
]
APP = Starlette(
    routes=ROUTES,
    middleware=[
        Middleware(Watch),
        Middleware(Origins, open_to_all=True, cookie="whydrop_key"),
        Middleware(Shield, most=1000),
    ],
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(APP) as address:
        yield address


@pytest.mark.parametrize("path", ["/value?end=%0D%0A", "/value?end=%0A", "/value?end=%0D", "/value?end=%00", "/name"])
@pytest.mark.parametrize("over_the_wire", [False, True])
async def test_no_header_of_an_answer_can_begin_another(address: str, path: str, over_the_wire: bool) -> None:
    transport = None if over_the_wire else httpx.ASGITransport(APP)
    base = address if over_the_wire else "http://localhost"
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        answer = await client.get(path)
    assert answer.status_code == 500
    assert answer.json()["detail"] == "nothing was kept"
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "length", "status"), [("/value?end=%0A", "0", 500), ("/echo", "1001", 413), ("/busy", "0", 503)]
)
async def test_a_browser_is_shown_a_page_about_what_went_wrong(path: str, length: str, status: int) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://localhost") as client:
        headers = {"accept": "text/html", "content-length": length}
        answer = await client.request("GET", path, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)
    assert "<h1" in answer.text


async def test_a_client_that_is_gone_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/gone", "headers": [(b"host", b"localhost")], "root_path": ""}
    await APP(scope, None, send)  # type: ignore[arg-type]
    assert sent == []
    assert caplog.text == ""


@pytest.mark.parametrize("length", ["1001", "9" * 19, "9" * 20, "9" * 300])
async def test_a_length_beyond_the_limit_is_refused_at_once(length: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://localhost") as client:
        answer = await client.post("/echo", content=b"", headers={"content-length": length})
    assert answer.status_code == 413
    assert answer.json()["title"] == "The request is too large"


def answered(address: str, sent: bytes) -> bytes:
    """Send bytes, say that no more will come, and give all that is answered until the server hangs up."""
    at = urlsplit(address)
    with socket.create_connection((at.hostname, at.port), timeout=10) as wire:
        wire.sendall(sent)
        wire.shutdown(socket.SHUT_WR)
        parts = []
        while part := wire.recv(65536):
            parts.append(part)
    return b"".join(parts)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\nab", [200]),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", [200]),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", [400]),
        (HEAD + b"Content-Length: 2, 3\r\n\r\nabc", [400]),
        (HEAD + b"Content-Length: -2\r\n\r\nab", [400]),
        (HEAD + b"Content-Length: +2\r\n\r\nab", [400]),
        (HEAD + b"Content-Length: 0x2\r\n\r\nab", [400]),
        (HEAD + b"Content-Length: " + b"9" * 19 + b"\r\n\r\nab", [413]),
        (HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\nab", [400]),
        (HEAD + CHUNKED + b"\r\n2\r\nab\r\n0\r\n\r\n", [200]),
        (HEAD + CHUNKED + b"\r\n" + b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n", [413]),
        (HEAD + CHUNKED + CHUNKED + b"\r\n2\r\nab\r\n0\r\n\r\n", [400]),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", [400]),
        (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", [400]),
        (HEAD + CHUNKED + b"\r\nzz\r\nab\r\n0\r\n\r\n", [400]),
        (HEAD + b"X-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n", [200]),
        (HEAD + b"X A: b\r\n\r\n", [400]),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n", [400]),
        (HEAD + b"Host: evil.example\r\nContent-Length: 0\r\n\r\n", [400]),
        (b"GET /echo HTTP/1.0\r\n\r\n", [421]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
        (b"\r\n\r\n", [400]),
    ],
)
def test_odd_requests_are_answered_once_and_without_a_hang(address: str, sent: bytes, statuses: list[int]) -> None:
    answer = answered(address, sent)
    found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == statuses


def test_a_request_is_not_smuggled_behind_two_lengths(address: str) -> None:
    """Somebody in front may have counted the hidden request as a part of the first one's body."""
    hidden = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
    whole = b"0\r\n\r\n" + hidden
    answer = answered(address, HEAD + CHUNKED + b"Content-Length: %d\r\n\r\n" % len(whole) + whole)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("sent", [b"A" * 1_000_000, HEAD + b"X: " + b"a" * 1_000_000])
def test_a_head_without_an_end_is_given_up(address: str, sent: bytes) -> None:
    with contextlib.suppress(OSError):  # the server may hang up while we are still sending
        assert answered(address, sent)[:13] in {b"HTTP/1.1 400 ", b""}
    assert answered(address, HEAD + b"Content-Length: 0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_half_a_body_is_no_fault(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert b" 500 " not in answered(address, HEAD + b"Content-Length: 20\r\n\r\nab")
    assert "unexpected" not in caplog.text
