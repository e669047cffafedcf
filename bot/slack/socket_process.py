"""The process that serves Slack over Socket Mode: the same casebook, inbox and turns as the service, no open port."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import aiohttp
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot.casebook import Casebook
from bot.cases import Store
from bot.health import Readiness, livez
from bot.logs import configure_logs
from bot.settings import Settings, told
from bot.slack.behind import behind
from bot.slack.opening import Parts, Slack, open_slack
from bot.slack.socket import Lines
from bot.thinking import Thinkers
from bot.threads import Threads, listen_closely
from rules.diagnose import Expert

log = logging.getLogger("whydrop.slack")

ENDED, DEAD = 0, 1
"""Exit status: somebody ended it; Slack was silent for too long, or refuses the settings."""


async def serve(
    settings: Settings,
    expert: Expert,
    health_port: int | None = None,
    parts: Parts = behind,
    *,
    processes: int = 0,
) -> int:
    """Serve until a signal ends it, or Slack is silent for too long; give the exit status.

    As many processes as `processes` diagnose beside this one.
    """
    configure_logs()
    listen_closely()
    in_thread = Threads(settings.threads)
    with closing(Thinkers(expert, in_thread, processes, settings.knowledge)) as thinkers:
        async with Store.open(settings.database_url.get_secret_value()) as store:
            await store.migrate()
            slack = open_slack(settings, Casebook(store, expert, in_thread, thinking=thinkers), parts)
            if problem := await _refused(slack, told(settings.slack_app_token)):
                log.error("Slack refuses WHYDROP_SLACK_APP_TOKEN: %s", problem)
                return DEAD
            async with _lines(settings, slack) as lines, _health(settings, health_port, lines, store, expert):
                return await _until_it_ends(slack, lines)


async def _refused(slack: Slack, token: str) -> str:
    """Ask once for a connection, so that a wrong token is told and not tried for ever; "" if it is good."""
    try:
        await slack.client.apps_connections_open(app_token=token)
    except SlackApiError as wrong:
        return str(wrong.response.get("error"))
    except (aiohttp.ClientError, OSError, TimeoutError):
        log.warning("Slack cannot be reached yet")
    return ""


@asynccontextmanager
async def _lines(settings: Settings, slack: Slack) -> AsyncIterator[Lines]:
    assert slack.bolt  # noqa: S101  (an app token is set)
    lines = Lines(slack.bolt, told(settings.slack_app_token), slack.client)
    lines.open()
    try:
        yield lines
    finally:
        await lines.close()


async def _until_it_ends(slack: Slack, lines: Lines) -> int:
    """Carry wishes out and watch the connections, until a signal comes or the connections are dead."""
    with _signals() as ended:
        watching = asyncio.create_task(lines.watch())
        waiting = asyncio.create_task(ended.wait())
        beside = [asyncio.ensure_future(slack.run())] if slack.run else []
        try:
            await asyncio.wait([watching, waiting, *beside], return_when=asyncio.FIRST_COMPLETED)
            return ENDED if ended.is_set() else DEAD
        finally:
            for task in (watching, waiting, *beside):
                task.cancel()
            await asyncio.gather(watching, waiting, *beside, return_exceptions=True)


@contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM and SIGINT set."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        yield ended
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _health(
    settings: Settings, port: int | None, lines: Lines, store: Store, expert: Expert
) -> AsyncIterator[None]:
    """Answer whether the process lives and can serve, if a port was named for that."""
    if port is None:
        yield
        return
    runner = web.AppRunner(health(lines, Readiness(store.answers, expert.shelf)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, port).start()
    log.info("health is told on port %s", runner.addresses[0][1])
    try:
        yield
    finally:
        await runner.cleanup()


def health(lines: Lines, readiness: Readiness) -> web.Application:
    """Make what answers /livez and /readyz."""

    async def ready(_: web.Request) -> web.Response:
        found = await readiness.ready()
        checks = {**found.checks, "slack": lines.listening}
        good = all(checks.values())
        return web.json_response(
            {"status": "ready" if good else "not ready", "checks": checks}, status=200 if good else 503
        )

    async def lives(_: web.Request) -> web.Response:
        return web.json_response(livez())

    app = web.Application()
    app.add_routes([web.get("/livez", lives), web.get("/readyz", ready)])
    return app
