"""The last packet of a picture: the one that was dropped, or the reset, and where it was made."""

from __future__ import annotations

from dataclasses import replace

from bot.happened import Arrow, Known, Origin, Stand, clean, packet, record_of
from bot.phrases import lower
from knowledge.clause import Value

_FLAGS = {
    "SA": "SYN+ACK",
    "A": "ACK",
    "PA": "ACK with data (PSH)",
    "FA": "FIN",
    "R": "RST",
    "S": "SYN",
    "odd": "odd flags",
}


def dropped(known: Known) -> Arrow:
    """Draw the dropped packet: its flags, its sender as far as that is known, the cross at the firewall."""
    seen_only = known.value("log.stands") in ("sensor", "capture")
    made = packet(f"{_called(known)}: {_fate(known)}", None, "firewall", "reported" if seen_only else "dropped")
    way: Origin = "unknown"
    if known.sender:
        start, way = known.sender
        made = replace(made, start=start)
    stated = next(one for one in ("packet.flags", "symptom", "log.event") if one in known.facts)
    payload = ["packet.payload"] if _adds_data(known) else []
    made = replace(made, way=way, because=_sent_by(known, way))
    return known.arrow(made, stated, *payload, "firewall.drop_reason")


def _called(known: Known) -> str:
    flags = known.value("packet.flags")
    label = _FLAGS.get(str(flags), "a packet, flags not known")
    return f"{label} with data" if _adds_data(known) else label


def _adds_data(known: Known) -> bool:
    """Tell whether it is known beside the flags that the packet carries data."""
    return known.value("packet.payload") is True and known.value("packet.flags") != "PA"


def _fate(known: Known) -> str:
    if known.value("log.stands") in ("sensor", "capture"):
        return "reported here"
    if "firewall.drop_reason" in known.facts:
        return f"dropped here, {known.choice('firewall.drop_reason')}"
    refused = known.value("log.event") == "denied" and "symptom" not in known.facts
    return "refused by a rule" if refused else "dropped here"


def _sent_by(known: Known, way: Origin) -> str:
    """Tell how the sender is known, or which addresses the line names although it is not."""
    if way == "inferred":
        return "from the server: inferred, for a SYN+ACK answers an opening"
    if way == "assumed" and known.sender:
        return f"from the {known.sender[0]}: assumed, for the line names it as the source"
    if way != "unknown":
        return ""
    record = record_of(known)
    if record and record.source.ip and record.destination.ip:
        return clean(f"from {record.source.ip} to {record.destination.ip}; which one is the client is not known")
    return "which side sent it is not known"


_DOUBTS: tuple[tuple[str, tuple[Value, ...], str], ...] = (
    ("reset.ttl", ("differs",), "its TTL differs from the server's other packets"),
    ("reset.data_after", (True,), "real data of the server comes after it"),
    ("reset.sequence", ("wrong", "many"), "its sequence number does not fit"),
)


def reset(known: Known) -> Arrow:
    """Draw the reset from where it was made, as far as that is known."""
    by, arrived = known.value("reset.by"), known.value("reset.arrived_from")
    stated = [one for one in ("reset.by", "reset.arrived_from") if one in known.facts]
    if arrived == "only-leaves":
        label = "RST: made here, it only leaves" + (" in the server's name" if by == "server" else "")
        return known.arrow(packet(label, "firewall", "client"), *stated)
    if by == "firewall":
        because = "which side got it is not stated"
        made = packet(f"RST: made by the {lower(known.device)}", "firewall", None)
        return known.arrow(replace(made, because=because), *stated)
    if by == "client":
        return known.arrow(packet("RST: from the client", "client", "server"), *stated)
    if by == "server" or arrived == "server-side":
        return _from_server(known, stated)
    return _from_somebody(known)


def _from_server(known: Known, stated: list[str]) -> Arrow:
    doubts = [(feature, words) for feature, values, words in _DOUBTS if known.value(feature) in values]
    if not doubts:
        return known.arrow(packet("RST: from the server's side", "server", "client"), *stated)
    because = "but " + ", ".join(f"{words} ({known.because(feature)})" for feature, words in doubts)
    made = packet("RST: in the server's name", "server", "client")
    return known.arrow(replace(made, way="unknown", because=because), *stated, *[feature for feature, _ in doubts])


def _from_somebody(known: Known) -> Arrow:
    """Draw a reset whose sender is open; a log of one end names a side, which proves nothing."""
    event = str(known.value("log.event"))
    feature = next((one for one in ("symptom", "reset.phase") if one in known.facts), "log.event")
    made = replace(packet("RST: from whom is not known", None, None), way="unknown")
    if event in ("reset-by-server", "reset-by-client"):
        side: Stand = "server" if event == "reset-by-server" else "client"
        label = f"RST: in the {side}'s name"
        because = "seen at one end, who made it is open"
        far: Stand = "client" if side == "server" else "server"
        made = replace(made, label=label, because=because, start=side, end=far)
        feature = "log.event"
    return known.arrow(made, feature)
