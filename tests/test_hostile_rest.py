"""The service among enemies: each attempt is refused with a problem that says what is wrong, or is without effect."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from bot.cases import Store
from bot.keys import Keys
from bot.limits import LARGEST_BODY
from bot.problems import KINDS
from tests import hostile_rest as hostile
from tests.served import Fleet, Served, complaints
from tests.service import LINE

NOBODYS = "a" * 26
PATIENCE_S = 20.0
"""Seconds after which the service hangs."""
IDLE_S = 0.3
"""Seconds of silence after which a connection that was kept open has no more to say."""
JSON = {"content-type": "application/json"}
CALLS: Mapping[str, tuple[str, object]] = {
    # What changes something: the method, and a body that is right.
    "/v1/cases": ("POST", {"paste": LINE}),
    "/v1/cases/{case}": ("DELETE", None),
    "/v1/cases/{case}/answers": ("POST", {"answers": {"timing.worked": "never"}}),
    "/v1/cases/{case}/answers/timing.worked": ("DELETE", None),
    "/v1/cases/{case}/pastes": ("POST", {"paste": LINE}),
    "/v1/cases/{case}/outcome": ("POST", {"solved": True, "cause": "asymmetric-routing", "note": ""}),
    "/v1/webhooks": ("POST", {"url": "https://example.com/"}),
    "/v1/webhooks/{webhook}": ("DELETE", None),
    "/v1/webhooks/{webhook}/enable": ("POST", None),
}
READS = (
    "/v1/cases/{case}",
    "/v1/cases/{case}/events",
    "/v1/cases/{case}/picture",
    "/v1/cases/{case}/why/asymmetric-routing",
    "/v1/cases/{case}/why-not/idle-timeout",
    "/v1/cases/{case}/what-if/timing.worked",
    "/v1/webhooks/{webhook}/deliveries",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A service with keys, and tokens for it."""

    served: Served
    tokens: Mapping[str, str]
    http: httpx.Client

    def call(self, method: str, path: str, who: str = "writer", **how: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens[who]}", **how.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **how)

    def begin(self, paste: str = LINE, who: str = "writer") -> str:
        case: str = self.call("POST", "/v1/cases", who, json={"paste": paste}).json()["id"]
        return case


@pytest.fixture
def stranger(place: Place) -> Iterator[httpx.Client]:
    """Call from an address that nobody has called from: wrong keys are counted by address."""
    address = f"127.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{1 + secrets.randbelow(250)}"
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=place.served.url, timeout=PATIENCE_S, transport=transport) as http:
        yield http


async def tokens_for(database: Path) -> dict[str, str]:
    now = datetime.now(UTC)
    past = iter([now - timedelta(days=2)])
    async with Store.open(f"sqlite:///{database}") as store:
        await store.migrate()
        keys = Keys(store)
        found = {
            "writer": await keys.create("writer", "acme", ["read", "write"]),
            "reader": await keys.create("reader", "acme", ["read"]),
            "other": await keys.create("other", "other", ["read", "write"]),
            "revoked": await keys.create("revoked", "acme", ["read", "write"]),
        }
        await keys.revoke(found["revoked"][0].id)
    async with Store.open(f"sqlite:///{database}", lambda: next(past, now)) as store:
        yesterday = now - timedelta(days=1)
        found["expired"] = await Keys(store).create("expired", "acme", ["read", "write"], yesterday)
    return {who: token for who, (_, token) in found.items()}


