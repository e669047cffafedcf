"""The command line: diagnose, cases, read, knowledge, serve, slack, manifest."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import socket
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
import uvicorn

from bot.calls import NOTHING_READ, fail, our_expert, our_settings, our_shelf
from bot.case_events import CaseEvent
from bot.conversation import Conversation, Passing, beginning
from bot.keying import keys
from bot.knowing import knowledge
from bot.lines import lines_of
from bot.paste import MOST_BYTES, check_text, paste_of, plain_text, unpacked
from bot.settings import LOCAL, Settings, workspace_name
from bot.slack.command import slack
from bot.slack.manifest import manifest
from bot.terminal import Shown, console, drawn, show, whole_page
from bot.wording import page
from rules.answers import make_case
from rules.case import Case, Diagnosis, Record, Unread
from rules.diagnose import Expert
from rules.read import Reader, Reading, reader_of

app = typer.Typer(
    help="Paste a firewall log line. Get the cause, the proof, and the next step.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(knowledge, name="knowledge")
app.add_typer(keys, name="keys")
app.command("slack")(slack)
app.command("manifest")(manifest)


@app.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False},
)
def cases(context: typer.Context) -> None:
    """List, show, export, delete and replay the cases that are kept."""
    from bot.archive import archive  # noqa: PLC0415  (what needs no database need not wait for its libraries)

    archive(context.args, prog_name=context.command_path)


@app.command()
def diagnose(  # noqa: PLR0913  (each is an option)
    paste: Annotated[str | None, typer.Argument(help="The log line(s), or - for standard input.")] = None,
    *,
    answer: Annotated[list[str] | None, typer.Option(help="FEATURE=VALUE, what you know already.")] = None,
    product: Annotated[str | None, typer.Option(help="The product that wrote the line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON.")] = False,
    no_ask: Annotated[bool, typer.Option("--no-ask", help="Don't ask, print what can be said now.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the case; its id is told at the end.")] = False,
    case: Annotated[str | None, typer.Option(metavar="ID", help="Go on with a case that is kept.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Whose case it is, with --keep or --case. [local]")] = None,
    picture: Annotated[bool, typer.Option(help="Draw what happened.")] = True,
) -> None:
    """Diagnose a pasted log line; ask what is missing. Without --keep or --case nothing is stored."""
    if workspace is not None and not keep and case is None:
        raise fail("--workspace needs --keep or --case")
    expert = our_expert()
    shown = Shown(asks=not as_json and not no_ask and _interactive(), as_json=as_json, pictured=picture)
    try:
        place = LOCAL if workspace is None else workspace_name(workspace)
        text = "" if case is not None and paste is None else _paste(paste)
        known = make_case(expert.shelf, text, _answers(answer or []), product)
        told = _told(known, resumed=case is not None)
        if keep and case is None and _is_empty(known):
            raise ValueError("nothing was pasted; give the line, or with --answer what you know")
        if not as_json and not no_ask and (paste or (case is not None and paste is None)) and _piped_in():
            typer.echo(_NOT_READ, err=True)
        if keep or case is not None:
            from bot.keeping import Wanted, talk  # noqa: PLC0415  (see above)

            result = talk(expert, console(), Wanted(case, place, told), shown)
        else:
            result = _passing(expert, told, shown)
    except ValueError as wrong:
        raise fail(str(wrong)) from None
    raise typer.Exit(0 if result.records or result.facts or known.answers else NOTHING_READ)


def _passing(expert: Expert, told: list[CaseEvent], shown: Shown) -> Diagnosis:
    """Talk about a case that nobody keeps, or show it."""
    ledger, out = Passing(expert, told), console()
    if shown.asks:
        read_line = partial(out.input, "> ")
        return Conversation(expert, out, read_line, ledger, since=len(told), pictured=shown.pictured).run()
    if shown.as_json:
        typer.echo(ledger.diagnosis.model_dump_json(by_alias=True))
    else:
        seen = drawn(ledger.diagnosis, expert.shelf, out.width) if shown.pictured else []
        show(out, whole_page(page(ledger.diagnosis, expert.shelf), out.width, seen))
    return ledger.diagnosis


def _told(case: Case, *, resumed: bool) -> list[CaseEvent]:
    """Give what the call tells as events; a call that goes on with a case and pastes nothing tells no paste."""
    events = beginning(case)
    return events if case.paste or case.product or not resumed else events[1:]


def _paste(argument: str | None) -> str:
    """Take the paste from the command line, from standard input, or from a prompt."""
    if argument is not None and argument != "-":
        if _is_file(argument):
            raise ValueError(f"{argument} is a file; write `diagnose - < {argument}`")
        return plain_text(argument)
    if argument is None and sys.stdin is not None and sys.stdin.isatty():
        return _prompted()
    content = unpacked(_standard_input())
    check_text(content)
    return paste_of(content)


def _is_file(argument: str) -> bool:
    """Tell whether somebody gave the name of a file for its lines."""
    try:
        return " " not in argument and Path(argument).is_file()
    except (OSError, ValueError):
        return False


def _is_empty(case: Case) -> bool:
    return not case.paste.strip() and not case.answers and not case.declined


_NOT_READ = (
    "whydrop: standard input was not read; answers are taken in a terminal or as --answer FEATURE=VALUE, a paste with -"
)


def _piped_in() -> bool:
    """Tell whether somebody has written to standard input what is not read from it."""
    if sys.stdin is None or sys.stdin.isatty():
        return False
    try:
        waiting = fcntl.ioctl(sys.stdin.fileno(), termios.FIONREAD, bytes(_INT_SIZE))
    except OSError:  # nothing that things can be written to, such as /dev/null
        return False
    return any(waiting)


def _interactive() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise ValueError("there is no standard input; give the line as an argument")
    return sys.stdin.buffer.read(MOST_BYTES + 1)


_INT_SIZE = struct.calcsize("i")
_PASTING_S = 0.2
"""Seconds in which what belongs to one paste arrives."""


def _prompted() -> str:
    typer.echo("Paste the log line(s), then an empty line:", err=True)
    lines: list[str] = []
    while line := sys.stdin.readline():
        if not line.strip() and lines and not select.select([sys.stdin], [], [], _PASTING_S)[0]:
            break  # an empty line ends it, unless it stands in the middle of what is pasted
        lines.append(line)
    return "".join(lines)


def _answers(said: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in said]
    for name, equals, _value in pairs:
        if not equals:
            raise ValueError(f"--answer {name!r}: write FEATURE=VALUE; `knowledge list features` lists the features")
    return {name.strip(): value.strip() for name, _, value in pairs}


@app.command()
def read(
    file: Annotated[str, typer.Argument(help="A file, or - for standard input.")] = "-",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say what each line says: one record, or one "unread", a line. Files may be of any size."""
    if sys.stdout is None:
        raise fail("there is no standard output to write to")
    reader = reader_of(our_shelf())
    try:
        with _opened(file) as stream, _uncollected():
            read_any = _show(reader, lines_of(stream), as_json=as_json)
    except BrokenPipeError:
        sys.stdout = None  # whoever reads has had enough; there is nowhere left to flush to
        raise typer.Exit(0) from None
    except OSError as wrong:
        raise fail(f"{file}: {wrong.strerror}") from None
    except ValueError as wrong:
        raise fail(f"{file}: {wrong}") from None
    raise typer.Exit(0 if read_any else NOTHING_READ)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file != "-":
        with Path(file).open("rb") as stream:
            yield stream
    elif sys.stdin is None:
        raise fail("there is no standard input; give a file")
    else:
        yield sys.stdin.buffer


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: records form no cycles, and looking through them takes a sixth of the time."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _show(reader: Reader, lines: Iterator[str], *, as_json: bool) -> bool:
    read_any = False
    for reading in reader.pages(lines):
        sys.stdout.writelines(_shown(reading, as_json=as_json))
        read_any = read_any or bool(reading.lines)
        del reading  # one page at a time is enough
    return read_any


