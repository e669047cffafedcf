"""The whole of a loopback Slack, running: state, Web API, Socket Mode and deliveries on one port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import uvicorn
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from starlette.types import ASGIApp

from tests.loopback_slack import SECRET, running
from tests.slack.delivery import PATIENCE_S, Ack, HttpDoor, Parcel, Round, SocketDoor
from tests.slack.faults import Faults
from tests.slack.payloads import wrapped
from tests.slack.shapes import Fields
from tests.slack.socket_mode import SocketMode
from tests.slack.web_api import WebApi
from tests.slack.workspace import Channel, Slack, Team

T = TypeVar("T")


@dataclass
class Loopback:
    """A Slack that runs. Without a way into an app nothing is delivered."""

    slack: Slack
    api: WebApi
    sockets: SocketMode
    url: str = ""
    round: Round | None = None
    _tasks: set[asyncio.Task[Ack]] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        """Give the base_url for slack_sdk."""
        return f"{self.url}/api/"

    @property
    def faults(self) -> Faults:
        """Give what is planned to go wrong, and what was called."""
        return self.api.faults

    @property
    def team(self) -> Team:
        """Give the first workspace."""
        return next(iter(self.slack.teams.values()))

    def client(self, token: str | None = None, timeout: int = 30) -> AsyncWebClient:
        """Give a client of the real SDK, which calls this Slack."""
        return AsyncWebClient(token=token, base_url=self.base_url, timeout=timeout)

    def over_http(self, url: str, patience: float = PATIENCE_S, secret: str = SECRET) -> HttpDoor:
        """Deliver to a request URL from now on."""
        door = HttpDoor(url, secret, patience)
        self.round = Round(door)
        return door

    def over_socket_mode(self, patience: float = PATIENCE_S) -> SocketDoor:
        """Deliver over Socket Mode from now on."""
        door = SocketDoor(self.sockets, self.slack.ids, patience)
        self.round = Round(door)
        return door

    def channel(self, name: str, *users: str, bot: bool = True, team: Team | None = None) -> Channel:
        """Make a channel with members; the bot is one of them unless told otherwise."""
        where = team or self.team
        made = self.slack.channel(where, name)
        made.members |= {*users, *([where.bot] if bot and where.bot else [])}
        return made

    async def deliver(self, parcel: Parcel) -> Ack:
        """Hand a parcel to the app."""
        assert self.round, "no app is connected: call over_http or over_socket_mode"
        return await self.round.deliver(parcel)

    def echo(self, team: str, event: Fields) -> None:
        """Tell the app of its own message, as Slack does in direct conversations."""
        if self.round and "im:history" in self.slack.app_scopes:
            task = asyncio.ensure_future(self.round.deliver(wrapped(self.slack, self.slack.teams[team], event)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all that is told in the background was told."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def news(self) -> None:
        """Wake all who wait for something to happen."""
        self._news.set()
        self._news = asyncio.Event()

    async def until(self, check: Callable[[], T], seconds: float = 5.0) -> T:
        """Wait until something is so; gives what the check gave. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not (found := check()):
                await self._news.wait()
        return found

    def words_of_problems(self) -> list[str]:
        """Give what was wrong with what the app sent, in words."""
        return [f"{where}{one.at}: {one.what} ({one.page})" for where, one in self.slack.problems]


@asynccontextmanager
async def loopback(*, rotation: bool = False, installed: bool = True) -> AsyncIterator[Loopback]:
    """Run a Slack with one workspace, in which the app is installed unless told otherwise."""
    slack = Slack(rotation=rotation)
    api = WebApi(slack)
    sockets = SocketMode(slack.ids)
    town = Loopback(slack, api, sockets)
    slack.changed, sockets.changed, slack.echo = town.news, town.news, town.echo
    team = slack.team("acme")
    if installed:
        slack.install(team)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([*api.routes(), web.get("/link/", sockets.serve)])
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    town.url = f"http://{host}:{port}"
    api.connect = lambda: f"ws://{host}:{port}/link/?ticket={sockets.ticket()}&app_id=A0WHYDROP"
    try:
        yield town
        await town.settled()
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Run an ASGI app in a thread of its own; the loop that Slack runs in stays free."""
    context = running(app)
    url = await asyncio.to_thread(context.__enter__)
    try:
        yield url
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


@asynccontextmanager
async def serving_here(app: ASGIApp) -> AsyncIterator[str]:
    """Run an ASGI app with its lifespan in the loop of the test, which may then look into the app's own store."""
    with socket.create_server(("127.0.0.1", 0)) as listening:  # who connects before the app is ready waits
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
        task = asyncio.ensure_future(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@contextmanager
def nothing_wrong(town: Loopback) -> Iterator[None]:
    """Hold that what the app sends meanwhile is right in every way."""
    before = len(town.words_of_problems())
    yield
    found = town.words_of_problems()[before:]
    assert not found, "\n".join(found)
