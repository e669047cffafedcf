"""The commands that look into the cases that are kept, take them out, and try today's knowledge on them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.padding import Padding
from rich.text import Text

from bot.calls import fail, our_expert, our_settings, our_shelf
from bot.case_events import Summary
from bot.casebook import Casebook, Consulted
from bot.cases import LONGEST_PAGE, Filters, Store
from bot.export import as_json as case_json
from bot.export import markdown
from bot.history import cause_title, when
from bot.keeping import case_page
from bot.reaching import PlainRunner, our_store
from bot.replay import Replayed, replay, replay_words
from bot.settings import LOCAL
from bot.terminal import console, show
from bot.threads import Threads
from rules.diagnose import Expert

archive = typer.Typer(
    help="List, show, export, delete and replay the cases that are kept.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Workspace = Annotated[str, typer.Option(help="Whose cases.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask whether that is meant.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class Format(StrEnum):
    """What a case can be exported as."""

    markdown = "markdown"
    json = "json"


@archive.command("list")
def cases_list(  # noqa: PLR0913  (each is an option)
    *,
    workspace: Workspace = LOCAL,
    symptom: Annotated[str | None, typer.Option(help="out-of-state or reset.")] = None,
    cause: Annotated[str | None, typer.Option(help="Id of the cause that leads.")] = None,
    standing: Annotated[str | None, typer.Option(help="How it stands: established, likely, possible, ...")] = None,
    product: Annotated[str | None, typer.Option(help="Id of the product that wrote the lines.")] = None,
    state: Annotated[str | None, typer.Option(help="open, concluded or closed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many cases.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List cases, newest first."""
    try:
        filters = Filters.model_validate(
            {"symptom": symptom, "cause": cause, "standing": standing, "product": product, "state": state}
        )
    except ValidationError as wrong:
        error = wrong.errors()[0]
        raise fail(f"--{error['loc'][0]} {error['input']!r}: {error['msg']}") from None
    with our_store() as (store, runner):
        found, more = runner.run(_listed(store, workspace, filters, limit))
    if as_json:
        for one in found:
            typer.echo(json.dumps(summary_json(one)))
    else:
        _show_list(found, more=more)


async def _listed(store: Store, workspace: str, filters: Filters, limit: int) -> tuple[list[Summary], bool]:
    found: list[Summary] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await store.list(workspace, filters, cursor, min(limit - len(found), LONGEST_PAGE))
        found += page.cases
        cursor = page.cursor
        if cursor is None:
            break
    return found, cursor is not None


def _show_list(found: list[Summary], *, more: bool) -> None:
    shelf, out = our_shelf(), console()
    for one in found:
        cause = cause_title(one.cause, shelf) if one.cause else one.symptom or "nothing known yet"
        about = ", ".join(
            part for part in (f"{cause} ({one.standing})" if one.standing else cause, one.product) if part
        )
        out.print(Text.assemble((one.id, "bold"), (f"  {when(one.created)}  ", "dim"), one.state))
        out.print(Padding(Text(about), (0, 0, 0, 2)))
    if not found:
        out.print(Text("There are no such cases."))
    if more:
        out.print(Text("There are more: raise --limit.", "dim"))


def summary_json(one: Summary) -> dict[str, object]:
    """Give a case's line in a list; times are in UTC (ISO 8601)."""
    return asdict(one) | {"created": one.created.isoformat(), "updated": one.updated.isoformat()}


@archive.command("show")
def cases_show(
    case: Annotated[str, typer.Argument(metavar="ID")],
    workspace: Workspace = LOCAL,
    picture: Annotated[bool, typer.Option(help="Draw what happened.")] = True,
) -> None:
    """Show a case as it stands, by today's knowledge."""
    expert, out = our_expert(), console()
    show(out, case_page(_read(case, workspace, expert), workspace, expert, out.width, pictured=picture))


@archive.command("export")
def cases_export(
    case: Annotated[str, typer.Argument(metavar="ID")],
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.markdown,
    workspace: Workspace = LOCAL,
) -> None:
    """Write a case as Markdown for a ticket, or all of it as JSON."""
    expert = our_expert()
    consulted = _read(case, workspace, expert)
    if format_ is Format.json:
        typer.echo(json.dumps(case_json(consulted, expert.shelf), indent=2))
    else:
        address = our_settings().public_url
        typer.echo(markdown(consulted, expert.shelf, f"{address}/cases/{case}" if address else None), nl=False)


def _read(case: str, workspace: str, expert: Expert) -> Consulted:
    with our_store() as (store, runner):
        return runner.run(Casebook(store, expert, Threads(1)).read(workspace, case))


