"""The Web API of the loopback Slack, called by the real client of slack_sdk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.slack.faults import DROPPED, LOST, SILENT, failing, rate_limited, refusing
from tests.slack.loopback import Loopback, loopback
from tests.slack.people import Person, person
from tests.slack.small_app import buttons, modal, section
from tests.slack.workspace import Channel, Token

AT_ONCE = FixedValueRetryIntervalCalculator(0)


@dataclass
class World:
    town: Loopback
    token: Token
    client: AsyncWebClient
    alice: Person
    ops: Channel


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with loopback() as town:
        token = next(iter(town.slack.tokens.values()))
        alice = person(town, "alice")
        client = town.client(token.value)
        client.retry_handlers = []
        yield World(town, token, client, alice, town.channel("ops", alice.id))


async def refused(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as raised:
        await call
    return str(raised.value.response["error"])


async def test_whose_token_it_is(world: World) -> None:
    answer = await world.client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (world.town.team.id, world.town.team.bot)
    assert "chat:write" in answer.headers["x-oauth-scopes"]


async def test_bad_tokens_are_refused_each_with_its_error(world: World) -> None:
    assert await refused(world.town.client("xoxb-none").auth_test()) == "invalid_auth"
    assert await refused(world.town.client(None).auth_test()) == "not_authed"
    world.token.scopes = frozenset({"commands"})
    with pytest.raises(SlackApiError) as raised:
        await world.client.chat_postMessage(channel=world.ops.id, text="x")
    assert raised.value.response["error"] == "missing_scope"
    assert (raised.value.response["needed"], raised.value.response["provided"]) == ("chat:write", "commands")
    world.token.ends = world.town.slack.clock.now() + 60
    await world.client.auth_test()
    world.town.slack.clock.advance(61)
    assert await refused(world.client.auth_test()) == "token_expired"
    await_revoked = world.town.client(world.town.slack.install(world.town.team).value)
    await await_revoked.auth_revoke(test=True)
    await await_revoked.auth_revoke()
    assert await refused(await_revoked.auth_test()) == "token_revoked"
    assert await refused(world.client.api_call("chat.nothing")) == "unknown_method"


async def test_messages_have_increasing_timestamps_and_ids_for_blocks(world: World) -> None:
    posted = [await world.client.chat_postMessage(channel=world.ops.id, text=str(n)) for n in range(3)]
    stamps = [answer["ts"] for answer in posted]
    assert stamps == sorted(set(stamps))
    answer = await world.client.chat_postMessage(channel=world.ops.id, text="x", blocks=[section("x")])
    assert answer["message"]["blocks"][0]["block_id"]
    assert [seen.words() for seen in world.alice.sees(world.ops)] == ["0", "1", "2", "x"]


async def test_messages_go_only_where_the_bot_is(world: World) -> None:
    away = world.town.channel("away", bot=False)
    secret = world.town.slack.channel(world.town.team, "secret", "group")
    other = world.town.slack.team("other")
    post = world.client.chat_postMessage
    assert await refused(post(channel=away.id, text="x")) == "not_in_channel"
    assert await refused(post(channel=secret.id, text="x")) == "channel_not_found"
    assert await refused(post(channel=next(iter(other.channels)), text="x")) == "channel_not_found"
    assert await refused(post(channel=world.ops.id, text="x", thread_ts="1.000001")) == "thread_not_found"
    opened = await world.client.conversations_open(users=[world.alice.id])
    assert opened["channel"]["id"] == world.alice.dm.id
    answer = await post(channel=world.alice.id, text="to you")
    assert answer["channel"] == world.alice.dm.id


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
async def test_bad_messages_are_refused_and_all_that_is_wrong_is_remembered(world: World) -> None:
    post = world.client.chat_postMessage
    assert await refused(post(channel=world.ops.id)) == "no_text"
    assert await refused(post(channel=world.ops.id, text="x" * 40_001)) == "msg_too_long"
    long = {"type": "markdown", "text": "x" * 7000}
    assert await refused(post(channel=world.ops.id, text="x", blocks=[long, long])) == "msg_blocks_too_long"
    with pytest.raises(SlackApiError) as raised:
        await post(channel=world.ops.id, text="x", blocks=[section("x" * 3001)])
    assert raised.value.response["error"] == "invalid_blocks"
    (said,) = raised.value.response["response_metadata"]["messages"]
    assert said.endswith("[json-pointer:/blocks/0/text/text]")
    await post(channel=world.ops.id, blocks=[section("x")])
    await post(channel=world.ops.id, text="<!here> a < b")
    noted = world.town.words_of_problems()[-3:]
    assert [one.partition(": ")[2] for one in noted] == [
        "a message without text is silent to those who do not see it (chat.postMessage)",
        "< is not escaped (formatting-message-text)",
        "mentions <!here> (formatting-message-text)",
    ]


async def test_only_own_messages_that_all_see_are_changed(world: World) -> None:
    said = world.alice.says(world.ops, "mine")
    update = world.client.chat_update
    assert await refused(update(channel=world.ops.id, ts=said.ts, text="x")) == "cant_update_message"
    assert await refused(world.client.chat_delete(channel=world.ops.id, ts=said.ts)) == "cant_delete_message"
    only = await world.client.chat_postEphemeral(channel=world.ops.id, user=world.alice.id, text="x")
    assert await refused(update(channel=world.ops.id, ts=only["message_ts"], text="x")) == "message_not_found"
    ts = (await world.client.chat_postMessage(channel=world.ops.id, text="x", blocks=[section("kept")]))["ts"]
    await update(channel=world.ops.id, ts=ts, text="y")
    seen = world.alice.sees(world.ops)[-1]
    assert (seen.words(), seen.shows()) == ("y", "kept")
    await update(channel=world.ops.id, ts=ts, text="z", blocks=[])
    assert world.alice.sees(world.ops)[-1].shows() == "z"
    await world.client.chat_delete(channel=world.ops.id, ts=ts)
    assert await refused(update(channel=world.ops.id, ts=ts, text="x")) == "message_not_found"
    link = await world.client.chat_getPermalink(channel=world.ops.id, message_ts=said.ts)
    assert link["permalink"].endswith(said.ts.replace(".", ""))


async def test_an_ephemeral_message_needs_its_reader_in_the_channel(world: World) -> None:
    bob = person(world.town, "bob")
    post = world.client.chat_postEphemeral
    assert await refused(post(channel=world.ops.id, user=bob.id, text="x")) == "user_not_in_channel"
    await post(channel=world.ops.id, user=world.alice.id, text="x")
    world.ops.members.add(bob.id)
    assert (len(world.alice.sees(world.ops)), len(bob.sees(world.ops))) == (1, 0)


async def test_a_trigger_is_used_once_within_three_seconds(world: World) -> None:
    slack = world.town.slack
    trigger = slack.trigger(world.town.team.id, world.alice.id)
    opened = await world.client.views_open(trigger_id=trigger, view=modal())
    assert opened["view"]["root_view_id"] == opened["view"]["id"]
    assert await refused(world.client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    late = slack.trigger(world.town.team.id, world.alice.id)
    slack.clock.advance(3.1)
    assert await refused(world.client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"
    assert await refused(world.client.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"


async def test_views_are_stacked_three_high_and_guarded_by_their_hash(world: World) -> None:
    slack, team = world.town.slack, world.town.team.id
    opened = await world.client.views_open(trigger_id=slack.trigger(team, world.alice.id), view=modal())
    first = opened["view"]
    for title in ("Second", "Third"):
        trigger = slack.trigger(team, world.alice.id, first["id"])
        await world.client.views_push(trigger_id=trigger, view=modal(title))
    trigger = slack.trigger(team, world.alice.id, first["id"])
    assert await refused(world.client.views_push(trigger_id=trigger, view=modal("x"))) == "push_limit_reached"
    update = world.client.views_update
    await update(view_id=first["id"], hash=first["hash"], view=modal("New"))
    assert await refused(update(view_id=first["id"], hash=first["hash"], view=modal("x"))) == "hash_conflict"
    assert await refused(update(view_id="V0", view=modal("x"))) == "not_found"
    bad = modal("x" * 25)
    assert await refused(update(view_id=first["id"], view=bad)) == "invalid_arguments"


async def test_a_view_of_an_outer_name_is_found_by_it_and_is_the_only_one(world: World) -> None:
    slack, team = world.town.slack, world.town.team.id
    named = modal(external_id="case-1")
    await world.client.views_open(trigger_id=slack.trigger(team, world.alice.id), view=named)
    await world.client.views_update(external_id="case-1", view=modal("Found", external_id="case-1"))
    assert (await world.alice.gets_modal()).title == "Found"
    trigger = slack.trigger(team, world.alice.id, "V1")
    assert await refused(world.client.views_push(trigger_id=trigger, view=named)) == "duplicate_external_id"


async def test_a_home_tab_is_published_again_only_over_what_is_there(world: World) -> None:
    home = {"type": "home", "blocks": [section("x"), buttons("a")]}
    first = await world.client.views_publish(user_id=world.alice.id, view=home)
    await world.client.views_publish(user_id=world.alice.id, view=home, hash=first["view"]["hash"])
    again = world.client.views_publish(user_id=world.alice.id, view=home, hash=first["view"]["hash"])
    assert await refused(again) == "hash_conflict"


async def test_threads_are_read_once_a_minute_and_fifteen_at_a_time(world: World) -> None:
    root = world.alice.says(world.ops, "root")
    for number in range(16):
        world.alice.says(world.ops, str(number), root)
    page = await world.client.conversations_replies(channel=world.ops.id, ts=root.ts, limit=100)
    assert (len(page["messages"]), page["has_more"]) == (15, True)
    with pytest.raises(SlackApiError) as raised:
        await world.client.conversations_replies(channel=world.ops.id, ts=root.ts)
    assert (raised.value.response.status_code, raised.value.response["error"]) == (429, "ratelimited")
    wait = int(raised.value.response.headers["Retry-After"])
    assert 0 < wait <= 60
    world.town.slack.clock.advance(wait)
    cursor = page["response_metadata"]["next_cursor"]
    rest = await world.client.conversations_replies(channel=world.ops.id, ts=root.ts, cursor=cursor)
    assert (len(rest["messages"]), rest["has_more"]) == (2, False)


async def test_files_go_up_in_three_steps_and_come_down_with_the_token_alone(world: World) -> None:
    await world.client.files_upload_v2(
        filename="case.md", content="# A case", channel=world.ops.id, initial_comment="The case."
    )
    (seen,) = world.alice.sees(world.ops)
    (name,) = seen.message.files
    told = (await world.client.files_info(file=name))["file"]
    async with aiohttp.ClientSession() as session:
        bearer = {"authorization": f"Bearer {world.token.value}"}
        async with session.get(told["url_private_download"], headers=bearer) as answer:
            assert await answer.read() == b"# A case"
        async with session.get(told["url_private_download"]) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
    assert await refused(world.client.files_completeUploadExternal(files=[{"id": "F0"}])) == "file_not_found"


async def test_a_response_url_is_good_for_five_answers_within_half_an_hour(world: World) -> None:
    url = world.alice._tell.response_url(world.ops)
    hook = AsyncWebhookClient(url)
    for number in range(5):
        assert (await hook.send(text=str(number))).status_code == 200
    sixth = await hook.send(text="6")
    assert (sixth.status_code, "used_url" in sixth.body) == (404, True)
    late = AsyncWebhookClient(world.alice._tell.response_url(world.ops))
    world.town.slack.clock.advance(30 * 60 + 1)
    assert (await late.send(text="x")).status_code == 404
    bad = AsyncWebhookClient(world.alice._tell.response_url(world.ops))
    assert (await bad.send(text="x", blocks=[section("x" * 3001)])).status_code == 404
    assert (await bad.send(text="all", response_type="in_channel")).status_code == 200
    assert [m.private for m in world.alice.sees(world.ops)] == [True] * 5 + [False]


async def test_statuses_prompts_titles_and_reactions_are_kept(world: World) -> None:
    said = world.alice.says(world.alice.dm, "hello")
    where = {"channel_id": world.alice.dm.id, "thread_ts": said.ts}
    channel, thread = where.values()
    await world.client.assistant_threads_setStatus(
        channel_id=channel, thread_ts=thread, status="is reading the capture"
    )
    await world.client.assistant_threads_setTitle(**where, title="A drop")
    await world.client.assistant_threads_setSuggestedPrompts(**where, prompts=[{"title": "t", "message": "m"}])
    kept = world.town.slack.statuses[world.alice.dm.id, said.ts]
    assert (kept["status"], kept["title"], len(kept["prompts"])) == ("is reading the capture", "A drop", 1)
    many = [{"title": "t", "message": "m"}] * 5
    assert (
        await refused(world.client.assistant_threads_setSuggestedPrompts(**where, prompts=many)) == "invalid_arguments"
    )
    react = world.client.reactions_add
    await react(channel=world.alice.dm.id, timestamp=said.ts, name="eyes")
    assert await refused(react(channel=world.alice.dm.id, timestamp=said.ts, name="eyes")) == "already_reacted"
    assert (await world.client.users_info(user=world.alice.id))["user"]["name"] == "alice"
    assert (await world.client.conversations_info(channel=world.ops.id))["channel"]["is_member"]


async def test_blocks_are_validated_without_being_posted(world: World) -> None:
    await world.client.blocks_validate(blocks=[section("x")])
    assert await refused(world.client.blocks_validate(blocks=[section("x" * 3001)])) == "invalid_blocks"
    assert await refused(world.client.blocks_validate(view=modal("x" * 25))) == "invalid_blocks"
    assert world.alice.sees(world.ops) == []


async def test_a_client_with_handlers_gets_over_limits_errors_and_dropped_connections(world: World) -> None:
    world.client.retry_handlers = [
        AsyncConnectionErrorRetryHandler(interval_calculator=AT_ONCE),
        AsyncServerErrorRetryHandler(interval_calculator=AT_ONCE),
        AsyncRateLimitErrorRetryHandler(),
    ]
    for fault in (rate_limited(0), failing(500), failing(503), DROPPED):
        world.town.faults.plan("chat.postMessage", fault)
        await world.client.chat_postMessage(channel=world.ops.id, text="once")
    assert len(world.alice.sees(world.ops)) == 4
    assert len(world.town.faults.of("chat.postMessage")) == 8
    assert world.town.faults.doubled == []


async def test_a_rate_of_posting_is_kept_for_each_channel(world: World) -> None:
    world.town.api.rates["chat.postMessage"] = (1, 1.0)
    other = world.town.channel("other", world.alice.id)
    await world.client.chat_postMessage(channel=world.ops.id, text="1")
    assert await refused(world.client.chat_postMessage(channel=world.ops.id, text="2")) == "ratelimited"
    await world.client.chat_postMessage(channel=other.id, text="1")
    world.town.slack.clock.advance(1)
    await world.client.chat_postMessage(channel=world.ops.id, text="2")


async def test_an_answer_that_is_lost_makes_a_retry_double(world: World) -> None:
    world.client.retry_handlers = [AsyncConnectionErrorRetryHandler(interval_calculator=AT_ONCE)]
    world.town.faults.plan("chat.postMessage", LOST)
    await world.client.chat_postMessage(channel=world.ops.id, text="twice")
    assert [seen.words() for seen in world.alice.sees(world.ops)] == ["twice", "twice"]
    assert [call.args["text"] for call in world.town.faults.doubled] == ["twice"]


async def test_faults_come_in_order_and_only_as_planned(world: World) -> None:
    world.town.faults.plan("chat.postMessage", refusing("fatal_error"), failing(500), SILENT)
    post = world.client.chat_postMessage
    assert await refused(post(channel=world.ops.id, text="x")) == "fatal_error"
    assert await refused(post(channel=world.ops.id, text="x")) == "internal_error"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(post(channel=world.ops.id, text="x"), 0.1)
    assert world.alice.sees(world.ops) == []
    await post(channel=world.ops.id, text="x")
    assert len(world.alice.sees(world.ops)) == 1
    assert [call.answer is not None for call in world.town.faults.calls] == [False, False, False, True]
