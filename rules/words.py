"""Read free text: what its phrases say, and the addresses, ports, flags and durations among its words.

Whatever gave nothing is given back as `not understood`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.pattern import pattern
from rules.quantities import SPOKEN

_HEX = r"[0-9A-Fa-f]{1,4}"
_IPV4 = r"(?:[\dxX*]{1,3}\.){3}[\dxX*]{1,3}"
_IPV6 = rf"(?:{_HEX}:){{7}}{_HEX}|{_HEX}(?::{_HEX}){{0,6}}::(?:{_HEX}(?::{_HEX}){{0,6}})?"
_FLAG = r"(?:SYN|ACK|FIN|RST|PSH|PUSH|URG|ECE|CWR)"
_FLAGS = rf"{_FLAG}(?:[ ,+/-]{{1,2}}{_FLAG}){{0,7}}"
_LETTERS = r"(?-i:[AFRPSUEC.]{1,8})"
_GOES_ON = "after|and|at|but|by|for|from|in|of|once|over|since|then|to|via|when|while|with"
_NUMBER_ENDS = rf"(?:[,;)]|\.?$|\.\s|\s\s|\s(?:{_GOES_ON})\b)"
_CLOCK = r"(?:\b\d{4}-\d\d-\d\d[T ])?\b\d\d?:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\b"


def _address(end: str) -> str:
    return rf"\[?\b(?P<{end}>{_IPV4}|{_IPV6})\]?(?:[/:](?P<{end}_port>\d{{1,5}})\b)?"


_HINTS: Mapping[str, Sequence[str]] = {
    "clock": [_CLOCK],
    "src": [_address("src")],
    "dst": [_address("dst")],
    "period": [rf"(?i)\bevery (?:about |few )?(?P<period>{SPOKEN}|\w+)"],
    "port": [
        r"(?i)\bports?[ :=]{1,2}(?P<port>\d{1,5})\b",
        r"(?i)\b(?P<port>\d{1,5})/tcp\b",
        rf"(?i)(?:\btcp[ /:]|\bon |\bto |:)(?P<port>\d{{2,5}}){_NUMBER_ENDS}",
    ],
    "spoken": [rf"(?i)\b(?P<spoken>{SPOKEN})\b"],
    "flags": [
        rf"(?i)\[(?P<flags>{_FLAGS}|{_LETTERS})\]",
        rf"(?i)\b(?:tcp[ _-]?)?flags?[ :=]{{0,3}}(?P<flags>{_FLAGS}|{_LETTERS})\b",
        r"\bTCP:(?P<flags>[AFRPSUEC]{1,8})\b",
    ],
    "idle": [r"(?i)\b(?P<idle>idle|idling|silen\w{1,3}|inactiv\w{1,4}|quiet|no traffic|without traffic)\b"],
}
"""What is looked for, in this order: a time must not be taken for an address, nor an address's part for a port."""


def read_words(phrases: Sequence[str], line: str) -> dict[str, str]:
    """Give what the phrases and the hints find; each thing is taken once, the first time it is said."""
    found: dict[str, str] = {}
    rest = line
    for text in phrases:
        rest = _take(text, rest, found)
    for name, texts in _HINTS.items():
        for text in texts:
            rest = rest if name in found else _take(text, rest, found)
    if "spoken" in found:
        found["idle_s" if "idle" in found else "duration"] = found["spoken"]
    period = [f"every {found['period']}"] if "period" in found else []
    return found | {"not understood": " ".join([*_left(rest), *period])}


def _take(text: str, rest: str, found: dict[str, str]) -> str:
    """Note what a pattern finds first, and blank it out."""
    match = pattern(text).search(rest)
    if match is None:
        return rest
    for name, value in match.groupdict().items():
        if value is not None:
            found.setdefault(name, value)
    return rest[: match.start()] + " " * (match.end() - match.start()) + rest[match.end() :]


_SMALL = """
    a about after again all an and any are as at be but by for from get got had has have i in is it its just log message
    my no not of on only our over see seen some sometimes tcp that the then there they this to very was we were what
    when which why with packet packets connection connections session firewall firewalls saw seeing getting
"""
_SMALL_WORDS = frozenset(["", *_SMALL.split()])


def _left(rest: str) -> Sequence[str]:
    return [word for word in rest.split() if word.strip(".,;:!?()[]|\"'<>=-").lower() not in _SMALL_WORDS]
