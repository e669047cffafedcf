"""Read a paste: each line goes to the dialect that recognises it and becomes a record, or is reported as unread."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.clause import Value, typed
from knowledge.model import Dialect, Event, FactRule, FieldRule, LineRule
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules import quantities
from rules.case import Amount, Endpoint, Record, Unread
from rules.codecs import Raw, decode
from rules.times import envelope_time, stated_time

LONGEST_LINE = 65_536
"""Characters; longer lines are reported, not read."""
MOST_LINES = 20_000
LARGEST_PASTE = 4_000_000
"""Characters."""

End = Literal["source", "destination"]


class PasteTooLarge(ValueError):
    """A paste beyond what is read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact that a line states, with the reason that makes it one, and whether that reason is an assumption."""

    feature: str
    value: Value
    because: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A record beside what it states in our features."""

    record: Record
    product: str
    stated: tuple[Stated, ...]
    client: End | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a paste gave."""

    lines: tuple[ReadLine, ...]
    unread: tuple[Unread, ...]


def read(paste: str, shelf: Shelf) -> Reading:
    """Read all lines of a paste. Raises PasteTooLarge beyond the limits."""
    if len(paste) > LARGEST_PASTE:
        raise PasteTooLarge(
            f"the paste has {len(paste):,} characters; whydrop reads up to {LARGEST_PASTE:,}. "
            "Paste the lines around the drop or the reset, or only those with its addresses."
        )
    lines = [(number, clean(text)) for number, text in enumerate(paste.splitlines(), start=1)]
    wanted = [(number, text) for number, text in lines if text.strip("` \t")]
    if len(wanted) > MOST_LINES:
        raise PasteTooLarge(
            f"the paste has {len(wanted):,} lines; whydrop reads up to {MOST_LINES:,}. "
            "Filter it by the addresses and ports in question first."
        )
    results = [read_line(number, text, shelf) for number, text in wanted]
    return Reading(
        tuple(result for results_ in results for result in results_ if isinstance(result, ReadLine)),
        tuple(result for results_ in results for result in results_ if isinstance(result, Unread)),
    )


_SMART = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\ufeff": ""})
_CONTROLS = {10: " "} | dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#[xX][0-9A-Fa-f]{1,5});")


def clean(text: str) -> str:
    """Undo what chats and mails do to a line; show what cannot be shown as U+FFFD (controls, lone surrogates)."""
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    text = text.translate(_SMART).translate(_CONTROLS)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def read_line(number: int, text: str, shelf: Shelf) -> Sequence[ReadLine | Unread]:
    """Read one line; usually one result, two where free text left words over."""
    if len(text) > LONGEST_LINE:
        why = f"the line has {len(text):,} characters; a log line has at most {LONGEST_LINE:,}"
        return [Unread(line=number, text=text[:200], why=why)]
    dialect = recognise(text, shelf)
    if dialect is None:
        return [Unread(line=number, text=text, why="no dialect recognises this line")]
    raw = decode(dialect, text)
    if raw is None:
        return [Unread(line=number, text=text, why=f"{dialect.title}: the line breaks off or is written differently")]
    return _interpret(number, text, dialect, raw, shelf)


def recognise(text: str, shelf: Shelf) -> Dialect | None:
    """Find the dialect of a line; those marked as fallback only if no other knows it."""
    for fallback in (False, True):
        for dialect in shelf.dialects.values():
            if dialect.fallback is fallback and pattern(dialect.recognise).search(text):
                return dialect
    return None


def _interpret(number: int, text: str, dialect: Dialect, raw: Raw, shelf: Shelf) -> Sequence[ReadLine | Unread]:
    transport = _transport(dialect, raw)
    rule = next((rule for rule in dialect.lines if _fits(dialect, rule, raw, transport)), None)
    if rule is None or rule.event == "irrelevant":
        not_tcp = f"this is {transport}, not TCP" if transport not in (None, "tcp") else None
        why = (rule and rule.why) or not_tcp or "it says nothing about the life of a TCP connection"
        return [Unread(line=number, text=text, why=f"{dialect.title}: {why}")]
    line = _read_line(number, text, dialect, raw, rule, transport, shelf)
    left = raw.get("not understood")
    return [line, Unread(line=number, text=left, why=f"{dialect.title}: not understood")] if left else [line]


def _fits(dialect: Dialect, rule: LineRule | FactRule, raw: Raw, transport: str | None) -> bool:
    if isinstance(rule, LineRule) and not rule.any_transport and transport not in (None, "tcp"):
        return False
    return all(_is(_value(dialect, name, raw), text) for name, text in rule.when.items())


def _is(value: str | None, text: str) -> bool:
    return value is not None and pattern(text).fullmatch(value) is not None


def _value(dialect: Dialect, name: str, raw: Raw) -> str | None:
    """Give a raw name's text or, where the line has no such raw name, that record field's."""
    return raw[name] if name in raw else _field(dialect, name, raw) if name in dialect.fields else None


def _read_line(
    number: int, text: str, dialect: Dialect, raw: Raw, rule: LineRule, transport: str | None, shelf: Shelf
) -> ReadLine:
    fields = {name: value for name in dialect.fields if (value := _field(dialect, name, raw)) is not None}
    flags = quantities.flags(fields.get("flags", "")[:200])
    ends = {end: _endpoint(fields, end) for end in ("source", "destination")}
    client = _client(dialect, rule, flags, ends)
    product = shelf.products.get(dialect.product)
    record = Record(
        line=number,
        dialect=dialect.id,
        vendor=product.vendor if product else "unknown",
        product=_named(dialect, raw) or (product.product if product else "unknown"),
        event=_event(rule, client and client[0]),
        time=_time(dialect, raw) or envelope_time(text),
        source=ends["source"],
        destination=ends["destination"],
        transport=transport,
        flags=flags,
        reason=fields.get("reason"),
        action=fields.get("action"),
        duration_s=_seconds(fields, "duration_s"),
        bytes=_amount(fields, "bytes"),
        packets=_amount(fields, "packets"),
        rule=fields.get("rule"),
        id=fields.get("id"),
        raw=text,
    )
    stated = tuple(_stated(dialect, raw, rule, record, fields, client, shelf))
    return ReadLine(record, dialect.product, stated, client[0] if client else None)


def _field(dialect: Dialect, name: str, raw: Raw) -> str | None:
    where = dialect.fields[name]
    rule = where if isinstance(where, FieldRule) else FieldRule(raw=where)
    value = _first(rule, raw)
    return rule.map.get(value, value) if value is not None else None


def _first(rule: FieldRule, raw: Raw) -> str | None:
    """Give the first raw name that has a value; `date+time` joins two, and has one only if both do."""
    for name in [rule.raw] if isinstance(rule.raw, str) else rule.raw:
        parts = [raw.get(part, "") for part in name.split("+")]
        if all(parts):
            return " ".join(parts)[:4096]
    return None


def _named(dialect: Dialect, raw: Raw) -> str | None:
    value = _first(dialect.names, raw) if dialect.names else None
    return dialect.names.map.get(value, value) if dialect.names and value else None


def _time(dialect: Dialect, raw: Raw) -> str | None:
    rule = dialect.fields.get("time")
    if not isinstance(rule, FieldRule):
        return None
    value = _first(rule, raw)
    formats = [rule.format] if isinstance(rule.format, str) else rule.format or ["iso"]
    return stated_time(value, formats) if value else None


_TRANSPORTS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmp", "ipv6-icmp": "icmp", "icmp6": "icmp"}


def _transport(dialect: Dialect, raw: Raw) -> str | None:
    stated = _field(dialect, "transport", raw) if "transport" in dialect.fields else None
    text = (stated or dialect.transport or "").strip().lower()
    return None if not text or quantities.masked(text) else _TRANSPORTS.get(text, text)


def _endpoint(fields: Mapping[str, str], end: str) -> Endpoint:
    return Endpoint(
        ip=quantities.address(fields.get(f"{end}.ip")),
        port=quantities.port(fields.get(f"{end}.port")),
        zone=fields.get(f"{end}.zone"),
        interface=fields.get(f"{end}.interface"),
    )


def _amount(fields: Mapping[str, str], what: str) -> Amount:
    return Amount(
        sent=quantities.whole(fields.get(f"{what}.sent")), received=quantities.whole(fields.get(f"{what}.received"))
    )


def _seconds(fields: Mapping[str, str], name: str) -> float | None:
    return quantities.seconds(fields[name]) if name in fields else None


def _client(
    dialect: Dialect, rule: LineRule, flags: Sequence[str], ends: Mapping[str, Endpoint]
) -> tuple[End, str, bool] | None:
    """Decide which end opened the connection: its side, why, and whether that is assumed."""
    if side := rule.client or dialect.client:
        return side, dialect.client_because or f"{dialect.title} names the two ends in this order", False
    if {"SYN", "ACK"} <= set(flags):
        return "destination", "a SYN+ACK comes from the server", False
    return _client_by_ports(ends["source"].port, ends["destination"].port)


_LOWEST_EPHEMERAL = 1024


def _client_by_ports(source: int | None, destination: int | None) -> tuple[End, str, bool] | None:
    """Assume that the service port is the server's: below 1024, or clearly the lower of the two, or the only one."""
    if source is None or destination is None:
        return _client_by_one_port(source, destination)
    low, high = sorted((source, destination))
    if low == high or (low >= _LOWEST_EPHEMERAL and high < 2 * low):
        return None
    return ("destination" if source == low else "source"), f"{low} looks like the service port", True


