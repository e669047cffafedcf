"""Find the two ends in free text: addresses, and ports that are surely theirs. A port in doubt is none."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.pattern import Match, pattern

_HEX = r"[0-9A-Fa-f]{1,4}"
_IPV4 = r"(?:[\dxX*]{1,3}\.){3}(?:[\dxX]{1,3}\b|\*{1,3})"
_IPV6 = rf"(?:(?:{_HEX}:){{7}}{_HEX}|{_HEX}(?::{_HEX}){{0,6}}::{_HEX}(?::{_HEX}){{0,6}})\b"
_IP = rf"\[?\b(?:{_IPV4}|{_IPV6})\]?"
_SAYS_PORT = r",?\s{1,3}\(?(?:tcp )?(?:(?:src|dst|source|destination) )?port[ :=]{1,3}"
_OWN_PORT = rf"(?:(?P<sign>[:#./(]|{_SAYS_PORT})(?P<port>\d{{1,5}})\b\)?)?"
_HOST_AND_PORT = r"\b(?P<host>[A-Za-z][\w-]*[\d.][\w.-]*):(?P<host_port>\d{2,5})\b"
"""A host's name is known by the port behind it, and by a digit or a dot inside: `db1:1521`, not `rule:12`."""
_END = rf"(?:(?P<ip>{_IP}){_OWN_PORT}|{_HOST_AND_PORT})"

_WHAT = r"(?:[ _-]?(?:addr(?:ess|s)?|ip|host))?[ \t:=]{1,3}\"?"
_WHO = r"(?:the |our |an? )?(?:(?:remote|local|server|client|host|peer|address|ip|source|destination) ?){0,2}\(?"
_FROM = rf"(?i)(?:\b(?:(?:src|source|saddr){_WHAT}|from {_WHO})|(?:<-|<=|\x{{2190}}) ?){_END}"
_TO_WORD = rf"(?:(?:dst|dest|destination|daddr){_WHAT}|dial tcp |(?:to|towards|against) {_WHO})"
_TO = rf"(?i)(?:\b{_TO_WORD}|(?:->|=>|\s>|\x{{2192}}) ?){_END}"  # a bare > ends tags and prompts too

_SIGN = r"[ \t:=]{1,3}\"?"
_FROM_PORT = rf"(?i)\b(?:(?:src|source)[ _-]?port|s_port|sport|spt|from (?:tcp )?port){_SIGN}(?P<port>\d{{1,5}})\b"
_NEXT = r"(?:[,;)\"]|\.?$|\.\s|\s\s|\s(?:tcp|proto|flags?|rule|src|dst|s_port|source|destination)\w*)"
_TO_PORT = [
    rf"(?i)\b(?:(?:dst|dest|destination)[ _-]?port|d_port|dport|dpt|to (?:tcp )?port){_SIGN}(?P<port>\d{{1,5}})\b",
    rf"(?i)\bservice(?:[:=] ?| )\"?(?:tcp[ _/-]?)?(?P<port>\d{{2,5}}){_NEXT}",
]


class Text:
    """A line of which parts are taken one after the other; what is taken becomes blanks, so that places stay."""

    def __init__(self, line: str) -> None:
        self.rest = line

    def take(self, text: str, upto: str | None = None) -> Match | None:
        """Take what a pattern finds first: all of it, or only up to the end of a group."""
        match = pattern(text).search(self.rest)
        if match is not None:
            last = (match.group(upto) or "") if upto else ""
            end = self.rest.index(last, match.start()) + len(last) if upto else match.end()
            self.blank(match.start(), end)
        return match

    def blank(self, start: int, end: int) -> None:
        """Take what stands there."""
        self.rest = self.rest[:start] + " " * (end - start) + self.rest[end:]


def take_ends(line: Text) -> dict[str, str]:
    """Give src, src_port, dst and dst_port as far as the text names them; what has no label comes source first."""
    found = dict(_labelled_ports(line))
    whole, line.rest = line.rest, _without_networks(line.rest)
    left = line.rest
    for name, text in (("src", _FROM), ("dst", _TO)):
        if match := line.take(text):
            _note(found, name, match)
    for name in ("src", "dst"):
        if name not in found and (match := line.take(_END)):
            _note(found, name, match)
    line.rest = "".join(one if now == before else " " for one, before, now in zip(whole, left, line.rest, strict=True))
    return found


_NETWORK = r"\b(?:\d{1,3}\.){3}0/(?:[12]?\d|3[0-2])\b"


def _without_networks(rest: str) -> str:
    """Hide networks, which are no ends; what is hidden is not taken."""
    line = Text(rest)
    for match in pattern(_NETWORK).finditer(rest):
        line.blank(match.start(), match.end())
    return line.rest


def _labelled_ports(line: Text) -> Iterator[tuple[str, str]]:
    for name, texts in (("src_port", [_FROM_PORT]), ("dst_port", _TO_PORT)):
        match = next(filter(None, (line.take(text, upto="port") for text in texts)), None)
        if match:
            yield name, match.group("port") or ""


def _note(found: dict[str, str], name: str, match: Match) -> None:
    found[name] = match.group("ip") or match.group("host") or ""
    port = match.group("port") or match.group("host_port")
    if port and not _is_prefix(match.group("sign"), port):
        found.setdefault(f"{name}_port", port)


_LONGEST_PREFIX = 128


def _is_prefix(sign: str | None, number: str) -> bool:
    """`10.1.1.0/24` is a network, and `10.1.1.5/22` may be: a small number behind a slash is no port."""
    return sign == "/" and int(number) <= _LONGEST_PREFIX


_GOES_ON = (
    "after|and|at|but|by|for|from|in|of|once|over|since|then|to|via|when|while|with"
    "|immediately|instantly|right|every|always|only|behind|through|gets?|is|was"
)
_NUMBER_ENDS = rf"(?:[,;)]|\.?$|\.\s|\s\s|\s(?:{_GOES_ON})\b)"
_SEVERAL = r"(?i)\bports?[ :=]{1,2}\d{1,5}\s?(?:/|-|and|or|to|->|>)\s?\d{1,5}\b|\bports[ :=]{1,2}\d{1,5}, ?\d{1,5}\b"
_PORT = [
    r"(?i)\bports?[ :=]{1,2}(?P<port>\d{1,5})\b",
    r"(?i)\b(?P<port>\d{1,5})/tcp\b",
    rf"(?i)(?:\btcp[ /:]|\bon |\bto |(?:^|[\s*]):)(?P<port>\d{{2,5}}){_NUMBER_ENDS}",
]


def take_port(line: Text, found: dict[str, str], *, from_server: bool) -> None:
    """Note the one port that is named beside the ends, if it is clear whose it is. It is the server's port."""
    if pattern(_SEVERAL).search(line.rest):
        return
    named = {match.group("port") for text in _PORT for match in pattern(text).finditer(line.rest)}
    name = "src_port" if from_server else "port"
    lone = "src" in found and "dst" not in found
    if len(named) != 1 or name in found or (name == "port" and ("dst_port" in found or lone)):
        return
    for text in _PORT:
        if match := line.take(text, upto="port"):
            found.setdefault(name, match.group("port") or "")
