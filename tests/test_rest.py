"""REST through the real ASGI application: the contract, and everything that is not of its form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jsonschema
import pytest

from bot import limits
from bot.limits import LARGEST_BODY
from rules.answers import make_case
from rules.diagnose import Expert
from rules.read import LARGEST_PASTE
from tests.service import LINE, client_of, set_up

JSON = {"content-type": "application/json"}


@pytest.fixture
async def client(expert: Expert, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(expert, set_up(tmp_path / "cases.sqlite3")) as client:
        yield client


async def test_a_pasted_line_is_answered_with_the_contract(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/diagnoses", json={"paste": LINE, "answers": {"timing.worked": "never"}})
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) >= {
        *("symptom", "records", "unread", "facts", "hypotheses", "question", "verdict", "steps", "sources", "knowledge")
    }
    assert found["symptom"] == "out-of-state"
    assert found["records"][0]["source"] == {"ip": "192.0.2.10", "port": 443, "zone": None, "interface": "outside"}
    assert found["hypotheses"][0]["cause"] == "asymmetric-routing"
    assert {"for", "against", "refuted_by", "standing"} <= set(found["hypotheses"][0])
    assert sum(one["probability"] for one in found["hypotheses"]) == pytest.approx(1)


async def test_rest_says_the_same_as_the_pure_function(client: httpx.AsyncClient, expert: Expert) -> None:
    answers = {"timing.idle_s": "about an hour", "packet.flags": "unknown"}
    served = await client.post("/v1/diagnoses", json={"paste": LINE, "answers": answers, "product": "asa"})
    direct = expert.diagnose(make_case(expert.shelf, LINE, answers, "asa"))
    assert served.json() == json.loads(direct.model_dump_json(by_alias=True))


async def test_the_answer_validates_against_the_published_description(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    answer = (await client.post("/v1/diagnoses", json={"paste": LINE})).json()
    schema = {"$ref": "#/components/schemas/Diagnosis", "components": described["components"]}
    jsonschema.validate(answer, schema)


async def test_answers_may_be_null_for_unknown(client: httpx.AsyncClient) -> None:
    first = (await client.post("/v1/diagnoses", json={"paste": LINE})).json()["question"]["feature"]
    answer = await client.post("/v1/diagnoses", json={"paste": LINE, "answers": {first: None}})
    assert answer.json()["question"]["feature"] != first


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "JSON decode error"),
        (b"[]", "dictionary"),
        (b"null", "dictionary"),
        (b'{"paste": 1}', "string"),
        (b'{"pasta": ""}', "Extra inputs"),
        (b'{"answers": {"packet.flag": "SA"}}', "did you mean 'packet.flags'"),
        (b'{"answers": {"packet.flags": "purple"}}', "allowed: SA, A,"),
        (b'{"answers": {"timing.idle_s": 1e999}}', "a finite number"),
        (b'{"answers": {"timing.idle_s": true}}', "a finite number"),
        (b'{"answers": {"flow.client": "192.0.2.1"}}', "read from the line"),
        (b'{"product": "abacus"}', "unknown product"),
        (b'{"declined": ["nothing"]}', "unknown feature"),
        (b'{"answers": []}', "dictionary"),
    ],
)
async def test_a_wrong_call_says_what_is_wrong(client: httpx.AsyncClient, body: bytes, says: str) -> None:
    answer = await client.post("/v1/diagnoses", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text
    assert answer.json()["status"] == 422


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b'{"paste": "\xff"}', b""])
async def test_odd_bodies_are_refused_and_never_a_fault(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/diagnoses", content=body, headers=JSON)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_lone_surrogates_are_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/diagnoses", content=rb'{"paste": "\ud800 Not a Valid SYN packet [A]"}', headers=JSON
    )
    assert answer.status_code == 200
    assert answer.json()["symptom"] == "out-of-state"


async def test_a_paste_that_is_too_large_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/diagnoses", json={"paste": "x\n" * 30_000})
    assert answer.status_code == 413
    assert "Filter it by the addresses" in answer.json()["detail"]
    answer = await client.post("/v1/diagnoses", json={"paste": "x" * (LARGEST_PASTE + 1)})
    assert answer.status_code == 413


async def test_a_body_that_is_too_large_is_refused_while_it_comes(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2 * LARGEST_BODY:
            sent += 1_000_000
            yield b"x" * 1_000_000

    answer = await client.post("/v1/diagnoses", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert "paste fewer lines" in answer.json()["detail"]


async def test_a_body_announced_too_large_is_refused_at_once(client: httpx.AsyncClient) -> None:
    headers = {**JSON, "content-length": "900000000"}
    answer = await client.post("/v1/diagnoses", content=b"{}", headers=headers)
    assert answer.status_code == 413


async def test_a_body_that_never_comes_is_given_up(
    expert: Expert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PATIENCE_S", 0.05)

    async def half() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    async with client_of(expert, set_up(tmp_path / "cases.sqlite3")) as client:
        answer = await client.post("/v1/diagnoses", content=half(), headers=JSON)
    assert answer.status_code == 408


async def test_a_body_without_its_type_says_which_one_is_wanted(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/diagnoses", content=b'{"paste": ""}')
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


async def test_health_can_be_asked_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/livez")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await client.head("/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PUT", "/v1/diagnoses", 405), ("GET", "/slack/events", 404)],
)
async def test_other_addresses_are_problems_too(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status


async def test_a_fault_of_ours_is_told_without_words_of_the_paste(
    expert: Expert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_case: object) -> None:
        raise RuntimeError("192.0.2.99 secret")

    monkeypatch.setattr(expert, "diagnose", broken)
    async with client_of(expert, set_up(tmp_path / "cases.sqlite3")) as client:
        answer = await client.post("/v1/diagnoses", json={"paste": "192.0.2.99 secret"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_the_process_tells_that_it_is_alive_and_what_it_is(client: httpx.AsyncClient, expert: Expert) -> None:
    assert (await client.get("/livez")).json() == {"status": "alive"}
    assert (await client.get("/version")).json()["knowledge"]["hash"] == expert.shelf.hash
    ready = await client.get("/readyz?verbose")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (200, "ok")


async def test_what_was_counted_is_told(client: httpx.AsyncClient) -> None:
    await client.post("/v1/cases", json={"paste": LINE})
    found = (await client.get("/metrics")).text
    assert 'whydrop_requests_total{method="POST",route="/v1/cases",status="201"} 1.0' in found
    assert 'whydrop_cases_total{happened="pasted"} 1.0' in found
    assert 'whydrop_deliveries{state="waiting"} 0.0' in found
    assert "192.0.2.10" not in found


async def test_a_browser_is_led_to_sign_in_and_back_and_told_when_it_asks_too_often(
    expert: Expert, tmp_path: Path
) -> None:
    how = set_up(tmp_path / "keys.sqlite3", dev=False, rate=40, public_url="https://why.example")
    async with client_of(expert, how, accept="text/html") as client:
        led = await client.get("/cases?state=open")
        assert (led.status_code, led.headers["location"]) == (303, "/signin?next=/cases%3Fstate%3Dopen")
        script = await client.post("/cases/x/answers", headers={"accept": "*/*"})
        assert (script.status_code, script.headers["content-type"]) == (401, "application/problem+json")
        foreign = await client.post("/signin", data={"key": "x"}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert "<h1" in foreign.text
        own = await client.post("/signin", data={"key": "x"}, headers={"origin": "https://why.example"})
        assert "No such key is known here." in own.text
        answers = [await client.get("/handbook/sources") for _ in range(20)]
    last = answers[-1]
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) >= 1
    assert "<h1" in last.text
