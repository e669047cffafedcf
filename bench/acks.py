"""How soon Slack has its acknowledgement, and a person the answer, while others talk and a large file is read.

python -m bench.acks [--people N] [--presses N]

The real service as a process, before the loopback Slack of the tests. Conversations are held at once, in direct
messages: a line, then answers by buttons. First nobody else is there, then somebody sends a text file of 1 MB as soon
as the last one was answered. The yardstick is a route that acknowledges without reading, called at the same time: what
the libraries and a machine that does all this at once take. Requests are carried and timed by bench/courier.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `python bench/acks.py` works as well

from bench.courier import LONGEST_LINE
from tests.loopback_slack import SECRET
from tests.slack.delivery import Ack, Parcel, Retry, Round, posted
from tests.slack.loopback import Loopback, loopback
from tests.slack.people import Person, person
from tests.slack.seen import Seen

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/{} flags ACK on interface dmz"
LARGE = 1_000_000
"""Bytes of the file."""
SEED = 20266
PAUSE_S = 4.0
"""Seconds that a person thinks, at most, before they press."""
BARE_PAUSE_S = 0.1
PATIENCE_S = 60.0
HERE = Path(__file__).parent


@dataclass
class Watched:
    """Seconds until each acknowledgement, also of the yardstick, each answer to be seen, and that to a large file."""

    acks: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)


class Courier:
    """Has requests carried by a process that does nothing else."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._waiting: list[asyncio.Future[dict[str, Any]]] = []

    async def hear(self) -> None:
        """Take what it tells."""
        assert self._process.stdout
        async for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            self._waiting[told["number"]].set_result(told)

    async def carry(self, url: str, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Let it carry a signed request."""
        content, headers = posted(parcel, retry=retry)
        number = len(self._waiting)
        told = {"number": number, "url": url, "body": content.decode(), "headers": headers}
        self._waiting.append(asyncio.get_running_loop().create_future())
        assert self._process.stdin
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        found = await self._waiting[number]
        return Ack(parcel, found["status"], found["body"], found["seconds"], retry)


@dataclass(frozen=True)
class CarriedDoor:
    """The request URL of an app, to which the courier goes."""

    url: str
    courier: Courier

    async def send(self, parcel: Parcel, retry: Retry | None = None) -> Ack:
        """Hand over a parcel, once."""
        return await self.courier.carry(self.url, parcel, retry)


@asynccontextmanager
async def courier() -> AsyncIterator[Courier]:
    """Start a courier."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "courier.py"), stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
    )
    carrying = Courier(process)
    hearing = asyncio.create_task(carrying.hear())
    try:
        yield carrying
    finally:
        assert process.stdin
        process.stdin.close()
        await asyncio.gather(process.wait(), hearing)


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@asynccontextmanager
async def running(*arguments: str, environment: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Run a program of Python's in silence."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=dict(environment), stderr=DEVNULL, stdout=DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def service(town: Loopback, folder: Path) -> AsyncIterator[str]:
    """Run the service as `make run` does, with the app in the loopback Slack."""
    port = free_port()
    told = {
        "port": str(port),
        "dev": "1",
        "database_url": f"sqlite:///{folder / 'cases.sqlite3'}",
        "slack_signing_secret": SECRET,
        "slack_bot_token": next(iter(town.slack.tokens)),
        "slack_api_url": town.base_url,
    }
    environment = {**os.environ, **{f"WHYDROP_{name.upper()}": value for name, value in told.items()}}
    async with running("-m", "bot", "serve", environment=environment):
        await _until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}/slack/events"


@asynccontextmanager
async def yardstick() -> AsyncIterator[str]:
    """Run the route that does nothing."""
    port = free_port()
    async with running("-m", "uvicorn", "--app-dir", str(HERE), "--port", str(port), "courier:nothing"):
        yield f"http://127.0.0.1:{port}/events"


