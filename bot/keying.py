"""The commands that make keys, list them and take them back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from bot.calls import fail
from bot.settings import LOCAL
from bot.terminal import console

if TYPE_CHECKING:
    from bot.keys import Key, Keys

keys = typer.Typer(
    help="Make keys for those who may call the service, list them, take them back.", no_args_is_help=True
)

T = TypeVar("T")


@keys.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, or whose it is.")],
    workspace: Annotated[str, typer.Option(help="The workspace whose cases it opens.")] = LOCAL,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do: read, write; both unless one is named.")
    ] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, max=36500, help="Days after which it ends.")] = None,
) -> None:
    """Make a key and print its token."""
    if sys.stdout is None:
        raise fail("there is no standard output to write the token to")
    expires = None if expires_days is None else datetime.now(UTC) + timedelta(days=expires_days)
    scopes = scope or ["read", "write"]
    key, token = _with_keys(lambda all_keys: all_keys.create(name, workspace, scopes, expires))
    try:
        typer.echo(token)
    except OSError:
        _with_keys(lambda all_keys: all_keys.revoke(key.id))
        typer.echo(f"whydrop: key {key.id} is revoked, for nobody has seen its token.", err=True)
        raise
    typer.echo(f"This is key {key.id}. Keep the token now: it will not be shown again.", err=True)


@keys.command("list")
def keys_list(
    workspace: Annotated[str | None, typer.Option(help="Only the keys of this workspace.")] = None,
) -> None:
    """List the keys, without what is secret of them."""
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "workspace", "scopes", "created", "last used", "state"):
        table.add_column(column, overflow="fold")
    for key in _with_keys(lambda all_keys: all_keys.list(workspace)):
        table.add_row(*map(Text, _row(key, datetime.now(UTC))))
    console().print(table)


def _row(key: Key, now: datetime) -> tuple[str, ...]:
    scopes = ", ".join(sorted(key.scopes))
    used = f"{key.used:%Y-%m-%d}" if key.used else "never"
    return key.id, key.name, key.workspace, scopes, f"{key.created:%Y-%m-%d}", used, _state(key, now)


def _state(key: Key, now: datetime) -> str:
    if key.revoked:
        return f"revoked {key.revoked:%Y-%m-%d}"
    if not key.expires:
        return "valid"
    return f"{'expires' if key.valid(now) else 'expired'} {key.expires:%Y-%m-%d}"


@keys.command("revoke")
def keys_revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")],
) -> None:
    """Take a key back; the service that runs refuses it within five seconds."""
    _with_keys(lambda all_keys: all_keys.revoke(key))
    typer.echo(f"Key {key} is revoked.")


def _with_keys(work: Callable[[Keys], Coroutine[Any, Any, T]]) -> T:
    """Do work on the keys of the store that is set. Raises typer.Exit, with what is wrong told."""
    keyring = import_module("bot.keyring")  # by name: the other commands need not wait for the database's imports
    done: T = keyring.with_keys(work)
    return done
