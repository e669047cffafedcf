"""Lines pasted together, beside what they state together: in any order, and among the lines of other connections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from random import Random

import pytest
from pydantic import BaseModel, ConfigDict, Field

from knowledge.clause import Value
from knowledge.shelf import Shelf
from knowledge.yamlfile import read_yaml
from rules.case import Fact
from rules.observe import main_line, observe
from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
SEEDS = (1, 2, 3)
NETWORKS = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
DROPS_AND_RESETS = ("out-of-state", "invalid-flags", "scan", "reset-by-server", "reset-by-client", "reset-by-firewall")
NOISE = (
    "hello",
    "",
    "May 11 10:00:00 kernel: DROP IN=eth0 OUT= SRC=192.0.2.250 DST=198.51.100.250 LEN=60 PROTO=UDP SPT=9 DPT=53 LEN=40",
    "   ",
    "any idea?",
)

Address = IPv4Address | IPv6Address


class Bundle(BaseModel):
    """What is pasted, and what must come out of it.

    `from` says which lines a fact's origin must name, `events` what happened by each line's number. `ordered: false`
    means that nothing but the order of the lines tells theirs, so they are not shuffled. `pending` says what is missing
    in the code for a bundle whose facts do not come out yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    paste: str
    facts: Mapping[str, bool | float | str] = {}
    origins: Mapping[str, list[int]] = Field({}, alias="from")
    absent: list[str] = []
    events: Mapping[int, str | None] = {}
    ordered: bool = True
    pending: str | None = None

    @property
    def addresses(self) -> set[Address]:
        return set(_addresses(self.paste))


def _addresses(text: str) -> Iterator[Address]:
    found = re.findall(r"(?<![\d.])\d+\.\d+\.\d+\.\d+|(?<![\w:])[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?![\w:])", text)
    for one in found:
        try:
            yield ip_address(one)
        except ValueError:  # a time, a version, the address of a network card
            continue


FOLDER = Path(__file__).parent / "bundles"
BUNDLES = {path.stem: Bundle.model_validate(read_yaml(path).content) for path in sorted(FOLDER.glob("*.yaml"))}
READY = {name: bundle for name, bundle in BUNDLES.items() if not bundle.pending}


def _param(name: str, bundle: Bundle) -> object:
    marks = pytest.mark.xfail(reason=bundle.pending, strict=True) if bundle.pending else ()
    return pytest.param(bundle, id=name, marks=marks)


each_bundle = pytest.mark.parametrize("bundle", [_param(*item) for item in BUNDLES.items()])
each_ready = pytest.mark.parametrize("bundle", READY.values(), ids=READY.keys())
each_shuffled = pytest.mark.parametrize(
    "bundle", [pytest.param(bundle, id=name) for name, bundle in READY.items() if bundle.ordered]
)
each_seed = pytest.mark.parametrize("seed", SEEDS)


def _facts(paste: str, shelf: Shelf) -> dict[str, Fact]:
    return {fact.feature: fact for fact in observe(read(paste, shelf))}


def _values(paste: str, shelf: Shelf) -> dict[str, Value]:
    return {name: fact.value for name, fact in _facts(paste, shelf).items()}


def _names_just(origin: str, lines: list[int]) -> bool:
    """Tell whether an origin names these lines and no other: lines 1 and 3; lines 1, 2, 3, 4, 5, 6 and 2 more."""
    head = origin.partition(":")[0]
    *shown, last = map(int, re.findall(r"\d+", head))
    if head.endswith(" more"):
        return shown == lines[: len(shown)] and len(shown) + last == len(lines)
    return [*shown, last] == lines


@each_bundle
def test_a_bundle_states_its_facts(shelf: Shelf, bundle: Bundle) -> None:
    values = _values(bundle.paste, shelf)
    assert {name: values.get(name) for name in bundle.facts} == bundle.facts
    assert [name for name in bundle.absent if name in values] == []


