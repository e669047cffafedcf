"""Slack as it runs: signed requests to uvicorn on a loopback port, answers at a stand-in for the response_url."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote, urlencode

import anyio
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.rest import create_app
from bot.settings import Settings
from bot.slack.app import InThread, slack_app
from knowledge.load import load_shelf
from rules.case import Case
from rules.diagnose import Expert
from tests.loopback_slack import (
    FORM,
    SECRET,
    Asker,
    Fields,
    ResponseUrl,
    ResponseUrls,
    buttons,
    labelled,
    labels,
    problems,
    running,
    signed,
)
from tests.service import set_up

T = TypeVar("T")
JSON = "application/json"
SETTINGS = Settings(slack_signing_secret=SecretStr(SECRET))
LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface dmz"
)


async def in_thread(work: Callable[[], T], /) -> T:
    return await anyio.to_thread.run_sync(work)


@pytest.fixture(scope="module")
def expert() -> Expert:
    return Expert(load_shelf())


@contextmanager
def served(expert: Expert, thread: InThread = in_thread, how: Settings = SETTINGS) -> Iterator[str]:
    """Run Slack alone, mounted as in our service."""
    api = FastAPI()
    api.mount("/slack", slack_app(how, thread, expert))
    with running(api) as address:
        yield address


@pytest.fixture(scope="module")
def service(expert: Expert, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("slack") / "cases.sqlite3"
    with running(create_app(set_up(file, slack_signing_secret=SecretStr(SECRET)), expert)) as address:
        yield address


@pytest.fixture(scope="module")
def opening() -> Iterator[Callable[[], ResponseUrl]]:
    urls = ResponseUrls()
    with running(urls.app) as address:
        yield lambda: urls.open(address)


@pytest.fixture
def slack(opening: Callable[[], ResponseUrl]) -> ResponseUrl:
    return opening()


@pytest.fixture
def asker(service: str, slack: ResponseUrl) -> Asker:
    return Asker(service, slack.address)


def test_the_command_is_acknowledged_and_answered_to_the_asker(asker: Asker, slack: ResponseUrl) -> None:
    ack = asker.command(LINE)
    assert (ack.status_code, ack.text) == (200, "")
    message = slack.next()
    assert message["response_type"] == "ephemeral"
    assert message["replace_original"] is False
    assert "192.0.2.10:443 to 198.51.100.7:51515; flags SYN+ACK" in message["text"]
    assert problems(message) == []
    assert "I don't know" in labels(message)


def test_the_acknowledgement_does_not_wait_for_the_answer(expert: Expert, slack: ResponseUrl) -> None:
    gate = threading.Event()

    async def held(work: Callable[[], T], /) -> T:
        return await anyio.to_thread.run_sync(lambda: (gate.wait(10), work())[1])

    with served(expert, held) as service:
        began = time.monotonic()
        assert Asker(service, slack.address).command(LINE).status_code == 200
        assert time.monotonic() - began < 1
        assert slack.posted.empty()
        gate.set()
        assert "192.0.2.10" in slack.next()["text"]


def test_a_conversation_goes_on_until_the_end(asker: Asker, slack: ResponseUrl, expert: Expert) -> None:
    """Always take the first answer: it ends with a verdict, and the verdict is the pure function's."""
    asker.command(LINE)
    message = slack.next()
    asked: dict[str, object] = {}
    while "I don't know" in labels(message):
        question = expert.diagnose(Case(paste=LINE, answers=asked)).question  # type: ignore[arg-type]
        assert question
        assert question.text in message["text"]
        asked[question.feature] = question.choices[0].value
        assert len(asked) < 30
        assert asker.press(labelled(message, question.choices[0].label)).text == ""
        message = slack.next()
        assert message["replace_original"] is True
    verdict = expert.diagnose(Case(paste=LINE, answers=asked)).verdict  # type: ignore[arg-type]
    assert verdict
    for words in (verdict.title, "What happens", "What speaks for it", "What would refute it", "Check: ", "Sources"):
        assert words in message["text"]
    assert labels(message) == ["Change an answer"]


def test_what_nobody_knows_is_never_asked_again(asker: Asker, slack: ResponseUrl) -> None:
    asker.command("Deny TCP")
    message = slack.next()
    questions = []
    while "I don't know" in labels(message):
        questions.append(message["text"].partition("*Question*\n")[2].partition("\n")[0])
        assert len(questions) < 60
        asker.press(labelled(message, "I don't know"))
        message = slack.next()
    assert len(set(questions)) == len(questions) > 0


def test_every_button_leads_to_a_message_that_slack_takes(asker: Asker, slack: ResponseUrl) -> None:
    asker.command(LINE)
    waiting = [slack.next()]
    for _ in range(12):
        for button in buttons(waiting.pop(0)):
            assert asker.press(button).status_code == 200
            waiting.append(slack.next())
            assert problems(waiting[-1]) == []