def _client_by_one_port(source: int | None, destination: int | None) -> tuple[End, str, bool] | None:
    if destination is not None:
        return "source", f"{destination} is the only port that is named, and the destination's", True
    if source is not None and source < _LOWEST_EPHEMERAL:
        return "destination", f"{source} looks like the service port", True
    return None


def _event(rule: LineRule, client: End | None) -> Event | None:
    if rule.event in ("irrelevant", "opened"):
        return None
    if rule.event == "reset-by-someone":
        return "other"
    if rule.event in ("reset-by-source", "reset-by-destination"):
        if client is None:
            return "other"
        return "reset-by-client" if rule.event == f"reset-by-{client}" else "reset-by-server"
    return rule.event


def _stated(
    dialect: Dialect,
    raw: Raw,
    rule: LineRule,
    record: Record,
    fields: Mapping[str, str],
    client: tuple[End, str, bool] | None,
    shelf: Shelf,
) -> list[Stated]:
    facts = _stated_by_rules(dialect, raw, shelf)
    if rule.event.startswith("reset-by-") and record.event == "other":
        facts.append(Stated("symptom", "reset", "the line reports a reset, without saying whose"))
    if (idle := _seconds(fields, "idle_s")) is not None:
        facts.append(Stated("timing.idle_s", idle, "the line says how long it was silent"))
    return facts + _roles(record, client)


def _stated_by_rules(dialect: Dialect, raw: Raw, shelf: Shelf) -> list[Stated]:
    """What the dialect's fact rules say of this line; of two rules about one feature the first one counts."""
    found: dict[str, Stated] = {}
    for rule in dialect.facts:
        if _fits(dialect, rule, raw, None):
            for name, value in rule.facts.items():
                found.setdefault(name, Stated(name, typed(shelf.features[name], value), rule.because))
    return list(found.values())


def _roles(record: Record, client: tuple[End, str, bool] | None) -> list[Stated]:
    if client is None:
        return []
    side, because, assumed = client
    ends = (record.source, record.destination) if side == "source" else (record.destination, record.source)
    facts = [
        Stated(name, end.ip, because, assumed)
        for name, end in zip(("flow.client", "flow.server"), ends, strict=True)
        if end.ip
    ]
    port = ends[1].port
    return facts if port is None else [*facts, Stated("flow.service_port", float(port), because, assumed)]
