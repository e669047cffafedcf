from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import ValidationError
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from bot.case_events import (
    Answered,
    CaseEvent,
    Leading,
    Outcome,
    Pasted,
    Summary,
    replayed,
)
from bot.cases import (
    LONGEST_PAGE,
    MOST_EVENTS,
    CaseFull,
    Change,
    Filters,
    KeyReused,
    NoSuchCase,
    Reply,
    Stale,
    Store,
    WrongCursor,
)
from bot.tables import CASES, EVENTS, METADATA, REPLIES, Busy
from tests.test_case_events import ALL_KINDS, PASTED

pytest_plugins = ["tests.postgres"]

ROOT = Path(__file__).parents[1]


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with Store.open(url) as opened:
        await opened.migrate()
        yield opened


class Clock:
    """A clock that goes on by a second at each look, and can be set."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def timed(url: str, clock: Clock) -> AsyncIterator[Store]:
    async with Store.open(url, clock) as opened:
        await opened.migrate()
        yield opened


def answer(number: int) -> Answered:
    return Answered(feature=f"feature.{number}", value=float(number))


async def told(store: Store, case: str) -> list[CaseEvent]:
    return [one.event for one in (await store.read("us", case)).events]


async def rows(store: Store) -> dict[str, int]:
    async with store._engine.connect() as connection:
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (CASES, EVENTS, REPLIES)
        }


# Keeping and reading


async def test_a_case_comes_back_with_all_that_happened(store: Store) -> None:
    before = datetime.now(UTC)
    created = await store.create("us", ALL_KINDS[:1])
    await store.append("us", created.id, ALL_KINDS[1:4])
    last = await store.append("us", created.id, ALL_KINDS[4:])
    kept = await store.read("us", created.id)
    assert [one.event for one in kept.events] == list(ALL_KINDS)
    assert [one.number for one in kept.events] == list(range(1, len(ALL_KINDS) + 1))
    assert kept.case == replayed(ALL_KINDS)
    assert kept.summary == last
    assert (last.version, last.state, last.created) == (len(ALL_KINDS), "closed", created.created)
    assert before <= kept.events[0].at <= kept.events[-1].at == last.updated <= datetime.now(UTC)
    assert kept.events[0].at.tzinfo is UTC


async def test_a_paste_with_every_awkward_character_comes_back(store: Store) -> None:
    paste = "".join(map(chr, [*range(0x300), 0x2028, 0xFFFF, 0x1F600])) + "'; DROP TABLE cases; --"
    case = (await store.create("us", [Pasted(paste=paste)])).id
    assert (await store.read("us", case)).case.paste == paste


async def test_a_paste_of_the_largest_size_comes_back(store: Store) -> None:
    paste = "".join(random.Random(5).choices("abc é\n", k=4_000_000))  # noqa: S311
    case = (await store.create("us", [Pasted(paste=paste)])).id
    assert (await store.read("us", case)).case.paste == paste


async def test_ids_are_random_and_can_stand_in_an_address(store: Store) -> None:
    ids = {(await store.create("us", [PASTED])).id for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"[a-z2-7]{26}", one) for one in ids)
    assert len({one[:4] for one in ids}) > 15


async def test_a_list_shows_what_led_at_the_last_diagnosis(store: Store) -> None:
    leading = Leading("reset", "port-closed", "likely", "fortigate")
    case = (await store.create("us", [PASTED], leading)).id
    after = await store.append("us", case, [answer(1)])
    assert (after.symptom, after.cause, after.standing, after.product) == (
        "reset",
        "port-closed",
        "likely",
        "fortigate",
    )
    after = await store.append("us", case, [answer(1)], leading=Leading("out-of-state"))
    assert (after.symptom, after.cause, after.standing, after.product) == ("out-of-state", None, None, None)
    assert (await store.list("us")).cases == (after,)


async def test_times_never_go_back_within_a_case(timed: Store, clock: Clock) -> None:
    case = (await timed.create("us", [PASTED])).id
    clock.time -= timedelta(hours=1)
    summary = await timed.append("us", case, [answer(1)])
    kept = await timed.read("us", case)
    assert summary.created == summary.updated == kept.events[0].at == kept.events[1].at


async def test_nothing_is_no_event(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    with pytest.raises(ValueError, match="no event"):
        await store.create("us", [])
    with pytest.raises(ValueError, match="no event"):
        await store.append("us", case, [])


async def test_a_case_has_an_end(store: Store) -> None:
    case = (await store.create("us", [answer(1)] * (MOST_EVENTS - 1))).id
    assert (await store.append("us", case, [answer(2)])).version == MOST_EVENTS
    with pytest.raises(CaseFull):
        await store.append("us", case, [answer(3)])
    assert len(await told(store, case)) == MOST_EVENTS


# Tenants

HOSTILE_IDS = [
    "",
    "x",
    "a" * 26,
    "a" * 25 + "\n",
    "A" * 26,
    "\x00" * 26,
    "\ud800" * 26,
    "' OR 1=1 --",
    "é" * 26,
    "x" * 99_999,
]


async def test_another_workspace_sees_nothing_and_changes_nothing(store: Store) -> None:
    leading = Leading("reset", "port-closed", "likely", "fortigate")
    case = (await store.create("us", [PASTED], leading)).id
    for attempt in (
        store.read("them", case),
        store.append("them", case, [answer(1)]),
        store.append("them", case, [answer(1)], expected=1),
        store.delete("them", case),
    ):
        with pytest.raises(NoSuchCase):
            await attempt
    assert (await store.list("them")).cases == ()
    assert (await store.list("them", Filters(cause="port-closed"))).cases == ()
    assert await store.delete_workspace("them") == 0
    assert await told(store, case) == [PASTED]


@pytest.mark.parametrize("case", HOSTILE_IDS, ids=ascii)
async def test_what_is_no_id_is_no_case(store: Store, case: str) -> None:
    for attempt in (store.read("us", case), store.append("us", case, [answer(1)]), store.delete("us", case)):
        with pytest.raises(NoSuchCase):
            await attempt


# Several at once


async def test_of_twenty_answers_at_once_none_is_lost(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    versions = await asyncio.gather(*(store.append("us", case, [answer(n), answer(100 + n)]) for n in range(20)))
    assert sorted(one.version for one in versions) == list(range(3, 42, 2))
    kept = await store.read("us", case)
    assert [one.number for one in kept.events] == list(range(1, 42))
    for one in versions:
        first, second = (kept.events[one.version - 2].event, kept.events[one.version - 1].event)
        assert isinstance(first, Answered)
        assert isinstance(second, Answered)
        assert f"feature.{100 + int(first.feature.removeprefix('feature.'))}" == second.feature
    assert {event.feature for event in await told(store, case) if isinstance(event, Answered)} == {
        f"feature.{n + more}" for n in range(20) for more in (0, 100)
    }


async def test_of_twenty_who_saw_the_same_version_one_gets_in(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    attempts = (store.append("us", case, [answer(n)], expected=1) for n in range(20))
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert [one.version for one in done if isinstance(one, Summary)] == [2]
    assert [one.version for one in done if isinstance(one, Stale)] == [2] * 19
    assert len(await told(store, case)) == 2


async def test_a_stale_version_is_refused_and_says_which_is_the_last(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    await store.append("us", case, [answer(1)], expected=1)
    for version in (0, 1, 3):
        with pytest.raises(Stale) as stale:
            await store.append("us", case, [answer(2)], expected=version)
        assert stale.value.version == 2
    assert await told(store, case) == [PASTED, answer(1)]


async def test_reading_while_others_write_gives_one_moment(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    writing = asyncio.gather(*(store.append("us", case, [answer(n)]) for n in range(20)))
    while not writing.done():
        kept = await store.read("us", case)
        assert kept.summary.version == len(kept.events)
    await writing


async def test_who_gives_up_leaves_no_lock_behind(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    chance = random.Random(7)  # noqa: S311
    for n in range(30):
        attempt = asyncio.create_task(store.append("us", case, [answer(n)]))
        await asyncio.sleep(chance.uniform(0, 0.01))
        attempt.cancel()
        with suppress(asyncio.CancelledError):
            async with asyncio.timeout(4):
                await attempt
    async with asyncio.timeout(4):
        last = await store.append("us", case, [answer(100)])
    kept = await store.read("us", case)
    assert [one.number for one in kept.events] == list(range(1, kept.summary.version + 1))
    assert kept.events[last.version - 1].event == answer(100)


def held(file: Path) -> sqlite3.Connection:
    """Hold the lock of a file, as another process would."""
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        other.close()
        raise
    return other


def is_free(file: Path) -> bool:
    try:
        held(file).close()
    except sqlite3.OperationalError:
        return False
    return True


async def test_a_lock_that_others_hold_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.tables.BUSY_TIMEOUT_S", 0)
    file = tmp_path / "cases.sqlite3"
    async with Store.open(f"sqlite:///{file}") as store:
        await store.migrate()
        case = (await store.create("us", [PASTED])).id
        with closing(held(file)):
            with pytest.raises(Busy):
                await store.append("us", case, [answer(1)])
            assert await told(store, case) == [PASTED]
            waiting = asyncio.create_task(store.append("us", case, [answer(2)]))
            await asyncio.sleep(0.05)
            assert not waiting.done()
        assert (await waiting).version == 2


async def test_who_writes_holds_the_lock_from_the_beginning(tmp_path: Path) -> None:
    file = tmp_path / "cases.sqlite3"

    async def work(_: Change) -> Reply:
        assert not is_free(file)
        return Reply(200, {}, b"")

    async with Store.open(f"sqlite:///{file}") as store:
        await store.migrate()
        await store.change("us", work)
        assert is_free(file)


WRITER = """
import asyncio, sys
from bot.case_events import Answered, Pasted
from bot.cases import Store