@pytest.fixture(scope="module")
def place(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    file = tmp_path_factory.mktemp("hostile") / "cases.sqlite3"
    tokens = asyncio.run(tokens_for(file))
    served = fleet.start(file, dev=False)
    with httpx.Client(base_url=served.url, timeout=PATIENCE_S) as http:
        yield Place(served, tokens, http)
        assert http.get("/livez").status_code == 200
    fleet.stop(served)
    assert complaints(served) == []


def check_refused(answer: httpx.Response, *statuses: int) -> str:
    """See that an answer is a problem of a known kind, with one of the statuses; give its kind."""
    assert answer.status_code in (statuses or range(400, 500)), answer.text[:500]
    check_inert(answer)
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    kind: str = urlsplit(found["type"]).path.removeprefix("/problems/")
    assert KINDS[kind].status == found["status"] == answer.status_code
    assert found["detail"]
    return kind


def check_inert(answer: httpx.Response) -> None:
    """See that no browser would take an answer for anything that it is not."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "Traceback" not in answer.text


# Who is let in


@pytest.mark.parametrize("who", ["wrong", "revoked", "expired"])
@pytest.mark.parametrize("path", [*READS, *CALLS])
def test_a_key_that_is_not_valid_opens_nothing(place: Place, stranger: httpx.Client, who: str, path: str) -> None:
    token = place.tokens.get(who, "whydrop_" + "a" * 10 + "_" + "b" * 52)
    method, body = CALLS.get(path, ("GET", None))
    address = path.format(case=NOBODYS, webhook=NOBODYS)
    answer = stranger.request(method, address, json=body, headers={"authorization": f"Bearer {token}"})
    assert check_refused(answer, 401) == "wrong-key"
    assert answer.json()["detail"] == KINDS["wrong-key"].mending[0]


@pytest.mark.parametrize(
    "stated",
    ["", "Bearer", "Basic {}", "{}", "Bearer {} {}", "Bearer {}x", "Bearer x{}", "Token {}", "Bearer {},"],
)
def test_a_key_that_is_stated_in_another_way_opens_nothing(place: Place, stranger: httpx.Client, stated: str) -> None:
    token = place.tokens["writer"]
    answer = stranger.get("/v1/cases", headers={"authorization": stated.replace("{}", token)})
    assert check_refused(answer, 401) in {"no-key", "wrong-key"}
    assert token not in answer.text


@pytest.mark.parametrize("name", ["key", "token", "access_token", "api_key", "authorization", "whydrop_key"])
def test_a_key_in_an_address_opens_nothing(place: Place, name: str) -> None:
    for value in (place.tokens["writer"], "Bearer " + place.tokens["writer"]):
        answer = place.http.get("/v1/cases", params={name: value})
        assert check_refused(answer, 401) == "no-key"
        assert place.tokens["writer"] not in answer.text


@pytest.mark.parametrize("path", CALLS)
def test_a_key_that_may_read_changes_nothing(place: Place, path: str) -> None:
    case = place.begin()
    method, body = CALLS[path]
    answer = place.call(method, path.format(case=case, webhook=NOBODYS), "reader", json=body)
    assert check_refused(answer, 403) == "missing-scope"
    assert place.call("GET", f"/v1/cases/{case}", "reader").json()["version"] == 2


@pytest.mark.parametrize("path", [one for one in (*READS, *CALLS) if "{case}" in one])
def test_a_case_of_others_is_answered_as_one_that_is_not_there(place: Place, path: str) -> None:
    case = place.begin()
    method, body = CALLS.get(path, ("GET", None)) if path not in READS else ("GET", None)
    for how, wanted in ((method, body), ("GET", None)):
        others = place.call(how, path.format(case=case), "other", json=wanted)
        nobodys = place.call(how, path.format(case=NOBODYS), "other", json=wanted)
        assert others.status_code == nobodys.status_code
        assert others.content.replace(case.encode(), NOBODYS.encode()) == nobodys.content
        assert _told_apart(others) == _told_apart(nobodys)
        assert check_refused(others, 404, 405) in {"no-such-case", "method"}
    stale = place.call(method, path.format(case=case), "other", json=body, headers={"if-match": '"1-0"'})
    assert check_refused(stale, 404) == "no-such-case"
    assert place.call("GET", f"/v1/cases/{case}").json()["version"] == 2


def _told_apart(answer: httpx.Response) -> dict[str, str]:
    passing = {"date", "x-request-id", "ratelimit", "content-length"}
    return {name: value for name, value in answer.headers.items() if name not in passing}


def test_an_idempotency_key_of_others_tells_nothing(place: Place) -> None:
    headers = {"idempotency-key": "mine-and-yours"}
    mine, yours = (place.call("POST", "/v1/cases", who, json={"paste": LINE}, headers=headers).json()["id"]
                   for who in ("writer", "other"))  # fmt: skip
    assert mine != yours


# What is sent


@pytest.mark.parametrize("name", hostile.BODIES)
def test_a_body_of_any_kind_is_read_or_refused(place: Place, name: str) -> None:
    body, statuses = hostile.BODIES[name]
    for path in ("/v1/cases", "/v1/diagnoses"):
        answer = place.call("POST", path, content=body, headers=JSON)
        allowed = {200 if one == 201 and path != "/v1/cases" else one for one in statuses}
        assert answer.status_code in allowed, answer.text[:500]
        check_inert(answer)
        if answer.status_code >= 400:
            check_refused(answer)
        else:
            json.loads(answer.content.decode("utf-8"))


def test_what_cannot_be_written_in_utf_8_is_kept_as_something_that_can(place: Place) -> None:
    answer = place.call("POST", "/v1/cases", content=rb'{"paste": "a\ud800b\u0000c"}', headers=JSON)
    case = answer.json()
    assert case["paste"] == "a?b\0c"
    assert place.call("GET", f"/v1/cases/{case['id']}").json()["paste"] == "a?b\0c"


@pytest.mark.parametrize("type_", hostile.TYPES)
def test_what_is_not_called_json_is_refused(place: Place, type_: str | None) -> None:
    headers = {"content-type": type_} if type_ is not None else {}
    answer = place.call("POST", "/v1/cases", content=b'{"paste": "x"}', headers=headers)
    assert check_refused(answer, 415) == "not-json"


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "identity, gzip"])
def test_what_is_packed_is_not_unpacked(place: Place, coding: str) -> None:
    for body in (hostile.PACKED, hostile.BOMB):
        answer = place.call("POST", "/v1/cases", content=body, headers={**JSON, "content-encoding": coding})
        check_refused(answer, 400, 415, 422)


def test_a_body_that_is_too_large_is_refused(place: Place) -> None:
    large = b'{"paste": "' + b"x" * LARGEST_BODY + b'"}'
    assert check_refused(place.call("POST", "/v1/cases", content=large, headers=JSON), 413) == "too-large"
    parts = (large[at : at + 65536] for at in range(0, len(large), 65536))
    try:
        answer = place.call("POST", "/v1/cases", content=parts, headers=JSON)
    except (httpx.WriteError, httpx.RemoteProtocolError):
        return  # refused before all was sent, and closed
    assert check_refused(answer, 413) == "too-large"


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(place: Place) -> None:
    head = hostile.HEAD.format(token=place.tokens["writer"])
    request = f"POST /v1/cases HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    assert raw(place, request.encode()).startswith(b"HTTP/1.1 413 ")


def test_bodies_that_come_slowly_keep_nobody_else_waiting(place: Place) -> None:
    head = hostile.HEAD.format(token=place.tokens["writer"])
    request = f"POST /v1/cases HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n" + "{"
    slow = [connected(place) for _ in range(60)]
    for one in slow:
        one.sendall(request.encode())
    assert place.call("POST", "/v1/cases", json={"paste": LINE}).status_code == 201
    for one in slow:
        one.sendall(b" ")
    assert place.call("POST", "/v1/diagnoses", json={"paste": LINE}).status_code == 200
    for one in slow:
        one.close()


def test_ten_thousand_parameters_are_answered(place: Place) -> None:
    many = "&".join(f"a{number}={number}" for number in range(10_000))
    for query in (many[:60_000], "&".join(["limit=1"] * 5_000), "&" * 60_000, "=" * 60_000):
        answer = place.call("GET", f"/v1/cases?{query}")
        assert answer.status_code in {200, 422}
        check_inert(answer)
    assert re.match(rb"HTTP/1\.1 4\d\d ", raw(place, f"GET /v1/cases?{many} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))


# What comes back


@pytest.mark.parametrize("id_", hostile.IDS)
def test_an_id_of_any_kind_leads_nowhere(place: Place, id_: str) -> None:
    for path in (
        "/v1/cases/{}",
        "/v1/cases/{}/events",
        "/v1/causes/{}",
        "/v1/questions/{}",
        "/v1/webhooks/{}/deliveries",
    ):
        answer = place.call("GET", path.format(id_))
        if answer.status_code == 200:  # dots that the client itself has resolved
            assert ".." in id_
            continue
        check_refused(answer, 404, 405)
        assert answer.headers.get("location") is None
    for method, path in (("DELETE", "/v1/cases/{}"), ("POST", "/v1/cases/{}/answers")):
        body = {"answers": {"timing.worked": "never"}} if method == "POST" else None
        check_refused(place.call(method, path.format(id_), json=body), 404, 405)


@pytest.mark.parametrize("path", hostile.FILES)
def test_no_file_is_reached_but_those_that_are_served(place: Place, path: str) -> None:
    token = place.tokens["writer"]
    answer = raw(place, f"GET {path} HTTP/1.1\r\nConnection: close\r\n{hostile.HEAD.format(token=token)}\r\n".encode())
    assert re.match(rb"HTTP/1\.1 (4\d\d|30[378]) ", answer)
    for inside in (b"root:", b"[project]", b"import annotations"):
        assert inside not in answer


@pytest.mark.parametrize(
    "bad", ["a\r\nSet-Cookie: x=1", "a\nb", "a\rb", "a\x00b", "\u2028", '"><script>', "a" * 65, ""]
)
def test_a_request_id_that_is_no_plain_word_does_not_come_back(place: Place, bad: str) -> None:
    request = f"GET /livez HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nX-Request-Id: {bad}\r\n\r\n"
    answer = raw(place, request.encode())
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"set-cookie" not in head
    assert b"<script>" not in head
    assert re.match(rb"http/1\.1 (200|400) ", head)
    found = re.findall(rb"\r\nx-request-id: ([^\r\n]*)", head)
    assert all(re.fullmatch(rb"[A-Za-z0-9._-]{1,64}", one) for one in found)


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        'a"><script>',
        "a>; rel=evil",
        "a b",
        "a\tb",
        "a/b?c#d",
        "user@a",
        "[::1",
        "a\\b",
        "\xff",
        "a,b",
        "",
    ],
)
def test_a_host_of_any_kind_breaks_no_header_and_no_answer(place: Place, host: str) -> None:
    for _ in range(2):
        place.begin()
    token = place.tokens["writer"]
    for path in ("/v1/cases?limit=1", "/v1/cases/x"):
        request = f"GET {path} HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        answer = raw(place, request.encode("latin-1"))
        assert re.match(rb"HTTP/1\.1 (200|4\d\d) ", answer)
        for link in re.findall(rb"\r\nlink: ([^\r\n]*)", answer):
            assert re.fullmatch(rb'<[^<>"\s]*>; rel="next"', link)


def test_what_comes_back_in_a_header_is_what_was_meant(place: Place) -> None:
    place.begin()
    place.begin()
    answer = place.call("GET", "/v1/cases?limit=1&state=open%0d%0aSet-Cookie:x=1")
    check_refused(answer, 422)
    answer = place.call("GET", "/v1/cases?limit=1&cause=a%0d%0aX-Evil:1")
    check_refused(answer, 422)
    for header in (
        "if-match",
        "if-none-match",
        "idempotency-key",
        "origin",
        "referer",
        "x-forwarded-host",
        "forwarded",
    ):
        answer = place.call("GET", "/v1/cases?limit=1", headers={header: '"x"><script>, https://example.com'})
        assert answer.status_code == 200
        assert "script" not in str(answer.headers)
        assert answer.headers["link"].startswith(f"<{place.served.url}/v1/cases?limit=1&cursor=")


@pytest.mark.parametrize("payload", hostile.XSS)
def test_markup_in_what_is_told_stays_text(place: Place, payload: str) -> None:
    answer = place.call("POST", "/v1/cases", json={"paste": f"{LINE}\n{payload}"})
    check_inert(answer)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["paste"].endswith(payload)
    case = answer.json()["id"]
    told = place.call("POST", f"/v1/cases/{case}/outcome", json={"solved": True, "cause": None, "note": payload})
    assert told.headers["content-type"] == "application/json"
    assert told.json()["outcome"]["note"] == payload
    for path, body in (
        (f"/v1/cases/{case}/answers", {"answers": {payload: True}}),
        (f"/v1/cases/{case}/answers", {"answers": {"timing.worked": payload}}),
        (f"/v1/cases/{case}/answers", {"answers": {"timing.idle_s": payload}}),
        (f"/v1/cases/{case}/outcome", {"solved": True, "cause": payload}),
        ("/v1/cases", {"paste": LINE, "product": payload}),
    ):
        check_refused(place.call("POST", path, json=body), 422)


SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "title", "desc", "style", "defs", "marker", "path", "rect", "line", "circle", "text", "tspan"}
"""Elements that a picture consists of; none of them runs or fetches anything."""


@pytest.mark.parametrize("field", hostile.FIELDS)
def test_markup_in_a_line_is_drawn_as_text(place: Place, field: str) -> None:
    drawn = 0
    for payload in (*hostile.XSS, "inside", "x" * 5000, "&amp;", "\x1b[31m", "a\u0301" * 50):
        case = place.begin(field.replace("{}", payload))
        answer = place.call("GET", f"/v1/cases/{case}/picture")
        if answer.status_code == 204:
            continue
        drawn += 1
        check_inert(answer)
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert b"<!DOCTYPE" not in answer.content
        assert b"<!ENTITY" not in answer.content
        check_drawing(answer.content)
    assert drawn


def check_drawing(content: bytes) -> None:
    """See that a picture holds nothing that runs, or is fetched from elsewhere."""
    for element in ET.fromstring(content).iter():  # noqa: S314  (an entity would have been found before)
        assert element.tag.removeprefix(SVG) in DRAWN
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2].lower()
            assert not plain.startswith("on")
            assert plain not in {"href", "src", "data", "action"}
            assert "script:" not in value.lower()
            assert re.fullmatch(r"url\(#[\w-]+\)", value) or "url(" not in value


def test_a_drawing_that_runs_something_is_found() -> None:
    for inside in (
        "<script/>",
        "<foreignObject/>",
        "<g onload='x'/>",
        "<use href='#x'/>",
        "<g style='fill:url(//x)'/>",
    ):
        with pytest.raises(AssertionError):
            check_drawing(f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>".encode())


# Where it is sent


@pytest.mark.parametrize("target", hostile.TARGETS)
def test_a_webhook_leads_to_nothing_that_is_ours(place: Place, target: str) -> None:
    answer = place.call("POST", "/v1/webhooks", json={"url": target})
    assert check_refused(answer, 403, 422) in {"refused-target", "invalid"}
    assert place.call("GET", "/v1/webhooks").json() == {"webhooks": []}


# What is no request


@pytest.mark.parametrize("name", hostile.SMUGGLED)
def test_a_request_in_a_request_is_not_answered(place: Place, name: str) -> None:
    token = place.tokens["writer"]
    hidden = f"GET /v1/causes/smuggled HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    answer = raw(place, (hostile.SMUGGLED[name].replace("{token}", token) + "\0\0" + hidden).encode("utf-8"))
    assert b"smuggled" not in answer
    assert re.match(rb"HTTP/1\.1 (200|4\d\d) ", answer), answer[:300]
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) <= 2


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "PROPFIND", "M-SEARCH", "X" * 1000, "DEBUG", "PURGE"])
def test_a_method_that_is_none_is_refused(place: Place, method: str) -> None:
    for path in ("/v1/cases", "/v1/diagnoses", "/v1/causes", "/livez", "/"):
        answer = place.call(method, path)
        if answer.headers["content-type"].startswith("text/plain"):  # the server knows no such method and hangs up
            assert (answer.status_code, answer.text) == (400, "Invalid HTTP request received.")
            continue
        check_refused(answer, 405)
        assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


def connected(place: Place) -> socket.socket:
    host, _, port = place.served.url.rpartition("/")[2].partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def raw(place: Place, request: bytes) -> bytes:
    """Send bytes, and give what comes back until the service closes, or has answered what it understood."""
    with connected(place) as connection:
        with suppress(OSError):  # closed already: what it said can still be read
            connection.sendall(request)
        return b"".join(received(connection))


def received(connection: socket.socket) -> Iterator[bytes]:
    """Wait for the first part with patience, and for more of it no longer than an answer takes."""
    try:
        while part := connection.recv(65536):
            connection.settimeout(IDLE_S)
            yield part
    except (ConnectionError, TimeoutError):
        return
