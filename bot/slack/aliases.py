"""Names that stand for addresses in a shared thread, the same all along a case: `client-1`, `server-1`, `fw-a`.

They are put into the diagnosis itself, before it becomes sentences, a picture or an export, so that no face can show
what was hidden, not even a part of it that was cut off.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from bot.case_events import CaseEvent, Outcome, Pasted
from bot.casebook import Consulted
from rules.case import Diagnosis, Endpoint, Record

Role = Literal["client", "server", "host", "fw"]

_IPV4 = r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])"
_IPV6 = r"(?<![0-9A-Za-z:])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{2,39}(?:(?:\.[0-9]{1,3}){3})?"
_ADDRESS = re.compile(f"{_IPV6}|{_IPV4}")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_KNOWN_ENDS = "com|net|org|io|dev|cloud|local|internal|intranet|lan|corp|home|arpa|example|test|invalid|de|eu|uk|fr|us"
_HOST = re.compile(
    rf"(?<![\w@./-])(?:{_LABEL}\.){{1,8}}(?:{_KNOWN_ENDS})(?![\w-])|(?<![\w@./-])(?:{_LABEL}\.){{2,8}}[A-Za-z]{{2,24}}(?![\w-])"
)
_EPHEMERAL = 32768
"""From this port on, and where the other end's is below it, an end is taken for the client."""
_SERVICE = 1024


@dataclass(frozen=True, slots=True)
class Alias:
    """What stands for what."""

    alias: str
    raw: str


@dataclass(frozen=True)
class Aliases:
    """All that is hidden in a case. `addresses` by their shortest way of writing, `names` as they were pasted."""

    addresses: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def listed(self) -> list[Alias]:
        """List them in the order in which they appeared."""
        return [Alias(alias, raw) for raw, alias in [*self.addresses.items(), *self.names.items()]]

    def hide(self, text: str) -> str:
        """Put aliases in the place of addresses, however they are written."""
        return _ADDRESS.sub(lambda found: _replaced(found.group(), self.addresses), text) if self.addresses else text

    def hide_all(self, text: str) -> str:
        """Put aliases in the place of addresses and of names: for what was pasted, or is made of it."""
        if self._named:
            text = self._named.sub(lambda found: self.names[found.group().lower()], text)
        return self.hide(text)

    @cached_property
    def _named(self) -> re.Pattern[str] | None:
        if not self.names:
            return None
        names = sorted(self.names, key=len, reverse=True)
        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])", re.IGNORECASE)


def aliases_of(consulted: Consulted) -> Aliases:
    """Name everything in a case by the order of its appearance; what is pasted later changes no name given before."""
    events = [one.event for one in consulted.kept.events]
    last = next((one.paste for one in reversed(events) if isinstance(one, Pasted)), "")
    addresses: dict[str, str] = {}
    names: dict[str, str] = {}
    given: dict[Role, int] = {}
    for event in events:
        match event:
            case Pasted():
                text, told = event.paste, _known_then(event.paste, last, consulted.diagnosis.records)
            case Outcome():
                text, told = event.note, []
            case _:
                continue
        roles = _roles(told)
        for found in _found([text, *_stated(told)]):
            if found not in addresses:
                addresses[found] = _next(roles.get(found, "host"), given)
        for name, role in _names(told, text):
            if name.lower() not in names and not _canonical(name):
                names[name.lower()] = _next(role, given)
    return Aliases(addresses, names)


def _known_then(paste: str, last: str, records: Sequence[Record]) -> Sequence[Record]:
    """Give the records of a paste that the last one begins with; of any other, those of the last."""
    if not f"{last}\n".startswith(paste.rstrip("\n") + "\n"):
        return records
    lines = paste.count("\n") + 1
    return [one for one in records if one.line <= lines]


def aliased(consulted: Consulted, aliases: Aliases) -> Consulted:
    """Give the case as everybody may see it."""
    if not aliases.addresses and not aliases.names:
        return consulted
    events = tuple(replace(one, event=_event(one.event, aliases)) for one in consulted.kept.events)
    return Consulted(replace(consulted.kept, events=events), _diagnosis(consulted.diagnosis, aliases))


