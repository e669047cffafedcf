"""Read free text: what its phrases say, and the addresses, ports, flags, durations and circumstances among its words.

Whatever gave nothing is given back as `not understood`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.pattern import pattern
from rules.ends import Text, take_ends, take_port
from rules.quantities import SPOKEN, flags

_FLAG = r"(?:SYN|ACK|FIN|RST|PSH|PUSH|URG|ECE|CWR)"
_FLAGS = rf"{_FLAG}(?:[ ,+/-]{{1,2}}{_FLAG}){{0,7}}"
_LETTERS = r"(?-i:[AFRPSUEC.]{1,8})"
_CLOCK = r"(?:\b\d{4}-\d\d-\d\d[T ])?\b\d\d?:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\b"
_HOUR = r"\d{1,2}(?::\d\d)? ?(?:h|am|pm|o'clock)?"
_OF_DAY = rf"(?i)\b(?:between {_HOUR} and|from {_HOUR} (?:to|until|till)|at|until|till|since|before) {_HOUR}\b"
"""Hours of the day, which are no durations."""
_PAST = (
    rf"(?i)\b(?:(?:for|in|over|during|within|since) )?(?:the )?(?:last|past) {SPOKEN}\b"
    rf"|\b{SPOKEN} ago\b|\bsince {SPOKEN}\b"
)
"""How long there has been trouble, which is no connection's duration."""
_LASTED = (
    r"(?i)\b(?:after|within|in|at|for|of|last(?:s|ed|ing)?|lived?|duration|age|took|takes?)\b[ :=]{0,2}"
    rf"(?:(?:is|about|around|some|over|only|just|every|exactly|of) ){{0,2}}{SPOKEN}"
    rf"|\b{SPOKEN} (?:after|later|into|old|long)\b"
)
"""How a duration is led in where more is said around it."""
_SHORT = 8
"""So many words are a note, in which a bare duration is the connection's."""
_SILENT = r"(?:idle|idling|idleness|silen\w{1,3}|inactiv\w{1,4}|quiet|no traffic|without traffic)"
_ABOUT = r"(?:(?:for|of|after|since|time|about|around|some|over|more than|than) ){0,3}"

