"""Which entries encode each statement of the founding documents; what nobody encodes is open."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.check import references
from knowledge.shelf import KINDS, Shelf


@dataclass(frozen=True, slots=True)
class Covered:
    """One statement of a document and the entries that cite it."""

    source: str
    statement: str
    says: str
    entries: tuple[str, ...]


def coverage(shelf: Shelf) -> list[Covered]:
    """List every statement of every document whose statements are listed."""
    citing: dict[str, list[str]] = {}
    for kind in KINDS:
        for id_, entry in getattr(shelf, kind).items():
            for reference in dict.fromkeys(name for _, name in references(entry)):
                citing.setdefault(reference, []).append(f"{kind.removesuffix('s')} {id_}")
    return [
        Covered(source.id, statement, says, tuple(citing.get(f"{source.id}#{statement}", ())))
        for source in shelf.sources.values()
        for statement, says in source.statements.items()
    ]
