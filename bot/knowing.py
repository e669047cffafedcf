"""The commands that look into what whydrop knows, and check it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from bot.calls import fail, our_expert, our_shelf
from bot.drawing import drawings
from bot.labelled import labelled_cases
from bot.scoring import scored, tables
from bot.terminal import console
from knowledge.coverage import coverage
from knowledge.model import Cause, Dialect, Entry, Feature, InferenceBook, PhraseBook, Product, Source, Symptom
from knowledge.rosetta import EVENTS, Row, rosetta
from knowledge.shelf import KINDS
from rules.prove import prove
from rules.workbench import inspect

knowledge = typer.Typer(help="Look into what whydrop knows, and check it.", no_args_is_help=True)


@knowledge.command("check")
def knowledge_check() -> None:
    """Check every entry: what it names exists, what it claims is so."""
    expert = our_expert()
    unproven = [*prove(expert), *inspect(expert)]
    for one in unproven:
        file, where = expert.shelf.files[one.kind, one.id]
        typer.echo(f"{file.path}:{file.line_of((*where, *one.where))}: {one.id}: {one.message}")
    counts = ", ".join(f"{len(getattr(expert.shelf, kind))} {kind}" for kind in KINDS)
    typer.echo(f"{counts}; knowledge {expert.shelf.hash}; {len(unproven) or 'no'} problems")
    raise typer.Exit(1 if unproven else 0)


@knowledge.command("score")
def knowledge_score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Labelled cases, one or a list in each .yaml file.")],
    folds: Annotated[
        int | None, typer.Option(min=2, help="Tune the weights without each of so many parts, and run it.")
    ] = None,
) -> None:
    """Run labelled cases and say how often the right cause came first, after how many questions, and how sure."""
    expert = our_expert()
    try:
        cases = labelled_cases(folder)
        results = scored(expert, cases, folds)
    except ValueError as wrong:
        raise fail(str(wrong)) from None
    out = console()
    for part in tables(results):
        out.print(part)


@knowledge.command("list")
def knowledge_list(kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}.")] = None) -> None:
    """List the entries, all or of one kind."""
    shelf = our_shelf()
    if kind is not None and kind not in KINDS:
        raise fail(f"no kind {kind!r}; allowed: {', '.join(KINDS)}")
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
    """Show one entry as it stands in its file; for an event or a symptom, what every product calls it."""
    shelf = our_shelf()
    found = shelf.entry(id_)
    if found is None and id_ not in EVENTS:
        raise fail(f"no entry {id_!r}; `knowledge list` lists them all, and events are {', '.join(EVENTS)}")
    if found is not None:
        kind, entry = found
        file, where = shelf.files[kind, id_]
        typer.echo(f"# {kind.removesuffix('s')} {id_} ({file.path}:{file.line_of(where)})")
        typer.echo(json.dumps(entry.model_dump(mode="json", exclude_defaults=True), indent=2, ensure_ascii=False))
    if rows := rosetta(shelf, id_):
        console().print(_rosetta_table(id_, rows))


def _rosetta_table(event: str, rows: Sequence[Row]) -> Table:
    """Lay out what the products write for one event."""
    table = Table(title=f"{event} in the words of {len({row.product for row in rows})} products", show_lines=True)
    for name in ("product", "it writes", "and cannot say"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(Text(row.product), Text("\n".join(row.words)), Text(row.leaves_open))
    return table


@knowledge.command("draw")
def knowledge_draw(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; it is made if it is not there.")],
) -> None:
    """Draw the evidence beside the causes and the tree of questions, for each symptom, as HTML and SVG."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in drawings(our_expert()):
            (folder / name).write_text(text, encoding="utf-8")
            typer.echo(str(folder / name))
    except OSError as wrong:
        raise fail(f"the drawings could not be written: {wrong}", 1) from None


@knowledge.command("coverage")
def knowledge_coverage() -> None:
    """List every statement of the founding documents with the entries that encode it."""
    rows = coverage(our_shelf())
    for row in rows:
        typer.echo(f"{row.source}#{row.statement}: {row.says} -> {', '.join(row.entries) or 'OPEN'}")
    still_open = sum(not row.entries for row in rows)
    typer.echo(f"{len(rows)} statements, {still_open or 'none'} open")
    raise typer.Exit(1 if still_open else 0)


@knowledge.command("schema")
def knowledge_schema() -> None:
    """Print the JSON Schema of all kinds of entries, for editors."""
    models: list[type[BaseModel]] = [Cause, Dialect, Feature, InferenceBook, PhraseBook, Product, Source, Symptom]
    typer.echo(json.dumps({model.__name__: model.model_json_schema() for model in models}, indent=2))
