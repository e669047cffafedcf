"""Who opened a connection, told by another line of the same paste: a "Built" line, or the SYN itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rules.flows import Flow, faces, names_of
from rules.interpret import ReadLine, Stated, event_of, roles_of
from rules.roles import End, Opener


@dataclass(frozen=True, slots=True)
class _Known:
    """The client of a flow, under each face it shows, and the line that tells."""

    client: Sequence[tuple[str, int | None]]
    line: int


def with_openers(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Give each line whose own words leave open who the client is what an opening of its flow tells."""
    known: dict[Flow, _Known] = {}
    for line in lines:
        if (side := _surely(line)) is not None:
            end = line.record.source if side == "source" else line.record.destination
            found = _Known(faces(end), line.record.line)
            for name in names_of(line.record):
                known.setdefault(name, found)
    return [_told(line, known) if _open(line) else line for line in lines] if known else list(lines)


def _surely(line: ReadLine) -> End | None:
    """Give the client's end where the line itself shows the opening: it was built, or its SYN was seen."""
    flags = set(line.record.flags)
    if line.says == "opened":
        return line.client
    return "source" if "SYN" in flags and not flags & {"ACK", "RST", "FIN"} else None


def _open(line: ReadLine) -> bool:
    """Tell whether the client is unknown here, or only assumed."""
    return line.client is None or any(one.assumed for one in line.stated if one.feature.startswith("flow."))


def _told(line: ReadLine, known: Mapping[Flow, _Known]) -> ReadLine:
    found = next((known[name] for name in names_of(line.record) if name in known), None)
    side = _side(line, found) if found and found.line != line.record.line else None
    if found is None or side is None:
        return line
    opener = Opener(side, f"line {found.line} shows who opened it", False)
    record = line.record.model_copy(update={"event": event_of(line.says, side)})
    named = {"reset-by-server", "reset-by-client"}
    kept = [one for one in line.stated if not one.feature.startswith("flow.")]
    if record.event in named:
        kept = [one for one in kept if one.feature != "symptom"]  # the event tells it now
    stated: tuple[Stated, ...] = (*kept, *roles_of(record, opener))
    return replace(line, record=record, stated=stated, client=side)


def _side(line: ReadLine, found: _Known) -> End | None:
    if set(faces(line.record.source)) & set(found.client):
        return "source"
    return "destination" if set(faces(line.record.destination)) & set(found.client) else None