def test_why_explains_and_leads_back(asker: Asker, slack: ResponseUrl) -> None:
    asker.command(LINE)
    message = slack.next()
    asker.press(labelled(message, "Why do you ask?"))
    why = slack.next()
    assert "What each answer would change" in why["text"]
    asker.press(labelled(why, "Back"))
    back = slack.next()
    assert (back["text"], back["blocks"]) == (message["text"], message["blocks"])


def test_a_changed_answer_is_as_good_as_a_fresh_case(asker: Asker, slack: ResponseUrl) -> None:
    asker.command(LINE)
    first = slack.next()
    asker.press(labelled(first, labels(first)[1]))
    fresh = slack.next()
    asker.press(labelled(first, labels(first)[0]))
    asker.press(labelled(slack.next(), "Change an answer"))
    asker.press(labelled(slack.next(), "Take back"))
    again = slack.next()
    assert again["blocks"] == first["blocks"]
    asker.press(labelled(again, labels(first)[1]))
    assert slack.next() == fresh


@pytest.mark.parametrize("text", ["", "help"])
def test_help(asker: Asker, slack: ResponseUrl, text: str) -> None:
    asker.command(text)
    assert "/whydrop" in slack.next()["text"]


@pytest.mark.parametrize("word", ["payload", "&payload=1", "payload={}"])
def test_a_line_with_the_word_payload_arrives(asker: Asker, slack: ResponseUrl, word: str) -> None:
    """Bolt alone takes any form with that word for a button press and loses it."""
    assert asker.command(f"{LINE} {word}").status_code == 200
    assert "192.0.2.10" in slack.next()["text"]


def test_several_lines_arrive(asker: Asker, slack: ResponseUrl) -> None:
    asker.command(f"{LINE}\n{LINE.replace('51515', '51516')}")
    text = slack.next()["text"]
    assert "Line 1" in text
    assert "Line 2" in text


def test_slacks_escapes_are_undone_and_done_again(asker: Asker, slack: ResponseUrl) -> None:
    asker.command("a &lt;b&gt; &amp; c")
    assert "a &lt;b&gt; &amp; c" in slack.next()["text"]


