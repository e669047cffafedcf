"""The picture of what happened in a message: after the answer, once, and never in the way of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from sqlalchemy import func, select

from bot.cases import Store
from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.slack import pictures
from bot.slack.faces import Faces
from bot.slack.hearing import FUNCTION
from bot.slack.inbox import PICTURES_KEPT, Inbox
from bot.slack.picture_png import rendered
from bot.slack.pictures import Pictures
from bot.slack.places import Places
from bot.slack.tables import SLACK_PICTURES
from bot.slack.turns import Turns
from bot.slack.views import Showing, seen_as
from bot.slack.wishes import Bring, Left
from bot.slack.world import World
from rules.diagnose import Expert
from tests.clock import Clock
from tests.slack.faults import SILENT, Fault, refusing
from tests.slack.loopback import Loopback, loopback
from tests.slack.moments import LINE, consulted, pasted
from tests.slack.people import Person, person
from tests.slack.seen import Seen
from tests.slack.shapes import Fields
from tests.slack.whole_app import whole_app
from tests.slack.workspace import Channel
from tests.test_slack_turns import TEAM, Killed, Town, wish

ENOUGH = f"{LINE}\nThe SYN was never seen on this firewall. It never worked."
"""What brings the answer without a question."""
ADDRESS = "198.51.100.7"
PATIENCE_S = 20.0
"""Seconds for a machine that is busy with other tests."""


@dataclass
class Whole:
    town: Loopback
    alice: Person
    ops: Channel

    @property
    def files(self) -> list[bytes]:
        return [one.content for one in self.town.team.files.values()]

    async def shows_picture(self, seen: Seen) -> Fields:
        found = await self.town.until(lambda: pictured(seen), PATIENCE_S)
        assert found
        return found

    async def mentions(self, paste: str = ENOUGH) -> Seen:
        """Mention the app; gives its answer."""
        await self.alice.mentions(self.ops, paste)
        return await self.alice.reads("Next steps", self.ops, self.alice.sees(self.ops)[-1], PATIENCE_S)


def pictured(seen: Seen) -> Fields | None:
    return next((one for one in seen.blocks if one["type"] == "image"), None)


@pytest.fixture
async def whole(tmp_path: Path, expert: Expert, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    monkeypatch.setattr(pictures, "PATIENCE_S", PATIENCE_S)
    async with loopback() as town:
        town.api.rates.clear()
        alice = person(town, "alice")
        async with whole_app(town, tmp_path, expert):
            yield Whole(town, alice, town.channel("ops", alice.id))


def drawn(expert: Expert, paste: str, *, aliases: bool = False) -> bytes:
    """Give the picture as it is to come."""
    seen = seen_as(consulted(expert, pasted(paste)), Showing(aliases=aliases))
    found = picture(seen.diagnosis, expert.shelf)
    assert found
    return rendered(picture_svg(found))


async def test_the_answer_comes_first_and_then_its_picture_in_the_same_message(whole: Whole, expert: Expert) -> None:
    answer = await whole.mentions()
    image = await whole.shows_picture(answer)
    assert whole.files == [drawn(expert, ENOUGH)]
    assert image["slack_file"] == {"id": next(iter(whole.town.team.files))}
    assert "SYN+ACK: dropped here" in image["alt_text"]
    assert "SYN+ACK: dropped here" in answer.words()
    called = [one.method for one in whole.town.faults.calls]
    assert called.index("chat.postMessage") < called.index("files.getUploadURLExternal") < called.index("chat.update")
    assert len(whole.alice.replies(whole.ops, whole.alice.sees(whole.ops)[-1])) == 1


async def test_what_shows_it_already_keeps_it_without_bringing_it_again(whole: Whole) -> None:
    answer = await whole.mentions()
    await whole.shows_picture(answer)
    before = len(whole.town.faults.of("chat.update"))
    for label, words in (("All of it", "What happens"), ("Less", "Next steps"), ("This solved it", "How it ended")):
        await whole.alice.presses(label, answer)
        await whole.town.until(lambda words=words: words in answer.shows(), PATIENCE_S)  # type: ignore[misc]
        assert pictured(answer)
    updates = whole.town.faults.of("chat.update")[before:]
    assert [any(one["type"] == "image" for one in call.args["blocks"]) for call in updates] == [True] * 3
    assert len(whole.files) == 1


async def test_what_only_the_asker_sees_gets_it_where_it_can_be_replaced(whole: Whole, expert: Expert) -> None:
    await whole.alice.types(f"/whydrop {ENOUGH}", whole.ops)
    answer = await whole.alice.reads("Only you see this", whole.ops, seconds=PATIENCE_S)
    assert answer.private
    await whole.alice.presses("All of it", answer)
    await whole.shows_picture(answer)
    assert whole.files == [drawn(expert, ENOUGH)]
    await whole.alice.types(f"/whydrop {ENOUGH}", whole.ops)
    again = await whole.town.until(
        lambda: (last := whole.alice.sees(whole.ops)[-1]).ts != answer.ts and last, PATIENCE_S
    )
    assert isinstance(again, Seen)
    assert pictured(again), "the workspace has this picture: the first answer shows it at once"
    assert len(whole.files) == 1


async def test_in_a_shared_thread_the_picture_has_aliases(whole: Whole, expert: Expert) -> None:
    await whole.alice.opens_home()
    await whole.alice.presses("Use aliases", await whole.alice.gets_home("Use aliases"))
    await whole.alice.gets_home("behind aliases")
    image = await whole.shows_picture(await whole.mentions())
    assert ADDRESS not in image["alt_text"]
    assert whole.files == [drawn(expert, ENOUGH, aliases=True)]
    name, _ = await whole.alice.runs_step(FUNCTION, {"log": ENOUGH})
    step = whole.town.slack.executions[name]
    await whole.town.until(lambda: "outputs" in step, PATIENCE_S)
    assert "client-1" in step["outputs"]["summary"]
    assert ADDRESS not in str(step["outputs"])
    await whole.alice.dms(ENOUGH)
    mine = await whole.alice.reads("Next steps", whole.alice.dm, whole.alice.sees(whole.alice.dm)[0], PATIENCE_S)
    assert ADDRESS in (await whole.shows_picture(mine))["alt_text"]
    assert whole.files[1:] == [drawn(expert, ENOUGH)]


@pytest.mark.parametrize(
    ("method", "faults"),
    [
        ("files.getUploadURLExternal", [refusing("missing_scope")]),
        ("files.getUploadURLExternal", [refusing("unknown_method")]),
        ("files.getUploadURLExternal", [SILENT]),
        ("upload", [Fault(403, "no")]),
        ("files.completeUploadExternal", [refusing("file_not_found")]),
        ("chat.update", [refusing("invalid_blocks")] * 4),
        ("chat.update", [refusing("cant_update_message")]),
    ],
)
async def test_what_slack_refuses_leaves_the_answer_as_it_is(
    whole: Whole,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    faults: list[Fault],
) -> None:
    if SILENT in faults:
        monkeypatch.setattr(pictures, "PATIENCE_S", 2.0)
    caplog.set_level(logging.INFO)
    whole.town.faults.plan(method, *faults)
    answer = await whole.mentions()
    await whole.town.until(lambda: not whole.town.faults.planned[method], PATIENCE_S)
    await whole.alice.presses("All of it", answer)  # comes after it, in the same thread
    await whole.town.until(lambda: "What happens" in answer.shows(), PATIENCE_S)
    assert len(whole.alice.replies(whole.ops, whole.alice.sees(whole.ops)[-1])) == 1
    ours = [one for one in caplog.records if one.name.startswith("whydrop.slack")]
    assert not [one for one in ours if one.levelno >= logging.ERROR]
    assert sum(one.levelno >= logging.WARNING for one in ours) <= 1
    assert ADDRESS not in "".join(one.getMessage() for one in ours)


async def test_a_workspace_that_takes_no_files_is_not_asked_each_time(
    whole: Whole, caplog: pytest.LogCaptureFixture
) -> None:
    token = next(iter(whole.town.slack.tokens.values()))
    token.scopes -= {"files:write"}
    answer = await whole.mentions()
    for label, words in (("All of it", "What happens"), ("Less", "Next steps")):
        await whole.alice.presses(label, answer)
        await whole.town.until(lambda words=words: words in answer.shows(), PATIENCE_S)  # type: ignore[misc]
    assert not pictured(answer)
    assert len(whole.town.faults.of("files.getUploadURLExternal")) == 1
    assert [one.getMessage() for one in caplog.records if "missing_scope" in one.getMessage()] == [
        f"Slack takes no pictures in {whole.town.team.id}: missing_scope; its verdicts go without"
    ]


async def test_a_picture_that_slack_no_longer_has_is_left_out_and_brought_anew(whole: Whole) -> None:
    answer = await whole.mentions()
    await whole.shows_picture(answer)
    whole.town.team.files.clear()
    await whole.alice.presses("All of it", answer)
    await whole.town.until(lambda: "What happens" in answer.shows(), PATIENCE_S)
    assert answer.blocks
    assert not pictured(answer)
    await whole.alice.presses("Less", answer)
    await whole.shows_picture(answer)
    assert len(whole.files) == 1


async def test_pictures_that_wait_leave_hands_free_for_answers(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PATIENCE_S", 60.0)
    whole.town.slack.looking_s = 1e6
    asked = [whole.alice.mention(whole.ops, ENOUGH.replace("51515", str(51515 + n))) for n in range(12)]
    for parcel in asked:
        await whole.town.deliver(parcel)
    roots = whole.alice.sees(whole.ops)
    await whole.town.until(lambda: all(whole.alice.replies(whole.ops, one) for one in roots), 20)
    assert len(whole.files) == pictures.MOST_AT_ONCE


# Killed between any two steps


class Drawing(Town):
    """A town whose messages show pictures."""

    def turns_of(self, inbox: Inbox) -> Turns:
        found = Pictures(self.store, self.slack, self.book.thinking)
        faces = Faces(self.expert, None)
        world = World(self.book, Places(self.store), self.slack, faces, step=self._step, pictures=found)
        return Turns(world, inbox)

    async def kept(self) -> int:
        return await self.count(SLACK_PICTURES)


@pytest.fixture
async def make(tmp_path: Path, expert: Expert) -> AsyncIterator[Callable[[], Drawing]]:
    clock = Clock()
    async with Store.open(f"sqlite:///{tmp_path / 'cases.sqlite3'}", clock) as store:
        await store.migrate()
        yield lambda: Drawing(store, clock, expert)


async def test_whoever_is_killed_on_the_way_leaves_one_answer_and_the_next_one_draws(
    make: Callable[[], Drawing],
) -> None:
    town = make()
    await town.hears(wish("0", Bring(text=ENOUGH)))
    steps = list(town.steps)
    assert {"brought", "drawn"} < set(steps)
    for at in range(len(steps)):
        town.slack.messages.clear()
        town.steps.clear()
        town.killed_at = at
        async with town.store.engine.connect() as connection:
            known = (await connection.execute(select(func.count()).select_from(SLACK_PICTURES))).scalar_one()
        assert known == 1
        await town.places.forget(wish("gone", Left()), TEAM)
        await town.inbox.accept(wish(f"{at + 1}", Bring(text=ENOUGH)))
        with pytest.raises(Killed):
            await town.turns().carry_out_due()
        town.killed_at = -1
        town.clock.time += timedelta(seconds=61)
        await town.goes_on()
        (answer,) = town.seen
        assert "SYN+ACK: dropped here" in answer.text, steps[at]


async def test_a_picture_is_forgotten_with_its_case_its_workspace_and_after_some_months(
    make: Callable[[], Drawing],
) -> None:
    town = make()
    await town.hears(wish("1", Bring(text=ENOUGH)))
    assert await town.kept() == 1
    await town.store.delete(TEAM, await town.case())
    assert await town.kept() == 0
    await town.hears(wish("2", Bring(text=ENOUGH)))
    await town.hears(wish("3", Left()))
    assert await town.kept() == 0
    await town.hears(wish("4", Bring(text=ENOUGH)))
    await town.inbox.expire()
    assert await town.kept() == 1
    town.clock.time += PICTURES_KEPT + timedelta(seconds=1)
    await town.inbox.expire()
    assert await town.kept() == 0


# The loopback Slack itself


async def test_slack_takes_a_message_with_a_file_only_when_it_has_looked_at_it() -> None:
    async with loopback() as town:
        town.slack.looking_s = 100.0
        token = next(iter(town.slack.tokens.values()))
        client = town.client(token.value)
        alice = person(town, "alice")
        ops = town.channel("ops", alice.id)
        done = await client.files_upload_v2(filename="a.png", content=b"png", title="A")
        name = done["files"][0]["id"]

        async def shows(file: str) -> None:
            block = {"type": "image", "slack_file": {"id": file}, "alt_text": "a"}
            await client.chat_postMessage(channel=ops.id, text="a", blocks=[block])

        assert (await client.files_info(file=name))["file"]["mimetype"] == ""
        for file in (name, "F0NOBODY"):
            with pytest.raises(SlackApiError, match="invalid slack file"):
                await shows(file)
        town.slack.clock.advance(101)
        assert (await client.files_info(file=name))["file"]["mimetype"] == "image/png"
        await shows(name)
        assert len(alice.sees(ops)) == 1
        token.scopes -= {"files:write"}
        with pytest.raises(SlackApiError, match="missing_scope"):
            await client.files_upload_v2(filename="a.png", content=b"png")
