"""The scoreboard as people read it: how often the right cause came first, after how many questions, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from rules.diagnose import Expert
from rules.score import Labelled, Score, groups, score
from rules.tune import held_out

_SHOWN = 25
"""Pairs of the confusion table that are shown."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Labelled cases, each group with its figures; `main` is the first, the strict one where there is one."""

    groups: Mapping[str, Score]
    main: Score


def scored(expert: Expert, cases: Mapping[str, Labelled], folds: int | None = None) -> Scored:
    """Go through each group of cases, with answers, without any, and with weights that know none of them."""
    if not cases:
        raise ValueError("there is no case in that folder")
    parts = groups(cases)
    found = {name: score(expert, part) for name, part in parts.items()}
    for name, part in parts.items():
        found[f"{name}, silent"] = score(expert, part, silent=True)
    if folds:
        found |= {f"{name}, held out": held_out(expert.shelf, part, folds) for name, part in parts.items()}
    return Scored(found, next(iter(found.values())))


_LEGEND = (
    "top 1, top 3: a right cause led, or was among the first three; asked: questions on average; open: ended without "
    "a verdict; >= 80 %: so sure of the leader, and how many of those were wrong; silent: no answer given; "
    "held out: with weights that were tuned without the case"
)


def tables(result: Scored) -> Iterator[RenderableType]:
    """Lay the figures out."""
    yield Text("Scores", "bold underline")
    yield _figures(result.groups)
    yield Text(_LEGEND, "dim")
    yield Text("\nCalibration of the first group: how sure the leading cause was, and how often it was right", "bold")
    yield _calibration(result.main)
    yield Text("\nTaken for another", "bold")
    yield _confusion(result.main)
    for name, one in result.groups.items():
        if "," not in name:
            yield Text(f"\nMisses, {name}", "bold")
            yield _misses(one)


def _figures(groups: Mapping[str, Score]) -> Table:
    table = _table("", "cases", "top 1", "top 3", "asked", "open", ">= 80 %", "wrong", ">= 90 %", "wrong")
    for name, one in groups.items():
        sure, surely = one.at_least(0.8), one.at_least(0.9)
        numbers = (
            len(one.outcomes),
            f"{one.share(1):.1%}",
            f"{one.share(3):.1%}",
            f"{one.questions:.1f}",
            one.abstained,
        )
        table.add_row(name, *map(str, numbers), *map(str, (*sure, *surely)))
    return table


def _calibration(one: Score) -> Table:
    table = _table("between", "cases", "mean", "right")
    for band in one.bands():
        right = f"{band.right / band.cases:.0%}" if band.cases else "-"
        table.add_row(f"{band.low:.0%} and {band.high:.0%}", str(band.cases), f"{band.mean:.0%}", right)
    return table


def _confusion(one: Score) -> Table:
    table = _table("it was", "and this led", "times")
    for right, wrong, count in one.confusion()[:_SHOWN]:
        table.add_row(right, wrong, str(count))
    return table


def _misses(one: Score) -> Table:
    table = _table("case", "right", "its place", "what led", "questions")
    for miss in one.misses():
        led = f"{miss.ranking[0][0]} {miss.ranking[0][1]:.0%}" if miss.ranking else "nothing"
        table.add_row(miss.id, ", ".join(miss.labelled.causes), str(miss.top or "-"), led, str(len(miss.asked)))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, overflow="fold", justify="left" if head in ("", heads[0]) else "right")
    return table
