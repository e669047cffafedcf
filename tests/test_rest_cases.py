"""Cases over REST: told, changed, taken back, read, listed, concluded, and never lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rules.answers import make_case
from rules.diagnose import Expert
from tests.service import LINE, client_of, set_up

pytest_plugins = ["tests.postgres"]

NOBODYS = "a" * 26


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "cases.sqlite3"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
async def client(expert: Expert, database: Path | str) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(expert, set_up(database)) as client:
        yield client


@pytest.fixture
async def fast(expert: Expert, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Call a service whose database is of no matter to the test."""
    async with client_of(expert, set_up(tmp_path / "cases.sqlite3")) as client:
        yield client


async def begun(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await client.post("/v1/cases", json={"paste": LINE, **wanted})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def told(client: httpx.AsyncClient, case: str, **answers: Any) -> dict[str, Any]:
    answer = await client.post(
        f"/v1/cases/{case}/answers",
        json={"answers": {name.replace("__", "."): value for name, value in answers.items()}},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def on_disk(folder: Path) -> bytes:
    """Give all that the files of the database hold."""
    return b"".join(file.read_bytes() for file in folder.glob("cases.sqlite3*"))


async def kinds(client: httpx.AsyncClient, case: str) -> list[str]:
    found = (await client.get(f"/v1/cases/{case}/events")).json()["events"]
    return [one["event"]["kind"] for one in found]


async def test_a_case_lasts_from_the_paste_to_the_outcome(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    assert case["state"] == "open"
    assert case["diagnosis"]["question"]
    case = await told(client, case["id"], timing__worked="never", route__same_subnet=True)
    assert case["answers"] == {"timing.worked": "never", "route.same_subnet": True}
    assert case["state"] == "concluded"
    assert case["concluded"]["cause"] == case["diagnosis"]["verdict"]["cause"] == "same-subnet-router"
    assert case["concluded"]["knowledge"] == case["diagnosis"]["knowledge"]
    outcome = {"solved": True, "cause": "same-subnet-router", "note": "moved the router"}
    answer = await client.post(f"/v1/cases/{case['id']}/outcome", json=outcome)
    assert answer.json()["state"] == "closed"
    assert outcome.items() <= answer.json()["outcome"].items()
    assert await kinds(client, case["id"]) == ["pasted", "asked", "answered", "answered", "concluded", "outcome"]


async def test_a_case_says_the_same_as_the_stateless_call(client: httpx.AsyncClient, expert: Expert) -> None:
    case = await begun(client, answers={"timing.idle_s": "about an hour"}, product="asa")
    direct = expert.diagnose(make_case(expert.shelf, LINE, {"timing.idle_s": 3600}, "asa"))
    assert case["diagnosis"] == direct.model_dump(mode="json", by_alias=True)
    assert case["product"] == "cisco-asa"


async def test_an_answer_is_changed_and_taken_back(client: httpx.AsyncClient) -> None:
    first = await begun(client)
    case = await told(client, first["id"], timing__worked="never")
    case = await told(client, case["id"], timing__worked="then-broke")
    assert case["answers"] == {"timing.worked": "then-broke"}
    back = await client.delete(f"/v1/cases/{case['id']}/answers/timing.worked")
    assert back.json()["answers"] == {}
    assert back.json()["diagnosis"] == first["diagnosis"]


async def test_what_is_not_known_is_remembered(fast: httpx.AsyncClient) -> None:
    case = await begun(fast)
    asked = case["diagnosis"]["question"]["feature"]
    answer = await fast.post(f"/v1/cases/{case['id']}/answers", json={"answers": {asked: None}})
    assert answer.json()["declined"] == [asked]
    assert answer.json()["diagnosis"]["question"]["feature"] != asked


async def test_other_lines_take_the_place_of_the_first_and_answers_stay(fast: httpx.AsyncClient) -> None:
    case = await begun(fast, answers={"timing.worked": "never"})
    answer = await fast.post(f"/v1/cases/{case['id']}/pastes", json={"paste": "TCP reset from server"})
    assert answer.json()["diagnosis"]["symptom"] == "reset"
    assert answer.json()["answers"] == {"timing.worked": "never"}


async def test_what_contradicts_the_log_is_asked_again_and_stands_then(fast: httpx.AsyncClient) -> None:
    case = await begun(fast, answers={"packet.flags": "R"})
    assert case["diagnosis"]["question"]["feature"] == "packet.flags"
    case = await told(fast, case["id"], packet__flags="R")
    assert case["confirmed"] == ["packet.flags"]
    assert case["diagnosis"]["contradictions"] == []


async def test_the_tag_of_a_case_keeps_updates_from_being_lost(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    address = f"/v1/cases/{case['id']}"
    read = await client.get(address)
    tag = read.headers["etag"]
    assert (await client.get(address, headers={"if-none-match": tag})).status_code == 304
    body = {"answers": {"timing.worked": "never"}}
    first = await client.post(f"{address}/answers", json=body, headers={"if-match": tag})
    assert first.status_code == 200
    late = await client.post(f"{address}/answers", json=body, headers={"if-match": tag})
    assert late.status_code == 412
    assert late.json()["type"].endswith("/problems/stale")
    again = await client.post(f"{address}/answers", json=body, headers={"if-match": first.headers["etag"]})
    assert again.status_code == 200
    for other in ('W/"1-2"', '"x"', "", '"1-0000000000000000"'):
        refused = await client.delete(f"{address}/answers/timing.worked", headers={"if-match": other})
        assert refused.status_code == 412
    assert (await client.delete(f"{address}/answers/timing.worked", headers={"if-match": "*"})).status_code == 200


async def test_a_repeated_request_is_done_once(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "0b8f1c6e"}
    first, again = [await client.post("/v1/cases", json={"paste": LINE}, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/v1/cases")).json()["cases"]) == 1
    other = await client.post("/v1/cases", json={"paste": "other"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "http://localhost/problems/key-reused")


async def test_requests_repeated_at_once_are_done_once(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "at-once"}
    answers = await asyncio.gather(*(client.post("/v1/cases", json={"paste": LINE}, headers=key) for _ in range(20)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["id"] for one in answers}) == 1
    case = answers[0].json()["id"]
    body = {"answers": {"timing.worked": "never"}}
    headers = {"idempotency-key": "answer"}
    await asyncio.gather(*(client.post(f"/v1/cases/{case}/answers", json=body, headers=headers) for _ in range(20)))
    assert (await kinds(client, case)).count("answered") == 1


@pytest.mark.parametrize("path", ["/v1/diagnoses", "/v1/read"])
async def test_what_keeps_nothing_may_be_repeated_too(fast: httpx.AsyncClient, path: str) -> None:
    key = {"idempotency-key": path}
    first, again = [await fast.post(path, json={"paste": LINE}, headers=key) for _ in range(2)]
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (await fast.post(path, json={"paste": ""}, headers=key)).status_code == 422


@pytest.mark.parametrize("key", ["", "with blank", "x" * 256, "ü"])
async def test_a_key_that_is_none_is_refused(fast: httpx.AsyncClient, key: str) -> None:
    answer = await fast.post("/v1/cases", json={"paste": LINE}, headers=[(b"idempotency-key", key.encode())])
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_answers_to_one_case_at_once_are_all_kept(client: httpx.AsyncClient, expert: Expert) -> None:
    case = await begun(client)
    asked = [one.id for one in expert.shelf.features.values() if one.question and one.type == "yes-no"][:40]
    answers = await asyncio.gather(
        *(client.post(f"/v1/cases/{case['id']}/answers", json={"answers": {one: True}}) for one in asked)
    )
    assert {one.status_code for one in answers} == {200}
    kept = (await client.get(f"/v1/cases/{case['id']}")).json()
    assert kept["answers"] == dict.fromkeys(sorted(asked), True) | kept["answers"]
    assert len(kept["answers"]) == len(asked)
    numbers = [one["number"] for one in (await client.get(f"/v1/cases/{case['id']}/events")).json()["events"]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_cases_are_listed_newest_first_by_parts_and_filters(client: httpx.AsyncClient) -> None:
    made = [(await begun(client, paste=text))["id"] for text in (LINE, "TCP reset from server", LINE)]
    first = await client.get("/v1/cases", params={"limit": 2})
    assert [one["id"] for one in first.json()["cases"]] == made[:0:-1]
    assert first.headers["link"] == f'<http://localhost/v1/cases?limit=2&cursor={first.json()["next"]}>; rel="next"'
    rest = await client.get(first.headers["link"].partition(">")[0][1:])
    assert [one["id"] for one in rest.json()["cases"]] == made[:1]
    assert rest.json()["next"] is None
    resets = await client.get("/v1/cases", params={"symptom": "reset"})
    assert [one["id"] for one in resets.json()["cases"]] == [made[1]]
    for wrong in ({"limit": 0}, {"limit": 101}, {"symptom": "x"}, {"cursor": "x"}, {"colour": "red"}):
        assert (await client.get("/v1/cases", params=wrong)).status_code == 422


async def test_a_deleted_case_is_gone_with_the_answers_that_told_of_it(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "once"}
    case = (await client.post("/v1/cases", json={"paste": LINE}, headers=key)).json()["id"]
    assert (await client.delete(f"/v1/cases/{case}")).status_code == 204
    for path in ("", "/events", "/picture", "/why/idle-timeout", "/what-if/timing.worked"):
        assert (await client.get(f"/v1/cases/{case}{path}")).status_code == 404
    assert (await client.delete(f"/v1/cases/{case}")).status_code == 404
    again = await client.post("/v1/cases", json={"paste": LINE}, headers=key)
    assert again.status_code == 201
    assert again.json()["id"] != case


async def test_a_case_tells_why_why_not_and_what_if(fast: httpx.AsyncClient) -> None:
    case = await begun(fast, answers={"timing.worked": "never"})
    address = f"/v1/cases/{case['id']}"
    why = (await fast.get(f"{address}/why/asymmetric-routing")).json()
    assert why["hypothesis"]["cause"] == "asymmetric-routing"
    assert any("refute" in one for one in why["words"])
    why_not = (await fast.get(f"{address}/why-not/idle-timeout")).json()
    assert why_not["against"]
    assert "Idle timeout" in why_not["words"][0]
    asked = case["diagnosis"]["question"]
    what_if = (await fast.get(f"{address}/what-if/{asked['feature']}")).json()
    assert [one["label"] for one in what_if["answers"]] == [one["label"] for one in asked["choices"]]
    other = await fast.get(f"{address}/why/port-closed")
    assert (other.status_code, other.json()["type"]) == (409, "http://localhost/problems/other-symptom")
    assert "did you mean" in (await fast.get(f"{address}/why/idle-time")).json()["detail"]
    assert (await fast.get(f"{address}/what-if/flow.client")).status_code == 404


async def test_while_no_kind_of_message_is_known_it_is_said(fast: httpx.AsyncClient) -> None:
    address = (await fast.post("/v1/cases", json={"paste": "hello"})).headers["location"]
    for asked in ("why", "why-not"):
        answer = await fast.get(f"{address}/{asked}/idle-timeout")
        assert answer.status_code == 409
        assert "No cause stands anywhere yet" in answer.json()["detail"]
        assert "another kind" not in answer.text


async def test_a_case_is_drawn(fast: httpx.AsyncClient) -> None:
    case = await begun(fast)
    drawn = await fast.get(f"/v1/cases/{case['id']}/picture")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "192.0.2.10" in drawn.text
    nothing = await begun(fast, paste="")
    assert (await fast.get(f"/v1/cases/{nothing['id']}/picture")).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("answers", {"answers": {}}, "at least 1"),
        ("answers", {"answers": {"packet.flag": "SA"}}, "did you mean 'packet.flags'"),
        ("answers", {"answers": {"timing.idle_s": "purple"}}, "no duration"),
        ("answers", {"answers": {"timing.idle_s": -1}}, "a finite number"),
        ("answers", {"answers": {"timing.idle_s": 1e10}}, "0 to 1000000000"),
        ("answers", {"answers": {"route.second_path": 1}}, "true, false"),
        ("answers", {"answers": {"packet.flags": ["SA"]}}, "allowed: SA"),
        ("answers", {"answers": {"log.event": "closed"}}, "read from the line"),
        ("pastes", {"paste": LINE, "product": "abacus"}, "unknown product"),
        ("outcome", {"solved": "yes"}, "boolean"),
        ("outcome", {"solved": True, "cause": "gremlins"}, "unknown cause"),
        ("outcome", {"solved": True, "note": "x" * 2001}, "2000"),
    ],
)
async def test_what_is_told_in_a_wrong_way_is_refused_and_changes_nothing(
    fast: httpx.AsyncClient, path: str, body: dict[str, Any], says: str
) -> None:
    case = await begun(fast)
    answer = await fast.post(f"/v1/cases/{case['id']}/{path}", json=body)
    assert answer.status_code == 422
    assert says in answer.text
    assert (await fast.get(f"/v1/cases/{case['id']}")).json()["version"] == case["version"]


@pytest.mark.parametrize("id_", [NOBODYS, "x", "A" * 26, "%00", "../x", "a" * 5000])
async def test_a_case_that_is_none_is_a_clear_problem(fast: httpx.AsyncClient, id_: str) -> None:
    answer = await fast.get(f"/v1/cases/{id_}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_knowledge_is_served_as_it_is(fast: httpx.AsyncClient, expert: Expert) -> None:
    shelf = expert.shelf
    for kind in ("causes", "dialects", "products", "sources"):
        entries = getattr(shelf, kind)
        listed = await fast.get(f"/v1/{kind}")
        assert [one["id"] for one in listed.json()["entries"]] == list(entries)
        again = await fast.get(f"/v1/{kind}", headers={"if-none-match": listed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for id_ in list(entries)[:3]:
            assert (await fast.get(f"/v1/{kind}/{id_}")).json()["title"] == entries[id_].title
        assert (await fast.get(f"/v1/{kind}/nothing")).status_code == 404
    asked = (await fast.get("/v1/questions")).json()["entries"]
    assert (await fast.get(f"/v1/questions/{asked[0]['id']}")).json()["question"]["text"] == asked[0]["title"]
    for event in (await fast.get("/v1/rosetta")).json()["events"]:
        assert (await fast.get(f"/v1/rosetta/{event}")).status_code == 200
    rows = (await fast.get("/v1/rosetta/out-of-state")).json()["rows"]
    assert any("TCP (no connection)" in word for row in rows for word in row["words"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/cases", "GET, HEAD, POST"),
        ("POST", f"/v1/cases/{NOBODYS}", "DELETE, GET, HEAD"),
        ("GET", f"/v1/cases/{NOBODYS}/answers", "POST"),
        ("DELETE", "/v1/causes", "GET, HEAD"),
        ("PUT", "/", "GET, HEAD"),
        ("OPTIONS", "/cases", "GET, HEAD, POST"),
    ],
)
async def test_what_cannot_be_done_tells_what_can(
    fast: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await fast.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_deleting_heeds_the_tag_too(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    address = f"/v1/cases/{case['id']}"
    for stale in ('"x"', '"1-0000000000000000"'):
        assert (await client.delete(address, headers={"if-match": stale})).status_code == 412
    tag = (await client.get(address)).headers["etag"]
    assert (await client.delete(address, headers={"if-match": tag})).status_code == 204
    assert (await client.get(address)).status_code == 404


async def test_what_keeps_nothing_keeps_nothing_with_a_key_either(fast: httpx.AsyncClient, tmp_path: Path) -> None:
    secret = "Not a Valid SYN packet 192.0.2.77"
    for path in ("/v1/diagnoses", "/v1/read"):
        await fast.post(path, json={"paste": secret}, headers={"idempotency-key": path})
    kept = on_disk(tmp_path)
    assert b"/v1/read" in kept
    assert b"192.0.2.77" not in kept


async def test_what_was_deleted_is_nowhere_in_the_files(fast: httpx.AsyncClient, tmp_path: Path) -> None:
    case = await begun(fast, paste="Not a Valid SYN packet 192.0.2.78")
    await fast.delete(f"/v1/cases/{case['id']}")
    kept = on_disk(tmp_path)
    assert b"192.0.2.78" not in kept


async def test_taking_back_what_was_never_told_changes_nothing(fast: httpx.AsyncClient) -> None:
    case = await begun(fast)
    answer = await fast.delete(f"/v1/cases/{case['id']}/answers/timing.worked")
    assert (answer.status_code, answer.json()["version"]) == (200, case["version"])


async def test_a_closed_case_that_goes_on_has_no_outcome_yet(fast: httpx.AsyncClient) -> None:
    case = await begun(fast)
    closed = await fast.post(f"/v1/cases/{case['id']}/outcome", json={"solved": False})
    assert (closed.json()["state"], closed.json()["outcome"]["solved"]) == ("closed", False)
    again = await told(fast, case["id"], timing__worked="never")
    assert (again["state"], again["outcome"]) == ("open", None)


async def test_a_link_to_the_next_part_is_the_public_one(expert: Expert, tmp_path: Path) -> None:
    how = set_up(tmp_path / "cases.sqlite3", public_url="https://why.example")
    async with client_of(expert, how) as client:
        for _ in range(2):
            await begun(client)
        found = await client.get("/v1/cases?limit=1", headers={"host": "localhost:8000"})
    assert found.headers["link"].startswith("<https://why.example/v1/cases?limit=1&cursor=")


async def test_a_compressed_body_is_told_to_be_one(fast: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = await fast.post("/v1/cases", content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (415, "The body is compressed")


async def test_a_database_that_was_taken_away_is_not_written_to(
    fast: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await begun(fast)
    (tmp_path / "cases.sqlite3").unlink()
    answer = await fast.post("/v1/cases", json={"paste": "192.0.2.79"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"].endswith("/problems/unavailable")
    assert (await fast.get("/readyz")).status_code == 503
    assert "FileNotFoundError ENOENT" in caplog.text
    assert "192.0.2.79" not in caplog.text
