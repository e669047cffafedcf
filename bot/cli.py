"""The command line: diagnose, read, knowledge, serve."""

from __future__ import annotations

import json
import select
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.table import Table
from rich.text import Text

from bot.paste import MOST_BYTES, paste_of, plain_text
from bot.settings import Settings, SettingsError, load_settings
from bot.terminal import Conversation, console, whole_page
from bot.wording import page
from knowledge.coverage import coverage
from knowledge.load import KnowledgeError, load_shelf
from knowledge.model import Cause, Dialect, Entry, Feature, InferenceBook, Product, Source, Symptom
from knowledge.shelf import KINDS, Shelf
from rules.answers import make_case
from rules.case import Diagnosis, Record, Unread
from rules.diagnose import Expert
from rules.prove import prove

WRONG_CALL = 2
NOTHING_READ = 3

app = typer.Typer(
    help="Paste a firewall log line. Get the cause, the proof, and the next step.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
knowledge = typer.Typer(help="Look into what whydrop knows, and check it.", no_args_is_help=True)
app.add_typer(knowledge, name="knowledge")


def _fail(message: str, code: int = WRONG_CALL) -> typer.Exit:
    typer.echo(f"whydrop: {message}", err=True)
    return typer.Exit(code)


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as wrong:
        raise _fail(f"the settings have problems: {wrong}") from None


_MOST_PROBLEMS = 40


def _shelf() -> Shelf:
    own = _settings().knowledge
    try:
        return load_shelf(*([own] if own else []))
    except KnowledgeError as wrong:
        more = len(wrong.problems) - _MOST_PROBLEMS
        shown = [*map(str, wrong.problems[:_MOST_PROBLEMS]), *([f"and {more} more"] if more > 0 else [])]
        raise _fail("the knowledge has problems:\n" + "\n".join(shown), 1) from None


def _expert() -> Expert:
    return Expert(_shelf())


@app.command()
def diagnose(
    paste: Annotated[str | None, typer.Argument(help="The log line(s), or - for standard input.")] = None,
    answer: Annotated[list[str] | None, typer.Option(help="FEATURE=VALUE, what you know already.")] = None,
    product: Annotated[str | None, typer.Option(help="The product that wrote the line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON.")] = False,
    no_ask: Annotated[bool, typer.Option("--no-ask", help="Don't ask, print what can be said now.")] = False,
) -> None:
    """Diagnose a pasted log line; ask what is missing."""
    expert = _expert()
    try:
        case = make_case(expert.shelf, _paste(paste), _answers(answer or []), product)
        if not as_json and not no_ask and _interactive():
            out = console()
            result = Conversation(expert, out, lambda: out.input("> "), case).run()
        else:
            result = expert.diagnose(case)
            _print(result, expert.shelf, as_json=as_json)
    except ValueError as wrong:
        raise _fail(str(wrong)) from None
    raise typer.Exit(0 if result.records or case.answers else NOTHING_READ)


def _print(result: Diagnosis, shelf: Shelf, *, as_json: bool) -> None:
    if as_json:
        typer.echo(result.model_dump_json(by_alias=True))
    else:
        out = console()
        out.print(whole_page(page(result, shelf), out.width))


def _paste(argument: str | None) -> str:
    """Take the paste from the command line, from standard input, or from a prompt."""
    if argument is not None and argument != "-":
        return plain_text(argument)
    if argument is None and sys.stdin is not None and sys.stdin.isatty():
        return _prompted()
    return paste_of(_standard_input())


def _interactive() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise ValueError("there is no standard input; give the line as an argument")
    return sys.stdin.buffer.read(MOST_BYTES + 1)


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
    """Say what each line says: one record, or one "unread", a line."""
    expert = _expert()
    try:
        reading = expert.read(paste_of(_standard_input() if file == "-" else _content(Path(file))))
    except OSError as wrong:
        raise _fail(f"{file}: {wrong.strerror}") from None
    except ValueError as wrong:
        raise _fail(str(wrong)) from None
    found: list[Record | Unread] = [*(line.record for line in reading.lines), *reading.unread]
    for one in sorted(found, key=lambda one: one.line):
        typer.echo(one.model_dump_json() if as_json else _one_line(one.model_dump(exclude_none=True)))
    raise typer.Exit(0 if reading.lines else NOTHING_READ)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _one_line(fields: dict[str, object]) -> str:
    kept = {name: value for name, value in fields.items() if name not in ("raw", "line") and value not in ([], {})}
    return f"{fields['line']}: " + json.dumps(kept, ensure_ascii=False)


@knowledge.command("check")
def knowledge_check() -> None:
    """Check every entry: what it names exists, what it claims is so."""
    expert = _expert()
    unproven = list(prove(expert))
    for one in unproven:
        file, where = expert.shelf.files[one.kind, one.id]
        typer.echo(f"{file.path}:{file.line_of(where)}: {one.id}: {one.message}")
    counts = ", ".join(f"{len(getattr(expert.shelf, kind))} {kind}" for kind in KINDS)
    typer.echo(f"{counts}; knowledge {expert.shelf.hash}; {len(unproven) or 'no'} problems")
    raise typer.Exit(1 if unproven else 0)


@knowledge.command("list")
def knowledge_list(kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}.")] = None) -> None:
    """List the entries, all or of one kind."""
    shelf = _shelf()
    if kind is not None and kind not in KINDS:
        raise _fail(f"no kind {kind!r}; allowed: {', '.join(KINDS)}")
    for one in [kind] if kind else KINDS:
        table = Table.grid(padding=(0, 2, 0, 0))
        for id_, entry in getattr(shelf, one).items():
            table.add_row(Text("  " + id_, "bold"), Text(_title(entry)))
        out = console()
        out.print(Text(one, "bold underline"), table)


def _title(entry: Entry) -> str:
    return str(getattr(entry, "title", getattr(entry, "because", "")))


@knowledge.command("show")
def knowledge_show(id_: Annotated[str, typer.Argument(metavar="ID", help="The id of any entry.")]) -> None:
    """Show one entry as it stands in its file."""
    shelf = _shelf()
    found = shelf.entry(id_)
    if found is None:
        raise _fail(f"no entry {id_!r}; `knowledge list` lists them all")
    kind, entry = found
    file, where = shelf.files[kind, id_]
    typer.echo(f"# {kind.removesuffix('s')} {id_} ({file.path}:{file.line_of(where)})")
    typer.echo(json.dumps(entry.model_dump(mode="json", exclude_defaults=True), indent=2, ensure_ascii=False))


@knowledge.command("coverage")
def knowledge_coverage() -> None:
    """List every statement of the founding documents with the entries that encode it."""
    rows = coverage(_shelf())
    for row in rows:
        typer.echo(f"{row.source}#{row.statement}: {row.says} -> {', '.join(row.entries) or 'OPEN'}")
    still_open = sum(not row.entries for row in rows)
    typer.echo(f"{len(rows)} statements, {still_open or 'none'} open")
    raise typer.Exit(1 if still_open else 0)


@knowledge.command("schema")
def knowledge_schema() -> None:
    """Print the JSON Schema of all kinds of entries, for editors."""
    models: list[type[Entry]] = [Cause, Dialect, Feature, InferenceBook, Product, Source, Symptom]
    typer.echo(json.dumps({model.__name__: model.model_json_schema() for model in models}, indent=2))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve REST and Slack over HTTP in one process."""
    settings = _settings()
    _shelf()  # so that a wrong entry is told here, and not from inside the server
    address, number = host or settings.host, settings.port if port is None else port
    _check_free(address, number)
    uvicorn.run(
        "bot.rest:create",  # by name: the other commands need not wait for its imports
        factory=True,
        host=address,
        port=number,
        access_log=False,  # it would log query strings, in which somebody may have put a paste
        limit_concurrency=settings.threads * 64,
    )


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as wrong:
        hint = "choose another with --port or WHYDROP_PORT"
        raise _fail(f"cannot listen on {host} port {port}: {wrong.strerror}; {hint}", 1) from None
