"""Real server processes for tests: forked from one that has the knowledge loaded already, and killed at will."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

MANY = 10_000_000
"""A rate that no test comes near to."""

Way = Literal["http", "socket"]
"""How Slack reaches a server."""

_JUNK = ("WARNING:  Invalid HTTP request received.", "WARNING:  Unsupported upgrade request.", "WARNING:  No supported")
"""What uvicorn says of requests that are none, or want another protocol: that is no fault of ours."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server process that answers."""

    pid: int
    url: str
    log: Path


class Fleet:
    """Server processes, started within a moment: each is a fork of one process that has the knowledge loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.forking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(
        self, database: Path | str, way: Way | None = None, /, *, small: bool = False, **settings: object
    ) -> Served:
        """Start a server on a file of SQLite's or a database's address; it answers when this returns.

        A `small` one knows little: see tests/forking.py. With a `way` what it is at work on in Slack is left to others
        a second after it is killed; over Socket Mode it may not be connected yet, and has no address.
        """
        self._count += 1
        log = self._folder / f"server-{self._count}.log"
        url = f"sqlite:///{database}" if isinstance(database, Path) else database
        told = {"dev": True, "rate": MANY, "port": 0, **settings, "database_url": url}
        found = self._ask({"start": told, "small": small, "way": way, "log": str(log)})
        if "port" not in found:
            raise RuntimeError(log.read_text("utf-8"))
        return Served(found["pid"], f"http://127.0.0.1:{found['port']}", log)

    def kill(self, served: Served) -> None:
        """Kill a server with SIGKILL; it is gone when this returns."""
        self._end(served, signal.SIGKILL)

    def stop(self, served: Served) -> int:
        """End a server as a supervisor does, with SIGTERM; give its exit status."""
        return self._end(served, signal.SIGTERM)

    def _end(self, served: Served, how: signal.Signals) -> int:
        os.kill(served.pid, how)
        status: int = self._ask({"reap": served.pid})["status"]
        return status

    def _ask(self, told: Mapping[str, object]) -> dict[str, Any]:
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write(json.dumps(told) + "\n")
        self._parent.stdin.flush()
        answer: dict[str, Any] = json.loads(self._parent.stdout.readline())
        return answer

    def close(self) -> None:
        """End every server that is left."""
        self._parent.communicate()


def complaints(served: Served) -> list[str]:
    """Give what a server wrote on its output: nothing, unless something went wrong in it."""
    return [line for line in served.log.read_text("utf-8").splitlines() if not line.startswith(_JUNK)]