HOSTILE = {
    "mentions": "<!channel> <!here> <!everyone> <@U123> <#C123> <!subteam^S1> @channel @here @everyone",
    "links": "<https://evil.example|https://good.example> https://evil.example",
    "formatting": "*bold* _italic_ ~gone~ `code` > quote",
    "a fence": "``` ````` ```` ` ``",
    "bidi": "abc \u202e drop \u2066 \u200f \u061c",
    "NULs": "a\x00b\x01\x1b[31m\x7f\x9b",
    "lone surrogates": "a \\ud800 b",
    "entities": "&amp;lt;!channel&amp;gt; &lt;!channel&gt; &#60;!channel&#62; &#x3c;!here&#x3e;",
    "long": "x" * 40_000,
    "long and wide": "🔥" * 40_000,
    "many lines": "x\n" * 19_000,
    "emoji": ":fire: :100:",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("around", ["{}", LINE.replace("dmz", "{}"), LINE.replace("192.0.2.10", "{}")])
def test_nothing_pasted_becomes_a_mention_or_formatting(
    asker: Asker, slack: ResponseUrl, kind: str, around: str
) -> None:
    assert asker.command(around.format(HOSTILE[kind])).status_code == 200
    message = slack.next()
    assert problems(message) == []
    for text in (message["text"], *(block["text"]["text"] for block in message["blocks"] if "text" in block)):
        assert not any(
            mark in text for mark in ("<", ">", "@here", "@channel", "@everyone", "\u202e", "\u2066", "\x00")
        )
        outside = "".join(text.split("```")[::2])
        assert not any(word in outside for word in ("evil", "bold", "gone", ":fire:", "🔥", "xxx"))


@pytest.mark.parametrize("body", ["%ED%A0%80", "%FF%FE", "%01", "%u0041", "%"])
def test_a_text_that_is_not_utf8_is_answered_too(asker: Asker, slack: ResponseUrl, body: str) -> None:
    form = f"command=%2Fwhydrop&text={body}&response_url={quote(asker.response_url, safe='')}"
    assert asker.send(form.encode()).status_code == 200
    assert "What I could not read" in slack.next()["text"]


def test_forged_buttons_are_told_to_start_again(asker: Asker, slack: ResponseUrl) -> None:
    asker.command(LINE)
    button = buttons(slack.next())[0]
    for forged in ("", "x", "1.AAAA", button["value"][:-9], button["value"] + "A", "\ud800", "1." + "A" * 5000, None):
        assert asker.press({**button, "value": forged}).status_code == 200
        message = slack.next()
        assert "from an older whydrop" in message["text"]
        assert message["replace_original"] is False


def test_a_button_that_is_not_ours_is_not_answered(asker: Asker, slack: ResponseUrl) -> None:
    button = {"type": "button", "action_id": "other:go:1", "value": "x", "text": {"type": "plain_text", "text": "x"}}
    assert asker.press(button).status_code == 404
    assert slack.posted.empty()


# Refusals: only what Slack signed, only now, and never a 500.


def post(service: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.post(f"{service}/slack/events", content=body, headers=headers, timeout=10)


def form(text: str = LINE) -> bytes:
    return urlencode({"command": "/whydrop", "text": text, "response_url": "http://127.0.0.1:9/"}).encode()


REFUSED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "unsigned": lambda _: {"content-type": FORM},
    "wrongly signed": lambda body: signed(body, secret="another"),
    "signed for another body": lambda body: signed(body + b"x"),
    "stale": lambda body: signed(body, time.time() - 301),
    "ahead": lambda body: signed(body, time.time() + 360),
    "an hour ago": lambda body: signed(body, time.time() - 3600),
    "without a timestamp": lambda body: {**signed(body), "x-slack-request-timestamp": ""},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_slack_did_not_sign_now_is_refused(service: str, kind: str) -> None:
    body = form()
    assert post(service, body, REFUSED[kind](body)).status_code == 401


SEVEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "a timestamp that is no number": (form(), {"content-type": FORM, "x-slack-request-timestamp": "abc"}),
    "a body that is not UTF-8": (b"\xff\xfe", {"content-type": FORM}),
    "bad JSON": (b"{", {"content-type": JSON}),
    "a JSON array": (b"[1]", {"content-type": JSON}),
    "JSON null": (b"null", {"content-type": JSON}),
    "100,000 brackets": (b"[" * 100_000, {"content-type": JSON}),
    "a signature that is not ASCII": (form(), {"content-type": FORM, "x-slack-signature": "v0=é"}),
}


@pytest.mark.parametrize("kind", SEVEN)
def test_unsigned_junk_never_reaches_bolt(service: str, kind: str) -> None:
    body, headers = SEVEN[kind]
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = httpx.post(f"{service}/slack/events", content=body, headers=raw, timeout=10)  # type: ignore[arg-type]
    assert answer.status_code == 401


@pytest.mark.parametrize("kind", SEVEN)
def test_signed_junk_is_refused_too(service: str, kind: str) -> None:
    body, headers = SEVEN[kind]
    raw = {name: value.encode("latin-1") for name, value in (signed(body) | headers).items()}
    answer = httpx.post(f"{service}/slack/events", content=body, headers=raw, timeout=10)  # type: ignore[arg-type]
    assert answer.status_code in (400, 401)


def test_a_body_that_is_too_large_is_refused(service: str) -> None:
    body = form("x" * 600_000)
    assert post(service, body, signed(body)).status_code == 413


def test_only_post_is_answered(service: str) -> None:
    answer = httpx.get(f"{service}/slack/events")
    assert answer.status_code == 405


def test_without_a_secret_slack_is_off(expert: Expert) -> None:
    for off in (Settings(slack_signing_secret=None), Settings(slack_signing_secret=SecretStr(""))):
        with served(expert, how=off) as service:
            assert post(service, form(), signed(form(), secret="x")).status_code == 404


def test_headers_of_bolts_own_cannot_switch_a_listener_off(asker: Asker, slack: ResponseUrl) -> None:
    form = urlencode({"command": "/whydrop", "text": LINE, "response_url": asker.response_url}).encode()
    assert asker.send(form, {"x-slack-bolt-lazy-only": "1"}).status_code == 200
    assert "192.0.2.10" in slack.next()["text"]


KEYS = [
    "type",
    "user",
    "team",
    "enterprise",
    "event",
    "actions",
    "action_id",
    "command",
    "text",
    "response_url",
    "view",
]
KEYS += ["authorizations", "channel", "container", "is_enterprise_install", "message", "callback_id", "ssl_check"]
KEYS += ["challenge", "function_data", "thread_ts", "inputs", "state", "block_id", "value"]
TYPES = ["block_actions", "event_callback", "view_submission", "shortcut", "url_verification", "message"]
TYPES += ["block_suggestion", "interactive_message", "dialog_submission", "workflow_step_edit"]
SCALARS = st.sampled_from([None, 1, 1.5, True, "x", "\ud800", "whydrop:go:1", "/whydrop", *TYPES])
TREES = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(KEYS), one, max_size=5),
    max_leaves=9,
)


