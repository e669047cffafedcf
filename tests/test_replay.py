"""Concluded cases on today's knowledge, in both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.case_events import Answered, Asked, CaseEvent, Concluded, Outcome, Pasted
from bot.casebook import Casebook
from bot.cases import Store
from bot.replay import Replayed, at_conclusion, replay, replay_words
from bot.threads import Threads
from rules.case import KnowledgeStamp
from rules.diagnose import Expert

pytest_plugins = ["tests.postgres"]

PASTED = Pasted(paste="%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK")
SETTLED: list[CaseEvent] = [
    PASTED,
    Answered(feature="handshake.syn_seen", value=False),
    Answered(feature="timing.worked", value="never"),
]
OLD = KnowledgeStamp(version="0.0.9", hash="0123abcd")


def concluded(cause: str | None, confidence: float = 0.8) -> Concluded:
    return Concluded(cause=cause, confidence=confidence, knowledge=OLD)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with Store.open(url) as opened:
        await opened.migrate()
        yield opened


async def replays(store: Store, expert: Expert, workspace: str | None = None) -> dict[str, Replayed]:
    return {one.case: one async for one in replay(store, expert, workspace)}


async def test_a_case_that_today_concludes_is_unchanged(store: Store, expert: Expert) -> None:
    case = (await Casebook(store, expert, Threads(1)).begin("us", SETTLED)).kept.summary.id
    found = (await replays(store, expert))[case]
    assert (found.changed, found.cause, found.workspace) == (False, "asymmetric-routing", "us")
    assert found.confidence == found.then.confidence


async def test_another_verdict_is_a_change_and_an_open_case_is_left_out(store: Store, expert: Expert) -> None:
    changed = (await store.create("us", [*SETTLED, concluded("port-closed")])).id
    same = (await store.create("them", [*SETTLED, concluded("asymmetric-routing", 0.2)])).id
    none = (await store.create("us", [*SETTLED, concluded(None, 0)])).id
    await store.create("us", SETTLED)
    await store.create("us", [PASTED, concluded("port-closed"), Answered(feature="timing.worked", value=None)])
    found = await replays(store, expert)
    assert {case: one.changed for case, one in found.items()} == {changed: True, same: False, none: True}
    assert set(await replays(store, expert, "us")) == {changed, none}


async def test_where_today_asks_first_there_is_no_verdict(store: Store, expert: Expert) -> None:
    case = (await store.create("us", [PASTED, concluded("asymmetric-routing")])).id
    found = (await replays(store, expert))[case]
    assert found.changed
    assert found.cause is None
    assert found.asks is not None
    assert replay_words(found, expert.shelf) == [f"Asymmetric routing 80 % → no verdict (asks for {found.asks} first)"]


@pytest.mark.parametrize(
    ("then", "outcome", "agree", "said"),
    [
        ("port-closed", Outcome(cause="asymmetric-routing"), (False, True), "Asymmetric routing; now agrees."),
        ("port-closed", Outcome(cause="idle-timeout"), (False, False), "neither agrees."),
        (None, Outcome(cause=None), (True, False), "none of the known causes; then agrees."),
        ("port-closed", Outcome(solved=False, cause=None), (None, None), "not solved; that speaks for neither."),
        ("asymmetric-routing", Outcome(cause="asymmetric-routing"), (True, True), "both agree."),
    ],
)
async def test_how_it_ended_is_held_against_both_verdicts(
    store: Store,
    expert: Expert,
    then: str | None,
    outcome: Outcome,
    agree: tuple[bool | None, bool | None],
    said: str,
) -> None:
    case = (await store.create("us", [*SETTLED, concluded(then), outcome])).id
    found = (await replays(store, expert))[case]
    assert (found.agrees(found.then.cause), found.agrees(found.cause)) == agree
    assert replay_words(found, expert.shelf)[1].endswith(said)


async def test_what_was_told_after_the_conclusion_does_not_count(store: Store, expert: Expert) -> None:
    later: list[CaseEvent] = [Answered(feature="handshake.syn_seen", value=True), Outcome(cause=None)]
    case = await store.create("us", [*SETTLED, concluded("asymmetric-routing"), *later])
    found = (await replays(store, expert))[case.id]
    assert not found.changed


async def test_a_case_that_was_closed_without_a_conclusion_has_none(store: Store, expert: Expert) -> None:
    case = (await store.create("us", [PASTED, Outcome(cause="port-closed")])).id
    assert at_conclusion(await store.read("us", case)) is None
    assert await replays(store, expert) == {}


async def test_every_concluded_case_comes_once_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cases._BATCH", 3)
    made = {(await store.create(f"w{n % 2}", [PASTED, concluded(None)])).id for n in range(10)}
    await store.create("w0", [PASTED, Asked(feature="packet.flags")])
    closed = (await store.create("w0", [PASTED, Outcome(cause=None)])).id
    found = [(where, kept.summary.id) async for where, kept in store.concluded()]
    assert len(found) == 11
    assert {case for _, case in found} == made | {closed}
    assert {where async for where, _ in store.concluded("w1")} == {"w1"}


async def test_a_case_that_is_deleted_meanwhile_is_left_out(store: Store) -> None:
    made = sorted([(await store.create("us", [PASTED, concluded(None)])).id for _ in range(3)])
    found = []
    async for _, kept in store.concluded():
        found.append(kept.summary.id)
        if len(found) == 1:
            await store.delete("us", made[1])
    assert found == [made[0], made[2]]


async def test_since_leaves_out_what_is_older(store: Store) -> None:
    case = await store.create("us", [PASTED, concluded(None)])
    later, now = datetime.now(UTC) + timedelta(hours=1), case.updated
    assert [kept async for _, kept in store.concluded(since=later)] == []
    assert len([kept async for _, kept in store.concluded(since=now)]) == 1
