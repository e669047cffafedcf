"""Socket Mode: two connections, made again when Slack asks for it, and a watchdog for those that die without a word."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot.casebook import Casebook
from bot.health import Readiness
from bot.settings import Settings
from bot.slack import socket_process
from bot.slack.behind import Behind
from bot.slack.installs import Tokens
from bot.slack.opening import Parts
from bot.slack.socket import CONNECTIONS, DEAD_S, SILENT_S, Lines
from bot.slack.wishes import Bring
from rules.diagnose import Expert
from tests.service import set_up
from tests.slack.delivery import Ack
from tests.slack.loopback import Loopback, loopback, nothing_wrong
from tests.slack.our_app import Kept, modal, parse, respond, the_app
from tests.slack.people import person
from tests.slack.workspace import APP_TOKEN, Channel

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK"
PING_S = 0.05


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    at: float = 1000.0

    def __call__(self) -> float:
        """Give the seconds."""
        return self.at


@dataclass
class Connected:
    """Our connections with a loopback Slack."""

    town: Loopback
    lines: Lines
    clock: Clock
    kept: Kept
    ops: Channel

    async def says(self, line: str = LINE) -> Ack:
        """Let somebody mention the app."""
        alice = person(self.town, f"user-{len(self.kept.wishes)}")
        self.ops.members.add(alice.id)
        return await alice.mentions(self.ops, line)

    async def both(self) -> None:
        """Wait until both connections are there."""
        await self.town.until(lambda: len(self.town.sockets.open) == CONNECTIONS)


async def until(check: Callable[[], bool]) -> None:
    """Wait for what our side notices, of which Slack knows nothing."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110  (nobody says when)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def lines_with(town: Loopback, ping_s: float = PING_S) -> AsyncIterator[Connected]:
    kept, clock = Kept(), Clock()
    lines = Lines(the_app(town, kept), APP_TOKEN, town.client(), clock=clock, ping_s=ping_s)
    town.over_socket_mode(patience=2)
    clock.at += 1
    lines.open()
    connected = Connected(town, lines, clock, kept, town.channel("ops"))
    try:
        await connected.both()
        await until(lambda: all(one.heard == clock.at for one in lines._lines))  # "hello"
        yield connected
    finally:
        await lines.close()


@pytest.fixture
async def connected() -> AsyncIterator[Connected]:
    async with loopback() as town, lines_with(town) as found:
        yield found


async def test_envelopes_come_over_both_connections(connected: Connected) -> None:
    for _ in range(4):
        assert (await connected.says()).good
    assert len(connected.kept.wishes) == 4
    assert [len(one.told) for one in connected.town.sockets.open] == [2, 2]
    assert connected.town.sockets.strange == []


@pytest.mark.parametrize("asked", ["warn", "refresh"])
async def test_when_slack_asks_for_it_the_connections_are_made_anew(connected: Connected, asked: str) -> None:
    before = connected.town.sockets.accepted
    await getattr(connected.town.sockets, asked)()
    await connected.town.until(lambda: connected.town.sockets.accepted == before + CONNECTIONS)
    await connected.both()
    assert (await connected.says()).good


async def test_connections_that_are_cut_are_made_anew(connected: Connected) -> None:
    before = connected.town.sockets.accepted
    for one in list(connected.town.sockets.open):
        await one.socket.close()
    await connected.town.until(lambda: connected.town.sockets.accepted >= before + CONNECTIONS)
    await connected.both()
    assert (await connected.says()).good


async def test_pongs_and_envelopes_are_signs_of_life(connected: Connected) -> None:
    connected.clock.at += SILENT_S + 1
    assert connected.lines.silent_s > SILENT_S
    assert (await connected.says()).good
    assert connected.lines.listening
    connected.clock.at += SILENT_S - 1
    connected.town.sockets.open[0].half_open = True
    async with asyncio.timeout(5):
        while connected.lines.silent_s:  # until a pong of the other connection is noticed
            await asyncio.sleep(PING_S)
            connected.lines.look()


async def test_half_open_connections_are_replaced_then_red_then_the_end() -> None:
    """The SDK's own pings are far apart here, so that the watchdog alone can notice."""
    async with loopback() as town, lines_with(town, ping_s=3600) as connected:
        before = town.sockets.accepted
        silent = town.sockets.go_silent()
        assert not (await connected.says()).good
        connected.clock.at += SILENT_S - 1
        connected.lines.look()
        assert connected.lines.listening
        connected.clock.at += 1
        assert connected.lines.silent_s >= SILENT_S
        connected.lines.look()
        await town.until(lambda: town.sockets.accepted == before + CONNECTIONS)
        await until(lambda: connected.lines.listening)
        assert not set(silent) & set(town.sockets.open)
        assert (await connected.says()).good


