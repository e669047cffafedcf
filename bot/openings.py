"""The beginning of a connection in a picture: the SYN, what it got for an answer, and the handshake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.happened import Arrow, Known, Stand, is_drop, is_reset, packet, row
from bot.phrases import lower
from knowledge.clause import Value

_ANOTHER_WAY: tuple[tuple[str, Value], ...] = (
    ("route.both_directions", "server-to-client"),
    ("route.second_path", True),
    ("route.same_subnet", True),
)


def opening(known: Known) -> Iterator[Arrow]:
    """Draw the opening SYN: as it came, as it is missing, or open."""
    if known.value("handshake.client_sent_syn") is False:
        yield known.arrow(packet("SYN: the client never sent one", "client", "firewall", "missing"),
                          "handshake.client_sent_syn")  # fmt: skip
    elif _drop_is_syn(known):
        return
    elif known.value("handshake.syn_seen") is False:
        yield _missing_syn(known)
    elif (came := _came(known)) is not None:
        yield came
    elif known.value("route.both_directions") == "server-to-client":
        yield _past(known, "client", "server")
    elif known.value("handshake.completed") is None and "symptom" in known.facts:
        because = "whether it came through here is not known"
        yield Arrow("packet", "SYN", "unknown", "unknown", because, (), "client", "firewall")


def _past(known: Known, start: Stand, end: Stand) -> Arrow:
    """Draw the direction that the firewall does not see."""
    made = packet(f"what the {start} sends does not come here", start, end, "around")
    return known.arrow(replace(made, way="unknown"), "route.both_directions")


def _drop_is_syn(known: Known) -> bool:
    return is_drop(known) and known.value("packet.flags") == "S" and "session.closed_before" not in known.facts


def _missing_syn(known: Known) -> Arrow:
    ways = [feature for feature, value in _ANOTHER_WAY if known.value(feature) == value]
    if not ways:
        return known.arrow(packet("SYN: never came here", "client", "firewall", "missing"), "handshake.syn_seen")
    around = packet("SYN: never came here, perhaps went past", "client", "server", "around")
    because = "; ".join(lower(known.note(feature)) for feature in ways)
    arrow = known.arrow(replace(around, way="unknown", because=because), "handshake.syn_seen")
    return replace(arrow, facts=(*arrow.facts, *ways))


def _came(known: Known) -> Arrow | None:
    """Draw a SYN of which something tells, up to where it is known to have come."""
    reaches = known.value("handshake.reaches_server")
    if reaches is False:
        lost = packet("SYN: does not reach the server", "client", "server", "lost")
        passed: Stand = "firewall" if known.value("handshake.syn_seen") else "client"
        return known.arrow(replace(lost, known_to=passed), "handshake.reaches_server", "handshake.syn_seen")
    again = is_drop(known) and known.value("packet.flags") == "S"
    syn = packet("SYN of the connection before" if again else "SYN", "client", "server")
    if reaches or (known.value("handshake.completed") and "handshake.syn_seen" in known.facts):
        names = ("handshake.reaches_server",) if reaches else ("handshake.syn_seen", "handshake.completed")
        return known.arrow(syn, *names)
    if "handshake.syn_seen" in known.facts:
        return known.arrow(replace(syn, known_to="firewall"), "handshake.syn_seen")
    for feature in ("handshake.client_sent_syn", "handshake.syn_answer"):
        if feature in known.facts and "handshake.completed" not in known.facts:
            return known.arrow(replace(syn, known_to="client"), feature)
    if is_reset(known) and known.value("reset.phase") == "answer-to-syn":
        return known.arrow(replace(syn, known_to="client"), "reset.phase")
    return None


def answer(known: Known) -> Iterator[Arrow]:
    """Draw what the SYN got for an answer, unless that is what was dropped or the reset itself."""
    if known.value("handshake.syn_to_ack"):
        label = "a SYN goes in and comes out as a plain ACK"
        yield known.arrow(row("event", label, "firewall"), "handshake.syn_to_ack")
    got = known.value("handshake.syn_answer")
    if got == "nothing":
        missing = packet("no answer to the SYN", "server", "client", "missing")
        yield known.arrow(missing, "handshake.syn_answer")
    elif got is not None and not _answer_comes_last(known, got) and not known.value("handshake.completed"):
        label = {"syn-ack": "SYN+ACK", "ack": "ACK instead of SYN+ACK", "rst": "RST", "icmp": "ICMP error"}[str(got)]
        open_ = replace(packet(label, None, "client"), because="sender not stated", way="unknown")
        yield known.arrow(open_, "handshake.syn_answer")
    contradicted = known.sender is not None and known.sender[0] == "server"
    if known.value("route.both_directions") == "client-to-server" and not contradicted:
        yield _past(known, "server", "client")
    if known.value("route.reply_untranslated"):
        label = "the reply comes back without address translation"
        yield known.arrow(row("event", label), "route.reply_untranslated")


def _answer_comes_last(known: Known, got: Value) -> bool:
    same = {"syn-ack": "SA", "ack": "A", "rst": "R"}.get(str(got)) == known.value("packet.flags")
    dropped = is_drop(known) and same
    return dropped or (is_reset(known) and got == "rst")


def handshake(known: Known) -> Iterator[Arrow]:
    completed = known.value("handshake.completed")
    if completed and known.value("handshake.syn_seen"):
        yield known.arrow(packet("SYN+ACK", "server", "client"), "handshake.completed")
        yield known.arrow(packet("ACK", "client", "server"), "handshake.completed")
    elif completed:
        yield known.arrow(row("exchange", "handshake completed"), "handshake.completed")
    elif completed is False and not _shows_unfinished(known):
        unfinished = replace(row("exchange", "handshake never completed"), origin="missing", fate="missing")
        yield known.arrow(unfinished, "handshake.completed")


def _shows_unfinished(known: Known) -> bool:
    """Tell whether another row says already that the handshake was not completed."""
    refused = is_reset(known) and known.value("reset.phase") == "answer-to-syn"
    opened = is_drop(known) and known.value("packet.flags") in ("S", "SA")
    ended = known.value("session.closed_before") == "handshake-timeout"
    return refused or opened or ended or known.value("handshake.syn_answer") == "nothing"
