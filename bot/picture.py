"""What is to be seen of a case: who took part, and what passed between them in the order of time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace

from bot.happened import Arrow, Known, Lane, Origin, Picture, Stand, clean, is_drop, is_reset, record_of
from bot.timeline import timeline
from knowledge.shelf import Shelf
from rules.case import Diagnosis, Endpoint, Record

_WIDE = 17
"""Characters to a line above a lane."""
_MOST_LINES = 3
_LONGEST_NAME = 48
_MOST_NOTES = 8
_ROLES = ("flow.client", "flow.server", "flow.service_port")
"""The features that tell the client from the server."""


def picture(diagnosis: Diagnosis, shelf: Shelf) -> Picture | None:
    """Draw what is known of a case; None if nothing of what happened is known."""
    known = Known.of(diagnosis, shelf)
    record = record_of(known)
    client = _client(known, record) if record else None
    known = replace(known, sender=_sender(known, client))
    arrows = timeline(known)
    if not arrows:
        return None
    lanes = tuple(_lanes(known, record, client))
    shown = tuple(_on_lanes(one, {lane.stand for lane in lanes}) for one in arrows)
    return Picture(_title(known, lanes), lanes, shown, tuple(_notes(known, arrows)))


def _client(known: Known, record: Record) -> str | None:
    """Tell which end of the record is the client's, `source` or `destination`; None if no fact says so."""
    client, server, port = map(known.value, _ROLES)
    ways = {"source": (record.source, record.destination), "destination": (record.destination, record.source)}
    fitting = [
        name
        for name, (one, other) in ways.items()
        if _fits(client, one.ip) and _fits(server, other.ip) and _fits(port, other.port)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _fits(stated: object, found: object) -> bool:
    return stated is None or stated == found


def _sender(known: Known, client: str | None) -> tuple[Stand, Origin] | None:
    """Tell who sent the packet of the line, and how that is known.

    A line whose way of writing tells the client may name the ends of the connection, not of the packet: then its source
    is only taken for the sender. A SYN+ACK comes from the server, whatever else is known.
    """
    record = record_of(known)
    side: Stand = "client" if client == "source" else "server"
    if is_drop(known) and known.value("packet.flags") == "SA":
        told_by_line = client and record and {"SYN", "ACK"} <= set(record.flags) and side == "server"
        return "server", ("seen" if told_by_line else "inferred")
    if not client or record is None:
        return None
    roles = [known.facts[name] for name in _ROLES if name in known.facts]
    return side, ("seen" if any(fact.kind == "assumed" for fact in roles) else "assumed")


_BETWEEN = {
    "load-balancer": "Load balancer",
    "nat-gateway": "NAT gateway",
    "proxy": "Proxy",
    "firewall": "Another firewall",
}


def _lanes(known: Known, record: Record | None, client: str | None) -> Iterator[Lane]:
    ends = (record.source, record.destination) if record and client else (Endpoint(), Endpoint())
    one, other = ends if client != "destination" else (ends[1], ends[0])
    roles = [known.facts[name] for name in _ROLES if name in known.facts]
    role = ["role assumed"] if client and any(fact.kind == "assumed" for fact in roles) else []
    yield Lane("client", "Client", (*_address(one), *role), _whole(one))
    stands = known.value("log.stands")
    middle = known.value("route.middlebox")
    if middle in _BETWEEN and (middle != stands or middle == "firewall"):
        yield Lane("between", _BETWEEN[str(middle)], ("place open",))
    yield _device(known, record)
    yield Lane("server", "Server", (*_address(other), *role), _whole(other))


def _device(known: Known, record: Record | None) -> Lane:
    """Name the device that logged; what one end wrote about a reset says nothing of a device between the two."""
    if known.value("log.stands") == "host" and not is_drop(known):
        return Lane("firewall", "In between", ("nothing is known",))
    told = known.shelf.products.get(str(known.value("log.product")))
    name = ""
    if record and record.vendor != "unknown":
        name = record.product if record.product.startswith(record.vendor) else f"{record.vendor} {record.product}"
    elif told:
        name = told.title
    return Lane("firewall", known.device, tuple(_broken(clean(name, _LONGEST_NAME))))


def _address(end: Endpoint) -> Iterator[str]:
    yield from _broken(clean(end.ip or "", _LONGEST_NAME))
    if end.port is not None:
        yield f"port {end.port}"
    if end.translated_ip:
        yield from _broken(clean(f"NAT {end.translated_ip}", _LONGEST_NAME))


def _broken(text: str) -> list[str]:
    """Break a name at its blanks, and an IPv6 address at its colons."""
    lines = textwrap.wrap(text.replace(":", ":\t"), _WIDE, expand_tabs=False, replace_whitespace=False)
    return [line.replace("\t", "") for line in lines[:_MOST_LINES]]


def _whole(end: Endpoint) -> str:
    ip = clean(end.ip or "", _LONGEST_NAME)
    if not ip or end.port is None:
        return ip
    return f"[{ip}]:{end.port}" if ":" in ip else f"{ip}:{end.port}"


def _on_lanes(arrow: Arrow, there: set[Stand]) -> Arrow:
    """Put an event of a balancer where the balancer is: it may be the device that logged, or have no lane."""
    if arrow.start == "between" and "between" not in there:
        return replace(arrow, start="firewall")
    return arrow


def _title(known: Known, lanes: tuple[Lane, ...]) -> str:
    what = "the drop" if is_drop(known) else "the reset" if is_reset(known) else "the connection"
    ends = [lane.address for lane in lanes if lane.address]
    return f"What happened: {what}" + (f", between {' and '.join(ends)}" if len(ends) > 1 else "")


_NOTED = (
    "route.both_directions",
    "route.second_path",
    "route.same_subnet",
    "session.closed_before",
    "session.half_closed",
    "reset.arrived_from",
    "reset.ttl",
    "reset.sequence",
    "timing.after_event",
    "timing.worked",
    "timing.only_reused",
    "timing.same_age",
    "session.duration_s",
    "session.in_table",
    "firewall.verdict",
    "firewall.resets_expired",
    "packet.private_source",
    "path.small_mtu",
    "scope.spread",
    "scope.impact",
)
"""What may have no arrow and yet belongs to the picture, in the order of weight."""


def _notes(known: Known, arrows: tuple[Arrow, ...]) -> Iterator[str]:
    """State what is known beside the arrows, and who the roles are if they are assumed."""
    drawn = {feature for arrow in arrows for feature in arrow.facts}
    role = known.facts.get("flow.client") or known.facts.get("flow.server")
    open_ = role is not None and role.kind in ("assumed", "inferred")
    notes = [f"Who is client and who is server: {clean(role.origin)}"] if role and open_ else []
    notes += [known.note(feature) for feature in _NOTED if feature in known.facts and feature not in drawn]
    yield from notes[:_MOST_NOTES]
