"""From the raw names of a line to a record: fields, product, event, and what else the line states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clause import Value, typed
from knowledge.model import Dialect, Event, FactRule, FieldRule, LineEvent, LineRule, ProductRule, Stands
from knowledge.pattern import Choices
from knowledge.shelf import Shelf
from rules import quantities
from rules.case import Amount, Endpoint, Record, Unread
from rules.codecs import Raw
from rules.fields import LONGEST_FIELD, Field, Line, Tests, is_plain
from rules.gather import Logical
from rules.roles import End, Opener, opener_of
from rules.times import envelope_host, envelope_time, stated_time


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact that a line states, with the reason that makes it one, and whether that reason is an assumption."""

    feature: str
    value: Value
    because: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A record beside what it states in our features. `says` is what its dialect calls it, before roles are known."""

    record: Record
    product: str
    stands: Stands
    says: LineEvent
    stated: tuple[Stated, ...]
    client: End | None


@dataclass(frozen=True, slots=True)
class Used:
    """What of a dialect one record makes use of."""

    line: LineRule | None
    product: ProductRule | None
    fields: frozenset[str]


class Interpreter:
    """One dialect, made ready to turn raw names into records."""

    def __init__(self, dialect: Dialect, shelf: Shelf) -> None:
        self.dialect = dialect
        self._shelf = shelf
        rules: list[LineRule | FactRule | ProductRule] = [*dialect.lines, *dialect.facts, *dialect.products]
        whens = [rule.when for rule in rules]
        names = {name for when in whens for name in when}
        self._choices = {name: Choices([when[name] for when in whens if name in when]) for name in names}
        self._lines = [(rule, self._tests(rule.when)) for rule in dialect.lines]
        self._facts = [(rule, self._tests(rule.when)) for rule in dialect.facts]
        self._products = [(rule, self._tests(rule.when)) for rule in dialect.products]
        self._plain = [(name, where) for name, where in dialect.fields.items() if is_plain(where)]
        self._fields = [(name, Field.of(where)) for name, where in dialect.fields.items() if not is_plain(where)]

    def _tests(self, when: Mapping[str, str]) -> Tests:
        return [(name, text, self._choices[name]) for name, text in when.items()]

    def interpret(self, at: Logical, text: str, raw: Raw) -> Sequence[ReadLine | Unread]:
        """Give the record of a line, or why there is none; words that were not understood come back beside it."""
        line = self._line(at, text, raw)
        rule = self._rule(line)
        if rule is None or rule.event == "irrelevant":
            return [self._irrelevant(line, rule)]
        left = raw.get("not understood")
        rest = [Unread(line=at.first, text=left, why=f"{self.dialect.title}: not understood")] if left else []
        return [self._read(line, rule), *rest]

    def used(self, raw: Raw) -> Used:
        """Say what a record makes use of: with it, what no sample uses is found."""
        line = self._line(Logical(0, 0, ""), "", raw)
        return Used(self._rule(line), self._product(line), frozenset(line.fields))

    def _line(self, at: Logical, text: str, raw: Raw) -> Line:
        fields = {name: value[:LONGEST_FIELD] for name, where in self._plain if (value := raw.get(where))}
        for name, one in self._fields:
            if (value := one.text(raw)) is not None:
                fields[name] = value
        transport = _transport(fields.get("transport") or self.dialect.transport)
        return Line(at, text, raw, fields, transport)

    def _rule(self, line: Line) -> LineRule | None:
        tcp = line.transport in (None, "tcp")
        return next((rule for rule, tests in self._lines if (tcp or rule.any_transport) and line.fits(tests)), None)

    def _product(self, line: Line) -> ProductRule | None:
        return next((rule for rule, tests in self._products if line.fits(tests)), None)

    def _irrelevant(self, line: Line, rule: LineRule | None) -> Unread:
        not_tcp = f"this is {line.transport}, not TCP" if line.transport not in (None, "tcp") else None
        why = (rule and rule.why) or not_tcp or "it says nothing about the life of a TCP connection"
        return line.at.unread(f"{self.dialect.title}: {why}")

    def _read(self, line: Line, rule: LineRule) -> ReadLine:
        fields = line.fields
        flags = quantities.flags(fields["flags"][:200]) if "flags" in fields else []
        source, destination = _endpoint(fields, "source"), _endpoint(fields, "destination")
        opener = opener_of(self.dialect, rule, flags, (source.port, destination.port))
        id_ = chosen.product if (chosen := self._product(line)) else self.dialect.product
        product = self._shelf.products.get(id_)
        record = Record(
            line=line.at.first,
            last_line=line.at.last if line.at.last != line.at.first else None,
            dialect=self.dialect.id,
            vendor=product.vendor if product else "unknown",
            product=self._named(line) or (product.product if product else "unknown"),
            device=fields.get("device") or _around(envelope_host, line),
            event=event_of(rule.event, opener.side if opener else None),
            seen=rule.event if rule.event in ("opened", "packet") else None,
            time=self._time(line) or _around(envelope_time, line),
            source=source,
            destination=destination,
            transport=line.transport,
            flags=flags,
            reason=fields.get("reason"),
            action=fields.get("action"),
            duration_s=self._duration(line),
            bytes=_amount(fields, "bytes"),
            packets=_amount(fields, "packets"),
            ttl=quantities.whole(fields.get("ttl")),
            payload=quantities.whole(fields.get("payload")),
            rule=fields.get("rule"),
            id=fields.get("id"),
            cannot_say=self.dialect.cannot_say,
            raw=line.at.text,
        )
        stated = (*self._stated(line), *_stated_by_event(line, rule, record), *roles_of(record, opener))
        stands = product.stands if product else "firewall"
        return ReadLine(record, id_, stands, rule.event, stated, opener.side if opener else None)

    def _named(self, line: Line) -> str | None:
        rule = self.dialect.names
        return Field.of(rule).text(line.raw) if rule else None

    def _time(self, line: Line) -> str | None:
        rule = self.dialect.fields.get("time")
        value = line.fields.get("time")
        if value is None:
            return None
        form = rule.format if isinstance(rule, FieldRule) else None
        return stated_time(value, [form] if isinstance(form, str) else form or ["iso"])

    def _duration(self, line: Line) -> float | None:
        rule = self.dialect.fields.get("duration_s")
        if isinstance(rule, FieldRule) and rule.format == "ms":
            count = quantities.whole(line.fields.get("duration_s"))
            return None if count is None else count / 1000
        return _seconds(line.fields, "duration_s")

    def _stated(self, line: Line) -> list[Stated]:
        """What the fact rules say of this line; of two rules about one feature the first one counts."""
        found: dict[str, Stated] = {}
        for rule, tests in self._facts:
            if line.fits(tests):
                for one in self._statements(rule):
                    found.setdefault(one.feature, one)
        return list(found.values())

    def _statements(self, rule: FactRule) -> Iterator[Stated]:
        for name, value in rule.facts.items():
            yield Stated(name, typed(self._shelf.features[name], value), rule.because)


def _around(find: Callable[[str], str | None], line: Line) -> str | None:
    """Find what syslog puts before a message: in the line, or else in what it was packed in."""
    found = find(line.text)
    return find(line.at.text) if found is None and line.at.text != line.text else found


_TRANSPORTS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmp", "ipv6-icmp": "icmp", "icmp6": "icmp"}


def _transport(stated: str | None) -> str | None:
    text = (stated or "").strip().lower()
    return None if not text or quantities.masked(text) else _TRANSPORTS.get(text, text)


_END_FIELDS = {end: [f"{end}.{part}" for part in Endpoint.model_fields] for end in ("source", "destination")}


def _endpoint(fields: Mapping[str, str], end: End) -> Endpoint:
    ip, port, zone, interface, translated_ip, translated_port = map(fields.get, _END_FIELDS[end])
    address, number = quantities.address(ip), quantities.port(port)
    other = quantities.address(translated_ip), quantities.port(translated_port) or None
    same = other[0] in (address, None, *_NO_ADDRESS) and other[1] in (number, None)
    return Endpoint(
        ip=address,
        port=number,
        zone=zone,
        interface=interface,
        translated_ip=None if same or other[0] in _NO_ADDRESS else other[0],
        translated_port=None if same else other[1],
    )


_NO_ADDRESS = ("0.0.0.0", "::")
"""What products write, or the same address and port again, where nothing was translated."""


def _amount(fields: Mapping[str, str], what: str) -> Amount:
    sent, received = fields.get(f"{what}.sent"), fields.get(f"{what}.received")
    if sent is None and received is None:
        return _NOT_STATED
    return Amount(sent=quantities.whole(sent), received=quantities.whole(received))


_NOT_STATED = Amount(sent=None, received=None)


def _seconds(fields: Mapping[str, str], name: str) -> float | None:
    return quantities.seconds(fields[name]) if name in fields else None


def event_of(says: LineEvent, client: End | None) -> Event | None:
    """Give the event of what a dialect calls a line: a reset by one end needs to know which end the client is."""
    match says:
        case "irrelevant" | "opened" | "packet":
            return None
        case "reset-by-someone":
            return "other"
        case "reset-by-source" | "reset-by-destination" as sender:
            return _reset_by(sender == f"reset-by-{client}") if client else "other"
        case event:
            return event


def _reset_by(is_client: bool) -> Event:
    return "reset-by-client" if is_client else "reset-by-server"


def _stated_by_event(line: Line, rule: LineRule, record: Record) -> Iterator[Stated]:
    if rule.event.startswith("reset-by-") and record.event == "other":
        yield Stated("symptom", "reset", "the line reports a reset, without saying whose")
    if (idle := _seconds(line.fields, "idle_s")) is not None:
        yield Stated("timing.idle_s", idle, "the line says how long it was silent")


def roles_of(record: Record, opener: Opener | None) -> Iterator[Stated]:
    """State who client and server are, with the reason."""
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
