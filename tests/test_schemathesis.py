"""Schemathesis calls a real server in every way that its description allows, and in others; all checks, all phases."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cases import Store
from bot.keys import Keys
from tests.served import Fleet, Served, complaints

pytestmark = pytest.mark.early

EXAMPLES, MANY_EXAMPLES = 2, 100
"""What is made up for each operation in the ordinary tests, where nothing is left to chance, and in the soak."""
HOW = (
    *("--checks", "all", "--continue-on-failure"),
    *("--workers", "2", "--generation-database", "none", "--no-color"),
)
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")
SHORT = {"writer": ("Examples", "Fuzzing", "Stateful")}
"""Phases of the ordinary tests: whoever may write is let in everywhere, where those without keys cover all there is."""
SEED = 1
WHO = ("open", "writer", "reader", "nobody")
"""A service without keys, and one with keys that is called with a key that may write, one that may read, and none."""


async def token_for(database: Path, *scopes: str) -> str:
    """Make a key."""
    async with Store.open(f"sqlite:///{database}") as store:
        await store.migrate()
        _, token = await Keys(store).create("schemathesis", "acme", scopes)
        return token


@contextmanager
def run(fleet: Fleet, folder: Path, who: str, *, small: bool) -> Iterator[tuple[Served, list[str]]]:
    """Serve, and give the words of a command line that let one in."""
    file = folder / "cases.sqlite3"
    scopes = {"writer": ("read", "write"), "reader": ("read",)}.get(who)
    token = asyncio.run(token_for(file, *scopes)) if scopes else None
    served = fleet.start(file, small=small, dev=who == "open")
    try:
        yield served, ["--header", f"Authorization: Bearer {token}"] if token else []
    finally:
        fleet.stop(served)


def called(served: Served, folder: Path, *words: str, phases: Sequence[str] = PHASES) -> None:
    """Let Schemathesis call a server; what it finds is what the test fails with."""
    how = (*HOW, "--phases", ",".join(phases).lower())
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json", *how, *words],
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"\N{WHITE HEAVY CHECK MARK} {phase}" in done.stdout for phase in phases), done.stdout
    assert complaints(served) == []


@pytest.mark.parametrize("who", WHO)
def test_the_service_does_what_its_description_says(fleet: Fleet, tmp_path: Path, who: str) -> None:
    with run(fleet, tmp_path, who, small=True) as (served, words):
        phases = SHORT.get(who, PHASES)
        called(served, tmp_path, *words, "--max-examples", str(EXAMPLES), "--seed", str(SEED), phases=phases)


@pytest.mark.soak
@pytest.mark.parametrize("who", WHO)
def test_the_service_does_what_its_description_says_at_length(fleet: Fleet, tmp_path: Path, who: str) -> None:
    with run(fleet, tmp_path, who, small=False) as (served, words):
        seed = secrets.randbelow(2**32)
        called(served, tmp_path, *words, "--max-examples", str(MANY_EXAMPLES), "--seed", str(seed))
