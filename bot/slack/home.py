"""The app's home: begin a case, go on with an open one, settings, and what whydrop can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.case_events import Summary
from bot.history import cause_title, when
from bot.phrases import capital
from bot.slack.blocks import Block
from bot.slack.buttons import ButtonValue
from bot.slack.notices import START
from bot.slack.parts import VIEW_BLOCKS, Button, Buttons, Divider, Part, Prose, Small, Title, blocks
from knowledge.shelf import Shelf
from rules.case import KnowledgeStamp

_OPEN, _RECENT = 10, 5
_GROUPS = {
    "firewall": "Firewalls and routers",
    "host": "Hosts and programs",
    "load-balancer": "Load balancers",
    "proxy": "Proxies",
    "nat-gateway": "NAT gateways",
    "sensor": "Sensors",
    "capture": "Captures",
}
"""Products by where they stand."""
_SYMPTOMS = {"out-of-state": "A packet dropped as out of state", "reset": "A connection that was reset"}


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """What is set for the workspace; `public_url` is the service's address in links, where it has one."""

    aliases: bool
    public_url: str | None = None


def home_view(cases: Sequence[Summary], settings: HomeSettings, shelf: Shelf, stamp: KnowledgeStamp) -> Block:
    """Show somebody's cases, newest first, and all else."""
    ongoing = [one for one in cases if one.state == "open"][:_OPEN]
    recent = [one for one in cases if one.state != "open"][:_RECENT]
    parts: list[Part] = [
        Prose("Why was it dropped, who reset it? Paste what the firewall said.", "whydrop"),
        Buttons([START], "Begin"),
        *_listed("My open cases", ongoing, settings, shelf),
        *([] if ongoing else [Small(["You have no open case."])]),
        *_listed("Ended lately", recent, settings, shelf),
        *_set(settings),
        *_readable(shelf),
        Divider(),
        Small([f"Knowledge {stamp.version} {stamp.hash}"]),
    ]
    return {"type": "home", "blocks": blocks(parts, VIEW_BLOCKS)}


def _listed(title: str, cases: Sequence[Summary], settings: HomeSettings, shelf: Shelf) -> Iterator[Part]:
    if cases:
        yield Title(title)
    for one in cases:
        url = f"{settings.public_url}/cases/{one.id}" if settings.public_url else ""
        carries = ButtonValue(does="link" if url else "show", case=one.id, version=one.version)
        button = Button("Open", carries, url=url, spoken=f"Open the case: {_named(one, shelf)}")
        yield Prose(_about(one, shelf), _named(one, shelf), button)


def _named(one: Summary, shelf: Shelf) -> str:
    if one.cause is None or one.standing not in ("likely", "established"):
        return _SYMPTOMS.get(one.symptom or "", "It is open what happened")
    return f"{cause_title(one.cause, shelf)} ({one.standing})"


def _about(one: Summary, shelf: Shelf) -> str:
    product = shelf.products[one.product].title if one.product and one.product in shelf.products else ""
    return " · ".join(filter(None, [product, _day(one.updated), one.id[:6]]))


def _day(at: datetime) -> str:
    return when(at).removesuffix(" UTC")[:16] + " UTC"


def _set(settings: HomeSettings) -> Iterator[Part]:
    yield Title("Settings")
    what = "In shared threads addresses stand behind aliases such as `client-1` and `fw-a`."
    if not settings.aliases:
        what = "In shared threads addresses are shown as they were pasted."
    label = "Show addresses" if settings.aliases else "Use aliases"
    yield Prose(what, button=Button(label, ButtonValue(does="aliases", value=not settings.aliases)))


def _readable(shelf: Shelf) -> Iterator[Part]:
    yield Title("What whydrop can read")
    groups: dict[str, list[str]] = {}
    for product in sorted(shelf.products.values(), key=lambda one: one.title.lower()):
        groups.setdefault(_GROUPS.get(product.stands, capital(product.stands)), []).append(product.title)
    for title, products in sorted(groups.items(), key=lambda one: -len(one[1])):
        yield Small([", ".join(products)], title)