@archive.command("delete")
def cases_delete(
    case: Annotated[str, typer.Argument(metavar="ID")], workspace: Workspace = LOCAL, yes: Yes = False
) -> None:
    """Delete a case and all that was told in it, for good."""
    _meant(f"Delete the case {case} for good?", yes=yes)
    with our_store() as (store, runner):
        runner.run(store.delete(workspace, case))
    typer.echo("1 case deleted.")


@archive.command("delete-workspace")
def cases_delete_workspace(workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")], yes: Yes = False) -> None:
    """Delete all cases of a workspace and its webhooks, for good; its keys stay."""
    _meant(f"Delete all cases of the workspace {workspace!r} and its webhooks for good? Its keys stay.", yes=yes)
    with our_store() as (store, runner):
        _tell_gone(runner.run(store.delete_workspace(workspace)))


@archive.command("expire")
def cases_expire(
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="[WHYDROP_RETENTION_DAYS]")] = None,
) -> None:
    """Delete the cases of all workspaces in which nothing happened for so many days."""
    kept_for = days or our_settings().retention_days
    if kept_for is None:
        raise fail("say --days, or set WHYDROP_RETENTION_DAYS")
    with our_store() as (store, runner):
        _tell_gone(runner.run(store.expire(datetime.now(UTC) - timedelta(days=kept_for))))


def _tell_gone(count: int) -> None:
    typer.echo(f"{_counted(count, 'case')} deleted.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _meant(question: str, *, yes: bool) -> None:
    """Ask whether it is meant. Raises typer.Exit if it is not, or if nobody can be asked."""
    if yes:
        return
    if not _somebody_there():
        raise fail("nobody can be asked here: say --yes")
    if not typer.confirm(question):
        typer.echo("Nothing was deleted.")
        raise typer.Exit(0)


def _somebody_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


@archive.command("replay")
def cases_replay(
    workspace: Annotated[str | None, typer.Option(help="Of this workspace only.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Changed since that day, UTC.")] = None,
    as_json: AsJson = False,
) -> None:
    """Think concluded cases through with today's knowledge and list the verdicts that change.

    Exit status: 0 no verdict changes, 1 some do, 2 the call or a setting is wrong.
    """
    expert = our_expert()
    day = since.replace(tzinfo=UTC) if since else None
    with our_store() as (store, runner):
        counts = _replayed(replay(store, expert, workspace, day), expert, runner, as_json=as_json)
    _close(counts, as_json=as_json)
    raise typer.Exit(1 if counts["changed"] else 0)


def _replayed(found: AsyncIterator[Replayed], expert: Expert, runner: PlainRunner, *, as_json: bool) -> dict[str, int]:
    """Show each changed verdict as it is found, and count."""
    counts = dict.fromkeys(("cases", "changed", "told", "agreed_then", "agree_now"), 0)
    while (one := runner.run(_next(found))) is not None:
        then, now = one.agrees(one.then.cause), one.agrees(one.cause)
        for name, counted in zip(counts, (True, one.changed, then is not None, then, now), strict=True):
            counts[name] += bool(counted)
        if one.changed:
            _show_changed(one, expert, as_json=as_json)
    return counts


async def _next(found: AsyncIterator[Replayed]) -> Replayed | None:
    return await anext(found, None)


def _show_changed(one: Replayed, expert: Expert, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_changed_json(one)))
        return
    first, *rest = replay_words(one, expert.shelf)
    typer.echo(f"{one.case}  {one.workspace}  {when(one.at)}\n  {first}")
    for line in rest:
        typer.echo(f"  {line}")


def _changed_json(one: Replayed) -> dict[str, object]:
    return {
        "workspace": one.workspace,
        "case": one.case,
        "concluded": one.at.isoformat(),
        "then": one.then.model_dump(mode="json", include={"cause", "confidence", "knowledge"})
        | {"agrees": one.agrees(one.then.cause)},
        "now": {"cause": one.cause, "confidence": one.confidence, "asks": one.asks, "agrees": one.agrees(one.cause)},
        "outcome": one.told.model_dump(mode="json", include={"solved", "cause"}) if one.told else None,
    }


def _close(counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
        return
    typer.echo(f"{_counted(counts['cases'], 'concluded case')}, {counts['changed']:,} with another verdict.")
    if counts["told"]:
        agreed = f"then {counts['agreed_then']:,}, now {counts['agree_now']:,}"
        typer.echo(f"Of {counts['told']:,} it was told how they ended; verdicts that agree with it: {agreed}.")
