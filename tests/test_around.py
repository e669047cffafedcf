"""All that is around the routes, together, in a process of its own under uvicorn: from its start to SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

SERVED = """
import logging, socket
from contextlib import asynccontextmanager
import uvicorn
from fastapi import FastAPI, Request, Response
from bot.health import Readiness, turning_red
from bot.limits import Shield
from bot.logs import configure_logs, log_request
from bot.metrics import Metrics, exposition
from bot.origins import Origins
from bot.rates import Paced, Rates
from bot.telemetry import Watch
from knowledge.load import load_shelf

async def answers():
    return []

readiness, metrics = Readiness(answers, load_shelf()), Metrics("1", "abc")

@asynccontextmanager
async def lifespan(_app):
    with turning_red(readiness, grace_s=1):
        yield

api = FastAPI(lifespan=lifespan)
api.add_middleware(Shield)
api.add_middleware(Paced, rates=Rates(40))
api.add_middleware(Origins, open_to_all=True, cookie="whydrop_key")
api.add_middleware(Watch, began=[metrics.began], ended=[log_request, metrics.ended])

@api.get("/readyz")
async def readyz(response: Response):
    ready = await readiness.ready()
    response.status_code = ready.status
    return ready.told()

@api.get("/metrics")
async def shown(request: Request):
    text, content_type = exposition(metrics.registry, request.headers.get("accept", ""))
    return Response(text, media_type=content_type)

@api.post("/v1/cases/{case}")
async def told(case: str, request: Request):
    raise RuntimeError(await request.body())

configure_logs()
bound = socket.create_server(("127.0.0.1", 0))
print(bound.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(api, log_config=None, access_log=False)).run([bound])
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", SERVED]
    process = subprocess.Popen(command, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        yield process
        process.kill()


def test_a_process_serves_tells_and_goes(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(
        base_url=f"http://127.0.0.1:{int(process.stdout.readline())}", transport=transport, timeout=20
    ) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        answers = [client.post("/v1/cases/s3cret?q=s3cret", content=b"s3cret") for _ in range(11)]
        assert [one.status_code for one in answers] == [500] * 10 + [429]
        assert client.post("/v1/cases/x", headers={"host": "evil.example"}).status_code == 421
        shown = client.get("/metrics").text
        process.send_signal(signal.SIGTERM)
        while client.get("/readyz").status_code != 503:
            pass
    assert 'whydrop_requests_total{method="POST",route="/v1/cases/{case}",status="500"} 10.0' in shown
    assert 'whydrop_requests_total{method="POST",route="other",status="429"} 1.0' in shown
    assert 'whydrop_refused_total{why="rate"} 1.0' in shown
    _, logged = process.communicate(timeout=20)
    _check_logs([json.loads(line) for line in logged.splitlines()])
    assert "s3cret" not in logged


def _check_logs(lines: list[dict[str, Any]]) -> None:
    told = [line.get("text", "") for line in lines]
    assert "Application startup complete." in told
    assert "Finished server process" in " ".join(told)
    requests = [line for line in lines if line["event"] == "request"]
    statuses = [line["status"] for line in requests if line["method"] == "POST"]
    assert statuses == [500] * 10 + [429, 421]
    faults = {line["request"] for line in lines if line.get("text", "").startswith("unexpected RuntimeError at ")}
    assert faults == {line["request"] for line in requests if line["status"] == 500}
