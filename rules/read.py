"""Read a paste: each line goes to the dialect that recognises it and becomes a record, or is reported as unread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Value, typed
from knowledge.model import Dialect, Event, FieldRule, LineRule
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules import quantities
from rules.case import Amount, Endpoint, Record, Unread
from rules.clean import clean
from rules.codecs import Raw, decode
from rules.roles import End, Opener, opener_of
from rules.times import envelope_time, stated_time

LONGEST_LINE = 65_536
"""Characters; longer lines are reported, not read."""
MOST_LINES = 20_000
LARGEST_PASTE = 4_000_000
"""Characters."""


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
    wanted = [(number, text) for number, text in lines if text.strip("`> \t")]
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
    spellings = [text, text.replace("\t", " ")] if "\t" in text else [text]  # some chats turn blanks into tabs
    for fallback in (False, True):
        for spelling in spellings:
            for dialect in shelf.dialects.values():
                if dialect.fallback is fallback and pattern(dialect.recognise).search(spelling):
                    return dialect
    return None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line on its way to a record: its raw names, and its record fields, all still as texts."""

    number: int
    text: str
    dialect: Dialect
    raw: Raw
    fields: Mapping[str, str]
    transport: str | None

    def says(self, name: str) -> str | None:
        """Give a raw name's text or, where the line has no such raw name, that record field's."""
        return self.raw[name] if name in self.raw else self.fields.get(name)

    def fits(self, when: Mapping[str, str]) -> bool:
        """Tell whether each name has a text, and the whole of it matches its pattern."""
        return all((value := self.says(name)) is not None and _matches(text, value) for name, text in when.items())


def _matches(text: str, value: str) -> bool:
    return text == value or pattern(text).fullmatch(value) is not None


def _interpret(number: int, text: str, dialect: Dialect, raw: Raw, shelf: Shelf) -> Sequence[ReadLine | Unread]:
    line = _line_of(number, text, dialect, raw)
    rule = _rule_of(line)
    if rule is None or rule.event == "irrelevant":
        return [_irrelevant(line, rule)]
    left = raw.get("not understood")
    rest = [Unread(line=number, text=left, why=f"{dialect.title}: not understood")] if left else []
    return [_read_line(line, rule, shelf), *rest]


def line_rule(text: str, dialect: Dialect) -> LineRule | None:
    """Give the rule of a dialect that a line meets: with it, rules that no sample meets are found."""
    raw = decode(dialect, clean(text))
    return None if raw is None else _rule_of(_line_of(0, text, dialect, raw))


def _line_of(number: int, text: str, dialect: Dialect, raw: Raw) -> _Line:
    fields = {name: value for name in dialect.fields if (value := _field(dialect, name, raw)) is not None}
    return _Line(number, text, dialect, raw, fields, _transport(fields.get("transport") or dialect.transport))


def _rule_of(line: _Line) -> LineRule | None:
    return next((rule for rule in line.dialect.lines if _applies(rule, line)), None)


def _applies(rule: LineRule, line: _Line) -> bool:
    return (rule.any_transport or line.transport in (None, "tcp")) and line.fits(rule.when)


def _irrelevant(line: _Line, rule: LineRule | None) -> Unread:
    not_tcp = f"this is {line.transport}, not TCP" if line.transport not in (None, "tcp") else None
    why = (rule and rule.why) or not_tcp or "it says nothing about the life of a TCP connection"
    return Unread(line=line.number, text=line.text, why=f"{line.dialect.title}: {why}")