@given(st.dictionaries(st.sampled_from(KEYS), TREES, min_size=1, max_size=6), st.booleans())
@settings(deadline=None, max_examples=300)
def test_no_signed_shape_is_answered_with_500(expert: Expert, shape: Fields, as_payload: bool) -> None:
    body = json.dumps(shape).encode()
    body, media = (urlencode({"payload": body}).encode(), FORM) if as_payload else (body, JSON)

    async def status() -> int:
        transport = httpx.ASGITransport(slack_app(SETTINGS, in_thread, expert))
        async with httpx.AsyncClient(transport=transport, base_url="http://slack") as client:
            return (await client.post("/events", content=body, headers=signed(body, media=media))).status_code

    assert anyio.run(status) in (200, 400, 404)


# The response_url: slow, failing, refusing, gone.


def text(status: int, body: str = "", **headers: str) -> Response:
    return PlainTextResponse(body, status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "first",
    [text(429, "rate_limited", retry_after="1"), text(500), text(502), text(503)],
    ids=["429", "500", "502", "503"],
)
def test_a_failing_response_url_is_tried_again(asker: Asker, slack: ResponseUrl, first: Response) -> None:
    slack.planned.append(first)
    asker.command(LINE)
    assert slack.next() == slack.next()


@pytest.mark.parametrize(
    "refusal", [text(400, "invalid_blocks"), JSONResponse({"ok": False, "error": "invalid_blocks"})]
)
def test_refused_blocks_fall_back_to_words(asker: Asker, slack: ResponseUrl, refusal: Response) -> None:
    slack.planned.append(refusal)
    asker.command(LINE)
    refused, plain = slack.next(), slack.next()
    assert "blocks" in refused
    assert "blocks" not in plain
    assert plain["text"].startswith(refused["text"])
    assert "The buttons for an answer could not be shown here" in plain["text"]


def test_an_answer_that_cannot_be_delivered_is_logged_and_the_next_one_is(
    asker: Asker, slack: ResponseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        nobody = Asker(asker.service, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        assert nobody.command(LINE).status_code == 200
        wait_for(lambda: "an answer was not delivered" in caplog.text)
    asker.command(LINE)
    assert "192.0.2.10" in slack.next()["text"]


@pytest.mark.parametrize(
    "address", ["", "no address", "ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:0/"]
)
def test_an_address_that_is_none_is_logged(asker: Asker, address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Asker(asker.service, address).command(LINE).status_code == 200
    wait_for(lambda: "an answer was not delivered" in caplog.text)


def test_a_gone_response_url_is_given_up(asker: Asker, slack: ResponseUrl, caplog: pytest.LogCaptureFixture) -> None:
    slack.planned.extend([text(404, "expired_url"), text(404, "expired_url")])
    asker.command(LINE)
    wait_for(lambda: "an answer was not delivered: 404" in caplog.text)


@pytest.mark.parametrize("pause", ["3600", "soon"])
def test_nobody_waits_for_ever(
    asker: Asker, slack: ResponseUrl, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, pause: str
) -> None:
    monkeypatch.setattr("bot.slack.app._PATIENCE_S", 0.5)
    slack.planned.append(text(429, "rate_limited", retry_after=pause))
    asker.command(LINE)
    wait_for(lambda: "an answer was not delivered" in caplog.text)


def test_a_limited_rate_is_no_reason_to_leave_the_buttons_out(
    asker: Asker, slack: ResponseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    slack.planned.extend([text(429, "rate_limited", retry_after="0")] * 4)
    asker.command(LINE)
    wait_for(lambda: "an answer was not delivered: 429" in caplog.text)
    while not slack.posted.empty():
        assert "blocks" in slack.next()


def wait_for(came: Callable[[], bool]) -> None:
    for _ in range(1000):
        if came():
            return
        time.sleep(0.01)
    pytest.fail("it never came")


def test_a_fault_of_ours_is_told_and_logged_without_the_paste(
    expert: Expert, slack: ResponseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(work: Callable[[], T], /) -> T:
        raise RuntimeError(f"confidential {work}")

    with served(expert, broken) as service:
        assert Asker(service, slack.address).command("confidential").status_code == 200
        assert "Something went wrong here" in slack.next()["text"]
    assert "unexpected RuntimeError at" in caplog.text
    assert "confidential" not in caplog.text


def test_nothing_that_was_pasted_is_logged(asker: Asker, slack: ResponseUrl, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    slack.planned.append(text(400, "invalid_blocks"))
    asker.command("confidential")
    assert "confidential" in slack.next()["text"]
    assert "confidential" in slack.next()["text"]
    body = form("confidential")
    post(asker.service, body, signed(body, secret="another"))
    assert "confidential" not in caplog.text
