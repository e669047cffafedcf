"""`python -m bot manifest`: manifest.json for one's own app, by the way in which Slack's requests are to come."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.calls import fail

_FILE = Path(__file__).parents[2] / "manifest.json"
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,10}(:[0-9]{1,5})?")


def manifest(
    host: Annotated[str | None, typer.Option(help="Where Slack reaches the service; without it, Socket Mode.")] = None,
    many: Annotated[bool, typer.Option("--many", help="For many workspaces, installed by OAuth.")] = False,
) -> None:
    """Print the manifest to create the app in Slack from."""
    if host is not None and not _HOST.fullmatch(host):
        raise fail(f"--host takes a name such as whydrop.example.com, not {host!r}")
    if many and host is None:
        raise fail("--many needs --host: people install the app over HTTP")
    typer.echo(json.dumps(manifest_for(host, many=many), indent=2))


def manifest_for(host: str | None, *, many: bool = False) -> dict[str, Any]:
    """Give the manifest of an app that is reached at a host, or over Socket Mode.

    One token that is set by hand would end after twelve hours if it were rotated, and OAuth alone needs addresses to
    return to.
    """
    text = _FILE.read_text("utf-8")
    made: dict[str, Any] = json.loads(text.replace("YOUR-HOST", host) if host else text)
    settings = made["settings"]
    settings["token_rotation_enabled"] = many
    if not many:
        del made["oauth_config"]["redirect_urls"]
    if host is None:
        settings["socket_mode_enabled"] = True
        for part in (settings["event_subscriptions"], settings["interactivity"]):
            del part["request_url"]
        for command in made["features"]["slash_commands"]:
            del command["url"]
    return made
