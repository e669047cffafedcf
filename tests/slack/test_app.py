"""Our app before the loopback Slack: kept, then acknowledged, over HTTP and over Socket Mode; junk is refused."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.app import BUSY, EVENTS, LATE, UNKNOWN
from bot.slack.hearing import DIAGNOSE, EMPTY, FUNCTION, START, UNREADABLE
from bot.slack.installs import WithoutToken
from bot.slack.modals import TEXT
from bot.slack.web_doors import slack_doors
from bot.slack.wishes import Bring, Ended, Left, Look, Press, Step
from bot.tables import Busy
from tests.loopback_slack import FORM, SECRET, signed
from tests.slack.delivery import Retry
from tests.slack.faults import failing, refusing
from tests.slack.loopback import loopback, nothing_wrong
from tests.slack.our_app import CASE_ID, Kept, World, button, connected, our_world, the_app
from tests.slack.people import person
from tests.slack.seen import Seen
from tests.slack.shapes import Fields
from tests.slack.workspace import Message

JSON = "application/json"
LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface dmz"
)


@pytest.fixture(params=["http", "socket"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with our_world(request.param) as found:
        yield found


@pytest.fixture
async def web() -> AsyncIterator[World]:
    async with our_world("http") as found:
        yield found


def posted(world: World, *blocks: Fields) -> Seen:
    """Put a message of the app's into #ops."""
    team = world.town.team
    assert team.bot
    body = {"text": "a question", "blocks": list(blocks)}
    message = Message(world.town.slack.ids.ts(), world.ops.id, team.bot, body, bot=True)
    return Seen(world.town.slack.post(team, message))


# The doors


async def test_each_door_leads_to_the_inbox(world: World) -> None:
    with nothing_wrong(world.town):
        assert (await world.alice.types(f"/whydrop {LINE}", world.ops)).good
        assert (await world.alice.mentions(world.ops, LINE)).good
        assert (await world.alice.dms(f"```{LINE}```")).good
        assert (await world.alice.uses_shortcut(world.alice.says(world.ops, LINE), DIAGNOSE)).good
        assert (await world.alice.runs_step(FUNCTION, {"log": LINE, "product": "cisco-asa"}))[1].good
        assert (await world.alice.opens_home()).good
    lines = [wish.act.text.strip() for wish in world.kept.wishes if isinstance(wish.act, Bring | Step)]
    assert lines == [LINE] * 5
    assert world.kept.wishes[-1].act == Look(at="home")
    assert {wish.team for wish in world.kept.wishes} == {world.town.team.id}
    assert len({wish.key for wish in world.kept.wishes}) == 6


async def test_the_command_alone_opens_a_modal_which_gives_the_lines(world: World) -> None:
    with nothing_wrong(world.town):
        await world.alice.types("/whydrop", world.ops)
        modal = await world.alice.gets_modal("Diagnose lines")
        ack = await world.alice.submits(modal, {"Lines": "  "})
        assert ack.body == {"response_action": "errors", "errors": {TEXT: EMPTY}}
        assert world.kept.wishes == []
        await world.alice.submits(modal, {"Lines": LINE, "Product": "cisco-asa"})
    assert world.only.act == Bring(text=LINE, product="cisco-asa")
    assert (world.only.place.channel, bool(world.only.place.response_url)) == (world.ops.id, True)
    assert world.alice.modal() is None


async def test_the_global_shortcut_opens_the_modal_too(world: World) -> None:
    with nothing_wrong(world.town):
        await world.alice.uses_global_shortcut(START)
        await world.alice.submits(await world.alice.gets_modal(), {"Lines": LINE})
    assert (world.only.place.channel, world.only.place.direct) == (world.alice.id, True)


async def test_buttons_are_kept_and_some_open_a_modal(world: World) -> None:
    buttons = [button("Yes", "answer", version=3, feature="timing.worked", value="never"), button("Else…", "ended")]
    with nothing_wrong(world.town):
        question = posted(world, {"type": "actions", "elements": [*buttons, button("Open", "link")]})
        await world.alice.presses("Yes", question)
        await world.alice.presses("Open", question)
        assert world.only.act == Press(does="answer", case=CASE_ID, version=3, feature="timing.worked", value="never")
        await world.alice.presses("Else…", question)
        await world.alice.submits(await world.alice.gets_modal("How did it end?"), {"Note": "a switch"})
    assert world.kept.wishes[-1].act == Ended(case=CASE_ID, solved=True, note="a switch")
    assert {wish.place.thread for wish in world.kept.wishes} == {question.ts}


