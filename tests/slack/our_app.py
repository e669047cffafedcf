"""Our app in Slack before the loopback Slack, with an inbox that only keeps: what it keeps is what was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.slack.app import Desk, bolt_app
from bot.slack.hearing import OUTCOME, PASTE, TYPE, Private
from bot.slack.installs import OneToken, Tokens
from bot.slack.web_doors import slack_doors
from bot.slack.wishes import Press, Wish
from tests.loopback_slack import SECRET
from tests.slack.loopback import Loopback, loopback, serving
from tests.slack.people import Person, person
from tests.slack.shapes import Fields
from tests.slack.workspace import APP_TOKEN, Channel

Way = Literal["http", "socket"]


@dataclass
class Kept:
    """An inbox. It fails while `broken` is set, and keeps nothing before `held` lets it."""

    wishes: list[Wish] = field(default_factory=list)
    broken: Exception | None = None
    waits: float = 0.0

    async def accept(self, wish: Wish) -> bool:
        """Keep a wish."""
        await asyncio.sleep(self.waits)
        if self.broken:
            raise self.broken
        came = wish.key not in [one.key for one in self.wishes]
        if came:
            self.wishes.append(wish)
        return came


def plain(text: str) -> Fields:
    return {"type": "plain_text", "text": text}


def field_of(name: str, label: str, **element: object) -> Fields:
    made = {"type": "plain_text_input", "multiline": True, "action_id": name, **element}
    return {"type": "input", "block_id": f"in-{name}", "label": plain(label), "optional": True, "element": made}


def modal_for(private: Private) -> Fields:
    """Make a modal as the app's own are: fields by action, and what it carries."""
    does = private.press.does if private.press else "start"
    callback = {"start": PASTE, "ended": OUTCOME, "type": TYPE}[does]
    inputs = {
        PASTE: [field_of("text", "Lines"), field_of("product", "Product", multiline=False)],
        OUTCOME: [field_of("cause", "Cause", multiline=False), field_of("note", "Note")],
        TYPE: [field_of("text", "Answer")],
    }[callback]
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain("whydrop"),
        "submit": plain("Send"),
        "private_metadata": private.model_dump_json(),
        "blocks": inputs,
    }


async def modal(team: str, private: Private) -> Fields:
    """Make a modal for a team."""
    assert team.startswith("T")
    return modal_for(private)


def carried(**told: object) -> str:
    """Write what a button carries."""
    return json.dumps(told)


def read_button(text: str) -> Press:
    """Read what a button carries. Raises ValueError."""
    return Press.model_validate_json(text)


def button(label: str, does: str, **told: object) -> Fields:
    """Make a button of ours."""
    value = carried(does=does, **told)
    return {"type": "button", "text": plain(label), "action_id": f"whydrop:{does}:1", "value": value}


@dataclass
class World:
    """A workspace with the app in it, and what its inbox kept."""

    town: Loopback
    kept: Kept
    alice: Person
    ops: Channel
    url: str = ""

    @property
    def only(self) -> Wish:
        """Give the one wish that was kept."""
        (wish,) = self.kept.wishes
        return wish


def the_app(town: Loopback, kept: Kept, tokens: Tokens | None = None, secret: str = SECRET) -> AsyncApp:
    """Make our app."""
    client = town.client()
    whose = tokens or OneToken(next(iter(town.slack.tokens)), client)
    return bolt_app(secret, Desk(kept, whose, client, modal, read_button))


@asynccontextmanager
async def connected(town: Loopback, app: Callable[[], AsyncApp], way: Way) -> AsyncIterator[str]:
    """Let Slack reach the app; gives its address."""
    if way == "http":
        async with serving(Starlette(routes=[Mount("/slack", slack_doors(SECRET, app(), None))])) as url:
            town.over_http(f"{url}/slack/events")
            yield url
        return
    handler = AsyncSocketModeHandler(app(), APP_TOKEN, web_client=town.client())
    await handler.connect_async()  # type: ignore[no-untyped-call]
    town.over_socket_mode()
    await town.until(lambda: town.sockets.open)
    try:
        yield ""
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def our_world(way: Way = "http") -> AsyncIterator[World]:
    """Run a Slack in which our app is."""
    async with loopback() as town:
        kept, alice = Kept(), person(town, "alice")
        async with connected(town, lambda: the_app(town, kept), way) as url:
            yield World(town, kept, alice, town.channel("ops", alice.id), url)
            await town.settled()
