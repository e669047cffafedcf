"""Calling a server over and over: as fast as it answers, with wrk or a loop of our own, or at a rate that is given."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

CONNECTIONS = 16
"""Connections that are called over without a pause."""
MOST_WAITING = 128
"""Connections at a given rate: as many requests may wait for their answers."""

_SCRIPT = """\
local turn, requests = 0, {}
for line in io.lines(FILE) do
  local method, path, body = line:match("^(%S+) (%S+) (.*)$")
  local headers = {["Content-Type"] = "application/json"}
  requests[#requests + 1] = {method, path, headers, body ~= "" and body or nil}
end
function request()
  turn = turn % #requests + 1
  local one = requests[turn]
  return wrk.format(one[1], one[2], one[3], one[4])
end
function done(summary, latency)
  local wrong = summary.errors
  print(string.format('FOUND {"count": %d, "us": %d, "p50": %f, "p99": %f, "failed": %d}', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    wrong.status + wrong.connect + wrong.read + wrong.write + wrong.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; an empty body is none."""

    method: str
    path: str
    body: str

    def sent(self) -> bytes:
        """Write it as it goes over the wire."""
        body = self.body.encode()
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Calls:
    """How a number of calls went: how many a second, and seconds that half and 99 of 100 took at most."""

    count: int
    rate: float
    p50: float
    p99: float
    failed: int


def wrk(port: int, requests: Sequence[Request], seconds: float) -> Calls:
    """Call as fast as it answers, with wrk."""
    with TemporaryDirectory() as name:
        lines, script = Path(name) / "requests.txt", Path(name) / "script.lua"
        lines.write_text("\n".join(f"{one.method} {one.path} {one.body}" for one in requests) + "\n", encoding="utf-8")
        script.write_text(_SCRIPT.replace("FILE", json.dumps(str(lines))), encoding="utf-8")
        length = f"{max(1, round(seconds))}s"
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", length, "--timeout", "20s", "-s", str(script)]
        ran = subprocess.run(  # noqa: S603 - on the PATH
            [*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        )
    found = json.loads(next(line for line in ran.stdout.splitlines() if line.startswith("FOUND"))[6:])
    rate = found["count"] / found["us"] * 1e6
    return Calls(found["count"], rate, found["p50"] / 1e6, found["p99"] / 1e6, found["failed"])


def paced(port: int, requests: Sequence[Request], seconds: float, rate: float | None) -> Calls:
    """Call so often a second, whether it answers or not, in a process beside; without a rate, as fast as it answers.

    What a call takes is counted from when it was due: whoever had to wait for the one before has waited.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        return beside.submit(_called, port, [one.sent() for one in requests], seconds, rate).result()


def _called(port: int, requests: Sequence[bytes], seconds: float, rate: float | None) -> Calls:
    return asyncio.run(_calling(port, requests, seconds, rate))


async def _calling(port: int, requests: Sequence[bytes], seconds: float, rate: float | None) -> Calls:
    turns, taken, failed = count(), list[float](), list[int]()
    began = time.perf_counter() + 0.1

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in turns:
            due = began + turn / rate if rate else time.perf_counter()
            if due > began + seconds:
                break
            await asyncio.sleep(due - time.perf_counter())
            if reader.at_eof():  # the server hangs up on whoever says nothing for five seconds
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(requests[turn % len(requests)])
            status = await _status(reader)
            taken.append(time.perf_counter() - due)
            failed.extend([status] if status >= 400 else [])
        writer.close()

    await asyncio.gather(*(caller() for _ in range(MOST_WAITING if rate else CONNECTIONS)))
    spent = time.perf_counter() - began
    p50, p99 = _percentiles(taken)
    return Calls(len(taken), len(taken) / spent, p50, p99, len(failed))


async def _status(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; give its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def _percentiles(taken: Sequence[float]) -> Iterator[float]:
    """Give the times that half and 99 of 100 calls did not exceed."""
    ordered = sorted(taken)
    return (ordered[math.ceil(part * len(ordered)) - 1] for part in (0.50, 0.99))
