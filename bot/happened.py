"""The shapes of a picture of what happened, and what is known of a case with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.phrases import lower, short
from bot.wording import TAGS
from knowledge.clause import Value
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Diagnosis, Fact, Kind, Record

Stand = Literal["client", "between", "firewall", "server"]
"""Where a lane stands. `firewall` is the device that logged, `between` what else stands in the path."""
Origin = Kind | Literal["missing", "unknown"]
"""How it is known that something happened; `missing` did not happen here, `unknown` is open."""
Fate = Literal["passes", "dropped", "reported", "missing", "around", "lost"]
"""What became of a packet; `around` takes a way past the firewall, `lost` disappears at an unknown place."""

_SURENESS: Sequence[Kind] = ("seen", "told", "inferred", "assumed")
_DEVICES = {
    "load-balancer": "Load balancer",
    "proxy": "Proxy",
    "nat-gateway": "NAT gateway",
    "sensor": "Sensor beside it",
    "capture": "Capture",
    "host": "Filter on a host",
}
_LONGEST = 110
"""Characters of a piece of evidence."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One party of the connection. `lines` are its name and address as they are broken, `address` is the whole."""

    stand: Stand
    title: str
    lines: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One row: a packet, an exchange in both directions, a silence, or an event at a lane (`start`) or nowhere.

    An unknown `start` or `end` is None. `known_to` is the lane up to which the packet is known to have come; the rest
    of its way is open. `way` tells how start and end are known. `facts` are the features that state it all.
    """

    kind: Literal["packet", "exchange", "silence", "event"]
    label: str
    origin: Origin
    way: Origin
    because: str = ""
    facts: tuple[str, ...] = ()
    start: Stand | None = None
    end: Stand | None = None
    known_to: Stand | None = None
    fate: Fate = "passes"


@dataclass(frozen=True, slots=True)
class Picture:
    """What happened, from top to bottom; `notes` are what is known and has no place in time."""

    title: str
    lanes: tuple[Lane, ...]
    arrows: tuple[Arrow, ...]
    notes: tuple[str, ...]


def clean(text: str, longest: int = _LONGEST) -> str:
    """Write a text on one line, without what a terminal or a page would act on, and not too long."""
    printable = "".join(one if one.isprintable() else " " for one in text[: longest * 4])
    return short(" ".join(printable.split()), longest).replace("\N{HORIZONTAL ELLIPSIS}", "...")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a case; `sender` is who sent the packet that the line names, with how that is known."""

    diagnosis: Diagnosis
    shelf: Shelf
    facts: Mapping[str, Fact]
    sender: tuple[Stand, Origin] | None = None

    @classmethod
    def of(cls, diagnosis: Diagnosis, shelf: Shelf) -> Known:
        """Take the facts of a diagnosis."""
        return cls(diagnosis, shelf, {fact.feature: fact for fact in diagnosis.facts})

    def value(self, feature: str) -> Value | None:
        """Give the value of a feature; None if it is not known."""
        fact = self.facts.get(feature)
        return fact.value if fact else None

    @property
    def device(self) -> str:
        """Name the kind of the device that logged."""
        return _DEVICES.get(str(self.value("log.stands")), "Firewall")

    def words(self, feature: str) -> str:
        """Write the value of a known feature for people."""
        return clean(said(self.shelf.features[feature], self.facts[feature].value))

    def choice(self, feature: str) -> str:
        """Write the label of a choice, without the letters that stand for it."""
        value = self.facts[feature].value
        return clean(str(self.shelf.features[feature].choices.get(str(value), value)))

    def weakest(self, *features: str) -> Kind:
        """Give the least sure kind among the known ones of some features."""
        kinds = [self.facts[one].kind for one in features if one in self.facts]
        return max(kinds, key=_SURENESS.index)

    def because(self, *features: str) -> str:
        """Name where facts come from, each origin once."""
        return "; ".join(dict.fromkeys(_origin(self.facts[one]) for one in features if one in self.facts))

    def arrow(self, arrow: Arrow, *features: str) -> Arrow:
        """Rest an arrow on facts: its evidence, and its origin unless it is missing."""
        named = tuple(one for one in features if one in self.facts)
        kind = self.weakest(*named)
        return replace(
            arrow,
            facts=named,
            because="; ".join(part for part in (self.because(*named), arrow.because) if part),
            origin="missing" if arrow.origin == "missing" else kind,
            way=kind if arrow.way == "seen" else arrow.way,
        )

    def note(self, feature: str) -> str:
        """State a fact in a sentence, with its origin."""
        title = self.shelf.features[feature].title
        return f"{title}: {lower(self.words(feature))} ({self.because(feature)})"


def _origin(fact: Fact) -> str:
    origin = clean(fact.origin)
    return f"{TAGS['seen']}, {origin}" if fact.kind == "seen" else origin


def is_drop(known: Known) -> bool:
    """Tell whether the case is about a packet that was dropped."""
    if known.value("symptom") is None:
        return "packet.flags" in known.facts or known.value("log.event") == "denied"
    return known.value("symptom") == "out-of-state"


def is_reset(known: Known) -> bool:
    """Tell whether the case is about a reset."""
    stated = any(one in known.facts for one in ("reset.by", "reset.phase", "reset.arrived_from"))
    return known.value("symptom") == "reset" or ("symptom" not in known.facts and stated)


def packet(label: str, start: Stand | None, end: Stand | None, fate: Fate = "passes") -> Arrow:
    """Draw a packet; what is missing or went past did not happen here."""
    return Arrow("packet", label, "missing" if fate in ("missing", "around") else "seen", "seen", "", (), start, end,
                 fate=fate)  # fmt: skip


def row(kind: Literal["exchange", "silence", "event"], label: str, at: Stand | None = None) -> Arrow:
    """Draw an exchange between both ends, a silence, or an event at a lane."""
    ends: tuple[Stand | None, Stand | None] = ("client", "server") if kind == "exchange" else (at, None)
    return Arrow(kind, label, "seen", "seen", start=ends[0], end=ends[1])


def record_of(known: Known) -> Record | None:
    """Give the record that the diagnosis is about."""
    about = known.diagnosis.about_line
    return next((one for one in known.diagnosis.records if one.line == about), None)
