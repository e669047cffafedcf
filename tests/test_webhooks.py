from __future__ import annotations

import asyncio
import base64
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects import sqlite
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from bot.case_events import Pasted
from bot.cases import Change, NoSuchCase, Store
from bot.deliveries import DELAYS, KEPT, LEASE, LONGEST_WAIT, PATIENCE, Answer, claimed, settled, waiting
from bot.outbox import MOST_WEBHOOKS, ROTATION, Delivery, NoSuchWebhook, TooManyWebhooks, Webhooks, announce
from bot.postman import MOST_OF_WORKSPACE, Postman
from bot.tables import DELIVERIES, Busy
from bot.targets import Reach, RefusedTarget
from tests.clock import Clock
from tests.loopback_receiver import CUT, ENDLESS, SILENT, Receiver, answered, listening, receiving

pytest_plugins = ["tests.postgres"]

ROOT = Path(__file__).parents[1]
ABOUT = {"case": "x", "note": "ü \u2028 \ud800 </script>", "confidence": 0.5}


async def loopback(_name: str, _port: int) -> Iterable[str]:
    return ["127.0.0.1"]


REACH = Reach(lambda address: str(address) == "127.0.0.1", loopback, plain=True)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))  # receivers refuse what is old


@pytest.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[Store]:
    async with Store.open(url, clock) as opened:
        await opened.migrate()
        yield opened


@pytest.fixture
def webhooks(store: Store) -> Webhooks:
    return Webhooks(store, REACH)


@pytest.fixture
def postman(store: Store) -> Postman:
    return Postman(store, REACH)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def tell(store: Store, workspace: str = "us", number: int = 1) -> None:
    async def work(change: Change) -> None:
        for _ in range(number):
            await announce(change, "case.concluded", ABOUT)

    await store.change(workspace, work)


async def only(webhooks: Webhooks, workspace: str = "us") -> Delivery:
    """Give the one delivery of the one webhook."""
    (webhook,) = await webhooks.list(workspace)
    (delivery,) = await webhooks.deliveries(workspace, webhook.id)
    return delivery


async def count(store: Store) -> int:
    chosen = select(func.count()).select_from(DELIVERIES)
    return await store.read_with(lambda connection: connection.scalar(chosen)) or 0


# Announcing


async def test_what_is_announced_is_kept_with_the_change_or_not_at_all(store: Store, webhooks: Webhooks) -> None:
    await webhooks.add("us", "https://127.0.0.1:8443/")

    async def broken(change: Change) -> None:
        await change.create([Pasted(paste="a line")])
        await announce(change, "case.created", ABOUT)
        raise NoSuchCase

    with pytest.raises(NoSuchCase):
        await store.change("us", broken)
    assert await count(store) == 0
    assert (await store.list("us")).cases == ()

    async def whole(change: Change) -> None:
        await change.create([Pasted(paste="a line")])
        await announce(change, "case.created", ABOUT)

    await store.change("us", whole)
    assert len((await store.list("us")).cases) == await count(store) == 1
    assert (await only(webhooks)).type == "case.created"


