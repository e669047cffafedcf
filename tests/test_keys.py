from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from bot.case_events import Pasted
from bot.cases import Store
from bot.cli import app
from bot.keys import CACHED_S, MOST_CACHED, NOTED, Key, Keys, NoSuchKey, Scope, WrongKey
from bot.tables import KEYS, METADATA, Busy
from tests.clock import Clock

pytest_plugins = ["tests.postgres"]

ROOT = Path(__file__).parents[1]
BOTH: tuple[Scope, ...] = ("read", "write")
T = TypeVar("T")


class Counting(Store):
    """A store that counts its transactions."""

    reads = writes = 0

    async def read_with(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        self.reads += 1
        return await super().read_with(work)

    async def write_with(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, hurried: bool = False, lasting: bool = True
    ) -> T:
        self.writes += 1
        return await super().write_with(work, hurried=hurried, lasting=lasting)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[Counting]:
    async with Counting.open(url, clock) as opened:
        assert isinstance(opened, Counting)
        await opened.migrate()
        opened.reads = opened.writes = 0
        yield opened


@pytest.fixture
def keys(store: Store, clock: Clock) -> Keys:
    return Keys(store, lambda: clock.seconds)


# Tokens


async def test_a_key_is_known_by_its_token(keys: Keys, clock: Clock) -> None:
    key, token = await keys.create("the page", "us", BOTH)
    found = await keys.check(token)
    assert (found.id, found.name, found.workspace, found.scopes) == (key.id, "the page", "us", frozenset(BOTH))
    assert (found.created, found.expires, found.revoked) == (clock.time, None, None)
    assert re.fullmatch(r"whydrop_[a-z2-7]{10}_[a-z2-7]{52}", token)
    assert token.split("_")[1] == key.id


async def test_a_key_may_be_for_reading_only(keys: Keys) -> None:
    _, token = await keys.create("a dashboard", "us", ["read"])
    assert (await keys.check(token)).scopes == {"read"}


async def test_of_the_secret_only_a_hash_is_kept(keys: Keys, store: Store) -> None:
    _, token = await keys.create("k", "us", BOTH)
    secret = token.split("_")[2]
    row = (await store.read_with(lambda connection: connection.execute(select(KEYS)))).one()
    assert row.digest == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(row)
    assert secret not in repr(await keys.list()) + repr(await keys.check(token))


async def test_tokens_are_random(keys: Keys) -> None:
    tokens = [(await keys.create("k", "us", BOTH))[1] for _ in range(20)]
    for position in range(len("whydrop_"), len(tokens[0])):
        letters = {token[position] for token in tokens}
        assert len(letters) > 5 or letters == {"_"}


async def test_what_is_wrong_with_a_key_is_not_told(keys: Keys, clock: Clock, store: Counting) -> None:
    _, token = await keys.create("k", "us", BOTH)
    revoked, revoked_token = await keys.create("k", "us", BOTH)
    await keys.revoke(revoked.id)
    _, expired = await keys.create("k", "us", BOTH, clock.time + timedelta(days=1))
    clock.time += timedelta(days=1)
    letter = "a" if token[-1] != "a" else "b"
    wrong = {
        "unknown": f"whydrop_{'a' * 10}_{'a' * 52}",
        "another secret": token[:-1] + letter,
        "revoked": revoked_token,
        "expired": expired,
        "nothing": "",
        "of another form": "Bearer x",
        "longer": token + "a",
        "with a line end": token + "\n",
        "in capitals": token.upper(),
        "no UTF-8": "whydrop_\ud800",
        "NUL": token[:-1] + "\x00",
        "SQL": "whydrop_' OR 1=1 --_" + "a" * 52,
    }
    for what, one in wrong.items():
        store.reads = store.writes = 0
        with pytest.raises(WrongKey) as told:
            await keys.check(one)
        assert str(told.value) == "the key is not valid"
        assert (store.reads, store.writes) == (1, 0), what  # all take the same way
    assert (await keys.check(token)).name == "k"


async def test_a_wrong_secret_is_compared_in_constant_time(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("bot.keys.hmac.compare_digest", compare)
    _, token = await keys.create("k", "us", BOTH)
    for one in ("", f"whydrop_{'a' * 10}_{'a' * 52}", token[:-3] + "aaa"):
        with pytest.raises(WrongKey):
            await keys.check(one)
    await keys.check(token)
    assert compared == [(32, 32)] * 4


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "k" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"workspace": ""}, "workspace"),
        ({"workspace": "a b"}, "workspace"),
        ({"workspace": "é"}, "workspace"),
        ({"scopes": ()}, "scopes read, write"),
        ({"scopes": ("read", "admin")}, "scopes read, write"),
        ({"expires": Clock().time}, "time to come"),
        ({"expires": datetime(2030, 1, 1)}, "time zone"),  # noqa: DTZ001
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(keys: Keys, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        await keys.create(**({"name": "k", "workspace": "us", "scopes": BOTH} | wanted))
    assert await keys.list() == ()


# Revoking, expiring


async def test_a_revoked_key_is_refused_at_once(keys: Keys, clock: Clock) -> None:
    key, token = await keys.create("k", "us", BOTH)
    await keys.check(token)
    await keys.revoke(key.id)
    with pytest.raises(WrongKey):
        await keys.check(token)
    first = clock.time
    clock.time += timedelta(days=1)
    await keys.revoke(key.id)
    assert [one.revoked for one in await keys.list()] == [first]


async def test_another_process_refuses_it_within_seconds(store: Store, keys: Keys, clock: Clock) -> None:
    other = Keys(store, lambda: clock.seconds)
    key, token = await keys.create("k", "us", BOTH)
    await other.check(token)
    await keys.revoke(key.id)
    clock.seconds += CACHED_S - 0.01
    await other.check(token)  # what it costs not to look each time
    clock.seconds += 0.01
    with pytest.raises(WrongKey):
        await other.check(token)


async def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_believed_later(store: Counting, clock: Clock) -> None:
    class Slow(Keys):
        async def _looked_up(self, token: str) -> Key:
            found = await super()._looked_up(token)
            await self.revoke(found.id)
            return found

    keys = Slow(store, lambda: clock.seconds)
    _, token = await keys.create("k", "us", BOTH)
    await keys.check(token)
    with pytest.raises(WrongKey):
        await keys.check(token)


async def test_a_key_that_expires_is_refused_to_the_moment_though_it_was_believed(keys: Keys, clock: Clock) -> None:
    _, token = await keys.create("k", "us", BOTH, clock.time + timedelta(seconds=2))
    await keys.check(token)
    clock.time += timedelta(seconds=1.999)
    await keys.check(token)
    clock.time += timedelta(seconds=0.001)
    with pytest.raises(WrongKey):
        await keys.check(token)


@pytest.mark.parametrize("key", ["", "x", "a" * 10, "a" * 9 + "\n", "\x00" * 10, "\ud800", "' OR 1=1"], ids=ascii)
async def test_what_is_no_key_cannot_be_revoked(keys: Keys, key: str) -> None:
    _, token = await keys.create("k", "us", BOTH)
    with pytest.raises(NoSuchKey):
        await keys.revoke(key)
    await keys.check(token)


# What a check costs


async def test_a_key_is_looked_up_once_in_a_while(keys: Keys, store: Counting, clock: Clock) -> None:
    _, token = await keys.create("k", "us", BOTH)
    store.reads = store.writes = 0
    for _ in range(100):
        await keys.check(token)
    assert (store.reads, store.writes) == (1, 1)
    clock.seconds += CACHED_S
    await keys.check(token)
    assert (store.reads, store.writes) == (2, 1)


async def test_keys_that_are_believed_are_bounded(keys: Keys, store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_CACHED >= 100
    monkeypatch.setattr("bot.keys.MOST_CACHED", 3)
    tokens = [(await keys.create("k", "us", BOTH))[1] for _ in range(5)]
    for token in tokens:
        await keys.check(token)
    assert len(keys._believed) == 3
    store.reads = 0
    await keys.check(tokens[-1])
    assert store.reads == 0
    await keys.check(tokens[0])
    assert store.reads == 1


async def test_wrong_keys_fill_no_memory(keys: Keys) -> None:
    for number in range(50):
        with pytest.raises(WrongKey):
            await keys.check(f"whydrop_{'a' * 10}_{number:052}")
    assert keys._believed == {}


async def test_the_last_use_is_noted_once_an_hour(keys: Keys, store: Counting, clock: Clock) -> None:
    _, token = await keys.create("k", "us", BOTH)
    assert (await keys.list())[0].used is None
    first = clock.time
    for minutes in (0, 30, 59):
        clock.time = first + timedelta(minutes=minutes)
        clock.seconds += CACHED_S
        await keys.check(token)
        assert (await keys.list())[0].used == first
    assert store.writes == 2  # made, and noted
    clock.time = first + NOTED
    clock.seconds += CACHED_S
    await keys.check(token)
    assert (await keys.list())[0].used == clock.time


async def test_a_busy_database_keeps_nobody_out(keys: Keys, store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = await keys.create("k", "us", BOTH)

    async def busy(*_: object) -> None:
        raise Busy

    monkeypatch.setattr(store, "write_with", busy)
    assert (await keys.check(token)).name == "k"


async def test_keys_are_listed_by_workspace(keys: Keys, clock: Clock) -> None:
    for name, workspace in (("one", "us"), ("two", "them"), ("three", "us")):
        await keys.create(name, workspace, BOTH)
        clock.time += timedelta(seconds=1)
    assert [key.name for key in await keys.list()] == ["one", "two", "three"]
    assert [key.name for key in await keys.list("us")] == ["one", "three"]
    assert await keys.list("nobody") == ()


# The tables


def at_first(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "bot" / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def test_a_database_of_the_first_version_is_brought_up_to_date_with_all_it_holds(url: str, clock: Clock) -> None:
    async with Store.open(url, clock) as store:
        await store.write_with(lambda connection: connection.run_sync(at_first))
        tables = await store.read_with(
            lambda connection: connection.run_sync(lambda one: inspect(one).get_table_names())
        )
        assert set(tables) == {"cases", "events", "replies", "alembic_version"}
        case = (await store.create("us", [Pasted(paste="a line")])).id
        await store.migrate()
        assert (await store.read("us", case)).case.paste == "a line"
        tables = await store.read_with(
            lambda connection: connection.run_sync(lambda one: inspect(one).get_table_names())
        )
        assert set(tables) == {*METADATA.tables, "alembic_version"}
        _, token = await (keys := Keys(store)).create("k", "us", BOTH)
        assert (await keys.check(token)).workspace == "us"


async def test_a_key_of_a_scope_that_is_unknown_here_has_the_scopes_that_are_known(keys: Keys, store: Store) -> None:
    row = {"id": "a" * 10, "digest": hashlib.sha256(b"a" * 52).digest(), "name": "k", "workspace": "us"}
    made = insert(KEYS).values(**row, scopes="read audit", created=datetime.now(UTC))
    await store.write_with(lambda connection: connection.execute(made))
    assert (await keys.check(f"whydrop_{'a' * 10}_{'a' * 52}")).scopes == {"read"}


# On the command line


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("WHYDROP_DATABASE_URL", url)
    return lambda *words: CliRunner().invoke(app, ["keys", *words])


def checked(url: str, token: str) -> Scope | str:
    async def check() -> str:
        async with Store.open(url) as store:
            key = await Keys(store).check(token)
            return f"{key.name} {key.workspace} {' '.join(sorted(key.scopes))}"

    return asyncio.run(check())


def test_a_key_is_made_listed_and_revoked_in_a_terminal(run: Callable[..., Result], url: str) -> None:
    made = run("create", "CI [bold]")
    token = made.stdout.strip()
    assert made.exit_code == 0
    assert "will not be shown again" in made.stderr
    assert checked(url, token) == "CI [bold] local read write"
    _, id_, secret = token.split("_")
    listed = run("list")
    assert listed.exit_code == 0
    assert id_ in listed.stdout
    assert "CI [bold]" in listed.stdout
    assert "valid" in listed.stdout
    assert secret not in listed.stdout
    assert run("revoke", id_).exit_code == 0
    assert "revoked" in run("list").stdout
    with pytest.raises(WrongKey):
        checked(url, token)


def test_a_key_takes_workspace_scope_and_end_from_the_call(run: Callable[..., Result], url: str) -> None:
    made = run("create", "k", "--workspace", "noc", "--scope", "read", "--expires-days", "3")
    assert checked(url, made.stdout.strip()) == "k noc read"
    assert "expires" in run("list", "--workspace", "noc").stdout
    assert "noc" not in run("list", "--workspace", "other").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create", ""], "name"),
        (["create", "k", "--scope", "admin"], "scopes read, write"),
        (["create", "k", "--workspace", "a b"], "workspace"),
        (["revoke", "nobody"], "no key with this id"),
        (["list", "--workspace", ""], "workspace"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(run: Callable[..., Result], words: list[str], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("whydrop: ")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://someone:hunter2@127.0.0.1:1/cases",
        "postgresql://someone:hun/ter2@127.0.0.1:1/cases",
        "postgresql://someone:hunter2@127.0.0.1:99999/cases",
        "sqlite:////nowhere/hunter2/cases.sqlite3",
        "mysql://someone:hunter2@localhost/cases",
        f"sqlite:///{Path(__file__)}",
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(address: str) -> None:
    command = [sys.executable, "-m", "bot", "keys", "list"]
    found = subprocess.run(
        command,
        env=os.environ | {"WHYDROP_DATABASE_URL": address},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith("whydrop: ")
    assert found.stderr.count("\n") == 1
    assert "hunter2" not in found.stderr
    assert "ter2" not in found.stderr


def test_a_key_whose_token_nobody_has_seen_is_revoked(run: Callable[..., Result], url: str) -> None:
    command = [sys.executable, "-m", "bot", "keys", "create", "k"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        made = subprocess.run(
            command,
            env=os.environ | {"WHYDROP_DATABASE_URL": url},
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert made.returncode == 1
    assert made.stderr.splitlines()[-1].startswith("whydrop: the output could not be written")
    assert "is revoked, for nobody has seen its token" in made.stderr
    assert "revoked" in run("list").stdout
    assert "valid" not in run("list").stdout


def test_work_that_the_database_refuses_is_told(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    assert run("list").exit_code == 0
    monkeypatch.setattr("bot.keys.Keys.create", full)
    result = run("create", "k")
    assert (result.exit_code, result.stderr) == (2, "whydrop: the database: database or disk is full\n")
