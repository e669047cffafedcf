"""Two hundred clients at once, on two server processes with one database: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import Fleet, Served, complaints
from tests.service import LINE

pytest_plugins = ["tests.postgres"]

CLIENTS = 200
PATIENCE_S = 120.0
"""Seconds that a client waits for one answer; a service that hangs is found by it."""
ASKED = "timing.idle_s"
"""A feature that is answered with a number: each answer of a test is one that no other gives."""
SHORT, LONG = 1, 20
"""Answers of each client in the ordinary tests and in the soak; every other client of one case gives one more."""


@dataclass(slots=True)
class Client:
    """One client with a connection of its own; `told` is what was acknowledged, in order: case and value."""

    number: int
    http: httpx.AsyncClient
    told: list[tuple[str, float]] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    async def begin(self) -> str:
        """Begin a case of its own; give its id."""
        answer = await self._post("/v1/cases", {"paste": LINE})
        case: str = answer.json()["id"]
        return case

    async def tell(self, case: str, times: int) -> None:
        """Answer one question over and over, each time otherwise."""
        for turn in range(times):
            value = float(self.number * 1000 + turn + 1)
            answer = await self._post(f"/v1/cases/{case}/answers", {"answers": {ASKED: value}})
            if answer.status_code == 200:
                self.told.append((case, value))

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self.http.post(path, json=body)
        self.statuses.add(answer.status_code)
        return answer


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "cases.sqlite3"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
def servers(fleet: Fleet, database: Path | str) -> Iterator[Sequence[Served]]:
    both = [fleet.start(database) for _ in range(2)]
    yield both
    for one in both:
        fleet.stop(one)
        assert complaints(one) == []


@asynccontextmanager
async def clients_of(servers: Sequence[Served]) -> AsyncIterator[list[Client]]:
    """Give clients, every other one of them on the same server."""
    trust = ssl.create_default_context()  # made once: it takes longer than all requests of a client
    async with AsyncExitStack() as stack:
        found = []
        for number in range(CLIENTS):
            url = servers[number % len(servers)].url
            http = httpx.AsyncClient(base_url=url, verify=trust, timeout=PATIENCE_S)
            found.append(Client(number, await stack.enter_async_context(http)))
        yield found


async def events_of(client: Client, case: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.http.get(f"/v1/cases/{case}/events")).json()["events"]
    return found


def check(events: Sequence[dict[str, Any]], case: str, clients: Sequence[Client]) -> None:
    """Find every acknowledged answer in the case, once, those of each client in its order, and no others."""
    assert [one["number"] for one in events] == list(range(1, len(events) + 1))
    kept = [one["event"]["value"] for one in events if one["event"]["kind"] == "answered"]
    for client in clients:
        told = [value for where, value in client.told if where == case]
        assert [value for value in kept if value // 1000 == client.number] == told
    assert len(kept) == sum(where == case for client in clients for where, _ in client.told)


async def load_one_case(servers: Sequence[Served], times: int) -> None:
    async with clients_of(servers) as clients:
        case = await clients[0].begin()
        await asyncio.gather(*(one.tell(case, times + one.number // 2 % 2) for one in clients))
        assert set.union(*(one.statuses for one in clients)) == {200, 201}
        for reader in clients[:2]:
            check(await events_of(reader, case), case, clients)


async def load_many_cases(servers: Sequence[Served], times: int) -> None:
    async with clients_of(servers) as clients:

        async def whole(client: Client) -> None:
            await client.tell(await client.begin(), times)

        await asyncio.gather(*map(whole, clients))
        assert set.union(*(one.statuses for one in clients)) == {200, 201}
        others = [*clients[1:], clients[0]]  # each case is read on the other server
        for client, other in zip(clients, others, strict=True):
            case = client.told[0][0]
            check(await events_of(other, case), case, [client])


async def test_two_hundred_clients_on_one_case_lose_nothing(servers: Sequence[Served]) -> None:
    await load_one_case(servers, SHORT)


async def test_two_hundred_clients_on_a_case_each_lose_nothing(servers: Sequence[Served]) -> None:
    await load_many_cases(servers, SHORT)


@pytest.mark.soak
async def test_two_hundred_clients_on_one_case_lose_nothing_for_long(servers: Sequence[Served]) -> None:
    await load_one_case(servers, LONG)


@pytest.mark.soak
async def test_two_hundred_clients_on_a_case_each_lose_nothing_for_long(servers: Sequence[Served]) -> None:
    await load_many_cases(servers, LONG)
