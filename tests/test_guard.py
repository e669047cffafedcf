from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.slack.guard import CHECKED, DEEPEST, MOST_BYTES, Guard, Refused, read_body, sign
from tests.loopback_slack import FORM, SECRET, signed

NOW = 1_700_000_000.0
BODY = b"command=%2Fwhydrop&text=line"
JSON = "application/json"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body, as whatever stands behind the guard would see it."""
    assert isinstance(json.loads(scope[CHECKED]), dict)
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


async def through(
    body: bytes | AsyncIterator[bytes], headers: dict[str, str] | list[tuple[bytes, bytes]], method: str = "POST"
) -> httpx.Response:
    transport = httpx.ASGITransport(Guard(echo, SECRET, clock=lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://guard") as client:
        return await client.request(method, "/", content=body, headers=headers)


async def test_what_slack_signed_passes_unchanged() -> None:
    answer = await through(BODY, signed(BODY, NOW))
    assert (answer.status_code, answer.content) == (200, BODY)


def test_the_signature_is_slacks() -> None:
    # The example of docs.slack.dev, "Verifying requests from Slack".
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected


@pytest.mark.parametrize("off", [-300, -1, 0, 299, 300])
async def test_five_minutes_either_way_are_fresh(off: int) -> None:
    assert (await through(BODY, signed(BODY, NOW + off))).status_code == 200


@pytest.mark.parametrize("off", [-86_400, -301, 301, 86_400])
async def test_older_and_later_requests_are_refused(off: int) -> None:
    assert (await through(BODY, signed(BODY, NOW + off))).status_code == 401


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "1e9", "-1700000000", "1_700_000_000", " ", "\uff11\uff17", "9" * 400]
)
async def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in signed(BODY, NOW).items() if "timestamp" not in name]
    headers.append((b"x-slack-request-timestamp", timestamp.encode()))
    assert (await through(BODY, headers)).status_code == 401


@pytest.mark.parametrize(
    "signature",
    ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "v0=" + "G" * 64, "v0=" + "é" * 64, "v0=" + "\uff10" * 64],
)
async def test_a_signature_that_is_not_slacks_is_refused(signature: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in signed(BODY, NOW).items() if "signature" not in name]
    headers.append((b"x-slack-signature", signature.encode()))
    assert (await through(BODY, headers)).status_code == 401


@pytest.mark.parametrize("name", ["x-slack-signature", "x-slack-request-timestamp"])
@pytest.mark.parametrize("times", [0, 2])
async def test_a_header_that_decides_must_stand_once(name: str, times: int) -> None:
    headers = {one.encode(): value.encode() for one, value in signed(BODY, NOW).items()}
    pairs = [one for one in headers.items() if one[0] != name.encode()] + [
        (name.encode(), headers[name.encode()])
    ] * times
    assert (await through(BODY, pairs)).status_code == 401


async def test_another_secret_is_refused() -> None:
    assert (await through(BODY, signed(BODY, NOW, "another secret"))).status_code == 401


async def test_a_body_changed_after_signing_is_refused() -> None:
    assert (await through(BODY + b"&text=other", signed(BODY, NOW))).status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_is_answered(method: str) -> None:
    answer = await through(BODY, signed(BODY, NOW), method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_forty_thousand_characters_pass_whatever_they_are() -> None:
    body = b"text=" + b"%F0%9F%94%A5" * 40_000
    assert (await through(body, signed(body, NOW))).status_code == 200


async def test_a_larger_body_is_refused_whether_stated_or_streamed() -> None:
    body = b"text=" + b"x" * MOST_BYTES

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 65_536):
            yield body[at : at + 65_536]

    assert (await through(body, signed(body, NOW))).status_code == 413
    assert (await through(chunks(), signed(body, NOW))).status_code == 413


async def test_a_length_that_lies_is_counted() -> None:
    headers = signed(BODY, NOW) | {"content-length": "9" * 5000}
    assert (await through(BODY, headers)).status_code == 413


JUNK = {
    "not UTF-8": (b"text=\xff\xfe", FORM),
    "bad JSON": (b"{", JSON),
    "a JSON array": (b"[]", JSON),
    "JSON null": (b"null", JSON),
    "a JSON text": (b'"x"', JSON),
    "a number too long to read": (b'{"a": ' + b"9" * 5000 + b"}", JSON),
    "100,000 brackets": (b"[" * 100_000, JSON),
    "100,000 braces": (b'{"a":' * 100_000, JSON),
    "deeper than Slack": (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), JSON),
    "deep arrays": (b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", JSON),
    "a payload that is no JSON": (b"payload=x", FORM),
    "a payload that is an array": (b"payload=%5B%5D", FORM),
    "a payload that is null": (b"payload=null", FORM),
    "an empty payload": (b"payload=", FORM),
    "one good and one bad payload": (b"payload=%7B%7D&payload=1", FORM),
    "a form that is JSON": (b"{x", FORM),
    "a form that begins like JSON": (b"{a=1", FORM),
    "a brace in another type": (b"{x", "text/plain"),
    "no form": (b"hello", FORM),
    "nothing": (b"", FORM),
    "too many fields": (b"a=1&" * 1000, FORM),
    "another type": (b"a=1", "text/plain"),
    "no type": (b"a=1", ""),
    "an upload": (b"--x\r\n", "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize("kind", JUNK)
async def test_signed_junk_is_refused_with_400(kind: str) -> None:
    body, media = JUNK[kind]
    answer = await through(body, signed(body, NOW, media=media))
    assert answer.status_code == 400
    assert len(answer.text) < 100


@pytest.mark.parametrize("kind", JUNK)
async def test_unsigned_junk_is_refused_before_it_is_read(kind: str) -> None:
    body, media = JUNK[kind]
    assert (await through(body, {"content-type": media})).status_code == 401


async def test_a_json_object_passes() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "x", "deep": [[[{}]]]}).encode()
    assert (await through(body, signed(body, NOW, media=JSON + "; charset=utf-8"))).status_code == 200


@given(st.binary(max_size=200), st.sampled_from([FORM, JSON, "", "text/plain"]), st.booleans())
async def test_nothing_breaks_the_guard(body: bytes, media: str, with_signature: bool) -> None:
    headers = signed(body, NOW, media=media) if with_signature else {"content-type": media}
    assert (await through(body, headers)).status_code in (200, 400, 401)


async def test_nothing_of_a_refused_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await through(b"payload=confidential", signed(b"payload=confidential", NOW))
    assert "confidential" not in caplog.text


SENT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(SENT.filter(lambda name: name != "payload"), SENT, min_size=1, max_size=20))
def test_a_form_is_read_as_it_was_written(fields: dict[str, str]) -> None:
    assert json.loads(read_body(urlencode(fields).encode(), FORM)) == fields


@given(st.dictionaries(SENT, SENT | st.integers() | st.lists(SENT)), st.booleans())
def test_of_a_form_with_a_payload_that_is_read(payload: dict[str, object], ascii_only: bool) -> None:
    body = urlencode({"other": "x", "payload": json.dumps(payload, ensure_ascii=ascii_only)})
    assert json.loads(read_body(body.encode(), FORM)) == payload


@given(st.text(st.sampled_from('payload=%{}[]&+"7é0aA:,')))
def test_what_is_read_of_any_form_is_an_object_as_python_reads_it(body: str) -> None:
    try:
        found = json.loads(read_body(body.encode(), FORM))
    except Refused:
        return
    assert isinstance(found, dict)
    fields = dict(parse_qsl(body, keep_blank_values=True))
    if not body.startswith("{") and "%" not in body:  # escapes that are none, or no UTF-8, are read in either way
        assert found == (json.loads(fields["payload"]) if "payload" in fields else fields)
