"""`python -m bot slack`: the app in Slack over Socket Mode, for where nothing can come in from outside."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Annotated

import typer

from bot.calls import fail, our_expert, our_settings
from bot.settings import told


def slack(
    health_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer /livez and /readyz there, on WHYDROP_HOST.")
    ] = None,
) -> None:
    """Serve Slack over Socket Mode, without a public address."""
    settings = our_settings()
    if not told(settings.slack_app_token):
        raise fail("Socket Mode needs WHYDROP_SLACK_APP_TOKEN and WHYDROP_SLACK_BOT_TOKEN; see README, In Slack")
    expert = our_expert()
    process = import_module("bot.slack.socket_process")  # by name: other commands need not wait for its imports
    raise typer.Exit(asyncio.run(process.serve(settings, expert, health_port, processes=settings.processes)))
