"""A small app of the real Bolt, as the counterpart of the loopback Slack in the tests of the kit itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.loopback_slack import SECRET
from tests.slack.shapes import Fields

QUIET = logging.getLogger("tests.slack.small_app")
QUIET.setLevel(logging.CRITICAL)


def section(text: str, **more: Any) -> Fields:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def buttons(*labels: str) -> Fields:
    made = [{"type": "button", "text": _plain(one), "action_id": f"press-{one}", "value": one} for one in labels]
    return {"type": "actions", "elements": made}


def _plain(text: str) -> Fields:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Paste", *blocks: Fields, **more: Any) -> Fields:
    lines = {
        "type": "input",
        "block_id": "lines",
        "label": _plain("Lines"),
        "element": {"type": "plain_text_input", "multiline": True, "action_id": "lines"},
    }
    product = {
        "type": "input",
        "block_id": "product",
        "label": _plain("Product"),
        "optional": True,
        "element": {"type": "external_select", "action_id": "product"},
    }
    shown = list(blocks) or [lines, product]
    return {
        "type": "modal",
        "callback_id": "paste",
        "title": _plain(title),
        "submit": _plain("Send"),
        "blocks": shown,
        **more,
    }


@dataclass
class Heard:
    """What the app heard, in order."""

    events: list[Fields] = field(default_factory=list)
    actions: list[Fields] = field(default_factory=list)
    closed: list[Fields] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)


def small_app(client: AsyncWebClient, heard: Heard, oauth: AsyncOAuthSettings | None = None) -> AsyncApp:
    """Make the app."""
    token = None if oauth else client.token
    app = AsyncApp(client=client, signing_secret=SECRET, logger=QUIET, token=token, oauth_settings=oauth)

    for listen in (_commands, _views, _shortcuts, _events, _endings):
        listen(app, heard)
    return app


def _commands(app: AsyncApp, heard: Heard) -> None:
    @app.command("/whydrop")
    async def command(ack: AsyncAck, body: Fields, respond: Any, client: AsyncWebClient) -> None:
        if body["text"] == "paste":
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=modal(notify_on_close=True))
        elif body["text"] == "now":
            await ack("Here and now.")
        elif body["text"] == "slow":
            await heard.hold.wait()
            await ack()
        else:
            await ack()
            await respond(text="Is it idle?", blocks=[section("Is it *idle*?"), buttons("Yes & no", "No")])

    @app.action("press-Yes & no")
    async def yes(ack: AsyncAck, body: Fields, respond: Any) -> None:
        await ack()
        heard.actions.append(body)
        await respond(text="Idle timeout.", replace_original=True)

    @app.action("press-More")
    async def more(ack: AsyncAck, body: Fields, client: AsyncWebClient) -> None:
        await ack()
        heard.actions.append(body)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="More.", blocks=[])

    @app.action("press-Deeper")
    async def deeper(ack: AsyncAck, body: Fields, client: AsyncWebClient) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=modal("Deeper", section("x"), buttons("Deeper")))


def _views(app: AsyncApp, heard: Heard) -> None:
    @app.options("product")
    async def products(ack: AsyncAck, payload: Fields) -> None:
        await ack(options=[{"text": _plain(f"{payload['value']} {n}"), "value": str(n)} for n in range(2)])

    @app.view("paste")
    async def pasted(ack: AsyncAck, view: Fields, body: Fields, client: AsyncWebClient) -> None:
        text = view["state"]["values"]["lines"]["lines"]["value"]
        if text == "nothing":
            await ack(response_action="errors", errors={"lines": "There is no log line."})
        elif text == "more":
            await ack(response_action="push", view=modal("More", section("more"), buttons("Deeper")))
        elif text == "change":
            await ack(response_action="update", view=modal("Changed"))
        else:
            await ack()
            await client.chat_postMessage(channel=body["user"]["id"], text="Read.")

    @app.view_closed("paste")
    async def closed(ack: AsyncAck, body: Fields) -> None:
        heard.closed.append(body)
        await ack()


def _shortcuts(app: AsyncApp, heard: Heard) -> None:
    """Listen to shortcuts."""

    @app.shortcut("diagnose")
    async def diagnose(ack: AsyncAck, shortcut: Fields, client: AsyncWebClient) -> None:
        await ack()
        heard.actions.append(shortcut)
        await client.chat_postEphemeral(
            channel=shortcut["channel"]["id"], user=shortcut["user"]["id"], text="Only you see this."
        )

    @app.shortcut("anywhere")
    async def anywhere(ack: AsyncAck, shortcut: Fields, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal())


def _events(app: AsyncApp, heard: Heard) -> None:
    @app.event("app_mention")
    async def mentioned(body: Fields, event: Fields, client: AsyncWebClient) -> None:
        heard.events.append(body)
        thread = event.get("thread_ts", event["ts"])
        await client.chat_postMessage(
            channel=event["channel"], thread_ts=thread, text="Seen.", blocks=[buttons("More")]
        )

    @app.event("message")
    async def written(body: Fields, event: Fields, client: AsyncWebClient) -> None:
        heard.events.append(body)
        await client.chat_postMessage(channel=event["channel"], text=f"{len(event.get('files', []))} files")

    @app.event("app_home_opened")
    async def opened(event: Fields, client: AsyncWebClient) -> None:
        view = {"type": "home", "blocks": [section("Welcome."), buttons("Begin")]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.event("link_shared")
    async def shared(event: Fields, client: AsyncWebClient) -> None:
        unfurls = {link["url"]: {"blocks": [section("A case.")]} for link in event["links"]}
        await client.chat_unfurl(channel=event["channel"], ts=event["message_ts"], unfurls=unfurls)


def _endings(app: AsyncApp, heard: Heard) -> None:
    @app.event("app_uninstalled")
    async def removed(body: Fields) -> None:
        heard.events.append(body)

    @app.event("tokens_revoked")
    async def revoked(body: Fields) -> None:
        heard.events.append(body)

    @app.function("diagnose_step")
    async def step(inputs: Fields, complete: Any, fail: Any) -> None:
        await (complete({"cause": "idle"}) if inputs["line"] else fail("There is no line."))


def over_http(app: AsyncApp) -> Starlette:
    """Serve the app's request URL and its pages for installing."""
    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    paths = ("/slack/events", "/slack/install", "/slack/oauth_redirect")
    return Starlette(routes=[Route(path, events, methods=["GET", "POST"]) for path in paths])
