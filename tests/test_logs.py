"""Logs: JSON, one line each, and nothing in them that somebody pasted, asked for or sent along."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from bot.limits import Shield
from bot.logs import Lines, configure_logs, log_request
from bot.telemetry import REQUEST, Seen, Watch

SECRET = "s3cret-198.51.100.7"
SEEN = Seen("GET", "/v1/cases/{case}", 200, 0.0123456, 10, 20, "id1", None, None, "private")


class Logged(io.StringIO):
    """A stream that logs go to."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def logged() -> Iterator[Logged]:
    names = ("", "whydrop", "uvicorn", "uvicorn.error", "uvicorn.access")
    before = [
        (its, [*its.handlers], its.level, its.propagate) for its in (logging.getLogger(name or None) for name in names)
    ]
    stream = Logged()
    configure_logs(stream)
    yield stream
    logging.captureWarnings(capture=False)
    for its, handlers, level, propagate in before:
        its.handlers[:], its.propagate = handlers, propagate
        its.setLevel(level)


def test_a_request_is_one_line(logged: Logged) -> None:
    log_request(SEEN)
    (line,) = logged.lines
    assert line.pop("time")[-5:] == logged.lines[0]["time"][-5:]
    assert line == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "route": "/v1/cases/{case}",
        "status": 200,
        "ms": 12.346,
        "in": 10,
        "out": 20,
        "request": "id1",
        "peer": "private",
    }


def test_times_are_utc_to_the_millisecond() -> None:
    record = logging.LogRecord("whydrop", logging.INFO, "", 0, "x", None, None)
    record.created = 1_700_000_000.0625
    assert json.loads(Lines().format(record))["time"] == "2023-11-14T22:13:20.062Z"


def test_a_known_caller_is_named_and_a_fault_is_an_error(logged: Logged) -> None:
    log_request(SEEN._replace(key="laptop\n{", workspace="net", status=500))
    (line,) = logged.lines
    assert (line["key"], line["workspace"], line["level"]) == ("laptop\n{", "net", "error")


async def test_nothing_that_a_request_brings_is_logged(logged: Logged) -> None:
    api = FastAPI()
    api.add_middleware(Shield)
    api.add_middleware(Watch, ended=[log_request])

    @api.post("/v1/{case}")
    async def broken(request: Request) -> None:
        body = (await request.body()).decode()
        try:
            raise KeyError(body)
        except KeyError as first:
            raise RuntimeError(body) from first

    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://localhost") as client:
        brought = {"user-agent": SECRET, "authorization": SECRET, "referer": SECRET, "x-request-id": f"{SECRET} "}
        await client.post(f"/v1/{SECRET}?q={SECRET}", content=SECRET, headers=brought | {"x-request-id": f"({SECRET})"})
        await client.request(SECRET.upper(), f"/{SECRET}", headers={"cookie": SECRET})
    assert SECRET.lower() not in logged.getvalue().lower()
    fault, first, second = logged.lines
    assert "RuntimeError at " in fault["text"]
    assert fault["request"] == first["request"]
    assert (first["route"], first["status"]) == ("/v1/{case}", 500)
    assert (second["route"], second["method"], second["status"]) == ("other", "other", 404)


def test_an_exception_is_told_by_its_type_and_place(logged: Logged) -> None:
    for name in ("whydrop", "uvicorn.error", "asyncio"):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger(name).exception("broken")
    assert SECRET not in logged.getvalue()
    for line in logged.lines:
        assert line["exception"] == "ValueError"
        assert "test_logs.py:" in line["at"]


def test_words_of_others_are_left_out(logged: Logged) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", ValueError(SECRET))
    logging.getLogger("slack_bolt.App").warning(f"failed: {SECRET}")  # noqa: G004
    assert SECRET not in logged.getvalue()
    assert [line["logger"] for line in logged.lines] == ["asyncio", "slack_bolt.App"]
    assert all("test_logs.py:" in line["said at"] for line in logged.lines)


def test_of_uvicorn_the_start_is_told_but_no_path_and_no_traceback(logged: Logged) -> None:
    error = logging.getLogger("uvicorn.error")
    error.info("Uvicorn running on %s://%s:%d", "http", "127.0.0.1", 8000)
    error.info('%s - "WebSocket %s" 403', "192.0.2.1", f"/{SECRET}")
    error.error(f"Traceback (most recent call last):\n{SECRET}")
    error.error("ASGI callable should return None, but returned '%s'.", SECRET)
    error.error(OSError(98, "address already in use"))
    error.warning("")
    logging.getLogger("uvicorn.access").info('"GET /%s"', SECRET)
    assert [line["text"] for line in logged.lines] == [
        "Uvicorn running on http://127.0.0.1:8000",
        '%s - "WebSocket %s" 403',
        "Traceback (most recent call last):",
        "ASGI callable should return None, but returned '%s'.",
        "[Errno 98] address already in use",
        "",
    ]


def test_our_own_words_cannot_end_the_line(logged: Logged) -> None:
    logging.getLogger("whydrop").warning('one\r\n{"two": %s}\u2028\ud800', 2)
    assert len(logged.getvalue().splitlines()) == 1
    assert logged.lines[0]["text"] == 'one\r\n{"two": 2}\u2028\ud800'


def test_a_message_bears_the_id_of_its_request(logged: Logged) -> None:
    token = REQUEST.set("id1")
    logging.getLogger("whydrop").warning("inside")
    REQUEST.reset(token)
    logging.getLogger("whydrop").warning("outside")
    assert [line.get("request") for line in logged.lines] == ["id1", None]


def test_a_warning_of_python_is_a_line_too(logged: Logged) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        configure_logs(logged)
        warnings.warn(SECRET, stacklevel=1)
    assert [line["logger"] for line in logged.lines] == ["py.warnings"]
    assert SECRET not in logged.getvalue()


def test_to_configure_twice_logs_once(logged: Logged) -> None:
    configure_logs(logged)
    log_request(SEEN)
    assert len(logged.lines) == 1


def test_a_stream_that_is_gone_keeps_nobody_from_being_answered(
    logged: Logged, capsys: pytest.CaptureFixture[str]
) -> None:
    logged.close()
    log_request(SEEN)
    assert capsys.readouterr().err == ""


def test_nothing_is_written_where_nobody_wants_it(logged: Logged) -> None:
    logging.getLogger("whydrop").setLevel(logging.ERROR)
    log_request(SEEN)
    assert logged.getvalue() == ""
