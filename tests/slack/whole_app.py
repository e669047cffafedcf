"""The whole app before a loopback Slack, in the loop of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.rest import create_app
from rules.diagnose import Expert
from tests.loopback_slack import SECRET
from tests.service import set_up
from tests.slack.loopback import Loopback, nothing_wrong, serving_here


@asynccontextmanager
async def whole_app(town: Loopback, folder: Path, expert: Expert, **other: object) -> AsyncIterator[None]:
    """Run the service with the app in it, and `other` settings, before a Slack; nothing that it sends is wrong."""
    how = set_up(
        folder / "cases.sqlite3",
        slack_signing_secret=SecretStr(SECRET),
        slack_bot_token=SecretStr(next(iter(town.slack.tokens))),
        slack_api_url=town.base_url,
        **other,
    )
    async with serving_here(create_app(how, expert)) as url:
        town.over_http(f"{url}/slack/events")
        with nothing_wrong(town):
            yield
            await town.settled()
