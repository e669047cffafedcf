"""Our calls of Slack, by the real client, against the loopback Slack: what may be repeated, and what may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.slack.posting import Addresses, WebApi
from bot.slack.web import CannotLook, Later, Refused, Uncertain
from tests.slack.faults import DROPPED, LOST, Fault, failing, rate_limited, refusing
from tests.slack.loopback import Loopback, loopback, serving
from tests.slack.people import Person, person
from tests.slack.workspace import Channel

BODY = {"text": "hello", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}


@dataclass
class World:
    town: Loopback
    slack: WebApi
    alice: Person
    ops: Channel

    @property
    def team(self) -> str:
        return self.town.team.id

    def said(self) -> list[str]:
        return [one.words() for one in self.alice.sees(self.ops)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with loopback() as town:
        token = next(iter(town.slack.tokens.values()))

        async def token_of(team: str) -> str:
            assert team == town.team.id
            return token.value

        town.api.rates.clear()
        addresses = Addresses(town.base_url, f"{town.url}/response/", f"{town.url}/files-pri/")
        slack = WebApi(token_of, addresses)
        alice = person(town, "alice")
        yield World(town, slack, alice, town.channel("ops", alice.id))
        await slack.close()
        assert not town.words_of_problems()


async def test_a_message_is_posted_found_and_changed(world: World) -> None:
    said = world.alice.says(world.ops, "look at this")
    channel, ts = await world.slack.post(world.team, world.ops.id, said.ts, BODY, "the key")
    assert channel == world.ops.id
    assert await world.slack.find(world.team, channel, said.ts, "the key", float(said.ts)) == ts
    assert await world.slack.find(world.team, channel, said.ts, "another", float(said.ts)) is None
    await world.slack.update(world.team, channel, ts, {"text": "in words"})
    changed = world.ops.messages[ts]
    assert (changed.text, changed.blocks) == ("in words", [])


async def test_where_history_may_not_be_read_nobody_can_look(world: World) -> None:
    said = world.alice.says(world.ops, "look at this")
    token = next(iter(world.town.slack.tokens.values()))
    token.scopes = frozenset({"chat:write"})
    with pytest.raises(CannotLook):
        await world.slack.find(world.team, world.ops.id, said.ts, "k", 0.0)


@pytest.mark.parametrize("error", ["access_denied", "fatal_thing", "is_archived", "invalid_cursor"])
async def test_an_error_that_leaves_it_open_is_not_taken_for_the_absence_of_a_message(world: World, error: str) -> None:
    said = world.alice.says(world.ops, "look at this")
    world.town.faults.plan("conversations.replies", refusing(error), refusing("thread_not_found"))
    with pytest.raises(CannotLook):
        await world.slack.find(world.team, world.ops.id, said.ts, "k", 0.0)
    assert await world.slack.find(world.team, world.ops.id, said.ts, "k", 0.0) is None


async def test_where_much_was_said_since_a_message_that_is_not_found_may_be_there_all_the_same(world: World) -> None:
    since = float(world.alice.says(world.ops, "look at this").ts) - 1
    _, ts = await world.slack.post(world.team, world.ops.id, "", BODY, "k")
    for number in range(70):
        world.alice.says(world.ops, f"chat {number}")
    assert await world.slack.find(world.team, world.ops.id, "", "k", since) == ts
    assert await world.slack.find(world.team, world.ops.id, "", "another", since) is None
    for number in range(10):
        world.alice.says(world.ops, f"more chat {number}")
    with pytest.raises(CannotLook):
        await world.slack.find(world.team, world.ops.id, "", "k", since)


@pytest.mark.parametrize("fault", [failing(500), failing(503), DROPPED, LOST])
async def test_a_post_that_may_have_been_made_is_not_made_again(world: World, fault: Fault) -> None:
    world.town.faults.plan("chat.postMessage", fault)
    with pytest.raises(Uncertain) as raised:
        await world.slack.post(world.team, world.ops.id, "", BODY, "k")
    assert raised.value.answered == (fault.status >= 500)
    assert len(world.said()) == (1 if fault == LOST else 0)


async def test_what_may_be_repeated_is_repeated_by_the_client(world: World) -> None:
    _, ts = await world.slack.post(world.team, world.ops.id, "", BODY, "k")
    world.town.faults.plan("chat.update", failing(500), LOST, rate_limited(1))
    await world.slack.update(world.team, world.ops.id, ts, {"text": "changed"})
    assert world.said() == ["changed"]


async def test_slack_is_waited_for_shortly_or_later(world: World) -> None:
    world.town.faults.plan("chat.postMessage", rate_limited(1), rate_limited(30))
    with pytest.raises(Later) as raised:
        await world.slack.post(world.team, world.ops.id, "", BODY, "k")
    assert raised.value.seconds == 30
    await world.slack.post(world.team, world.ops.id, "", BODY, "k")
    assert world.said() == ["hello"]


async def test_what_slack_refuses_is_told_by_its_name(world: World) -> None:
    away = world.town.channel("away", bot=False)
    for call, error in (
        (world.slack.post(world.team, away.id, "", BODY, "k"), "not_in_channel"),
        (world.slack.update(world.team, world.ops.id, "1.1", BODY), "message_not_found"),
        (world.slack.post_for_one(world.team, world.ops.id, "", "U0", BODY), "user_not_in_channel"),
    ):
        with pytest.raises(Refused) as raised:
            await call
        assert raised.value.error == error


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands/x",
        "https://hooks.slack.com.example.com/commands/x",
        "https://hooks.slack.com@192.0.2.1/",
        "https://192.0.2.1/hooks.slack.com/",
        "file:///etc/passwd",
        "",
        "//hooks.slack.com/",
        "https://hooks.slack.com:8443/x",
        "https://[hooks.slack.com/x",
        "http://127.0.0.1/x",
        "http://localhost/x",
    ],
)
async def test_nothing_is_sent_to_addresses_that_are_not_slacks(url: str) -> None:
    async def token_of(team: str) -> str:
        raise AssertionError(team)

    slack = WebApi(token_of)
    with pytest.raises(Refused):
        await slack.respond(url, BODY)
    with pytest.raises(Refused):
        await slack.download("T1", url.replace("hooks", "files"), 10)


async def test_an_emulator_of_this_machine_may_answer_by_its_other_names_and_doors(world: World) -> None:
    """Its Web API is at 127.0.0.1; what it names may be at localhost, and at another port."""
    async with serving(Starlette(routes=[Route("/hook", taken, methods=["POST"])])) as url:
        await world.slack.respond(url.replace("127.0.0.1", "localhost") + "/hook", BODY)
    with pytest.raises(Refused):
        await world.slack.respond("http://192.0.2.1/hook", BODY)


async def taken(_: Request) -> Response:
    return PlainTextResponse("ok")


async def test_an_answer_goes_to_the_address_of_the_request_as_often_as_slack_takes_it(world: World) -> None:
    tell = world.alice._tell  # the kit has no command without an app
    parcel = tell.command(world.ops, "/whydrop", "x")
    url = parcel.payload["response_url"]
    world.town.faults.plan("response_url", failing(500))
    with pytest.raises(Later):
        await world.slack.respond(url, BODY)
    world.town.faults.plan("response_url", LOST)
    with pytest.raises(Uncertain):
        await world.slack.respond(url, BODY)
    for _ in range(4):
        await world.slack.respond(url, BODY)
    with pytest.raises(Refused) as raised:
        await world.slack.respond(url, BODY)
    assert raised.value.error == "expired_url"
    world.town.faults.plan("response_url", refusing("invalid_blocks"))
    with pytest.raises(Refused) as raised:
        await world.slack.respond(url, BODY)
    assert raised.value.error == "invalid_blocks"


async def test_an_answer_with_a_picture_that_slack_does_not_have_is_refused_for_its_blocks(world: World) -> None:
    """Slack answers with 404, as it does for an address that is used up (java-slack-sdk issue 1349)."""
    url = world.alice._tell.command(world.ops, "/whydrop", "x").payload["response_url"]
    block = {"type": "image", "slack_file": {"id": "F0GONE"}, "alt_text": "a"}
    with pytest.raises(Refused) as raised:
        await world.slack.respond(url, {**BODY, "blocks": [block]})
    assert raised.value.error == "invalid_blocks"
    await world.slack.respond(url, BODY)


async def test_a_file_is_brought_into_a_thread_once_or_not_at_all(world: World) -> None:
    said = world.alice.says(world.ops, "look at this")
    for fault in (failing(500), DROPPED, LOST):
        world.town.faults.plan("files.completeUploadExternal", fault)
        with pytest.raises(Uncertain):
            await world.slack.upload(world.team, "a.md", "A", b"text", world.ops.id, said.ts)
    assert len(world.alice.replies(world.ops, said)) == 1  # the one whose answer was lost
    name = await world.slack.upload(world.team, "a.md", "A", b"text", world.ops.id, said.ts)
    assert world.alice.replies(world.ops, said)[-1].message.files == [name]


async def test_a_file_for_a_message_is_brought_again_where_that_failed(world: World) -> None:
    world.town.faults.plan("files.completeUploadExternal", LOST)
    name = await world.slack.upload(world.team, "a.png", "A", b"png")
    assert world.town.team.files[name].content == b"png"
    assert not world.town.team.files[name].shared


async def test_a_file_is_read_with_the_token_and_not_further_than_asked(world: World) -> None:
    said = world.alice.says(world.ops, "see the file", files=[("a.log", b"x" * 200_000)])
    (name,) = said.message.files
    told = await world.slack.file(world.team, name)
    assert (told.name, told.size) == ("a.log", 200_000)
    assert len(await world.slack.download(world.team, told.url, 1_000_000)) == 200_000
    assert len(await world.slack.download(world.team, told.url, 70_000)) == 70_001
    next(iter(world.town.slack.tokens.values())).scopes = frozenset({"chat:write"})
    with pytest.raises(Refused):
        await world.slack.download(world.team, told.url, 1_000_000)


async def test_the_home_is_shown(world: World) -> None:
    view = {"type": "home", "blocks": BODY["blocks"]}
    await world.slack.publish(world.team, world.alice.id, view)
    assert world.alice.id in world.town.team.homes
