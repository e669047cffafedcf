"""People talk with a small Bolt app through the loopback Slack, over HTTP and over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError

from tests.slack.loopback import Loopback, loopback, nothing_wrong, serving
from tests.slack.people import Person, person
from tests.slack.small_app import Heard, over_http, small_app
from tests.slack.workspace import APP_TOKEN, Channel


@dataclass
class World:
    town: Loopback
    heard: Heard
    alice: Person
    bob: Person
    ops: Channel


@asynccontextmanager
async def connected(town: Loopback, heard: Heard, way: str) -> AsyncIterator[None]:
    token = next(iter(town.slack.tokens))
    app = small_app(town.client(token), heard)
    if way == "http":
        async with serving(over_http(app)) as url:
            town.over_http(f"{url}/slack/events")
            yield
    else:
        handler = AsyncSocketModeHandler(app, APP_TOKEN)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        town.over_socket_mode()
        await town.until(lambda: town.sockets.open)
        try:
            yield
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture(params=["http", "socket"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with loopback() as town:
        heard = Heard()
        alice, bob = person(town, "alice"), person(town, "bob")
        async with connected(town, heard, request.param):
            yield World(town, heard, alice, bob, town.channel("ops", alice.id, bob.id))
            await town.settled()


async def test_a_command_is_answered_to_one_person_and_a_button_replaces_the_answer(world: World) -> None:
    with nothing_wrong(world.town):
        ack = await world.alice.types("/whydrop a < b", world.ops)
        assert (ack.status, ack.body or "") == (200, "")
        asked = await world.alice.reads("Is it idle?", world.ops)
        assert (asked.private, asked.buttons()) == (True, ["Yes & no", "No"])
        assert asked.shows() == "Is it *idle*?\nYes & no\nNo"
        assert world.bob.sees(world.ops) == []
        await world.alice.presses("Yes & no", asked)
        answer = await world.alice.reads("Idle timeout.", world.ops)
        assert (answer.ts, answer.buttons()) == (asked.ts, [])
    (told,) = world.heard.actions
    assert told["container"]["is_ephemeral"]
    assert "message" not in told
    assert told["actions"][0]["text"]["text"] == "Yes &amp; no"
    assert told["actions"][0]["value"] == "Yes & no"


async def test_an_acknowledgement_with_words_is_an_answer(world: World) -> None:
    await world.alice.types("/whydrop now", world.ops)
    assert [m.words() for m in world.alice.sees(world.ops)] == ["Here and now."]
    assert world.bob.sees(world.ops) == []


async def test_a_mention_is_answered_in_its_thread_and_updated_there(world: World) -> None:
    await world.alice.mentions(world.ops, "why? fw1.example.net `fw2.example.net` a<b")
    (said,) = world.bob.sees(world.ops)
    answer = await world.bob.reads("Seen.", world.ops, said)
    event = world.heard.events[0]["event"]
    bot = world.town.team.bot
    linked = "<http://fw1.example.net|fw1.example.net>"
    assert event["text"] == f"<@{bot}> why? {linked} `fw2.example.net` a&lt;b"
    assert world.heard.events[0]["authorizations"][0]["user_id"] == bot
    assert [m.words() for m in world.alice.replies(world.ops, said)] == ["Seen."]
    await world.bob.presses("More", answer)
    await world.bob.reads("More.", world.ops, said)
    assert world.alice.replies(world.ops, said)[0].message.edited == 1
    assert world.heard.actions[0]["message"]["thread_ts"] == said.ts
    await world.alice.mentions(world.ops, "again", said)
    await world.town.until(lambda: len(world.alice.replies(world.ops, said)) == 3)
    assert world.heard.events[1]["event"]["thread_ts"] == said.ts


async def test_files_come_with_a_message_and_are_downloaded_with_the_token(world: World) -> None:
    await world.alice.dms("this", files=[("drop.pcap", b"\xd4\xc3")])
    await world.alice.reads("1 files")
    await world.town.settled()
    (body,) = world.heard.events  # the app is told of its own message too, and Bolt passes over it
    (file,) = body["event"]["files"]
    assert (body["event"]["subtype"], file["size"]) == ("file_share", 2)
    echoed = [ack.parcel.payload["event"] for ack in world.town.round.acks] if world.town.round else []
    assert [event.get("bot_id") is not None for event in echoed] == [False, True]


async def test_a_modal_is_opened_refuses_errors_and_is_stacked(world: World) -> None:
    with nothing_wrong(world.town):
        await world.alice.types("/whydrop paste")
        paste = await world.alice.gets_modal("Paste")
        assert paste.fields() == ["Lines", "Product"]
        with pytest.raises(AssertionError, match="'Lines' is required"):
            await world.alice.submits(paste)
        await world.alice.submits(paste, {"Lines": "nothing"})
        assert paste.errors == {"lines": "There is no log line."}
        assert await world.alice.looks_up("ASA", "Product", paste) == ["ASA 0", "ASA 1"]
        await world.alice.submits(paste, {"Lines": "more", "Product": "ASA 1"})
        more = await world.alice.gets_modal("More")
        await world.alice.presses("Deeper", more)
        deepest = await world.alice.gets_modal("Deeper")
        assert (deepest.view.root, deepest.view.previous) == (paste.view.id, more.view.id)
        await world.alice.closes(deepest)
        await world.alice.closes(more)
        await world.alice.submits(paste, {"Lines": "line"})
        assert world.alice.modal() is None
        await world.alice.reads("Read.")


async def test_a_modal_is_changed_by_its_submission_and_told_when_it_is_closed(world: World) -> None:
    await world.alice.types("/whydrop paste")
    paste = await world.alice.gets_modal()
    await world.alice.submits(paste, {"Lines": "change"})
    assert (await world.alice.gets_modal("Changed")).view.id == paste.view.id
    assert world.bob.modal() is None
    await world.alice.closes(paste)
    assert world.heard.closed == []  # the changed view did not ask for it
    await world.alice.types("/whydrop paste")
    await world.alice.closes(await world.alice.gets_modal("Paste"))
    assert [body["is_cleared"] for body in world.heard.closed] == [False]


async def test_shortcuts_tell_of_the_message_and_open_modals(world: World) -> None:
    said = world.bob.says(world.ops, "%ASA-6-106015 a & b")
    await world.alice.uses_shortcut(said, "diagnose")
    only = await world.alice.reads("Only you see this.", world.ops)
    assert only.private
    assert len(world.bob.sees(world.ops)) == 1
    assert world.heard.actions[0]["message"]["text"] == "%ASA-6-106015 a &amp; b"
    await world.alice.uses_global_shortcut("anywhere")
    await world.alice.gets_modal("Paste")


async def test_a_home_tab_is_published_to_one_person(world: World) -> None:
    await world.alice.opens_home()
    home = await world.alice.gets_home("Welcome.")
    assert home.buttons() == ["Begin"]
    assert world.bob.home() is None
    ack = await world.alice.opens_home()
    assert ack.parcel.payload["event"]["view"]["id"] == home.view.id


async def test_links_are_unfurled_and_steps_of_workflows_end(world: World) -> None:
    await world.alice.shares_link(world.ops, "https://192.0.2.1/cases/1")
    await world.town.until(lambda: world.town.slack.unfurls)
    good, _ = await world.alice.runs_step("diagnose_step", {"line": "x"})
    bad, _ = await world.alice.runs_step("diagnose_step", {"line": ""})
    steps = world.town.slack.executions
    await world.town.until(lambda: "outputs" in steps[good] and "error" in steps[bad])
    assert steps[good]["outputs"] == {"cause": "idle"}


async def test_an_uninstalled_app_is_told_and_its_token_is_good_no_more(world: World) -> None:
    told = await world.alice.uninstalls()
    assert [ack.parcel.payload["event"]["type"] for ack in told] == ["tokens_revoked", "app_uninstalled"]
    client = world.town.client(next(iter(world.town.slack.tokens)))
    with pytest.raises(SlackApiError, match="account_inactive"):
        await client.auth_test()


async def test_an_app_without_the_scope_or_outside_the_channel_cannot_be_mentioned(world: World) -> None:
    away = world.town.channel("away", world.alice.id, bot=False)
    with pytest.raises(AssertionError, match="not in #away"):
        await world.alice.mentions(away, "hello")
    for token in world.town.slack.tokens.values():
        token.scopes = frozenset({"commands"})
    with pytest.raises(AssertionError, match="im:history"):
        await world.alice.dms("hello")


async def test_what_is_not_there_cannot_be_pressed(world: World) -> None:
    await world.alice.types("/whydrop line", world.ops)
    asked = await world.alice.reads("Is it idle?", world.ops)
    with pytest.raises(AssertionError, match="'Maybe' is not there; there are: 'Yes & no', 'No'"):
        await world.alice.presses("Maybe", asked)
    with pytest.raises(AssertionError, match="sees \\['Is it idle"):
        await world.alice.reads("Something else", world.ops, seconds=0.05)