async def test_only_the_webhooks_of_the_workspace_that_are_enabled_are_told(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    await tell(store)
    assert await count(store) == 0
    receiver.always["/gone"] = answered(410)
    for workspace, path in (("us", "/one"), ("us", "/two"), ("us", "/gone"), ("them", "/them")):
        await webhooks.add(workspace, receiver.url(path))
    await tell(store)
    assert await postman.deliver_due() == 3
    receiver.taken.clear()
    await tell(store)
    assert await postman.deliver_due() == 2
    assert sorted(one.path for one in receiver.taken) == ["/one", "/two"]
    assert len({one.id for one in receiver.taken}) == 2


async def test_what_json_does_not_know_is_not_announced(store: Store, webhooks: Webhooks) -> None:
    await webhooks.add("us", "https://127.0.0.1:8443/")
    for wrong in (float("nan"), {1, 2}):

        async def work(change: Change, wrong: object = wrong) -> None:
            await announce(change, "case.concluded", {"wrong": wrong})

        with pytest.raises((ValueError, TypeError)):
            await store.change("us", work)


# Delivering


async def test_a_receiver_can_verify_what_it_gets(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, clock: Clock
) -> None:
    webhook, secret = await webhooks.add("us", receiver.url("/hook?key=1"))
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    await tell(store)
    assert await postman.deliver_due() == 1
    (taken,) = receiver.taken
    assert Verifier(secret).verify(taken.body, taken.headers) == {
        "type": "case.concluded",
        "timestamp": clock.time.isoformat(),
        "data": ABOUT,
    }
    kept = await store.read_with(lambda connection: connection.scalar(select(DELIVERIES.c.body)))
    assert taken.body == kept
    assert taken.path == "/hook?key=1"
    assert taken.headers.keys() == {
        "host",
        "user-agent",
        "content-type",
        "content-length",
        "connection",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert taken.headers["user-agent"] == "whydrop"
    assert taken.headers["content-type"] == "application/json"
    assert taken.headers["webhook-timestamp"] == str(int(clock.time.timestamp()))
    delivery = await only(webhooks)
    assert (delivery.id, delivery.status, delivery.outcome, delivery.tries) == (taken.id, 200, "HTTP 200", 1)
    assert (delivery.created, delivery.tried, delivery.delivered, delivery.due) == (*[clock.time] * 3, None)
    assert (await webhooks.list("us"))[0] == webhook
    assert await postman.deliver_due() == 0


async def test_another_secret_body_or_id_verifies_nothing(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    _, secret = await webhooks.add("us", receiver.url())
    _, other = await webhooks.add("us", receiver.url("/other"))
    await tell(store)
    await postman.deliver_due()
    taken = next(one for one in receiver.taken if one.path == "/hook")
    Verifier(secret).verify(taken.body, taken.headers)
    for key, body, headers in (
        (other, taken.body, taken.headers),
        (secret, taken.body + b" ", taken.headers),
        (secret, taken.body, taken.headers | {"webhook-id": "msg_x"}),
        (secret, taken.body, taken.headers | {"webhook-timestamp": str(int(taken.headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(key).verify(body, headers)


async def test_while_a_secret_is_rotated_both_sign(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, clock: Clock
) -> None:
    webhook, former = await webhooks.add("us", receiver.url())
    secret = await webhooks.rotate("us", webhook.id)
    await tell(store)
    await postman.deliver_due()
    for one in (secret, former):
        Verifier(one).verify(receiver.taken[0].body, receiver.taken[0].headers)
    clock.time += ROTATION
    await tell(store)
    await postman.deliver_due()
    assert len(receiver.taken[0].headers["webhook-signature"].split()) == 2
    assert len(receiver.taken[1].headers["webhook-signature"].split()) == 1


async def test_a_name_is_looked_up_by_us_and_stays_the_host(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    await webhooks.add("us", receiver.url(host="hooks.example.com"))
    await tell(store)
    await postman.deliver_due()
    assert receiver.taken[0].headers["host"] == f"hooks.example.com:{receiver.port}"


async def test_a_name_that_leads_elsewhere_by_now_gets_nothing(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    await webhooks.add("us", receiver.url(host="hooks.example.com"))
    await tell(store)
    assert await Postman(store, Reach(lambda _: False, loopback, plain=True)).deliver_due() == 1
    assert receiver.taken == []
    delivery = await only(webhooks)
    assert delivery.outcome
    assert "not public" in delivery.outcome
    assert delivery.due


async def test_what_was_allowed_once_is_checked_again(store: Store, webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.add("us", receiver.url())
    await tell(store)
    await Postman(store).deliver_due()  # with the rules of the service
    assert receiver.taken == []
    assert "https" in str((await only(webhooks)).outcome)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_passed_by(
    store: Store,
    webhooks: Webhooks,
    postman: Postman,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    await webhooks.add("us", receiver.url())
    await tell(store)
    await postman.deliver_due()
    assert len(receiver.taken) == 1


# What goes wrong


@pytest.mark.parametrize(
    ("answer", "status", "outcome"),
    [
        (answered(500), 500, "HTTP 500"),
        (answered(404), 404, "HTTP 404"),
        (answered(503), 503, "HTTP 503"),
        (answered(301, "Location: http://127.0.0.1:1/"), 301, "HTTP 301"),
        (answered(304), 304, "HTTP 304"),
        (CUT, None, "the connection broke off, or what came was no HTTP"),
        (SILENT, None, "no answer within"),
        (b"\x00\xff nonsense\r\n\r\n", None, "the connection broke off, or what came was no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 3_000_000, None, "the connection broke off, or what came was no HTTP"),
    ],
    ids=lambda one: str(one)[:30],
)
async def test_what_did_not_arrive_is_tried_again_with_the_same_id(  # noqa: PLR0913, PLR0917
    store: Store,
    clock: Clock,
    receiver: Receiver,
    answer: bytes,
    status: int | None,
    outcome: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.postman.TIMEOUT_S", 0.2 if answer == SILENT else 15)
    webhooks, postman = Webhooks(store, REACH), Postman(store, REACH)
    _, secret = await webhooks.add("us", receiver.url())
    receiver.planned.append(answer)
    await tell(store)
    assert await postman.deliver_due() == 1
    delivery = await only(webhooks)
    assert (delivery.status, delivery.delivered) == (status, None)
    assert str(delivery.outcome).startswith(outcome)
    assert (await webhooks.list("us"))[0].failing == clock.time
    assert await postman.deliver_due() == 0
    assert delivery.due
    clock.time = delivery.due
    assert await postman.deliver_due() == 1
    first, second = receiver.taken
    assert (first.id, first.body) == (second.id, second.body) == (delivery.id, second.body)
    assert second.headers["webhook-timestamp"] == str(int(clock.time.timestamp()))
    Verifier(secret).verify(second.body, second.headers)
    assert (await only(webhooks)).delivered == clock.time
    assert (await webhooks.list("us"))[0].failing is None


async def test_a_refused_connection_is_tried_again(store: Store, clock: Clock) -> None:
    webhooks, postman = Webhooks(store, REACH), Postman(store, REACH)
    async with receiving() as receiver:
        await webhooks.add("us", receiver.url())
    await tell(store)
    assert await postman.deliver_due() == 1
    delivery = await only(webhooks)
    assert (delivery.status, delivery.outcome) == (None, "no connection could be made")
    assert delivery.due
    assert delivery.due >= clock.time + DELAYS[0]


async def test_who_speaks_no_tls_learns_nothing(store: Store) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        with suppress(ConnectionError):
            heard.append(await reader.read())
        writer.close()

    webhooks, postman = Webhooks(store, REACH), Postman(store, REACH)
    async with listening(serve) as port:
        await webhooks.add("us", f"https://hooks.example.com:{port}/hunter2")
        await tell(store)
        await postman.deliver_due()
    assert (await only(webhooks)).outcome == "its certificate or its TLS is wrong"
    assert b"hunter2" not in b"".join(heard)
    assert b"webhook" not in b"".join(heard)


async def test_a_redirect_is_not_followed(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    async with receiving() as inside:
        receiver.planned.append(answered(307, f"Location: {inside.url('/inside')}"))
        await webhooks.add("us", receiver.url())
        await tell(store)
        await postman.deliver_due()
        assert inside.taken == []
    assert (await only(webhooks)).outcome == "HTTP 307"


async def test_an_answer_without_end_is_not_listened_to(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    receiver.planned.append(ENDLESS)
    await webhooks.add("us", receiver.url())
    await tell(store)
    async with asyncio.timeout(10):
        await postman.deliver_due()
    assert (await only(webhooks)).status == 200


async def test_the_waits_grow_until_it_is_given_up_and_the_webhook_is_disabled(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, clock: Clock
) -> None:
    receiver.always["/hook"] = answered(500)
    webhook, _ = await webhooks.add("us", receiver.url())
    await tell(store)
    began = clock.time
    for delay in DELAYS:
        assert await postman.deliver_due() == 1
        due = (await only(webhooks)).due
        assert due
        assert delay <= due - clock.time <= delay * 1.21
        clock.time = due
    assert not (await webhooks.list("us"))[0].disabled
    assert await postman.deliver_due() == 1
    assert clock.time - began >= PATIENCE
    delivery = await only(webhooks)
    assert (delivery.tries, delivery.due, delivery.delivered, delivery.outcome) == (10, None, None, "HTTP 500")
    (after,) = await webhooks.list("us")
    assert (after.disabled, after.why, after.failing) == (clock.time, "nothing arrived for 3 days", began)
    assert {one.id for one in receiver.taken} == {delivery.id}
    await tell(store)
    clock.time += timedelta(days=1)
    assert await postman.deliver_due() == 0
    await webhooks.enable("us", webhook.id)
    (enabled,) = await webhooks.list("us")
    assert (enabled.disabled, enabled.why, enabled.failing) == (None, None, None)
    assert await postman.deliver_due() == 0
    receiver.always.clear()
    await tell(store)
    assert await postman.deliver_due() == 1
    assert (await webhooks.deliveries("us", webhook.id))[0].delivered


async def test_a_webhook_at_which_something_arrives_is_not_disabled(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, clock: Clock
) -> None:
    webhook, _ = await webhooks.add("us", receiver.url())
    for answer in (500, 200, 500):
        receiver.planned.append(answered(answer))
        await tell(store)
        await postman.deliver_due()
        clock.time += timedelta(days=2)
    assert not (await webhooks.list("us"))[0].disabled
    assert len(await webhooks.deliveries("us", webhook.id)) == 3


async def test_who_is_gone_gets_nothing_more(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, clock: Clock
) -> None:
    receiver.always["/hook"] = answered(410)
    webhook, _ = await webhooks.add("us", receiver.url())
    await tell(store, number=3)
    assert await postman.deliver_due() == 1
    (after,) = await webhooks.list("us")
    assert after.disabled == clock.time
    assert "410" in str(after.why)
    found = await webhooks.deliveries("us", webhook.id)
    assert [one.due for one in found] == [None] * 3
    assert sorted(str(one.outcome) for one in found) == ["HTTP 410", *["the webhook was disabled"] * 2]
    clock.time += timedelta(days=1)
    assert await postman.deliver_due() == 0


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [
        (429, "600", timedelta(seconds=600)),
        (503, "600", timedelta(seconds=600)),
        (429, "1", DELAYS[0]),
        (429, "0", DELAYS[0]),
        (429, "-5", DELAYS[0]),
        (429, "999999999", LONGEST_WAIT),
        (429, "9" * 5000, DELAYS[0]),
        (429, "soon", DELAYS[0]),
        (429, "1e9", DELAYS[0]),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", DELAYS[0]),
        (429, "Wed, 21 Oct 2215 07:28:00 GMT", LONGEST_WAIT),
        (429, "Wed, 99 Oct 9999 99:99:99 GMT", DELAYS[0]),
        (500, "600", DELAYS[0]),
    ],
    ids=lambda one: str(one)[:20],
)
async def test_a_receiver_may_ask_for_time(
    store: Store, clock: Clock, status: int, asked: str, wait: timedelta
) -> None:
    webhooks = Webhooks(store, REACH)
    async with receiving() as receiver:
        receiver.planned.append(answered(status, f"Retry-After: {asked}"))
        await webhooks.add("us", receiver.url())
        await tell(store)
        await Postman(store, REACH).deliver_due()
    due = (await only(webhooks)).due
    assert due
    assert wait <= due - clock.time <= wait * 1.21


async def test_a_fault_of_ours_is_one_failed_attempt(
    store: Store,
    webhooks: Webhooks,
    postman: Postman,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object) -> Answer:
        raise RuntimeError("with a secret")

    monkeypatch.setattr(postman, "_post", broken)
    await webhooks.add("us", "http://127.0.0.1:8080/")
    await tell(store)
    assert await postman.deliver_due() == 1
    assert (await only(webhooks)).outcome == "it could not be sent"
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_no_secret_and_no_query_is_logged_or_shown(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.always["/hook-hunter2?token=hunter2"] = answered(500)
    webhook, secret = await webhooks.add("us", receiver.url("/hook-hunter2?token=hunter2"))
    rotated = await webhooks.rotate("us", webhook.id)
    await tell(store)
    claim = await store.write_with(lambda connection: claimed(connection, store.now(), waiting(store.now())))
    assert claim
    assert claim.id in repr(claim)
    shown = repr(webhook) + repr(claim) + repr(REACH.target(webhook.url))
    await webhooks.remove("us", webhook.id)
    await webhooks.add("us", receiver.url("/hook-hunter2?token=hunter2"))
    await tell(store)
    await postman.deliver_due()
    assert len(receiver.taken) == 1
    said = caplog.text + shown + repr(await only(webhooks))
    assert "HTTP 500" in caplog.text
    assert "hunter2" not in said
    for one in (secret, rotated):
        assert one.removeprefix("whsec_") not in said


# Several at once


def ids(receiver: Receiver) -> list[str]:
    return [one.id for one in receiver.taken]


async def test_two_postmen_at_once_deliver_everything_once(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    for number in range(4):
        await webhooks.add("us", receiver.url(f"/{number}"))
    await tell(store, number=10)
    made = await asyncio.gather(*(Postman(store, REACH).deliver_due() for _ in range(3)))
    assert sum(made) == 40
    assert len(ids(receiver)) == len(set(ids(receiver))) == 40
    assert len([one for one in made if one]) > 1


POSTMAN = """
import asyncio, sys
from bot.cases import Store
from bot.postman import Postman
from bot.targets import Reach

async def main(url):
    async with Store.open(url) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        await Postman(store, Reach(lambda _: True, plain=True)).deliver_due()

asyncio.run(main(sys.argv[1]))
"""


def postman_process(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", POSTMAN, url],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def go(process: subprocess.Popen[str]) -> None:
    """Wait until a process is ready, and let it begin."""
    assert process.stdin
    assert process.stdout
    assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


async def test_the_postmen_of_two_processes_deliver_everything_once(
    store: Store, webhooks: Webhooks, receiver: Receiver, url: str
) -> None:
    for number in range(4):
        await webhooks.add("us", receiver.url(f"/{number}"))
    await tell(store, number=25)
    processes = [postman_process(url) for _ in range(2)]
    await asyncio.gather(*map(go, processes))
    assert [await asyncio.to_thread(one.wait, 60) for one in processes] == [0, 0]
    for one in processes:
        one.communicate()
    assert len(ids(receiver)) == len(set(ids(receiver))) == 100


async def test_what_a_killed_process_was_at_is_delivered_once_its_lease_is_over(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock, url: str
) -> None:
    receiver.planned.append(SILENT)
    await webhooks.add("us", receiver.url())
    await tell(store)
    process = postman_process(url)
    await go(process)
    await asyncio.wait_for(receiver.came.wait(), 30)  # it has posted and waits for the answer
    process.kill()
    await asyncio.to_thread(process.communicate)
    postman = Postman(store, REACH)
    clock.time = datetime.now(UTC)
    assert await postman.deliver_due() == 0
    clock.time += LEASE
    assert await postman.deliver_due() == 1
    first, second = receiver.taken
    assert (first.id, first.body) == (second.id, second.body)
    assert (await only(webhooks)).delivered


async def test_what_arrived_but_could_not_be_written_down_is_delivered_again(
    store: Store,
    webhooks: Webhooks,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object) -> None:
        raise Busy

    await webhooks.add("us", receiver.url())
    await tell(store)
    with monkeypatch.context() as patched:
        patched.setattr("bot.postman.settled", broken)
        assert await Postman(store, REACH).deliver_due() == 1
    assert await Postman(store, REACH).deliver_due() == 0
    clock.time += LEASE
    assert await Postman(store, REACH).deliver_due() == 1
    first, second = ids(receiver)
    assert first == second


async def test_whoever_comes_back_late_overwrites_nothing(store: Store, webhooks: Webhooks, clock: Clock) -> None:
    async def claim() -> Any:
        now = store.now()
        return await store.write_with(lambda connection: claimed(connection, now, waiting(now)))

    async def settle(one: Any, answer: Answer) -> None:
        await store.write_with(lambda connection: settled(connection, one, answer, store.now()))

    await webhooks.add("us", "http://127.0.0.1:8080/")
    await tell(store)
    first = await claim()
    assert await claim() is None
    clock.time += LEASE
    second = await claim()
    assert (first.id, first.tries, second.tries) == (second.id, 1, 2)
    await settle(second, Answer("HTTP 200", 200))
    await settle(first, Answer("HTTP 500", 500))
    delivery = await only(webhooks)
    assert (delivery.status, delivery.due, delivery.delivered) == (200, None, clock.time)


async def test_slow_receivers_keep_neither_others_nor_the_database_waiting(
    store: Store, webhooks: Webhooks, postman: Postman, receiver: Receiver
) -> None:
    for number in range(MOST_OF_WORKSPACE + 2):
        receiver.always[f"/slow{number}"] = SILENT
        await webhooks.add("them", receiver.url(f"/slow{number}"))
    await webhooks.add("us", receiver.url("/fast"))
    await tell(store, "them")
    await tell(store)
    working = asyncio.create_task(postman.deliver_due())
    async with asyncio.timeout(10):
        while not any(one.path == "/fast" for one in receiver.taken):
            receiver.came.clear()
            await receiver.came.wait()
        await store.create("us", [Pasted(paste="a line")])
        assert [one.path.startswith("/slow") for one in receiver.taken].count(True) <= MOST_OF_WORKSPACE
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


async def test_a_webhook_gets_one_thing_at_a_time(store: Store, webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.always["/hook"] = SILENT
    await webhooks.add("us", receiver.url())
    await webhooks.add("us", receiver.url("/other"))
    await tell(store, number=5)
    working = asyncio.create_task(Postman(store, REACH).deliver_due())
    async with asyncio.timeout(10):
        while len(receiver.taken) < 6:
            receiver.came.clear()
            await receiver.came.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert sorted(one.path for one in receiver.taken) == ["/hook", *["/other"] * 5]


async def test_the_postman_goes_on_after_the_database_failed(
    store: Store,
    webhooks: Webhooks,
    postman: Postman,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bot.postman.POLL_S", 0.01)
    failing = [True, True]
    right = postman._claim

    async def claim(running: Any) -> Any:
        if failing:
            failing.pop()
            raise OSError("hunter2")
        return await right(running)

    monkeypatch.setattr(postman, "_claim", claim)
    await webhooks.add("us", receiver.url())
    working = asyncio.create_task(postman.run())
    await tell(store)
    await asyncio.wait_for(receiver.came.wait(), 10)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert failing == []
    assert caplog.text.count("OSError") == 2
    assert "hunter2" not in caplog.text


async def test_old_deliveries_are_forgotten(
    store: Store, webhooks: Webhooks, postman: Postman, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await webhooks.add("us", "http://127.0.0.1:8080/")
    await tell(store)
    clock.time += KEPT + timedelta(seconds=1)
    await tell(store)
    looked = asyncio.Event()

    async def look() -> int:
        looked.set()
        return 0

    monkeypatch.setattr(postman, "deliver_due", look)
    working = asyncio.create_task(postman.run())
    await asyncio.wait_for(looked.wait(), 10)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await count(store) == 1


# Webhooks


async def test_a_webhook_that_may_not_be_reached_is_not_added(store: Store) -> None:
    webhooks = Webhooks(store)
    for address, rule in (
        ("http://hooks.example.com/", "https"),
        ("https://169.254.169.254/", "not public"),
        ("https://localhost/", "local network"),
        ("https://user@hooks.example.com/", "a user"),
    ):
        with pytest.raises(RefusedTarget, match=rule):
            await webhooks.add("us", address)
    private = Webhooks(store, Reach(resolve=loopback))
    with pytest.raises(RefusedTarget, match="not public"):
        await private.add("us", "https://hooks.example.com/")
    assert await webhooks.list("us") == ()


async def test_a_workspace_has_so_many_webhooks_and_no_more(store: Store, webhooks: Webhooks) -> None:
    attempts = (webhooks.add("us", f"http://127.0.0.1:8080/{number}") for number in range(MOST_WEBHOOKS * 2))
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(one) for one in done].count(TooManyWebhooks) == MOST_WEBHOOKS
    assert len(await webhooks.list("us")) == MOST_WEBHOOKS
    await webhooks.add("them", "http://127.0.0.1:8080/")
    await webhooks.remove("us", (await webhooks.list("us"))[0].id)
    await webhooks.add("us", "http://127.0.0.1:8080/")
    assert await count(store) == 0


async def test_another_workspace_sees_and_changes_nothing(store: Store, webhooks: Webhooks) -> None:
    webhook, _ = await webhooks.add("us", "http://127.0.0.1:8080/")
    await tell(store)
    assert await webhooks.list("them") == ()
    for wrong in (webhook.id, "", "x", "a" * 26, "a" * 25 + "\n", "\x00" * 26, "\ud800", "' OR 1=1 --"):
        workspace = "them" if wrong == webhook.id else "us"
        for attempt in (webhooks.remove, webhooks.enable, webhooks.rotate, webhooks.deliveries):
            with pytest.raises(NoSuchWebhook):
                await attempt(workspace, wrong)
    assert len(await webhooks.list("us")) == await count(store) == 1


async def test_the_last_deliveries_are_listed_newest_first(store: Store, webhooks: Webhooks, clock: Clock) -> None:
    webhook, _ = await webhooks.add("us", "http://127.0.0.1:8080/")
    times = []
    for _ in range(5):
        clock.time += timedelta(seconds=1)
        times.append(clock.time)
        await tell(store)
    assert [one.created for one in await webhooks.deliveries("us", webhook.id, 3)] == times[:-4:-1]
    for limit in (0, 101):
        with pytest.raises(ValueError, match="1 to 100"):
            await webhooks.deliveries("us", webhook.id, limit)


async def test_a_delivery_goes_with_its_webhook_and_with_its_case(store: Store, webhooks: Webhooks) -> None:
    async def begin(change: Change) -> str:
        case = await change.create([Pasted(paste="a line")])
        await announce(change, "case.created", ABOUT)
        return case.id

    one, _ = await webhooks.add("us", "http://127.0.0.1:8080/1")
    await webhooks.add("us", "http://127.0.0.1:8080/2")
    case = await store.change("us", begin)
    await store.change("us", begin)
    assert await count(store) == 4
    await store.delete("us", case)
    assert await count(store) == 2
    await webhooks.remove("us", one.id)
    assert await count(store) == 1
    await webhooks.add("them", "http://127.0.0.1:8080/")
    await store.delete_workspace("us")
    assert await count(store) == 0
    assert await webhooks.list("us") == ()
    assert len(await webhooks.list("them")) == 1


async def test_removing_webhooks_meanwhile_undoes_no_change(store: Store, webhooks: Webhooks) -> None:
    async def begin(change: Change) -> None:
        await change.create([Pasted(paste="a line")])
        await announce(change, "case.created", ABOUT)

    for _ in range(10):
        added = [(await webhooks.add("us", "http://127.0.0.1:8080/"))[0] for _ in range(3)]
        removing = [webhooks.remove("us", one.id) for one in added]
        await asyncio.gather(*(store.change("us", begin) for _ in range(5)), *removing)
    assert len((await store.list("us", limit=100)).cases) == 50
    assert await count(store) == 0


async def test_what_is_due_is_found_by_its_index(store: Store, url: str) -> None:
    if not url.startswith("sqlite"):
        return
    statement = str(waiting(store.now()).compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
    asked = "EXPLAIN QUERY PLAN " + statement.replace("LIMIT ? OFFSET ?", "LIMIT 1")
    rows = await store.read_with(lambda connection: connection.exec_driver_sql(asked, ("2026-03-01 12:00:00.000000",)))
    plan = str(rows.all())
    assert "ix_deliveries_due" in plan
    assert "TEMP B-TREE" not in plan
