"""The server is killed while it works, again and again: what was acknowledged is there, and nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest

from tests.served import Fleet, Served, complaints
from tests.service import LINE

pytest_plugins = ["tests.postgres"]

CLIENTS = 6
KILLS, MANY_KILLS = 8, 200
"""In the ordinary tests and in the soak; on PostgreSQL a fourth of it."""
PATIENCE_S = 30.0
ANSWERS = 4
"""Answers of each case; then its client begins another."""
BETWEEN = (3, 25)
"""Requests that are acknowledged between two kills, at least and at most."""
JITTER_S = 0.02
"""What is waited beyond that, at most, so that a kill hits any place of a request."""
ASKED = "timing.idle_s"


@dataclass(slots=True)
class World:
    """What the clients share: where the server is by now, whether to go on, and how much was acknowledged."""

    url: str = ""
    acknowledged: int = 0
    asked_again: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)
    up: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Client:
    """One client: it repeats each request under its Idempotency-Key until it is acknowledged."""

    number: int
    world: World
    http: httpx.AsyncClient
    cases: dict[str, list[float]] = field(default_factory=dict)
    last: tuple[str, dict[str, Any], str, bytes] | None = None

    async def run(self) -> None:
        """Begin cases and answer in them; end between two requests."""
        turn = 0
        while not self.world.ending.is_set():
            case = json.loads(await self._acknowledged("/v1/cases", {"paste": LINE}))["id"]
            told = self.cases.setdefault(case, [])
            for _ in range(ANSWERS):
                if self.world.ending.is_set():
                    return
                turn += 1
                value = float(self.number * 100_000 + turn)
                await self._acknowledged(f"/v1/cases/{case}/answers", {"answers": {ASKED: value}})
                told.append(value)

    async def _acknowledged(self, path: str, body: dict[str, Any]) -> bytes:
        key = secrets.token_hex(16)
        while True:
            await self.world.up.wait()
            try:
                answer = await self.post(path, body, key)
            except httpx.TransportError:  # killed; the next one may be up already
                self.world.asked_again += 1
                await asyncio.sleep(0)
                continue
            assert answer.status_code in {200, 201}, answer.text
            self.last = (path, body, key, answer.content)
            async with self.world.progress:
                self.world.acknowledged += 1
                self.world.progress.notify_all()
            return answer.content

    async def post(self, path: str, body: dict[str, Any], key: str) -> httpx.Response:
        """Send a request to wherever the server is by now."""
        return await self.http.post(self.world.url + path, json=body, headers={"idempotency-key": key})


@dataclass(slots=True)
class Killer:
    """Kills the server and starts the next one on the same database, so many times."""

    fleet: Fleet
    database: Path | str
    world: World

    async def run(self, kills: int) -> Served:
        """Give the server that is left at the end."""
        served = await self._started()
        for _ in range(kills):
            await self._work_done(random.randint(*BETWEEN))  # noqa: S311
            await asyncio.sleep(random.uniform(0, JITTER_S))  # noqa: S311
            self.world.up.clear()
            await asyncio.to_thread(self.fleet.kill, served)
            assert complaints(served) == []
            served = await self._started()
        await self._work_done(BETWEEN[1])
        return served

    async def _started(self) -> Served:
        served = await asyncio.to_thread(self.fleet.start, self.database)
        self.world.url = served.url
        self.world.up.set()
        return served

    async def _work_done(self, requests: int) -> None:
        wanted = self.world.acknowledged + requests
        async with asyncio.timeout(PATIENCE_S), self.world.progress:
            await self.world.progress.wait_for(lambda: self.world.acknowledged >= wanted)


Kept = dict[str, list[float]]
"""The cases that are in the database, and the answers of each, in order."""


async def killed(fleet: Fleet, database: Path | str, kills: int) -> tuple[Served, Kept, World]:
    """Kill a server so often under load; give the last one, and what was acknowledged."""
    world = World()
    async with AsyncExitStack() as stack:
        clients = [
            Client(number, world, await stack.enter_async_context(httpx.AsyncClient(verify=False, timeout=PATIENCE_S)))  # noqa: S501
            for number in range(CLIENTS)
        ]
        work = asyncio.gather(*(one.run() for one in clients))
        try:
            served = await Killer(fleet, database, world).run(kills)
        finally:
            world.ending.set()
        await work
        for one in clients:
            assert one.last
            path, body, key, content = one.last
            again = await one.post(path, body, key)
            assert (again.content, again.headers["idempotency-replayed"]) == (content, "true")
        await check_numbers(clients)
    return served, {case: told for one in clients for case, told in one.cases.items()}, world


async def check_numbers(clients: Sequence[Client]) -> None:
    """See that every number of an event is there once, over REST."""
    for one in clients:
        for case in one.cases:
            found = (await one.http.get(f"{one.world.url}/v1/cases/{case}/events")).json()["events"]
            assert [each["number"] for each in found] == list(range(1, len(found) + 1))


EVENTS = 'SELECT "case", body FROM events WHERE kind = \'answered\' ORDER BY "case", number'


def kept(cases: Sequence[str], events: Sequence[tuple[str, str]]) -> Kept:
    found: Kept = {case: [] for case in cases}
    for case, body in events:
        found[case].append(json.loads(body)["value"])
    return found


def kept_in_sqlite(file: Path) -> Kept:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        cases = [one for (one,) in connection.execute("SELECT id FROM cases")]
        return kept(cases, connection.execute(EVENTS).fetchall())


async def kept_in_postgresql(address: str) -> Kept:
    connection = await asyncpg.connect(address)
    try:
        cases = [one["id"] for one in await connection.fetch("SELECT id FROM cases")]
        return kept(cases, [tuple(one) for one in await connection.fetch(EVENTS)])
    finally:
        await connection.close()


async def kill_on_sqlite(fleet: Fleet, file: Path, kills: int, say: Callable[[str], object] = str) -> None:
    served, told, world = await killed(fleet, file, kills)
    assert kept_in_sqlite(file) == told
    fleet.stop(served)
    assert kept_in_sqlite(file) == told
    answers = Counter(value for values in told.values() for value in values)
    assert set(answers.values()) == {1}
    say(f"{kills} kills: {len(told)} cases, {len(answers)} answers; {world.asked_again} requests were broken off")


async def test_what_was_acknowledged_outlives_kill_9(fleet: Fleet, tmp_path: Path) -> None:
    await kill_on_sqlite(fleet, tmp_path / "cases.sqlite3", KILLS)


async def kill_on_postgresql(fleet: Fleet, address: str, kills: int) -> None:
    served, told, _ = await killed(fleet, address, kills)
    fleet.stop(served)
    assert await kept_in_postgresql(address) == told


async def test_what_was_acknowledged_outlives_kill_9_on_postgresql(fleet: Fleet, postgres_url: str) -> None:
    await kill_on_postgresql(fleet, postgres_url, KILLS // 4)


@pytest.mark.soak
async def test_fifty_kills_lose_nothing_on_postgresql(fleet: Fleet, postgres_url: str) -> None:
    await kill_on_postgresql(fleet, postgres_url, MANY_KILLS // 4)


@pytest.mark.soak
async def test_two_hundred_kills_lose_nothing(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(figures: str) -> None:
        with capsys.disabled():
            print(f"\n{figures}")  # noqa: T201

    await kill_on_sqlite(fleet, tmp_path / "cases.sqlite3", MANY_KILLS, say)