def _shown(reading: Reading, *, as_json: bool) -> Iterator[str]:
    found: list[Record | Unread] = [*(line.record for line in reading.lines), *reading.unread]
    for one in sorted(found, key=lambda one: one.line):
        yield (one.model_dump_json() if as_json else _one_line(one.model_dump(exclude_none=True))) + "\n"


def _one_line(fields: dict[str, object]) -> str:
    kept = {name: value for name, value in fields.items() if name not in ("raw", "line") and value not in ([], {})}
    return f"{fields['line']}: " + json.dumps(kept, ensure_ascii=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve the page, REST and Slack over HTTP in one process."""
    settings = our_settings()
    our_shelf()  # so that a wrong entry is told here, and not from inside the server
    address, number = host or settings.host, settings.port if port is None else port
    _check_free(address, number)
    _check_store()
    os.environ["WHYDROP_HOST"] = address  # whether keys are asked for depends on it
    typer.echo(f"whydrop: {_who_may(settings.model_copy(update={'host': address}))}", err=True)
    uvicorn.run(
        "bot.rest:create",  # by name: the other commands need not wait for its imports
        factory=True,
        host=address,
        port=number,
        access_log=False,  # it would log query strings, in which somebody may have put a paste
        log_config=None,  # ours is JSON
    )


def _who_may(settings: Settings) -> str:
    """Say who may use the service."""
    if settings.open:
        return "open to everybody on this machine; no keys are asked for"
    ignored = f"WHYDROP_DEV does not count, for {settings.host} is not this machine alone; " if settings.dev else ""
    return f"{ignored}keys are asked for, made with: python -m bot keys create NAME"


def _check_store() -> None:
    from bot.reaching import reach_our_store  # noqa: PLC0415  (see above)

    reach_our_store()


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as wrong:
        hint = "choose another with --port or WHYDROP_PORT"
        raise fail(f"cannot listen on {host} port {port}: {wrong.strerror}; {hint}", 1) from None
