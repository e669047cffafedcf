"""The shelf: every entry that is known, by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.model import (
    Cause,
    Contradiction,
    Dialect,
    Entry,
    Feature,
    Inference,
    Macro,
    Phrases,
    Product,
    Source,
    Symptom,
)
from knowledge.yamlfile import Where, YamlFile


@dataclass(frozen=True, eq=False)
class Shelf:
    """All that is known, by id. `files` tells where an entry stands: kind and id to file and path inside it.

    Shelves are compared by identity, so that what is compiled from one can be kept.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    features: Mapping[str, Feature] = field(default_factory=dict)
    symptoms: Mapping[str, Symptom] = field(default_factory=dict)
    causes: Mapping[str, Cause] = field(default_factory=dict)
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    inferences: Mapping[str, Inference] = field(default_factory=dict)
    contradictions: Mapping[str, Contradiction] = field(default_factory=dict)
    phrases: Mapping[str, Phrases] = field(default_factory=dict)
    macros: Mapping[str, Macro] = field(default_factory=dict)
    files: Mapping[tuple[str, str], tuple[YamlFile, Where]] = field(default_factory=dict)
    hash: str = ""

    def entry(self, id_: str) -> tuple[str, Entry] | None:
        """Find an entry of any kind by its id; gives its kind and itself."""
        for kind in KINDS:
            found: Mapping[str, Entry] = getattr(self, kind)
            if id_ in found:
                return kind, found[id_]
        return None


KINDS = (
    "causes",
    "symptoms",
    "features",
    "dialects",
    "products",
    "inferences",
    "contradictions",
    "sources",
    "phrases",
    "macros",
)