async def main(url, name, case, many):
    async with Store.open(url) as store:
        await store.migrate()
        for number in range(many):
            if case:
                await store.append("us", case, [Answered(feature=f"{name}.{number}", value=True)])
                print(f"{name}.{number}", flush=True)
            else:
                summary = await store.create("us", [Pasted(paste=f"{name} {number} " + "x" * 5000)])
                await store.append("us", summary.id, [Answered(feature="packet.flags", value=None)])
                print(summary.id, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
"""


def writer(url: str, name: str, case: str, many: int, folder: Path = ROOT) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, name, case, str(many)]
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )


async def test_of_the_answers_of_two_processes_none_is_lost(store: Store, url: str) -> None:
    case = (await store.create("us", [PASTED])).id
    processes = [writer(url, name, case, 60) for name in ("one", "other")]
    ours = [await store.append("us", case, [Answered(feature=f"ours.{n}", value=True)]) for n in range(60)]
    assert [await asyncio.to_thread(one.wait, 60) for one in processes] == [0, 0]
    for one in processes:
        one.communicate()
    kept = await store.read("us", case)
    assert [one.number for one in kept.events] == list(range(1, 182))
    for name in ("one", "other", "ours"):
        found = [one.event.feature for one in kept.events[1:] if isinstance(one.event, Answered)]
        assert [one for one in found if one.startswith(name + ".")] == [f"{name}.{n}" for n in range(60)]
    assert [one.version for one in ours] == sorted({one.version for one in ours})


async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cases.sqlite3'}"
    chance = random.Random(9)  # noqa: S311
    acknowledged: list[str] = []
    async with Store.open(url) as store:
        await store.migrate()
    for number in range(10):
        process = writer(url, f"run {number}", "", 100_000)
        assert process.stdout is not None
        acknowledged.append(process.stdout.readline().strip())  # it is at work now
        await asyncio.sleep(chance.uniform(0, 0.2))
        process.kill()
        output, _ = process.communicate()
        acknowledged += [line for line in output.split("\n")[:-1] if line]
    assert len(set(acknowledged)) == len(acknowledged) >= 10
    async with Store.open(url) as store:
        for case in acknowledged:
            assert (await store.read("us", case)).summary.version == 2
        async with store._engine.connect() as connection:
            assert (await connection.execute(text("PRAGMA integrity_check"))).scalar() == "ok"
            assert (await connection.execute(text("PRAGMA foreign_key_check"))).all() == []


# Lists


async def test_a_list_has_the_newest_first_and_every_case_once(timed: Store) -> None:
    ids = [(await timed.create("us", [PASTED])).id for _ in range(7)]
    await timed.create("them", [PASTED])
    found, cursor = [], None
    for size in (3, 3, 1):
        page = await timed.list("us", cursor=cursor, limit=3)
        assert len(page.cases) == size
        found += [one.id for one in page.cases]
        cursor = page.cursor
    assert found == ids[::-1]
    assert cursor is None


async def test_a_cursor_stays_where_it_is_while_cases_come_and_go(timed: Store, clock: Clock) -> None:
    ids = [(await timed.create("us", [PASTED])).id for _ in range(6)]
    page = await timed.list("us", limit=2)
    await timed.create("us", [PASTED])
    await timed.append("us", ids[0], [answer(1)])
    await timed.delete("us", page.cases[-1].id)  # the very one that the cursor names
    page = await timed.list("us", cursor=page.cursor, limit=2)
    assert [one.id for one in page.cases] == [ids[3], ids[2]]
    clock.time += timedelta(days=1)
    await timed.create("us", [PASTED])
    page = await timed.list("us", cursor=page.cursor, limit=2)
    assert [one.id for one in page.cases] == [ids[1], ids[0]]
    assert page.cursor is None


async def test_cases_of_one_moment_are_each_listed_once(url: str) -> None:
    async with Store.open(url, lambda: datetime(2026, 3, 1, tzinfo=UTC)) as store:
        await store.migrate()
        ids = {(await store.create("us", [PASTED])).id for _ in range(5)}
        found, cursor = [], None
        for _ in range(5):
            page = await store.list("us", cursor=cursor, limit=1)
            found.append(page.cases[0].id)
            cursor = page.cursor
    assert cursor is None
    assert set(found) == ids


async def test_a_list_can_be_filtered(store: Store) -> None:
    reset = await store.create("us", [PASTED], Leading("reset", "port-closed", "likely", "fortigate"))
    nat = await store.create("us", [PASTED, Outcome(cause=None)], Leading("out-of-state", "nat", "likely"))
    for filters, found in (
        (Filters(symptom="reset"), {reset}),
        (Filters(cause="nat"), {nat}),
        (Filters(standing="likely"), {reset, nat}),
        (Filters(standing="likely", state="closed"), {nat}),
        (Filters(product="fortigate"), {reset}),
        (Filters(product="fortigate", cause="nat"), set()),
        (Filters(), {reset, nat}),
    ):
        assert set((await store.list("us", filters)).cases) == found


@pytest.mark.parametrize("wrong", ["", "\x00", "x" * 201, "nat\n", "' OR 1=1", "\ud800"], ids=ascii)
def test_a_filter_that_no_case_can_have_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Filters(cause=wrong)
    with pytest.raises(ValidationError):
        Filters(product=wrong)


FORGED_CURSORS = [
    "",
    "x",
    "é",
    "\x00",
    "\ud800",
    "====",
    "MjAyNg==",
    "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCB4",
    "A" * 100_000,
]


@pytest.mark.parametrize("cursor", FORGED_CURSORS, ids=lambda one: ascii(one)[:20])
async def test_a_cursor_that_no_list_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(WrongCursor):
        await store.list("us", cursor=cursor)


@pytest.mark.parametrize("limit", [-1, 0, LONGEST_PAGE + 1])
async def test_a_page_has_a_sensible_size(store: Store, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        await store.list("us", limit=limit)


# Requests that are repeated


async def create_once(store: Store, key: str, fingerprint: str = "f", paste: str = PASTED.paste) -> Reply:
    async def work(change: Change) -> Reply:
        summary = await change.create([Pasted(paste=paste)])
        return Reply(201, {"Location": f"/v1/cases/{summary.id}", "ETag": '"1"'}, f"{summary.id} \x00 {paste}".encode())

    return await store.once("us", key, fingerprint, work)


async def append_once(store: Store, key: str, case: str) -> Reply:
    async def work(change: Change) -> Reply:
        summary = await change.append(case, [answer(1)], expected=1)
        return Reply(200, {}, b"version %d" % summary.version)

    return await store.once("us", key, "f", work)


async def stateless(_: Change) -> Reply:
    return Reply(200, {}, b"\xff\x00")


async def test_a_repeated_request_makes_one_case_and_gets_the_same_reply(store: Store) -> None:
    assert await store.reply("us", "k", "f") is None
    first = await create_once(store, "k")
    assert await create_once(store, "k") == first
    assert await store.reply("us", "k", "f") == first
    (case,) = (await store.list("us")).cases
    assert first.headers["Location"].endswith(case.id)


async def test_a_request_repeated_at_once_makes_one_case_too(store: Store) -> None:
    replies = await asyncio.gather(*(create_once(store, "k") for _ in range(20)))
    assert len({one.body for one in replies}) == 1
    assert len((await store.list("us")).cases) == 1


async def test_a_key_with_another_request_is_refused(store: Store) -> None:
    await create_once(store, "k", "f")
    with pytest.raises(KeyReused):
        await create_once(store, "k", "g")
    with pytest.raises(KeyReused):
        await store.reply("us", "k", "g")
    assert len((await store.list("us")).cases) == 1


async def test_a_key_is_its_workspaces_own(store: Store) -> None:
    await create_once(store, "k")
    assert await store.reply("them", "k", "f") is None
    assert await store.once("them", "k", "g", stateless) == Reply(200, {}, b"\xff\x00")
    assert await store.reply("them", "k", "g") == Reply(200, {}, b"\xff\x00")


async def test_what_failed_leaves_neither_a_case_nor_a_key(store: Store) -> None:
    async def fails(change: Change) -> Reply:
        await change.create([PASTED])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.once("us", "k", "f", fails)
    assert await rows(store) == {"cases": 0, "events": 0, "replies": 0}
    await create_once(store, "k")
    assert await rows(store) == {"cases": 1, "events": 1, "replies": 1}


async def test_a_repeated_answer_is_kept_once(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    assert (await append_once(store, "k", case)).body == b"version 2"
    assert (await append_once(store, "k", case)).body == b"version 2"
    with pytest.raises(Stale):
        await append_once(store, "l", case)
    assert await told(store, case) == [PASTED, answer(1)]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "\x00", "é", "k\n", "\ud800"], ids=ascii)
async def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="Idempotency-Key"):
        await store.reply("us", key, "f")
    with pytest.raises(ValueError, match="Idempotency-Key"):
        await create_once(store, key)
    assert (await rows(store))["cases"] == 0


# Deletion

SECRET = "the very paste that must not be found any more"


async def test_deleting_a_case_deletes_all_that_tells_of_it(store: Store) -> None:
    await create_once(store, "other")
    await create_once(store, "k", paste=SECRET)
    case = (await store.list("us", limit=1)).cases[0].id
    await append_once(store, "l", case)
    assert await rows(store) == {"cases": 2, "events": 3, "replies": 3}
    await store.delete("us", case)
    assert await rows(store) == {"cases": 1, "events": 1, "replies": 1}
    for attempt in (store.read("us", case), store.append("us", case, [answer(1)]), store.delete("us", case)):
        with pytest.raises(NoSuchCase):
            await attempt


async def test_what_was_deleted_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    file = tmp_path / "cases.sqlite3"

    def holds() -> bool:
        return any(SECRET.encode() in one.read_bytes() for one in tmp_path.iterdir())

    async with Store.open(f"sqlite:///{file}") as store:
        await store.migrate()
        case = (await store.create("us", [Pasted(paste=SECRET * 1000)])).id
        await store.create("us", [PASTED])
    assert holds()
    async with Store.open(f"sqlite:///{file}") as store:
        await store.delete("us", case)
    assert not holds()


async def test_deleting_a_workspace_leaves_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cases._BATCH", 2)
    for number in range(5):
        await create_once(store, f"k{number}")
    await store.once("us", "stateless", "f", stateless)
    theirs = (await store.create("them", [PASTED])).id
    assert await store.delete_workspace("us") == 5
    assert await rows(store) == {"cases": 1, "events": 1, "replies": 0}
    assert (await store.read("them", theirs)).summary.version == 1


async def test_cases_expire_once_nothing_happens_in_them(
    timed: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cases._BATCH", 2)
    ids = [(await timed.create("us", [PASTED])).id for _ in range(6)]
    limit = clock()
    await timed.append("us", ids[0], [answer(1)])
    assert await timed.expire(limit) == 5
    assert await timed.expire(limit) == 0
    assert [one.id for one in (await timed.list("us")).cases] == [ids[0]]
    assert await rows(timed) == {"cases": 1, "events": 2, "replies": 0}


async def test_replies_expire_apart_from_their_cases(timed: Store, clock: Clock) -> None:
    await create_once(timed, "k")
    limit = clock()
    await create_once(timed, "l")
    await timed.expire_replies(limit)
    assert await rows(timed) == {"cases": 2, "events": 2, "replies": 1}
    assert await timed.reply("us", "k", "f") is None


async def test_several_may_delete_at_once(store: Store) -> None:
    for _ in range(30):
        await store.create("us", [PASTED])
    later = datetime.now(UTC) + timedelta(days=1)
    work = [store.expire(later) if n % 2 else store.delete_workspace("us") for n in range(8)]
    assert sum(await asyncio.gather(*work)) == 30
    assert (await rows(store))["cases"] == 0


# The database


async def test_migrations_give_the_tables_that_the_code_knows(store: Store) -> None:
    def differences(connection: Connection) -> int:
        return len(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA))

    async with store._engine.connect() as connection:
        assert await connection.run_sync(differences) == 0


async def test_migrating_again_keeps_what_is_there(store: Store) -> None:
    case = (await store.create("us", [PASTED])).id
    await store.migrate()
    await store.migrate()
    assert await told(store, case) == [PASTED]


async def test_several_may_migrate_at_once(url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(Store.open(url)) for _ in range(8)]
        await asyncio.gather(*(store.migrate() for store in stores))
        assert await rows(stores[-1]) == {"cases": 0, "events": 0, "replies": 0}


async def test_processes_that_start_at_once_migrate_from_anywhere(url: str, tmp_path: Path) -> None:
    processes = [writer(url, f"run {n}", "", 1, tmp_path) for n in range(3)]
    ids = {(await asyncio.to_thread(one.communicate, timeout=60))[0].strip() for one in processes}
    assert [one.returncode for one in processes] == [0, 0, 0]
    async with Store.open(url) as store:
        assert {one.id for one in (await store.list("us")).cases} == ids


def rights(folder: Path) -> set[int]:
    return {one.stat().st_mode & 0o777 for one in folder.iterdir()}


async def test_the_file_waits_syncs_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "100% ours.sqlite3"
    async with Store.open(f"sqlite:///{file}") as store:
        await store.migrate()
        await store.create("us", [PASTED])
        async with store._engine.connect() as connection:
            for pragma, value in (
                ("journal_mode", "wal"),
                ("busy_timeout", 5000),
                ("foreign_keys", 1),
                ("synchronous", 2),
                ("secure_delete", 1),
            ):
                assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == value
        assert rights(tmp_path) == {0o600}


@pytest.mark.parametrize(
    "address",
    ["", "cases.sqlite3", "sqlite://", "sqlite:///:memory:", "mysql://root:hunter2@host/x", "sqlite:/hunter2"],
)
def test_an_address_of_another_kind_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE") as refused:
        Store.open(address)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Store.open(f"sqlite:///{tmp_path}/nowhere/cases.sqlite3")


async def test_an_error_of_the_database_tells_nothing_of_what_was_pasted(url: str) -> None:
    async with Store.open(url) as store:  # and its tables were never made
        with pytest.raises(DBAPIError) as wrong:
            await store.create("us", [Pasted(paste=SECRET)], Leading(product=SECRET))
    assert SECRET not in str(wrong.value)


async def test_a_paste_is_in_no_log_at_any_level(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Store.open(url) as store:
        await store.migrate()
        case = (await store.create("us", [Pasted(paste=SECRET)])).id
        await store.read("us", case)
    assert SECRET not in caplog.text


async def test_the_list_and_the_retention_use_their_indexes(store: Store, url: str) -> None:
    if not url.startswith("sqlite"):
        return
    listed = "SELECT * FROM cases WHERE workspace = 'us' ORDER BY created DESC, id LIMIT 20"
    async with store._engine.connect() as connection:
        plan = str((await connection.execute(text(f"EXPLAIN QUERY PLAN {listed}"))).all())
    assert "ix_cases_listed" in plan
    assert "TEMP B-TREE" not in plan
