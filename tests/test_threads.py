"""Work beside the loop: a bounded number at a time, a bounded number that waits, and none for nobody."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.limits import Shield
from bot.threads import LEAVING, MOST_WAITING, ClientGone, Threads, TooBusy
from tests.loopback_slack import running


class Gate:
    """Work that goes on until it is let."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self) -> str:
        self.begun.release()
        assert self.open.wait(10)
        return "held"

    def has_begun(self) -> bool:
        return self.begun.acquire(timeout=10)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what no event tells."""
    for _ in range(10_000):
        if holds():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never came to that")


async def test_what_work_gives_or_raises_is_given_or_raised() -> None:
    threads = Threads(1)
    assert await threads(lambda: 1) == 1
    with pytest.raises(ValueError, match="int"):
        await threads(lambda: int("x"))
    assert await threads(threading.get_ident) != threading.get_ident()


async def test_more_work_than_may_wait_is_refused_at_once(gate: Gate) -> None:
    threads = Threads(1, most=2)
    assert threads.waiting == 0
    tasks = [asyncio.create_task(threads(gate)) for _ in range(3)]
    await until(lambda: threads.waiting == 2)
    with pytest.raises(TooBusy):
        await threads(lambda: pytest.fail("begun"))
    assert threads.waiting == 2
    gate.open.set()
    assert await asyncio.gather(*tasks) == ["held"] * 3
    assert threads.waiting == 0
    assert await threads(lambda: 1) == 1


async def test_so_much_may_wait_for_each_thread(gate: Gate) -> None:
    threads = Threads(2)
    tasks = [asyncio.create_task(threads(gate)) for _ in range(2 + 2 * MOST_WAITING)]
    await until(lambda: threads.waiting == 2 * MOST_WAITING)
    with pytest.raises(TooBusy):
        await threads(gate)
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_work_whose_client_is_gone_is_not_begun(gate: Gate) -> None:
    threads, gone = Threads(1), asyncio.Event()

    async def left() -> None:
        await gone.wait()

    held = asyncio.create_task(threads(gate))
    await asyncio.to_thread(gate.has_begun)
    LEAVING.set(left)
    waits = asyncio.create_task(threads(lambda: pytest.fail("begun")))
    await until(lambda: threads.waiting == 1)
    gone.set()
    with pytest.raises(ClientGone):
        await waits
    assert threads.waiting == 0
    gate.open.set()
    assert await held == "held"
    assert await threads(lambda: 1) == 1


async def test_work_that_was_begun_goes_on_to_its_end(gate: Gate) -> None:
    threads, gone = Threads(1), asyncio.Event()

    async def left() -> None:
        await gone.wait()

    LEAVING.set(left)
    held = asyncio.create_task(threads(gate))
    await asyncio.to_thread(gate.has_begun)
    gone.set()
    gate.open.set()
    assert await held == "held"


async def test_whoever_waits_in_vain_gives_the_place_back(gate: Gate) -> None:
    threads = Threads(1)
    held = asyncio.create_task(threads(gate))
    await asyncio.to_thread(gate.has_begun)
    LEAVING.set(asyncio.Event().wait)  # type: ignore[arg-type]
    waits = asyncio.create_task(threads(lambda: pytest.fail("begun")))
    await until(lambda: threads.waiting == 1)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    gate.open.set()
    assert await held == "held"
    assert await threads(lambda: 1) == 1


class Service:
    """A service with one thread, in which the first request stays until the gate opens."""

    def __init__(self, gate: Gate, most: int) -> None:
        self.threads = Threads(1, most)
        self.gate = gate
        self.worked: list[str] = []
        routes = [
            Route("/{name}", self.answer, methods=["POST"]),
            Route("/later/{name}", self.later, methods=["POST"]),
            Route("/beside/{name}", self.beside, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, middleware=[Middleware(Shield)])

    def _work(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.worked.append(name)
            return name

        return self.gate if name == "held" else work

    async def answer(self, request: Request) -> Response:
        await request.body()
        return PlainTextResponse(await self.threads(self._work(request.path_params["name"])))

    async def later(self, request: Request) -> Response:
        await request.body()
        return PlainTextResponse("", background=BackgroundTask(self.threads, self._work(request.path_params["name"])))

    async def beside(self, request: Request) -> Response:
        """Answer while the work waits already, as Slack is answered."""
        await request.body()
        self.task = asyncio.create_task(self.threads(self._work(request.path_params["name"])))
        await until(lambda: self.threads.waiting == 1)
        return PlainTextResponse("")


@contextmanager
def posted(address: str, path: str) -> Iterator[socket.socket]:
    at = urlsplit(address)
    with socket.create_connection((at.hostname, at.port), timeout=10) as wire:
        wire.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        yield wire


@pytest.fixture
async def service(gate: Gate) -> AsyncIterator[tuple[Service, str]]:
    service = Service(gate, most=2)
    with running(service.app) as address:
        yield service, address
        gate.open.set()


async def test_a_client_that_hangs_up_while_it_waits_is_left_out(service: tuple[Service, str]) -> None:
    its, address = service
    with posted(address, "/held"):
        await asyncio.to_thread(its.gate.has_begun)
        with posted(address, "/stays") as stays:
            await until(lambda: its.threads.waiting == 1)
            with posted(address, "/goes"):
                await until(lambda: its.threads.waiting == 2)
            await until(lambda: its.threads.waiting == 1)
            its.gate.open.set()
            assert b"200 OK" in await asyncio.to_thread(stays.recv, 1000)
    assert its.worked == ["stays"]


@pytest.mark.parametrize("path", ["/later/slack", "/beside/slack"])
async def test_what_is_done_after_the_answer_is_done_though_the_client_is_gone(
    service: tuple[Service, str], path: str
) -> None:
    its, address = service
    with posted(address, "/held"):
        await asyncio.to_thread(its.gate.has_begun)
        with posted(address, path) as wire:
            assert b"200 OK" in await asyncio.to_thread(wire.recv, 1000)
        await until(lambda: its.threads.waiting == 1)
        its.gate.open.set()
        await until(lambda: its.worked == ["slack"])


async def test_a_service_that_is_too_busy_says_when_to_come_again(service: tuple[Service, str]) -> None:
    its, address = service
    with posted(address, "/held"), posted(address, "/one"), posted(address, "/two"):
        await until(lambda: its.threads.waiting == 2)
        async with httpx.AsyncClient(base_url=address) as client:
            answer = await client.post("/three", content=b"{}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
