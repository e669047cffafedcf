"""The arrows of a picture, from the opening to the drop or the reset. Nothing is drawn that no fact states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.endings import dropped, reset
from bot.happened import Arrow, Known, Stand, clean, is_drop, is_reset, packet, row
from bot.openings import answer, handshake, opening
from bot.wording import TAGS
from knowledge.clause import Value, plain


def timeline(known: Known) -> tuple[Arrow, ...]:
    """Give the arrows in the order of time; none of them if nothing that happened is known."""
    parts = (_setting, opening, answer, handshake, _traffic, _end, _silence, _entry, _events, _last, _after)
    arrows = tuple(arrow for part in parts for arrow in part(known))
    return arrows if any(one.origin != "unknown" for one in arrows) else ()


_SETTING: Mapping[tuple[str, Value], tuple[Stand | None, str]] = {
    ("route.hairpin", True): (None, "client and server are behind the same translation, or are one host"),
    ("firewall.syn_proxy", True): ("firewall", "SYN cookies, a SYN proxy or flood thresholds stand in front"),
    ("scope.table_full", True): ("firewall", "the connection table is full or nearly so"),
    ("firewall.standby_logged", True): ("firewall", "the standby node of a cluster logged it"),
    ("route.nat_ports_full", True): (None, "the translation runs out of ports"),
}
"""What held before anything happened."""
_EVENTS: Mapping[tuple[str, Value], tuple[Stand | None, str]] = {
    ("scope.same_port_again", True): ("client", "the same source port is used again within two minutes"),
    ("client.gave_up", True): ("client", "the client gave up"),
    ("client.security_software", True): ("client", "security software on the client is in between"),
    ("balancer.target_healthy", False): ("between", "the balancer's target is not healthy or not registered"),
    ("server.limit_reached", True): (None, "a limit on connections or rate is reached"),
    ("app.plain_on_tls_port", True): (None, "one side speaks TLS and the other does not"),
}
"""What happened before the drop or the reset, and where."""
_SAID: Mapping[str, tuple[Stand, str, tuple[Value, ...]]] = {
    "timing.after_event": ("firewall", "", ("none",)),
    "firewall.verdict": ("firewall", "a security log: ", ("none",)),
    "server.log": ("server", "the server's log: ", ("nothing",)),
    "server.reset_reason": ("server", "the server's kernel: ", ()),
}
"""Features whose every choice is an event: where, how it begins, and the choices that are none."""


def _setting(known: Known) -> Iterator[Arrow]:
    yield from _listed(known, _SETTING)


def _events(known: Known) -> Iterator[Arrow]:
    yield from _listed(known, _EVENTS)
    for feature, (at, begin, none) in _SAID.items():
        if feature in known.facts and known.value(feature) not in none:
            yield known.arrow(row("event", begin + known.choice(feature), at), feature)


def _listed(known: Known, table: Mapping[tuple[str, Value], tuple[Stand | None, str]]) -> Iterator[Arrow]:
    for (feature, value), (at, label) in table.items():
        if known.value(feature) == value:
            yield known.arrow(row("event", label, at), feature)


_PHASES = {
    "after-first-data": "the first data, or none yet",
    "mid-transfer": "data: in the middle of a transfer",
    "after-complete": "everything had been exchanged",
}


def _traffic(known: Known) -> Iterator[Arrow]:
    phase = str(known.value("reset.phase")) if is_reset(known) else ""
    if phase in _PHASES:
        yield known.arrow(row("exchange", _PHASES[phase]), "reset.phase")
    elif known.value("timing.worked") == "then-broke":
        yield known.arrow(row("exchange", "data: it worked"), "timing.worked")
    sent = known.value("session.server_bytes")
    if sent == "none" and phase != "answer-to-syn":
        yield known.arrow(packet("no data from the server", "server", "client", "missing"), "session.server_bytes")
    elif sent in ("small", "normal"):
        label = "only a little data" if sent == "small" else "the usual amount of data"
        yield known.arrow(packet(label, "server", "client"), "session.server_bytes")
    yield from _lost(known)


def _lost(known: Known) -> Iterator[Arrow]:
    if known.value("path.large_packets_fail"):
        large = replace(row("exchange", "large packets do not pass, small ones do"), fate="lost")
        yield known.arrow(large, "path.large_packets_fail")
    lost = known.value("path.lost_direction")
    ways: tuple[tuple[Stand, Stand], ...] = (("client", "server"), ("server", "client"))
    for start, end in ways:
        if lost in (f"to-{end}", "both"):
            label = f"packets lost on the way to the {end}"
            yield known.arrow(packet(label, start, end, "lost"), "path.lost_direction")
    if known.value("timing.unanswered_probes"):
        probes = replace(row("exchange", "keepalives or retransmissions: no answer"), fate="lost")
        yield known.arrow(probes, "timing.unanswered_probes")


_CLOSED = {"fin": "FIN: closed in good order", "rst": "RST: it was reset"}


def _end(known: Known) -> Iterator[Arrow]:
    """Draw how the connection, or one half of it, had ended before the last packet."""
    closed, first = known.value("session.closed_before"), known.value("server.closes_first")
    if closed in _CLOSED and not (closed == "fin" and first):
        yield known.arrow(row("exchange", _CLOSED[str(closed)]), "session.closed_before")
    elif first:
        yield known.arrow(packet("FIN: the server closes first", "server", "client"),
                          "server.closes_first", *(["session.closed_before"] if closed == "fin" else []))  # fmt: skip
    elif known.value("session.half_closed"):
        yield _half_closed(known)
    elif is_reset(known) and known.value("reset.phase") == "after-fin":
        open_ = replace(packet("FIN: one side had closed", None, None), way="unknown", because="which side is open")
        yield known.arrow(open_, "reset.phase")
    if known.value("log.event") == "closed" and closed is None:
        yield known.arrow(row("exchange", "an orderly end"), "log.event")


def _half_closed(known: Known) -> Arrow:
    """Draw the FIN of a half-close: it came from the side that is not the one which still sends data."""
    fin = packet("FIN: one side had closed", None, None)
    if is_drop(known) and known.value("packet.payload") and known.sender:
        side: Stand = "client" if known.sender[0] == "server" else "server"
        far: Stand = "server" if side == "client" else "client"
        because = f"from the {side}: inferred, as the {far} still sends data"
        return known.arrow(replace(fin, start=side, end=far, way="inferred", because=because), "session.half_closed")
    return known.arrow(replace(fin, way="unknown", because="which side is open"), "session.half_closed")


_OWN, _OTHER = "timing.idle_is_own_timer", "timing.idle_is_other_timer"


def _silence(known: Known) -> Iterator[Arrow]:
    idle = known.value("timing.idle_s")
    after_idle = is_reset(known) and known.value("reset.phase") == "after-idle"
    if isinstance(idle, float) and idle > 0:
        until = "drop" if is_drop(known) else "reset" if is_reset(known) else "end"
        silence = row("silence", f"silence of {plain(idle)} s before the {until}")
        timers = [one for one in (_OWN, _OTHER) if known.value(one)]
        which = {_OWN: "it matches an idle timer of this device", _OTHER: f"it matches {_timers(known)}"}
        matched = "; ".join(f"{which[one]} ({TAGS[known.facts[one].kind]})" for one in timers[:1])
        yield known.arrow(replace(silence, because=matched), "timing.idle_s")
    elif after_idle or known.value("session.closed_before") == "idle-timeout":
        feature = "reset.phase" if after_idle else "session.closed_before"
        yield known.arrow(row("silence", "silence, its length is not known"), feature)


def _timers(known: Known) -> str:
    named = known.value("timing.matching_timers")
    return f"the timer of {clean(str(named), 60)}" if named else "an idle timer of another kind of device"


_REMOVED = {"idle-timeout": "after silence", "handshake-timeout": "with the handshake unfinished"}


def _entry(known: Known) -> Iterator[Arrow]:
    """Draw the end of the firewall's entry, and the time since the connection ended."""
    closed = known.value("session.closed_before")
    event = known.value("log.event")
    feature = "session.closed_before" if closed else "log.event"
    how = str(closed or event)
    if how in _REMOVED and (closed or known.value("log.stands") != "host"):
        yield known.arrow(row("event", f"the entry is removed {_REMOVED[how]}", "firewall"), feature)
    since = known.value("session.since_end_s")
    if isinstance(since, float):
        yield known.arrow(row("silence", f"{plain(since)} s after the end"), "session.since_end_s")


def _last(known: Known) -> Iterator[Arrow]:
    if is_drop(known):
        yield dropped(known)
    elif is_reset(known):
        yield reset(known)


def _after(known: Known) -> Iterator[Arrow]:
    if known.value("reset.data_after"):
        yield known.arrow(packet("data of the server, after the reset", "server", "client"), "reset.data_after")
    if known.value("reset.loop"):
        label = "resets and ACKs answer each other without end"
        yield known.arrow(row("exchange", label), "reset.loop")
