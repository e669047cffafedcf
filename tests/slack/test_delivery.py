"""Deliveries: retries, doubles, disorder and slowness over HTTP; reconnects and silence over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.slack.delivery import HttpDoor, Round
from tests.slack.loopback import Loopback, loopback, serving, serving_here
from tests.slack.people import Person, person
from tests.slack.small_app import QUIET, Heard, over_http, small_app
from tests.slack.workspace import APP_TOKEN, Channel

Answer = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    async with serving(Starlette(routes=[Route("/slack/events", answer, methods=["POST"])])) as url:
        yield f"{url}/slack/events"


@pytest.fixture
async def town() -> AsyncIterator[Loopback]:
    async with loopback() as town:
        yield town


def alice_in(town: Loopback) -> tuple[Person, Channel]:
    alice = person(town, "alice")
    return alice, town.channel("ops", alice.id)


async def test_an_event_comes_again_until_it_is_taken_and_says_why(town: Loopback) -> None:
    alice, ops = alice_in(town)
    told: list[tuple[str | None, str | None]] = []

    async def answer(request: Request) -> Response:
        told.append((request.headers.get("x-slack-retry-num"), request.headers.get("x-slack-retry-reason")))
        return PlainTextResponse("", 200 if len(told) > 2 else 500)

    async with answering(answer) as url:
        town.over_http(url)
        ack = await alice.mentions(ops, "why?")
    assert told == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert (ack.good, ack.retry and ack.retry.number) == (True, 2)
    assert town.round
    assert len({one.parcel.payload["event_id"] for one in town.round.acks}) == 1


async def test_an_event_that_nobody_takes_comes_four_times_and_a_command_once(town: Loopback) -> None:
    alice, ops = alice_in(town)
    town.over_http("http://127.0.0.1:9/slack/events")
    assert (await alice.mentions(ops, "why?")).body == "connection_failed"
    assert (await alice.types("/whydrop line")).status is None
    assert town.round
    assert [one.parcel.kind for one in town.round.acks] == ["events_api"] * 4 + ["slash_commands"]


async def test_an_app_can_ask_for_no_retry(town: Loopback) -> None:
    alice, ops = alice_in(town)

    async def answer(_request: Request) -> Response:
        return PlainTextResponse("", 500, {"x-slack-no-retry": "1"})

    async with answering(answer) as url:
        town.over_http(url)
        await alice.mentions(ops, "why?")
    assert town.round
    assert [one.status for one in town.round.acks] == [500]


async def test_an_app_that_is_too_slow_has_not_taken_it(town: Loopback) -> None:
    alice, _ = alice_in(town)

    async def answer(request: Request) -> Response:
        await request.body()
        await request.receive()  # until Slack has gone
        return PlainTextResponse()

    async with answering(answer) as url:
        town.over_http(url, patience=0.05)
        ack = await alice.types("/whydrop slow")
    assert (ack.status, ack.body) == (None, "http_timeout")
    assert ack.seconds >= 0.05
    assert town.round
    assert town.round.slowest() == ack.seconds


async def test_a_request_url_is_verified_by_its_answer_to_the_challenge() -> None:
    async def good(request: Request) -> Response:
        return JSONResponse({"challenge": (await request.json())["challenge"]})

    async def bad(_request: Request) -> Response:
        return JSONResponse({"challenge": "x"})

    async with answering(good) as url:
        assert (await HttpDoor(url).verify()).good
    async with answering(bad) as url:
        assert not (await HttpDoor(url).verify()).good


async def test_an_app_with_a_lifespan_runs_in_the_loop_of_the_test(town: Loopback) -> None:
    alice, ops = alice_in(town)
    lived: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        lived.append("began")
        yield
        lived.append("ended")

    async def answer(request: Request) -> Response:
        assert "command=%2Fwhydrop" in (await request.body()).decode()
        return JSONResponse({"response_type": "in_channel", "text": "For all."})

    app = Starlette(routes=[Route("/slack/events", answer, methods=["POST"])], lifespan=lifespan)
    async with serving_here(app) as url:
        town.over_http(f"{url}/slack/events")
        await alice.types("/whydrop line", ops)
        assert [(m.words(), m.private) for m in alice.sees(ops)] == [("For all.", False)]
        assert lived == ["began"]
    assert lived == ["began", "ended"]


async def test_bolt_takes_what_is_signed_and_nothing_else(town: Loopback) -> None:
    alice, ops = alice_in(town)
    app = small_app(town.client(next(iter(town.slack.tokens))), Heard())
    async with serving(over_http(app)) as url:
        assert (await HttpDoor(f"{url}/slack/events").verify()).good
        town.over_http(f"{url}/slack/events", secret="another")
        assert (await alice.types("/whydrop line", ops)).status == 401


async def test_a_parcel_is_delivered_twice_at_once_and_parcels_in_disorder(town: Loopback) -> None:
    alice, ops = alice_in(town)
    heard = Heard()
    app = small_app(town.client(next(iter(town.slack.tokens))), heard)
    async with serving(over_http(app)) as url:
        door = town.over_http(f"{url}/slack/events")
        round_ = Round(door)
        first, second = alice.mention(ops, "one"), alice.mention(ops, "two")
        acks = await round_.repeat(first, 3)
        assert [ack.good for ack in acks] == [True] * 3
        assert [ack.retry.number if ack.retry else 0 for ack in acks] == [0, 1, 2]
        await town.until(lambda: len(town.faults.of("chat.postMessage")) == 3)  # this app does not look at event_id
        await round_.disordered([first, second])
        await town.until(lambda: len(town.faults.of("chat.postMessage")) == 5)
    assert [body["event"]["text"][-3:] for body in heard.events[3:]] == ["two", "one"]


@asynccontextmanager
async def in_socket_mode(
    town: Loopback, heard: Heard, connections: int = 1, ping: float = 10
) -> AsyncIterator[list[AsyncSocketModeHandler]]:
    handlers = []
    for _ in range(connections):
        app = small_app(town.client(next(iter(town.slack.tokens))), heard)
        handlers.append(AsyncSocketModeHandler(app, APP_TOKEN, logger=QUIET, ping_interval=ping))
    for handler in handlers:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    await town.until(lambda: len(town.sockets.open) == connections)
    try:
        yield handlers
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


async def test_without_a_connection_nothing_arrives(town: Loopback) -> None:
    alice, ops = alice_in(town)
    town.over_socket_mode()
    assert (await alice.types("/whydrop line", ops)).status is None


async def test_each_parcel_goes_over_one_of_the_connections(town: Loopback) -> None:
    alice, ops = alice_in(town)
    async with in_socket_mode(town, Heard(), connections=2):
        town.over_socket_mode()
        for _ in range(4):
            assert (await alice.types("/whydrop now", ops)).good
        assert [len(one.told) for one in town.sockets.open] == [2, 2]
    assert len(alice.sees(ops)) == 4
    assert town.sockets.strange == []


async def test_an_app_comes_back_when_slack_asks_it_to(town: Loopback) -> None:
    alice, ops = alice_in(town)
    async with in_socket_mode(town, Heard()):
        town.over_socket_mode()
        before = town.sockets.accepted
        await town.sockets.refresh()
        await town.until(lambda: town.sockets.accepted > before and town.sockets.open)
        assert (await alice.types("/whydrop now", ops)).good


async def test_a_connection_that_went_silent_takes_nothing_until_the_client_notices(town: Loopback) -> None:
    alice, ops = alice_in(town)
    async with in_socket_mode(town, Heard(), ping=0.2):
        town.over_socket_mode(patience=0.05)
        (silent,) = town.sockets.go_silent()
        ack = await alice.types("/whydrop now", ops)
        assert (ack.status, ack.seconds >= 0.05) == (None, True)
        await town.until(lambda: any(one is not silent and not one.half_open for one in town.sockets.open))
        town.sockets.open = [one for one in town.sockets.open if one is not silent]
        town.over_socket_mode()
        assert (await alice.types("/whydrop now", ops)).good


async def test_an_event_that_was_not_acknowledged_comes_again_over_a_connection_that_works(town: Loopback) -> None:
    alice, ops = alice_in(town)
    heard = Heard()
    async with in_socket_mode(town, heard, connections=2):
        town.over_socket_mode(patience=0.3)
        town.sockets.open[1].half_open = True
        await alice.mentions(ops, "why?")
        (said,) = alice.sees(ops)
        await alice.reads("Seen.", ops, said)
        assert town.round
        assert [(ack.status, ack.retry and ack.retry.reason) for ack in town.round.acks] == [
            (None, None),
            (200, "http_timeout"),
        ]


async def test_socket_mode_takes_app_tokens_and_each_ticket_once(town: Loopback) -> None:
    bot = next(iter(town.slack.tokens))
    client = AsyncWebClient(base_url=town.base_url)
    answer = await client.apps_connections_open(app_token=APP_TOKEN)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(answer["url"]) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            await town.sockets.warn()
            assert (await socket.receive_json())["reason"] == "warning"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(answer["url"])
    for token, error in ((bot, "not_allowed_token_type"), ("xapp-none", "invalid_auth")):
        with pytest.raises(Exception, match=error):
            await client.apps_connections_open(app_token=token)


async def test_an_eleventh_connection_is_closed(town: Loopback) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(town.api.connect()) for _ in range(11)]
        told = [await socket.receive_json() for socket in sockets]
        assert [one["type"] for one in told] == ["hello"] * 10 + ["disconnect"]
        for socket in sockets:
            await socket.close()


async def test_time_in_slack_passes_without_waiting(town: Loopback) -> None:
    before, then = town.slack.ids.ts(), town.slack.clock.now()
    town.slack.clock.advance(3600)
    assert town.slack.clock.now() - then >= 3600
    assert float(town.slack.ids.ts()) - float(before) >= 3600
    with pytest.raises(TimeoutError):
        await town.until(lambda: False, seconds=0.01)
