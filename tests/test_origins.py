"""Whose pages may reach the service: what browsers send from elsewhere is refused, what people do is not."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.types import Message

from bot.origins import SECURITY, Origins
from bot.web.layout import POLICY

COOKIE = "whydrop_key=whydrop_abc"
REACHED: list[str] = []
CROSS = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
FOLLOWED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def service(open_to_all: bool, host: str, own: str | None = None) -> httpx.AsyncClient:
    api = FastAPI()

    @api.api_route("/", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    async def reached(request: Request) -> PlainTextResponse:
        REACHED.append(request.method)
        return PlainTextResponse("reached")

    @api.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("", headers={"Content-Security-Policy": "default-src 'self'", "Referrer-Policy": "origin"})

    guarded = Origins(api, open_to_all=open_to_all, cookie="whydrop_key", own=own)
    return httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url=host)


async def status(
    headers: dict[str, str],
    method: str = "GET",
    open_to_all: bool = False,
    host: str = "http://localhost:8000",
    own: str | None = None,
) -> int:
    REACHED.clear()
    async with service(open_to_all, host, own) as client:
        answer = await client.request(method, "/", headers=headers)
    assert bool(REACHED) is (answer.status_code == 200)
    return answer.status_code


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "localhost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8000"],
)
async def test_without_keys_loopback_is_answered_by_its_names(host: str) -> None:
    assert await status({"host": host}, open_to_all=True) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "localhost.",
        "127.0.0.1.evil.example",
        "127.0.0.1:8000:1",
        "127.0.0.1:80a",
        "127.1",
        "::1",
        "0.0.0.0",
        "[::]",
        "192.0.2.1",
        "user@localhost",
        "localhost, evil.example",
        "",
    ],
)
async def test_without_keys_no_other_name_is_answered(host: str) -> None:
    assert await status({"host": host}, open_to_all=True) == 421
    assert await status({"host": host}, "POST", open_to_all=True) == 421


async def test_a_name_that_is_stated_twice_or_never_is_none() -> None:
    for hosts in ([], [(b"host", b"localhost"), (b"host", b"localhost")]):
        sent: list[int] = []

        async def send(message: Message, sent: list[int] = sent) -> None:
            sent.append(message.get("status", 0))

        scope = {"type": "http", "method": "GET", "path": "/", "headers": hosts}
        await Origins(FastAPI(), True, "c")(scope, None, send)  # type: ignore[arg-type]
        assert sent == [421, 0]


async def test_a_misdirected_request_is_told_what_the_names_are() -> None:
    async with service(True, "http://evil.example") as client:
        answer = await client.get("/")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "localhost, 127.0.0.1 or [::1]" in answer.json()["detail"]
    assert "evil" not in answer.text


async def test_a_browser_is_shown_a_page_about_a_refusal() -> None:
    async with service(True, "http://evil.example") as client:
        answer = await client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
        assert answer.status_code == 421
        assert "<h1" in answer.text
        assert answer.headers["content-security-policy"] == POLICY
        tool = await client.get("/v1/causes", headers={"accept": "text/html"})
        assert tool.headers["content-type"] == "application/problem+json"


async def test_with_keys_every_name_is_answered() -> None:
    assert await status({"host": "whydrop.example"}) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "odd"}, 403),
        ({"sec-fetch-site": ""}, 403),
        (FOLLOWED, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, 200),
        ({"origin": "http://localhost:8000"}, 200),
        ({"origin": "HTTP://LOCALHOST:8000"}, 200),
        ({"origin": "http://localhost:9000"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
async def test_what_changes_something_comes_from_our_own_page(
    method: str, headers: dict[str, str], expected: int
) -> None:
    assert await status(headers, method, open_to_all=True) == expected
    assert await status(headers | {"cookie": COOKIE}, method) == expected
    assert await status(headers | {"authorization": "Bearer whydrop_abc"}, method) == 200


async def test_two_origins_are_none() -> None:
    async with service(True, "http://localhost") as client:
        answer = await client.post("/", headers=[("origin", "http://localhost"), ("origin", "http://localhost")])
        assert answer.status_code == 403
        answer = await client.post("/", headers=[("sec-fetch-site", "none"), ("sec-fetch-site", "none")])
        assert answer.status_code == 403


@pytest.mark.parametrize("cookie", [COOKIE, f"a=b; {COOKIE}", f"a=b;{COOKIE}", "whydrop_key =x", "whydrop_key="])
async def test_the_cookie_is_for_our_own_page_alone(cookie: str) -> None:
    assert await status({"cookie": cookie} | CROSS) == 403
    assert await status({"cookie": cookie, "sec-fetch-site": "same-origin"}) == 200


async def test_other_cookies_are_no_cookie_of_ours() -> None:
    assert await status({"cookie": "not_whydrop_key=x"} | CROSS) == 200
    assert await status(CROSS | {"authorization": "Bearer whydrop_abc"}, "POST") == 200


async def test_nobody_else_signs_a_browser_in() -> None:
    assert await status(CROSS, "POST") == 403
    assert await status({"origin": "http://evil.example"}, "POST") == 403


@pytest.mark.parametrize("open_to_all", [True, False])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://why.example", 200),
        ("HTTPS://WHY.EXAMPLE", 200),
        ("http://127.0.0.1:8904", 200),
        ("https://why.example.evil.example", 403),
        ("https://why.example:8443", 403),
        ("https://other.example", 403),
        ("null", 403),
    ],
)
async def test_behind_a_proxy_the_public_address_is_ours(origin: str, expected: int, open_to_all: bool) -> None:
    headers = {"origin": origin, "cookie": COOKIE}
    assert await status(headers, "POST", open_to_all, "http://127.0.0.1:8904", "why.example") == expected


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_link_to_a_case_may_be_followed_from_anywhere(method: str) -> None:
    assert await status({"cookie": COOKIE} | FOLLOWED, method) == 200
    assert await status({"cookie": COOKIE} | FOLLOWED | {"sec-fetch-dest": "iframe"}, method) == 403
    assert await status({"cookie": COOKIE} | FOLLOWED | {"sec-fetch-mode": "no-cors"}, method) == 403


@pytest.mark.parametrize(("host", "path"), [("http://localhost", "/"), ("http://localhost", "/no"), ("http://a", "/")])
async def test_every_answer_tells_browsers_what_to_keep_to(host: str, path: str) -> None:
    async with service(True, host) as client:
        answer = await client.get(path)
    for name, value in SECURITY:
        assert answer.headers.get_list(name.decode()) == [value.decode()]
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_what_a_page_says_itself_stands() -> None:
    async with service(True, "http://localhost") as client:
        answer = await client.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert answer.headers.get_list("referrer-policy") == ["origin"]
    assert answer.headers["x-content-type-options"] == "nosniff"