async def test_when_nothing_helps_the_watchdog_says_that_it_is_over() -> None:
    async with loopback() as town, lines_with(town, ping_s=3600) as connected:
        town.sockets.go_silent()
        town.api.connect = lambda: "ws://127.0.0.1:9/nowhere"
        watching = asyncio.create_task(connected.lines.watch(every_s=0.01))
        for _ in range(int(DEAD_S // 10)):
            connected.clock.at += 9.9
            await asyncio.sleep(0.02)
            assert not connected.lines.dead
            assert not watching.done()
        connected.clock.at += 9.9
        await asyncio.wait_for(watching, 5)
        assert connected.lines.dead


# The process


@dataclass
class Running:
    """`python -m bot slack`, in this process."""

    town: Loopback
    kept: Kept
    task: asyncio.Task[int]


def parts_of(kept: Kept, ran: asyncio.Event) -> Parts:
    async def run() -> None:
        ran.set()
        await asyncio.Event().wait()

    def parts(_: Settings, __: Casebook, ___: Tokens) -> Behind:
        return Behind(kept, modal, parse, respond, run)

    return parts


def told_to(town: Loopback, folder: Path) -> Settings:
    bot = next(iter(town.slack.tokens))
    tokens = {"slack_app_token": APP_TOKEN, "slack_bot_token": bot, "slack_api_url": town.base_url}
    return set_up(folder / "cases.sqlite3", **tokens)


async def test_the_process_serves_and_ends_cleanly_on_sigterm(expert: Expert, tmp_path: Path) -> None:
    async with loopback() as town:
        kept, ran = Kept(), asyncio.Event()
        task = asyncio.create_task(socket_process.serve(told_to(town, tmp_path), expert, None, parts_of(kept, ran)))
        await town.until(lambda: len(town.sockets.open) == CONNECTIONS, 20)
        await ran.wait()
        town.over_socket_mode()
        alice = person(town, "alice")
        assert (await alice.mentions(town.channel("ops", alice.id), LINE)).good
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(task, 10) == 0
        await town.until(lambda: not town.sockets.open)
    (wish,) = kept.wishes
    assert wish.act == Bring(text=f" {LINE}")


async def test_a_token_that_slack_refuses_ends_the_process_at_once(
    expert: Expert, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with loopback() as town:
        wrong = Settings.model_validate({**told_to(town, tmp_path).model_dump(), "slack_app_token": "xapp-wrong"})
        assert await socket_process.serve(wrong, expert, None, parts_of(Kept(), asyncio.Event())) == 1
    assert "Slack refuses WHYDROP_SLACK_APP_TOKEN: invalid_auth" in caplog.text
    assert "xapp-wrong" not in caplog.text


async def test_a_wrong_bot_token_is_told(expert: Expert, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with loopback() as town:
        wrong = Settings.model_validate({**told_to(town, tmp_path).model_dump(), "slack_bot_token": "xoxb-wrong"})
        served = asyncio.create_task(socket_process.serve(wrong, expert))
        await until(lambda: "Slack refuses WHYDROP_SLACK_BOT_TOKEN: invalid_auth" in caplog.text)
        await town.until(lambda: len(town.sockets.open) == CONNECTIONS, 20)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(served, 10) == 0
    assert "xoxb-wrong" not in caplog.text


async def test_silence_ends_the_process_with_1(expert: Expert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.socket.DEAD_S", 0.0)
    async with loopback() as town:
        served = socket_process.serve(told_to(town, tmp_path), expert, None, parts_of(Kept(), asyncio.Event()))
        assert await asyncio.wait_for(served, 20) == 1


async def test_readiness_turns_red_when_slack_is_silent(expert: Expert) -> None:
    async def answers() -> None:
        pass

    clock = Clock()
    async with loopback() as town:
        lines = Lines(the_app(town, Kept()), APP_TOKEN, AsyncWebClient(), clock=clock)
        app = socket_process.health(lines, Readiness(answers, expert.shelf))
        async with TestClient(TestServer(app)) as client:
            assert (await client.get("/readyz")).status == 200
            assert (await client.get("/livez")).status == 200
            clock.at += SILENT_S
            red = await client.get("/readyz")
            assert red.status == 503
            assert (await red.json())["checks"]["slack"] is False
            assert (await client.get("/livez")).status == 200


async def test_health_is_told_on_a_port_if_one_is_named(
    expert: Expert, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "whydrop.slack")
    async with loopback() as town:
        served = asyncio.create_task(
            socket_process.serve(told_to(town, tmp_path), expert, 0, parts_of(Kept(), asyncio.Event()))
        )
        await town.until(lambda: len(town.sockets.open) == CONNECTIONS, 20)
        port = caplog.text.partition("health is told on port ")[2].split()[0]
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).json()["status"] == "ready"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(served, 10) == 0


async def test_the_whole_app_talks_over_socket_mode(expert: Expert, tmp_path: Path) -> None:
    async with loopback() as town:
        served = asyncio.create_task(socket_process.serve(told_to(town, tmp_path), expert))
        await town.until(lambda: len(town.sockets.open) == CONNECTIONS, 20)
        town.over_socket_mode()
        alice = person(town, "alice")
        ops = town.channel("ops", alice.id)
        with nothing_wrong(town):
            await alice.types(f"/whydrop {LINE}", ops)
            asked = await alice.reads("192.0.2.10:443 to 198.51.100.7:51515", ops)
            assert asked.private
            root = alice.says(ops, "what is this?")
            await alice.mentions(ops, LINE, root)
            reply = await alice.reads("192.0.2.10:443 to 198.51.100.7:51515", ops, root)
            assert not reply.private
            await alice.opens_home()
            await alice.gets_home("My open cases")
        await alice.uninstalls()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(served, 10) == 0
