"""The process that forks servers for tests, with the knowledge loaded once: `python -m tests.forking`.

It reads one line of JSON for each server that is wanted, or whose end is waited for, and answers with one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr

from bot.rest import create_app
from bot.settings import Settings
from bot.slack import socket_process
from bot.slack.inbox import Inbox
from bot.threads import listen_closely
from knowledge.load import load_shelf
from knowledge.shelf import Shelf
from rules.diagnose import Expert
from rules.prose import ear_of

ASKED = frozenset({"symptom", "packet.flags", "timing.worked", "timing.idle_s", "route.second_path", "log.product"})
"""Features that a small shelf has questions of."""
CAUSES = frozenset({"asymmetric-routing", "idle-timeout", "same-subnet-router", "port-closed", "threat-reset"})

LEASE = timedelta(seconds=1)
"""How long a wish from Slack is left to a server that was killed, where a test waits for that."""


class _Announced(uvicorn.Server):
    """A server that tells its port as soon as it answers."""

    def __init__(self, config: uvicorn.Config, told: int) -> None:
        super().__init__(config)
        self._told = told

    async def startup(self, sockets: Any = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            os.write(self._told, b"%d\n" % port)


def _serve(wanted: Mapping[str, Any], expert: Expert, told: int) -> None:
    """Serve as `bot serve` or `bot slack` does, in this process, until a signal ends it."""
    sys.stdin.close()
    with Path(wanted["log"]).open("w", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    settings = wanted["start"]
    how = Settings.model_validate({**settings, "database_url": SecretStr(str(settings["database_url"]))})
    if wanted["way"]:
        Inbox.__init__.__defaults__ = (LEASE,)
    if wanted["way"] == "socket":
        os.write(told, b"0\n")
        asyncio.run(socket_process.serve(how, expert))
        return
    app = create_app(how, expert)
    listen_closely()
    config = uvicorn.Config(
        app, host=how.host, port=how.port, access_log=False, limit_concurrency=how.threads * 64, log_level="warning"
    )
    _Announced(config, told).run()


def small(shelf: Shelf) -> Shelf:
    """Give the shipped shelf with few causes and questions: what tries all that may be said is through sooner."""
    features = {
        id_: one if id_ in ASKED else one.model_copy(update={"question": None}) for id_, one in shelf.features.items()
    }
    return replace(
        shelf,
        features=features,
        causes={id_: one for id_, one in shelf.causes.items() if id_ in CAUSES},
        contradictions={id_: one for id_, one in shelf.contradictions.items() if one.ask_again in ASKED},
    )


def _forked(told: Mapping[str, Any], expert: Expert) -> dict[str, object]:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            _serve(told, expert, writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        port = pipe.readline()  # empty from one that did not start
        return {"pid": pid, "port": int(port)} if port else {"pid": pid}


def _ready(shelf: Shelf) -> Expert:
    expert = Expert(shelf)
    ear_of(expert.shelf)
    gc.freeze()  # so that looking for garbage does not copy what the forks share
    return expert


def main() -> None:
    """Fork a server for each line that asks for one; when nobody asks any more, end them all."""
    whole = load_shelf()
    experts = {False: _ready(whole)}
    running: set[int] = set()
    for line in sys.stdin:
        told = json.loads(line)
        if "start" in told:
            if told["small"] not in experts:
                experts[True] = _ready(small(whole))
            found = _forked(told, experts[told["small"]])
            running.add(int(str(found["pid"])))
        else:
            found = {"status": os.waitstatus_to_exitcode(os.waitpid(told["reap"], 0)[1])}
            running.discard(told["reap"])
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