@each_ready
def test_a_fact_names_the_lines_that_it_comes_from(shelf: Shelf, bundle: Bundle) -> None:
    origins = {name: fact.origin for name, fact in _facts(bundle.paste, shelf).items()}
    assert {
        name: origins[name] for name, lines in bundle.origins.items() if not _names_just(origins[name], lines)
    } == {}


@each_ready
def test_each_line_of_a_bundle_says_what_happened(shelf: Shelf, bundle: Bundle) -> None:
    events = {line.record.line: line.record.event for line in read(bundle.paste, shelf).lines}
    assert {number: events[number] for number in bundle.events} == bundle.events


@each_seed
@each_shuffled
def test_the_order_of_the_lines_changes_no_fact(shelf: Shelf, bundle: Bundle, seed: int) -> None:
    lines = bundle.paste.splitlines()
    shuffled = Random(seed).sample(lines, len(lines))  # noqa: S311  (only a shuffle)
    values = _values("\n".join(shuffled), shelf)
    assert {name: values.get(name) for name in bundle.facts} == bundle.facts
    assert [name for name in bundle.absent if name in values] == []


@each_seed
@each_ready
def test_lines_of_other_connections_change_no_fact(shelf: Shelf, bundle: Bundle, seed: int) -> None:
    own, others = bundle.paste.splitlines(), [*NOISE, *_lines_of_others(bundle)]
    values = _values("\n".join(_mixed(own, others, seed) if bundle.ordered else [*others, *own, *others]), shelf)
    assert {name: values.get(name) for name in bundle.facts} == bundle.facts
    assert [name for name in bundle.absent if name in values] == []


def _mixed(own: list[str], others: list[str], seed: int) -> list[str]:
    """Put lines between others, each in the order of its own."""
    whose = [*([True] * len(own)), *([False] * len(others))]
    Random(seed).shuffle(whose)  # noqa: S311  (only a shuffle)
    mine, theirs = iter(own), iter(others)
    return [next(mine) if is_mine else next(theirs) for is_mine in whose]


def _lines_of_others(bundle: Bundle) -> list[str]:
    """Give lines of other bundles that share no address with this one, and cannot be what its case is about."""
    main = main_line(read(bundle.paste, SHELF).lines)
    if main is None or main.record.event is None:
        return []
    names = list(READY)
    at = list(READY.values()).index(bundle)
    strangers = [READY[name] for name in names[at + 1 :] + names[:at] if not READY[name].addresses & bundle.addresses]
    orderly = main.record.event in DROPS_AND_RESETS
    found = [text for one in strangers for text in _quiet(one.paste, closed=orderly)]
    assert found, "no other bundle has addresses of its own"
    return found[:8]


@cache
def _quiet(paste: str, *, closed: bool) -> list[str]:
    """Give the lines that tell of an opening or a packet, and also of an orderly end if that is wanted."""
    lines = [line.record for line in read(paste, SHELF).lines]
    wanted = (None, "closed") if closed else (None,)
    return [record.raw for record in lines if record.event in wanted and record.last_line is None]


def test_there_are_bundles_of_many_products() -> None:
    products = {line.product for bundle in BUNDLES.values() for line in read(bundle.paste, SHELF).lines}
    assert len(BUNDLES) >= 40
    assert len(products) >= 12


def test_bundles_hold_addresses_for_documentation_only() -> None:
    foreign = {
        f"{name}: {address}"
        for name, bundle in BUNDLES.items()
        for address in bundle.addresses
        if not address.is_unspecified and not any(address in network for network in NETWORKS)
    }
    assert foreign == set()


def test_bundles_name_features_that_exist() -> None:
    named = {name for one in BUNDLES.values() for name in (*one.facts, *one.origins, *one.absent)}
    assert named - set(SHELF.features) == set()


def test_a_bundle_says_where_only_stated_facts_come_from() -> None:
    assert {name: extra for name, one in BUNDLES.items() if (extra := set(one.origins) - set(one.facts))} == {}


def test_titles_tell_bundles_apart() -> None:
    assert len({bundle.title for bundle in BUNDLES.values()}) == len(BUNDLES)