async def _until_ready(url: str) -> None:
    """Wait until it serves, and then until it has other processes to diagnose: they load what it has loaded."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client, asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    await asyncio.sleep(8)


async def timed(town: Loopback, parcel: Parcel, watched: Watched) -> float:
    """Hand something over; gives when that began."""
    began = time.monotonic()
    ack = await town.deliver(parcel)
    assert ack.good, ack
    watched.acks.append(ack.seconds)
    return began


async def conversation(who: Person, number: int, presses: int, watched: Watched) -> None:
    """Send a line, wait for the answer, and press the first answer that is offered, several times."""
    chance = random.Random(SEED + number)
    await asyncio.sleep(chance.random() * PAUSE_S)
    began = await timed(who.town, who.dm_parcel(LINE.format(40_000 + number)), watched)
    mine = who.sees(who.dm)[0]
    said = await who.reads("What I read", who.dm, mine, PATIENCE_S)
    watched.answers.append(time.monotonic() - began)
    for _ in range(presses):
        await asyncio.sleep(chance.random() * PAUSE_S)
        if not (label := first_answer(said)):
            break
        before = said.words()
        began = await timed(who.town, who.press(label, said), watched)
        await who.town.until(lambda before=before: said.words() != before, PATIENCE_S)  # type: ignore[misc]
        watched.answers.append(time.monotonic() - began)


def first_answer(said: Seen) -> str | None:
    """Give the label of the first button that answers the question, if one is asked."""
    buttons = [one for block in said.blocks for one in block.get("elements", ()) if one.get("type") == "button"]
    return next((str(one["text"]["text"]) for one in buttons if ":answer:" in one["action_id"]), None)


async def large_files(who: Person, watched: Watched) -> None:
    """Send one large file after the other."""
    number = 0
    while True:
        number += 1
        line = LINE.format(number)
        content = "\n".join([line] * (LARGE // len(line))).encode()
        began = time.monotonic()
        await who.dms(f"file {number}", files=[(f"{number}.log", content)])
        mine = next(one for one in who.sees(who.dm) if one.message.text == f"file {number}")
        await who.reads("What I read", who.dm, mine, PATIENCE_S)
        watched.files.append(time.monotonic() - began)


async def measured(town: Loopback, bare: CarriedDoor, people: int, presses: int, *, large: bool) -> Watched:
    """Let people talk at once."""
    watched = Watched()
    name = "large" if large else "small"
    beside = [asyncio.create_task(acknowledged(bare, person(town, f"{name}-nobody"), watched))]
    if large:
        beside.append(asyncio.create_task(large_files(person(town, f"{name}-reader"), watched)))
    talks = [person(town, f"{name}-{number}") for number in range(people)]
    await asyncio.gather(*(conversation(who, n, presses, watched) for n, who in enumerate(talks)))
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    await town.settled()
    return watched


async def acknowledged(bare: CarriedDoor, who: Person, watched: Watched) -> None:
    """Deliver to the yardstick, at times of its own."""
    chance = random.Random(SEED)
    while True:
        await asyncio.sleep(chance.random() * BARE_PAUSE_S)
        watched.bare.append((await bare.send(who.dm_parcel(LINE.format(0)))).seconds)


def share(times: Sequence[float], part: float) -> float:
    """Give the time, in milliseconds, within which a part of them were."""
    return 1000 * sorted(times)[min(int(part * len(times)), len(times) - 1)]


def row(label: str, times: Sequence[float], bare: Sequence[float] | None = None) -> str:
    """Write one line of the table."""
    found = "".join(f"{share(times, part):9.1f}" for part in (0.5, 0.95, 0.99, 1.0))
    ratio = f"{share(times, 0.99) / share(bare, 0.99):9.1f}" if bare else ""
    return f"{label:52}{len(times):7}{found}{ratio}"


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How soon Slack has its acknowledgement.")
    parser.add_argument("--people", type=int, default=50, help="conversations at once (default: %(default)s)")
    parser.add_argument("--presses", type=int, default=6, help="answers of each, at most (default: %(default)s)")
    wanted = parser.parse_args()
    print(f"{'milliseconds':52}{'n':>7}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}{'p99 ratio':>11}")
    async with loopback() as town, courier() as carrying, yardstick() as bare:
        with TemporaryDirectory() as folder:
            async with service(town, Path(folder)) as url:
                town.round = Round(CarriedDoor(url, carrying))
                await compared(town, CarriedDoor(bare, carrying), wanted.people, wanted.presses)


async def compared(town: Loopback, bare: CarriedDoor, people: int, presses: int) -> None:
    """Measure without and with large files, and print."""
    for large in (False, True):
        found = await measured(town, bare, people, presses, large=large)
        beside = ", while 1 MB is read" if large else ""
        print(row(f"a route that does nothing else{beside}", found.bare))
        print(row(f"acks{beside}", found.acks, found.bare))
        print(row(f"answers to be seen{beside}", found.answers), flush=True)
        if found.files:
            print(row("1 MB file, answer to be seen", found.files))


if __name__ == "__main__":
    asyncio.run(main())
