"""How often somebody may ask: by a clock that the tests turn."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from hypothesis import given
from hypothesis import strategies as st

from bot.rates import MOST_BUCKETS, Paced, Rates, address_of, bearing, note


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def used_up(rates: Rates, who: str) -> int:
    taken = 0
    while rates.take(who).allowed:
        taken += 1
    return taken


def test_a_quarter_of_a_minute_may_come_at_once_and_the_rest_at_the_rate(clock: Clock) -> None:
    rates = Rates(600, clock)
    assert used_up(rates, "one") == 150
    clock.now += 1
    assert used_up(rates, "one") == 10
    clock.now += 3600
    assert used_up(rates, "one") == 150


def test_ten_may_come_at_once_at_the_least(clock: Clock) -> None:
    assert used_up(Rates(1, clock), "one") == 10


def test_one_does_not_take_from_another(clock: Clock) -> None:
    rates = Rates(600, clock)
    used_up(rates, "one")
    assert rates.take("other").remaining == 149


def test_a_verdict_says_what_is_left_and_how_long_to_wait(clock: Clock) -> None:
    rates = Rates(60, clock)
    assert rates.take("one")[1:] == (True, 14, 1, 0)
    assert rates.take("one", 14)[1:] == (True, 0, 15, 0)
    refused = rates.take("one")
    assert (refused.allowed, refused.limit, refused.remaining, refused.reset_s, refused.retry_after_s) == (
        False,
        60,
        0,
        15,
        1,
    )
    assert rates.take("one", 10).retry_after_s == 10
    clock.now += 10
    assert rates.take("one", 10).allowed


def test_whoever_waits_as_long_as_is_said_is_let_through(clock: Clock) -> None:
    rates = Rates(7, clock)
    used_up(rates, "one")
    clock.now += rates.take("one").retry_after_s
    assert rates.take("one").allowed


def test_to_be_refused_costs_nothing(clock: Clock) -> None:
    rates = Rates(60, clock)
    used_up(rates, "one")
    for _ in range(1000):
        assert not rates.take("one").allowed
    clock.now += 1
    assert rates.take("one").allowed


def test_to_look_costs_nothing(clock: Clock) -> None:
    rates = Rates(60, clock)
    for _ in range(100):
        assert rates.take("one", 0)[1:3] == (True, 15)
    used_up(rates, "one")
    assert not rates.take("one", 0).allowed


def test_more_than_a_bucket_holds_is_its_whole_content(clock: Clock) -> None:
    assert Rates(60, clock).take("one", 1000)[1:3] == (True, 0)


def test_the_headers_are_those_of_the_draft(clock: Clock) -> None:
    rates = Rates(600, clock)
    assert rates.take("one", 120).fields() == [
        (b"ratelimit-policy", b'"default";q=600;w=60'),
        (b"ratelimit", b'"default";r=30;t=12'),
    ]
    used_up(rates, "one")
    assert rates.take("one").fields()[2] == (b"retry-after", b"1")


def test_memory_is_bounded_and_a_flood_of_addresses_resets_nobody(clock: Clock) -> None:
    rates = Rates(600, clock)
    used_up(rates, "one")
    for number in range(3 * MOST_BUCKETS):
        rates.take(f"198.51.100.{number}")
    assert len(rates._requests) == MOST_BUCKETS
    assert not rates.take("one").allowed
    clock.now += 1
    assert used_up(rates, "one") == 10


def test_a_flood_of_addresses_that_use_all_they_have_leaves_newcomers_the_rate(clock: Clock) -> None:
    rates = Rates(600, clock, most=10)
    for number in range(20_000):
        rates.take(f"flood {number}", 150)
    clock.now += 1
    assert 10 <= used_up(rates, "newcomer") <= 150


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.floats(0, 3)), max_size=60))
def test_nobody_ever_gets_more_than_the_burst_and_the_rate(calls: list[tuple[int, int, float]]) -> None:
    """Also where the table is so small that all but two are let go all the time."""
    clock = Clock()
    rates = Rates(60, clock, most=2)
    taken: dict[int, int] = {}
    for who, cost, pause in calls:
        clock.now += pause
        if rates.take(str(who), cost).allowed:
            taken[who] = taken.get(who, 0) + cost
        assert taken.get(who, 0) <= 15 + (clock.now - 1000) + 1e-6


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "unknown"),
    ],
)
def test_an_address_counts_by_what_one_host_has(address: str, counted: str) -> None:
    assert address_of({"client": (address, 1)}) == counted


def test_whoever_has_no_address_shares_one_bucket() -> None:
    assert address_of({"client": None}) == address_of({}) == "unknown"


def service(rates: Rates, keyed: bool = False) -> httpx.AsyncClient:
    api = FastAPI()

    @api.get("/{path:path}")
    async def any_page(path: str, request: Request) -> PlainTextResponse:
        if path == "v1" and "authorization" in request.headers:
            verdict = rates.take(f"key {request.headers['authorization']}")
            note(request.scope, verdict)
            if not verdict.allowed:
                return PlainTextResponse("", 429)
        return PlainTextResponse("")

    paced = Paced(api, rates, bearing("whydrop_key") if keyed else None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(paced), base_url="http://localhost")


async def test_everybody_is_told_and_whoever_asks_too_often_is_refused(clock: Clock) -> None:
    async with service(Rates(20, clock)) as client:
        answers = [await client.get("/") for _ in range(11)]
        assert [one.status_code for one in answers] == [200] * 10 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"default";q=20;w=60'
        assert answers[0].headers["ratelimit"] == '"default";r=9;t=3'
        assert "retry-after" not in answers[0].headers
        assert answers[10].headers["retry-after"] == "3"
        assert answers[10].headers["content-type"] == "application/problem+json"
        assert answers[10].json()["detail"] == "ask again in 3 seconds"
        clock.now += 3
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version", "/metrics", "/static/page.css"])
async def test_machines_may_always_ask_how_it_is(clock: Clock, path: str) -> None:
    async with service(Rates(1, clock)) as client:
        answers = [await client.get(path) for _ in range(30)]
    assert {one.status_code for one in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_a_key_has_a_bucket_of_its_own(clock: Clock) -> None:
    async with service(Rates(1, clock), keyed=True) as client:
        by_key = [await client.get("/v1", headers={"authorization": "a"}) for _ in range(11)]
        assert [one.status_code for one in by_key] == [200] * 10 + [429]
        assert by_key[10].headers.get_list("retry-after") == ["60"]
        assert by_key[10].headers.get_list("ratelimit") == ['"default";r=0;t=600']
        assert (await client.get("/v1", headers={"authorization": "b"})).status_code == 200
        assert (await client.get("/v1")).headers["ratelimit"] == '"default";r=9;t=60'


@pytest.mark.parametrize("header", [{"authorization": "made up"}, {"cookie": "a=b; whydrop_key=made up"}])
async def test_a_key_that_nobody_looked_at_opens_no_way_around(clock: Clock, header: dict[str, str]) -> None:
    async with service(Rates(1, clock), keyed=True) as client:
        answers = [await client.get("/handbook", headers=header) for _ in range(12)]
        assert [one.status_code for one in answers] == [200] * 10 + [429] * 2
        assert (await client.get("/handbook", headers={"cookie": "other=1"})).status_code == 200