def _event(event: CaseEvent, aliases: Aliases) -> CaseEvent:
    match event:
        case Pasted():
            return event.model_copy(update={"paste": aliases.hide_all(event.paste)})
        case Outcome():
            return event.model_copy(update={"note": aliases.hide_all(event.note)})
    return event


_OURS = frozenset({"sources", "knowledge", "choices"})
"""Parts of a diagnosis that have nothing of the case in them."""
_ENDS = frozenset({"packet.source", "packet.destination", "flow.client", "flow.server"})
"""Features whose values are addresses or names."""
_THEIRS = frozenset({"records", "unread", "command", "origin"})
"""Parts in which names stand for nothing but what was pasted; elsewhere a device called `reset` is just a word."""
_IDS = frozenset({"dialect", "vendor", "product", "event", "cause", "feature", "clue", "kind", "strength", "facts"})


def _diagnosis(diagnosis: Diagnosis, aliases: Aliases) -> Diagnosis:
    told = diagnosis.model_dump(mode="python", by_alias=True)
    return Diagnosis.model_validate({name: _hidden(name, value, aliases, False) for name, value in told.items()})


def _hidden(name: str, value: Any, aliases: Aliases, theirs: bool) -> Any:
    if name in _OURS or (name in _IDS and not isinstance(value, (dict, list))):
        return value
    theirs = theirs or name in _THEIRS
    match value:
        case str():
            return aliases.hide_all(value) if theirs else aliases.hide(value)
        case dict():
            theirs = theirs or value.get("feature") in _ENDS
            return {one: _hidden(one, inner, aliases, theirs) for one, inner in value.items()}
        case list():
            return [_hidden("", inner, aliases, theirs) for inner in value]
    return value


def _next(role: Role, given: dict[Role, int]) -> str:
    given[role] = number = given.get(role, 0) + 1
    return f"{role}-{_letters(number) if role == 'fw' else number}"


def _letters(number: int) -> str:
    """Count as a, b, ... z, aa, ab."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("a") + rest) + name
    return name


def _found(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for found in _ADDRESS.finditer(text):
            yield from (address for address, _ in _read(found.group()))


def _replaced(found: str, addresses: Mapping[str, str]) -> str:
    for address, rest in _read(found):
        if alias := addresses.get(address):
            return alias + rest
    return found


def _read(found: str) -> Iterator[tuple[str, str]]:
    """Read an address, and give what of the text is behind it; nothing where there is none."""
    text = found
    while text:
        if address := _canonical(text):
            yield address, found[len(text) :]
            return
        shorter = text[: max(text.rfind(":"), text.rfind("."))] if re.search("[:.]", text) else ""
        text = shorter if ":" in text else ""


def _canonical(text: str) -> str:
    try:
        return str(ipaddress.ip_address(".".join(str(int(part)) for part in text.split("."))))
    except ValueError:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return ""


def _ends(record: Record) -> tuple[Endpoint, Endpoint]:
    return record.source, record.destination


def _stated(records: Sequence[Record]) -> Iterator[str]:
    """Give addresses that stand in records; they may be written otherwise in the line, or decoded from it."""
    for record in records:
        for end in _ends(record):
            yield from (text for text in (end.ip, end.translated_ip) if text)


def _roles(records: Sequence[Record]) -> dict[str, Role]:
    """Tell clients from servers by their ports alone, which no later answer changes."""
    roles: dict[str, Role] = {}
    for record in records:
        source, destination = _ends(record)
        if source.port is None or destination.port is None or source.port == destination.port:
            continue
        low, high = sorted((source, destination), key=lambda end: end.port or 0)
        if (low.port or 0) < _SERVICE <= (high.port or 0) or (low.port or 0) < _EPHEMERAL <= (high.port or 0):
            sides: list[tuple[Endpoint, Role]] = [(high, "client"), (low, "server")]
            for end, role in sides:
                for text in (end.ip, end.translated_ip):
                    roles.setdefault(_canonical(text or ""), role)
    return roles


def _names(records: Sequence[Record], paste: str) -> Iterator[tuple[str, Role]]:
    """Give the names of devices and hosts, first those of records."""
    for record in records:
        if record.device and record.device.strip():
            yield record.device.strip(), "fw"
        for text in _stated([record]):
            if not _canonical(text) and re.search("[A-Za-z]", text):
                yield text, "host"
    yield from ((found.group(), "host") for found in _HOST.finditer(paste))
