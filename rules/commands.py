"""Fill a product's command templates with the addresses and ports of the case. What is pasted is never trusted."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.check import COMMAND_FIELDS
from knowledge.clause import plain
from knowledge.model import Remedy
from knowledge.shelf import Shelf
from rules.case import Fact

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,63}")
_HOST_VERBS = frozenset({"keepalive-host", "listening-ports"})
"""What is typed on a host, whatever the firewall is."""
_FROM_FACTS = {
    "source": "packet.source",
    "source_port": "packet.source_port",
    "destination": "packet.destination",
    "destination_port": "packet.destination_port",
    "interface": "packet.interface",
    "client": "flow.client",
    "server": "flow.server",
    "server_port": "flow.service_port",
}


def fields(facts: Mapping[str, Fact]) -> dict[str, str]:
    """Collect what can be filled in: only addresses, ports and plain interface names; else a `<placeholder>`."""
    found = {name: f"<{name.replace('_', ' ')}>" for name in COMMAND_FIELDS}
    for name, feature in _FROM_FACTS.items():
        if feature in facts and _harmless(name, text := plain(facts[feature].value)):
            found[name] = text
    return found | _client_port(facts, found)


def _client_port(facts: Mapping[str, Fact], found: Mapping[str, str]) -> dict[str, str]:
    """The client's port is the one at the client's end of the packet."""
    for end in ("source", "destination"):
        if "flow.client" in facts and found["client"] == found[end] and found["server"] != found[end]:
            return {"client_port": found[f"{end}_port"]}
    return {}


def _harmless(name: str, value: str) -> bool:
    if name == "interface":
        return _WORD.fullmatch(value) is not None
    if name.endswith("_port"):
        return value.isascii() and value.isdigit()
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it is typed, and what to look for in its output."""

    run: str
    reading: str | None = None


def command(remedy: Remedy, product: str | None, filled: Mapping[str, str], shelf: Shelf) -> Typed | None:
    """Give the command of a remedy for the product in the case, filled in; None where none is known."""
    if product in remedy.commands:
        return Typed(remedy.commands[product].format_map(filled))
    return product_command(remedy.use, product, filled, shelf)


def product_command(verb: str | None, product: str | None, filled: Mapping[str, str], shelf: Shelf) -> Typed | None:
    """Give a product's command by its verb, filled in; what is typed on hosts is the same for every firewall."""
    for place in (product, "linux" if verb in _HOST_VERBS else None):
        known = shelf.products.get(place or "")
        if known and verb in known.commands:
            found = known.commands[verb]
            return Typed(found.run.format_map(filled), found.reading)
    return None
