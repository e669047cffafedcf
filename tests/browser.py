"""A real Chromium and a real server, for the tests that look at the page as people do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from rules.diagnose import Expert
from tests.page import House, house

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a Chromium; as root on Debian it is installed where there is none."""
    if found := _found():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-yqq", "--no-install-recommends", "chromium")
        if found := _found():
            return found
    pytest.fail("these tests need Chromium; install it (Debian, Ubuntu: apt install chromium)")


def _run(*command: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=quiet, check=False, capture_output=True)


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a running browser; it ends with the module, for its event loop is in the way of asynchronous tests."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield running
        running.close()


@contextmanager
def served(built: House) -> Iterator[str]:
    """Serve over a loopback port that is free; gives the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)  # whoever comes before the server is ready waits in this queue
        server = uvicorn.Server(uvicorn.Config(built.app, log_level="error", lifespan="on", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def site(expert: Expert, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a running service with the page in it."""
    folder: Path = tmp_path_factory.mktemp("site")
    with served(house(expert, folder)) as address:
        yield address


@pytest.fixture
def serving() -> Callable[[House], AbstractContextManager[str]]:
    """Give a function that serves a service of the test's own."""
    return served