async def test_a_typed_answer_is_read_before_the_modal_closes(world: World) -> None:
    asking = button("Type…", "type", version=3, feature="timing.idle_s")
    with nothing_wrong(world.town):
        question = posted(world, {"type": "actions", "elements": [asking]})
        await world.alice.presses("Type…", question)
        modal = await world.alice.gets_modal("Answer")
        ack = await world.alice.submits(modal, {"How long": "sometimes"})
        assert "is no duration" in ack.body["errors"][TEXT]
        assert world.kept.wishes == []
        await world.alice.submits(modal, {"How long": "about an hour"})
    meant = Press(does="answer", case=CASE_ID, version=3, feature="timing.idle_s", value=3600.0)
    assert world.only.act == meant


async def test_forged_buttons_reach_only_a_refusal(world: World) -> None:
    other = json.dumps(["answer", "b" * 26, 1, "timing.worked", "never"])
    forged = ["x", "[]", json.dumps(["answer", "../../x", 1, "", None]), json.dumps(["drop", "", 0, "", None]), other]
    buttons = [{**button(f"{n}", "why"), "value": one, "action_id": f"whydrop:why:{n}"} for n, one in enumerate(forged)]
    question = posted(world, {"type": "actions", "elements": buttons})
    for number in range(len(forged)):
        assert (await world.alice.presses(f"{number}", question)).good
    acts = [wish.act for wish in world.kept.wishes]
    named = Press(does="answer", case="b" * 26, version=1, feature="timing.worked", value="never")
    assert acts == [Press(does=UNREADABLE)] * 4 + [named]  # whose case it names is found out where it is carried out


async def test_a_button_that_is_not_ours_is_not_kept(web: World) -> None:
    other = {**button("Other", "answer"), "action_id": "another"}
    ack = await web.alice.presses("Other", posted(web, {"type": "actions", "elements": [other]}))
    assert ack.status == 404
    assert web.kept.wishes == []


async def test_what_bots_say_and_what_changes_is_not_kept(world: World) -> None:
    team = world.town.team
    assert team.bot
    base: Fields = {
        "type": "message",
        "channel_type": "im",
        "channel": world.alice.dm.id,
        "ts": "1.1",
        "user": team.bot,
    }
    for more in ({"bot_id": "B1"}, {"subtype": "message_changed", "message": {"user": world.alice.id}}, {}):
        assert (await world.town.deliver(world.alice._tell.event({**base, **more, "text": "x"}))).good
    assert world.kept.wishes == []


async def test_uninstalling_is_kept_although_there_is_no_token_any_more(world: World) -> None:
    for ack in await world.alice.uninstalls():
        assert ack.good
    assert [type(wish.act) for wish in world.kept.wishes] == [Left, Left]
    assert all(isinstance(wish.act, Left) and wish.act.at for wish in world.kept.wishes)


# At least once, and in no order


async def test_what_comes_again_has_the_same_key(world: World) -> None:
    parcel = world.alice.mention(world.ops, LINE)
    assert world.town.round
    acks = await world.town.round.repeat(parcel, 3)
    acks.append(await world.town.round.once(parcel, Retry(1, "http_error")))
    assert all(ack.good for ack in acks)
    assert len(world.kept.wishes) == 1


async def test_it_is_acknowledged_only_when_it_is_kept(world: World) -> None:
    world.kept.broken = Busy()
    assert world.town.round
    parcel = world.alice.mention(world.ops, LINE)
    world.town.round.door.patience = 0.5  # type: ignore[attr-defined]
    assert not (await world.town.round.once(parcel)).good
    world.kept.broken = None
    assert (await world.town.round.deliver(parcel)).good
    assert len(world.kept.wishes) == 1


async def test_the_asker_of_a_command_is_told_when_it_is_not_kept(world: World) -> None:
    world.kept.broken = Busy()
    assert (await world.alice.types(f"/whydrop {LINE}", world.ops)).good
    assert [seen.words() for seen in world.alice.sees(world.ops)] == [BUSY]


async def test_the_acknowledgement_waits_for_the_inbox_and_for_nothing_else(world: World) -> None:
    world.kept.held = threading.Event()
    known = [call.method for call in world.town.faults.calls]
    mentioning = asyncio.create_task(world.alice.mentions(world.ops, LINE))
    try:
        assert await asyncio.to_thread(world.kept.reached.wait, 10)
        done, _ = await asyncio.wait([mentioning], timeout=0.2)
        assert not done, "it is not kept yet"
    finally:
        world.kept.held.set()
    assert (await mentioning).good
    assert len(world.kept.wishes) == 1
    asked = [call.method for call in world.town.faults.calls][len(known) :]
    assert asked == ["auth.test"], "whose token it is, which the service asks as it begins"


# Modals in time


