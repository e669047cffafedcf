"""Our app in Slack before the loopback Slack, with an inbox that only keeps: what it keeps is what was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.case_events import Pasted
from bot.slack.app import Desk, bolt_app
from bot.slack.buttons import ButtonValue, Does
from bot.slack.hearing import Private
from bot.slack.installs import OneToken, Tokens
from bot.slack.modals import answer_modal, outcome_modal, paste_modal
from bot.slack.posting import Addresses, WebApi
from bot.slack.web import NoToken
from bot.slack.web_doors import slack_doors
from bot.slack.wishes import Wish
from knowledge.clause import Value
from rules.answers import parse_answer
from tests.loopback_slack import SECRET
from tests.shipped import shipped_expert
from tests.slack.loopback import Loopback, loopback, serving
from tests.slack.moments import LINE, consulted
from tests.slack.people import Person, person
from tests.slack.shapes import Fields
from tests.slack.workspace import APP_TOKEN, Channel

Way = Literal["http", "socket"]


@dataclass
class Kept:
    """An inbox. It fails while `broken` is set, and keeps nothing before `held` lets it."""

    wishes: list[Wish] = field(default_factory=list)
    broken: Exception | None = None
    held: threading.Event | None = None
    reached: threading.Event = field(default_factory=threading.Event)

    async def accept(self, wish: Wish) -> bool:
        """Keep a wish."""
        self.reached.set()
        if self.held:  # the app may run in another loop than the test
            await asyncio.to_thread(self.held.wait)
        if self.broken:
            raise self.broken
        came = wish.key not in [one.key for one in self.wishes]
        if came:
            self.wishes.append(wish)
        return came


async def modal(team: str, private: Private) -> Fields:
    """Make a modal for a team."""
    assert team.startswith("T")
    expert, kept = shipped_expert(), private.model_dump_json()
    does, shelf = private.press.does if private.press else "start", expert.shelf
    if does == "start":
        return paste_modal(shelf, kept, files=True)
    case = consulted(expert, Pasted(paste=LINE))
    if does == "ended":
        return outcome_modal(case, shelf, kept)
    assert private.press
    return answer_modal(expert.asked(case.case, private.press.feature), case, shelf, kept)


def parse(feature: str, text: str) -> Value:
    """Read an answer that was typed. Raises ValueError."""
    return parse_answer(shipped_expert().shelf.features[feature], text)


CASE_ID = "a" * 26


def button(label: str, does: Does, case: str = CASE_ID, **told: Any) -> Fields:
    """Make a button of ours."""
    value = ButtonValue(does=does, case=case, **told).text
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": f"whydrop:{does}:1", "value": value}


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


async def respond(url: str, body: Fields) -> None:
    """Answer nobody: nothing goes wrong there."""
    raise AssertionError(f"{body} for {url}")


async def _no_token(team: str) -> str:
    raise NoToken(team)


def the_app(town: Loopback, kept: Kept, tokens: Tokens | None = None, secret: str = SECRET) -> AsyncApp:
    """Make our app."""
    client = town.client()
    web = WebApi(_no_token, Addresses.beside(town.base_url))
    whose = tokens or OneToken(next(iter(town.slack.tokens)), client)
    return bolt_app(secret, Desk(kept, whose, client, modal, parse, web.respond))


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
    shipped_expert()  # a modal has to open within three seconds
    async with loopback() as town:
        kept, alice = Kept(), person(town, "alice")
        async with connected(town, lambda: the_app(town, kept), way) as url:
            yield World(town, kept, alice, town.channel("ops", alice.id), url)
            await town.settled()