_HINTS: Mapping[str, Sequence[str]] = {
    "clock": [_CLOCK, _OF_DAY],
    "flags": [
        rf"(?i)(?:\bflags )?\[(?P<flags>{_FLAGS}|{_LETTERS})\]",
        rf"(?i)\b(?:tcp[ _-]?)?flags?[ :=]{{0,3}}(?P<flags>{_FLAGS}|{_LETTERS})\b",
        r"\bTCP:(?P<flags>[AFRPSUEC]{1,8})\b",
    ],
    "period": [rf"(?i)\bevery (?:about |few )?(?P<period>{SPOKEN}|\w*(?:day|night|week|month|hour|minute|second)s?)\b"],
    "idle_s": [
        rf"(?i)\b{_SILENT} {_ABOUT}(?P<idle_s>{SPOKEN})\b",
        rf"(?i)\b(?P<idle_s>{SPOKEN}) (?:of )?(?:being )?{_SILENT}\b",
    ],
    "past": [_PAST],
}
_LATER_HINTS: Mapping[str, Sequence[str]] = {
    "spoken": [rf"(?i)\b(?P<spoken>{SPOKEN})\b"],
    "idle": [rf"(?i)\b(?P<idle>{_SILENT})\b"],
}
_AFTER = (
    r"\b(?:(?:right|immediately|directly|just|shortly|straight|soon) )?after (?:(?:the|a|an|our|last|every|each) )?"
)
_BOX = r"(?:(?:firewall|fw|gateway|cluster|ha|device) )?"
_BEHIND = (
    r"\b(?:behind|through|via) (?:(?:a|an|the|our|aws|amazon|azure|gcp|google|cloud|internal|external|public) ){0,3}"
)
_OTHERS = (
    r" (?:of|on|by) (?:(?:the|our|a|an|its|this) )?(?:[\w-]+ ){0,2}"
    r"(?:servers?|clients?|app\w*|hosts?|databases?|db|services?|vms?|pods?)\b"
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A circumstance: what says it, what must not follow there, and what must not be said as well."""

    words: str
    unless_next: str = ""
    unless: Sequence[str] = field(default=())


_EVENTS = ("failover", "restart", "commit", "clear", "route_change")
_CIRCUMSTANCES: Mapping[str, _Said] = {
    "now_and_then": _Said(
        r"\b(?:every )?now and (?:then|again)\b|\bintermittent(?:ly)?\b|\bsporadic(?:ally)?\b|\boccasional(?:ly)?\b"
        r"|\bonce in a while\b|\bfrom time to time\b|\brandomly\b|\bnot (?:always|every time)\b"
        r"|n't (?:always|every time)\b"
    ),
    "hello": _Said(
        r"\bSSL_connect\b:?|\b(?:(?:right|immediately|directly|just|shortly|straight) )?"
        r"(?:after|on|upon|during|at|in) (?:the )?(?:(?:tls|ssl) )?(?:client ?hello|(?:tls|ssl) handshake)\b"
    ),
    "syn": _Said(
        rf"{_AFTER}(?:(?:first|initial|opening) )?syn\b"
        r"|\b(?:as an? |in )?(?:answer|reply|response) to (?:the |our |my )?syn\b",
        unless_next=r"[ /+-]?ack",
    ),
    "at_once": _Said(
        r"\b(?:immediately|instantly|at once|straight away|right away)\b",
        unless_next=r"\s*(?:after|when|once|upon|following|as|if|before)\b",
        unless=("spoken", "idle", "idle_s", "hello"),
    ),
    "under_load": _Said(
        r"\b(?:only|just) (?:happens |occurs |seen )?(?:(?:under|at|during|with|in) )(?:a |the )?"
        r"(?:heavy |high |peak |full )+(?:load|traffic|hours?|times?)\b"
        r"|\bonly (?:happens |occurs |seen )?under load\b|\bunder load only\b"
    ),
    "route_change": _Said(
        rf"{_AFTER}(?:(?:isp|wan|link|route|routing|bgp|ospf) )+(?:failover|change|flap|switch ?over)\b"
        rf"|{_AFTER}re-?routing\b"
    ),
    "failover": _Said(rf"{_AFTER}{_BOX}(?:fail[- ]?over|switch[- ]?over)s?\b", unless_next=_OTHERS),
    "restart": _Said(
        rf"{_AFTER}{_BOX}(?:reboot|reload)\b|{_AFTER}(?:firewall|fw|gateway) restart\b", unless_next=_OTHERS
    ),
    "commit": _Said(
        rf"{_AFTER}{_BOX}(?:(?:policy|rule ?base|rules) (?:install(?:ation)?|push))s?\b"
        rf"|{_AFTER}(?:policy|firewall|config\w*|panorama) commit\b"
        rf"|{_AFTER}(?:installing|pushing) (?:the |a )?policy\b"
    ),
    "clear": _Said(
        rf"{_AFTER}(?:clearing|flushing) (?:of )?(?:all |the )*"
        r"(?:sessions?|connections?|conns?|xlates?|states?)(?: tables?)?\b"
    ),
    "never_works": _Said(
        r"\balways fails?\b|\bfails? (?:always|every time|each time)\b"
        r"|\bevery (?:single )?(?:time|attempt)(?: fails)?\b"
        r"|\beach (?:time|attempt)(?: fails)?\b|\ball attempts fail\b"
        r"|\b(?:has |have )?never (?:yet )?work(?:s|ed)?\b",
        unless_next=r"\s*(?:i|we|you|he|she|it|they|the|an?|our|my|users?|some\w*|when|after|if|that|on)\b",
        unless=("spoken", "idle", "idle_s", "now_and_then", *_EVENTS),
    ),
    "load_balancer": _Said(
        rf"{_BEHIND}(?:(?:application|network|classic|elastic) )?"
        r"(?:load[- ]?balancers?|[aen]lb|lb|f5|big-?ip|haproxy|netscaler)\b"
    ),
    "nat": _Said(rf"{_BEHIND}(?:cg-?)?nat(?:[- ]?(?:gateway|gw|device|router))?\b"),
    "proxy": _Said(rf"{_BEHIND}(?:(?:reverse|forward|web) )?(?:proxy|waf|web application firewall|cloudflare)\b"),
}
"""Read in this order: what comes first is taken, and says that what it rules out is not so."""

_PRODUCTS: Mapping[str, str] = {
    "paloalto": r"\bpalo ?alto(?: networks)?\b|\bpan-?os\b|\bPA-\d{3,4}\b",
    "fortigate": r"\bforti(?:gates?|net|os)\b",
    "checkpoint": r"\bcheck ?point\b",
    "cisco-asa": r"\b(?:cisco )?(?:asav?|ftd|firepower)\b",
    "forcepoint": r"\bforcepoint(?: ngfw)?\b|\bstonesoft\b",
    "juniper-srx": r"\b(?:juniper )?v?srx\d*\b",
    "sonicwall": r"\bsonic ?wall\b",
    "sophos": r"\bsophos\b",
    "pfsense": r"\bpfsense\b|\bopnsense\b",
    "mikrotik": r"\bmikrotik\b",
    "linux": r"\bip6?tables\b|\bnftables\b|\bnetfilter\b",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Raw names and texts; the words behind those names that only some dialects use; and the words left over."""

    found: Mapping[str, str]
    said: Mapping[str, str]
    left: Sequence[str]


def read_words(phrases: Sequence[str], line: str) -> Words:
    """Give what the phrases and the hints find; each thing is taken once, the first time it is said."""
    text, found = Text(line), dict[str, str]()
    _take_all(text, phrases, found)
    found = {**take_ends(text), **found}
    _take_hints(text, _HINTS, found)
    take_port(text, found, from_server=_from_server(found))
    _take_hints(text, _LATER_HINTS, found)
    if "spoken" in found and (len(line.split()) <= _SHORT or pattern(_LASTED).search(line)):
        found.setdefault("idle_s" if "idle" in found else "duration", found["spoken"])
    said = {"period": f"every {found['period']}"} if "period" in found else {}
    said |= _circumstances(text, found)
    return Words({**said, **found}, said, _left(text.rest))


def _take_all(text: Text, patterns: Sequence[str], found: dict[str, str]) -> None:
    for one in patterns:
        match = text.take(one)
        for name, value in match.groupdict().items() if match else ():
            if value is not None:
                found.setdefault(name, value)


def _take_hints(text: Text, hints: Mapping[str, Sequence[str]], found: dict[str, str]) -> None:
    for name, patterns in hints.items():
        for one in patterns:
            if name not in found:
                _take_all(text, [one], found)


def _from_server(found: Mapping[str, str]) -> bool:
    """Tell whether the packet in question is a SYN+ACK: a port named beside it is the one it came from."""
    return {"SYN", "ACK"} <= set(flags((found.get("flags") or found.get("flags_2") or "")[:200]))


def _circumstances(text: Text, found: Mapping[str, str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for name, one in _CIRCUMSTANCES.items():
        match = pattern(f"(?i){one.words}").search(text.rest)
        known = found.keys() | said.keys()
        if match and not known & set(one.unless) and _alone(one, text.rest[: match.start()], text.rest[match.end() :]):
            said[name] = match.group() or ""
            text.blank(match.start(), match.end())
    return said | _product(text)


_NOT = r"(?i)(?:\b(?:not|no|never|without|nor)|n't)(?: \w+)?\s+$"


def _alone(one: _Said, before: str, behind: str) -> bool:
    """Tell whether nothing beside the words makes them mean something else."""
    if pattern(_NOT).search(before[-_NEAR:]):
        return False
    return not one.unless_next or pattern(f"(?i)^(?:{one.unless_next})").search(behind[:_NEAR]) is None


_NEAR = 80
"""Characters beside the words that are looked at."""


def _product(text: Text) -> dict[str, str]:
    """Give the one product that is named; of two, nobody knows which one it is about."""
    named = [(id_, match) for id_, one in _PRODUCTS.items() if (match := pattern(f"(?i){one}").search(text.rest))]
    if len(named) != 1:
        return {}
    id_, match = named[0]
    text.blank(match.start(), match.end())
    return {f"product.{id_}": match.group() or ""}


_SMALL = """
    a about after again all an and any are as at be but by for from get got had has have i in is it its just log message
    my no not of on only our over see seen some sometimes tcp that the then there they this to very was we were what
    when which why with packet packets connection connections session firewall firewalls saw seeing getting drop drops
    dropped dropping through says
"""
_SMALL_WORDS = frozenset(["", *_SMALL.split()])


def _left(rest: str) -> Sequence[str]:
    return [word for word in rest.split() if word.strip(".,;:!?()[]|\"'<>=-").lower() not in _SMALL_WORDS]