def _read_line(line: _Line, rule: LineRule, shelf: Shelf) -> ReadLine:
    flags = quantities.flags(line.fields.get("flags", "")[:200])
    source, destination = _endpoint(line.fields, "source"), _endpoint(line.fields, "destination")
    opener = opener_of(line.dialect, rule, flags, (source.port, destination.port))
    product = shelf.products.get(line.dialect.product)
    record = Record(
        line=line.number,
        dialect=line.dialect.id,
        vendor=product.vendor if product else "unknown",
        product=_named(line) or (product.product if product else "unknown"),
        event=_event(rule, opener.side if opener else None),
        time=_time(line) or envelope_time(line.text),
        source=source,
        destination=destination,
        transport=line.transport,
        flags=flags,
        reason=line.fields.get("reason"),
        action=line.fields.get("action"),
        duration_s=_seconds(line.fields, "duration_s"),
        bytes=_amount(line.fields, "bytes"),
        packets=_amount(line.fields, "packets"),
        rule=line.fields.get("rule"),
        id=line.fields.get("id"),
        raw=line.text,
    )
    stated = (*_stated_by_dialect(line, shelf), *_stated_by_event(line, rule, record), *_roles(record, opener))
    return ReadLine(record, line.dialect.product, stated, opener.side if opener else None)


def _field(dialect: Dialect, name: str, raw: Raw) -> str | None:
    where = dialect.fields[name]
    if not isinstance(where, FieldRule):
        return _first(where, raw)
    value = _first(where.raw, raw)
    return value if value is None else where.map.get(value, value)


_LONGEST_FIELD = 4096


def _first(names: str | Sequence[str], raw: Raw) -> str | None:
    """Give the first raw name that has a value; `date+time` joins two, and has one only if both do."""
    for name in [names] if isinstance(names, str) else names:
        parts = [raw.get(part) for part in name.split("+")] if "+" in name else [raw.get(name)]
        if all(parts):
            return " ".join(part for part in parts if part)[:_LONGEST_FIELD]
    return None


def _named(line: _Line) -> str | None:
    rule = line.dialect.names
    value = _first(rule.raw, line.raw) if rule else None
    return rule.map.get(value, value) if rule and value else None


def _time(line: _Line) -> str | None:
    rule = line.dialect.fields.get("time")
    value = line.fields.get("time")
    if value is None or not isinstance(rule, FieldRule):
        return None
    return stated_time(value, [rule.format] if isinstance(rule.format, str) else rule.format or ["iso"])


_TRANSPORTS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmp", "ipv6-icmp": "icmp", "icmp6": "icmp"}


def _transport(stated: str | None) -> str | None:
    text = (stated or "").strip().lower()
    return None if not text or quantities.masked(text) else _TRANSPORTS.get(text, text)


def _endpoint(fields: Mapping[str, str], end: End) -> Endpoint:
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


def _event(rule: LineRule, client: End | None) -> Event | None:
    match rule.event:
        case "irrelevant" | "opened":
            return None
        case "reset-by-someone":
            return "other"
        case "reset-by-source" | "reset-by-destination" as sender:
            return _reset_by(sender == f"reset-by-{client}") if client else "other"
        case event:
            return event


def _reset_by(is_client: bool) -> Event:
    return "reset-by-client" if is_client else "reset-by-server"


def _stated_by_dialect(line: _Line, shelf: Shelf) -> list[Stated]:
    """What the dialect's fact rules say of this line; of two rules about one feature the first one counts."""
    found: dict[str, Stated] = {}
    for rule in line.dialect.facts:
        if line.fits(rule.when):
            for name, value in rule.facts.items():
                found.setdefault(name, Stated(name, typed(shelf.features[name], value), rule.because))
    return list(found.values())


def _stated_by_event(line: _Line, rule: LineRule, record: Record) -> Iterator[Stated]:
    if rule.event.startswith("reset-by-") and record.event == "other":
        yield Stated("symptom", "reset", "the line reports a reset, without saying whose")
    if (idle := _seconds(line.fields, "idle_s")) is not None:
        yield Stated("timing.idle_s", idle, "the line says how long it was silent")


def _roles(record: Record, opener: Opener | None) -> Iterator[Stated]:
    if opener is None:
        return
    ends = (record.source, record.destination)
    client, server = ends if opener.side == "source" else reversed(ends)
    if client.ip:
        yield Stated("flow.client", client.ip, opener.because, opener.assumed)
    if server.ip:
        yield Stated("flow.server", server.ip, opener.because, opener.assumed)
    if server.port is not None:
        yield Stated("flow.service_port", float(server.port), opener.because, opener.assumed)