@pytest.mark.parametrize("fault", [refusing("expired_trigger_id"), failing(), refusing("fatal_error")])
async def test_a_modal_that_does_not_open_is_told(world: World, fault: Any) -> None:
    world.town.faults.plan("views.open", *[fault] * 4)
    assert (await world.alice.types("/whydrop", world.ops)).good
    told = await world.alice.reads(LATE, world.ops)
    assert told.private


async def test_without_a_token_the_command_alone_is_answered_in_words() -> None:
    async with loopback() as town:
        kept, alice = Kept(), person(town, "alice")
        async with connected(town, lambda: the_app(town, kept, WithoutToken()), "http"):
            ops = town.channel("ops", alice.id)
            await alice.types("/whydrop", ops)
            await alice.reads(LATE, ops)
            await alice.types(f"/whydrop {LINE}", ops)
        assert [wish.act for wish in kept.wishes] == [Bring(text=LINE)]


# Other workspaces


async def test_other_workspaces_are_refused(world: World) -> None:
    town = world.town
    other = town.slack.team("globex")
    town.slack.install(other)
    eve = person(town, "eve", other)
    channel = town.channel("theirs", eve.id, team=other)
    question = Message(town.slack.ids.ts(), channel.id, other.bot or "", {"text": "x", "blocks": []}, bot=True)
    question.body["blocks"] = [{"type": "actions", "elements": [button("Yes", "answer")]}]
    seen = Seen(town.slack.post(other, question))
    assert (await eve.types(f"/whydrop {LINE}", channel)).good
    await eve.reads(UNKNOWN, channel)
    assert (await eve.presses("Yes", seen)).good
    assert (await eve.mentions(channel, LINE)).good
    assert world.kept.wishes == []


# What is long, wide or strange


STRANGE = {
    "40,000 characters": "x" * 40_000,
    "wide": "🔥" * 39_000,
    "many lines": "x\n" * 19_000,
    "bidi": "abc \u202e drop \u2066 \u200f \u061c",
    "NULs": "a\x00b\x01\x1b[31m\x7f\x9b",
    "mentions": "<!channel> <@U123> @here",
    "payload": f"{LINE} payload &payload=1 payload={{}}",
}


@pytest.mark.parametrize("kind", STRANGE)
async def test_what_is_pasted_arrives(world: World, kind: str) -> None:
    text = STRANGE[kind]
    assert (await world.alice.types(f"/whydrop {text}", world.ops)).good
    assert (await world.alice.dms(text)).good
    command, direct = [wish.act for wish in world.kept.wishes]
    assert isinstance(command, Bring)
    assert isinstance(direct, Bring)
    assert command.text == text.strip()
    assert direct.text.strip() == text.strip()


@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF%FE", "%01", "%u0041", "%"])
async def test_a_text_that_is_not_utf8_is_kept_too(web: World, text: str) -> None:
    fields = urlencode({"command": "/whydrop", "team_id": web.town.team.id, "user_id": "U1", "trigger_id": text})
    assert (await sent(web, f"{fields}&text=a{text}".encode())).status_code == 200
    assert web.only.model_dump_json()


# Refusals: only what Slack signed, only now, and never a 500


async def sent(world: World, body: bytes, **headers: Any) -> httpx.Response:
    told = headers.pop("told", None) or signed(body)
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{world.url}/slack/events", content=body, headers={**told, **headers}, timeout=10)


def form(text: str = LINE, team: str = "T1") -> bytes:
    fields = {"command": "/whydrop", "text": text, "trigger_id": "1.2.a", "team_id": team, "user_id": "U1"}
    return urlencode(fields).encode()


REFUSED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "unsigned": lambda _: {"content-type": FORM},
    "wrongly signed": lambda body: signed(body, secret="another"),
    "signed for another body": lambda body: signed(body + b"x"),
    "stale": lambda body: signed(body, time.time() - 301),
    "ahead": lambda body: signed(body, time.time() + 360),
    "an hour ago": lambda body: signed(body, time.time() - 3600),
    "without a timestamp": lambda body: {**signed(body), "x-slack-request-timestamp": ""},
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_slack_did_not_sign_now_is_refused(web: World, kind: str) -> None:
    body = form(team=web.town.team.id)
    assert (await sent(web, body, told=REFUSED[kind](body))).status_code == 401
    assert web.kept.wishes == []
    assert (await sent(web, body)).status_code == 200
    assert len(web.kept.wishes) == 1


SEVEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "a timestamp that is no number": (form(), {"content-type": FORM, "x-slack-request-timestamp": "abc"}),
    "a body that is not UTF-8": (b"\xff\xfe", {"content-type": FORM}),
    "bad JSON": (b"{", {"content-type": JSON}),
    "a JSON array": (b"[1]", {"content-type": JSON}),
    "JSON null": (b"null", {"content-type": JSON}),
    "100,000 brackets": (b"[" * 100_000, {"content-type": JSON}),
    "a signature that is not ASCII": (form(), {"content-type": FORM, "x-slack-signature": "v0=é"}),
}


async def test_the_seven_kinds_of_junk_never_reach_bolt(web: World) -> None:
    for body, headers in SEVEN.values():
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        assert (await sent(web, body, told=raw)).status_code == 401
        told = {name: value.encode("latin-1") for name, value in (signed(body) | headers).items()}
        assert (await sent(web, body, told=told)).status_code in (400, 401)
    assert web.kept.wishes == []


async def test_what_is_too_large_or_no_post_is_refused(web: World) -> None:
    assert (await sent(web, form("x" * 2_200_000))).status_code == 413
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{web.url}/slack/events")).status_code == 405


async def test_the_request_url_is_verified(web: World) -> None:
    assert web.town.round
    assert (await web.town.round.door.verify()).good  # type: ignore[attr-defined]


async def test_headers_of_bolts_own_cannot_switch_a_listener_off(web: World) -> None:
    body = form(team=web.town.team.id)
    assert (await sent(web, body, **{"x-slack-bolt-lazy-only": "1"})).status_code == 200
    assert len(web.kept.wishes) == 1


async def test_without_a_secret_nothing_answers() -> None:
    transport = httpx.ASGITransport(slack_doors("", None, None))
    async with httpx.AsyncClient(transport=transport, base_url="http://slack") as client:
        for path in ("/events", "/install", "/oauth_redirect"):
            assert (await client.post(path, content=form(), headers=signed(form(), secret="x"))).status_code == 404


async def test_nothing_that_was_pasted_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.alice.types("/whydrop confidential", world.ops)
    world.kept.broken = RuntimeError("confidential")
    await world.alice.types("/whydrop confidential", world.ops)
    assert world.town.round
    world.town.round.door.patience = 0.5  # type: ignore[attr-defined]
    await world.town.round.once(world.alice.mention(world.ops, "confidential"))
    question = posted(world, {"type": "actions", "elements": [button("Yes", "answer", value="confidential")]})
    await world.town.round.once(world.alice.press("Yes", question))
    ours = [record for record in caplog.records if record.name.startswith(("whydrop", "slack"))]
    assert any("RuntimeError" in record.getMessage() for record in ours)
    assert not any("confidential" in record.getMessage() + str(record.exc_info) for record in ours)


KEYS = [
    "type",
    "user",
    "team",
    "enterprise",
    "event",
    "actions",
    "action_id",
    "command",
    "text",
    "response_url",
    "view",
]
KEYS += ["authorizations", "channel", "container", "is_enterprise_install", "message", "callback_id", "ssl_check"]
KEYS += ["challenge", "function_data", "thread_ts", "inputs", "state", "block_id", "value", "event_id", "ts", "files"]
KEYS += ["channel_type", "action_ts", "trigger_id", "private_metadata", "attachments", "blocks", "function", "tokens"]
TYPES = ["block_actions", "event_callback", "view_submission", "shortcut", "url_verification", "message_action"]
TYPES += ["block_suggestion", "interactive_message", "dialog_submission", "workflow_step_edit", *EVENTS]
SCALARS = st.sampled_from([None, 1, 1.5, True, "x", "\ud800", "whydrop:go:1", "/whydrop", "im", "D1", DIAGNOSE, *TYPES])
TREES = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(KEYS), one, max_size=5),
    max_leaves=9,
)
SHAPES = st.dictionaries(st.sampled_from(KEYS), TREES, min_size=1, max_size=6)
EVENT_SHAPES = st.fixed_dictionaries(
    {"type": st.just("event_callback"), "event_id": st.just("Ev1")},
    optional={"event": st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6), "authorizations": TREES},
)


@given(SHAPES | EVENT_SHAPES, st.booleans())
@settings(deadline=None, max_examples=400)
def test_no_signed_shape_is_answered_with_500(shape: Fields, as_payload: bool) -> None:
    body = json.dumps(shape).encode()
    body, media = (urlencode({"payload": body}).encode(), FORM) if as_payload else (body, JSON)

    async def status() -> int:
        async with loopback() as town:
            doors = slack_doors(SECRET, the_app(town, Kept(), WithoutToken()), None)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(doors), base_url="http://slack") as client:
                return (await client.post("/events", content=body, headers=signed(body, media=media))).status_code

    assert anyio.run(status) in (200, 400, 404)
