"""Read what people and devices write for durations, flags, ports and addresses."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Sequence

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONG_UNITS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hr": 3600, "hour": 3600, "day": 86400}
_LONG = "|".join(f"{unit}s?" for unit in sorted(_LONG_UNITS, key=len, reverse=True))
_SHORT = "|".join(sorted(_UNITS, key=len, reverse=True))
_COUNT = r"\d{1,12}(?:\.\d{1,20})?"
_NUMBER_WORDS = {"half a": 0.5, "half an": 0.5, "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0}
_NUMBER_WORDS |= {"five": 5.0, "six": 6.0, "ten": 10.0, "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0}
_WORDS = "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
_ONE = rf"(?:{_COUNT}\s?-?(?:{_LONG}|{_SHORT})|(?:{_WORDS})[\s-](?:{_LONG}))"
SPOKEN = rf"{_ONE}(?:,?\s?(?:and\s)?{_ONE}){{0,3}}"
"""A duration as spoken: 3605s, 5 minutes, 1h 30m, an hour, half an hour. Also a pattern for RE2."""

_PART = re.compile(rf"\b(?:({_COUNT})\s?-?({_LONG}|{_SHORT})|({_WORDS})[\s-]({_LONG}))(?![a-z])", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2})(?:\.\d{1,6})?")

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_FLAG_WORD = re.compile(r"FIN|SYN|RST|RESET|PUSH|PSH|ACK|URG|ECE|ECN|CWR")
_FLAG_ALIASES = {"RESET": "RST", "PUSH": "PSH", "ECN": "ECE"}
_FLAG_LETTERS = dict(zip("FSRPAUEC.W", (*FLAGS, "ACK", "CWR"), strict=True))

_MASKED = re.compile(
    r"[x*#]{1,15}(?:[.:][x*#]{0,15}){0,8}|(?:[\dx*]{1,3}\.){3}[\dx*]{1,3}|[a-z](?:\.[a-z]){3}|<.{0,80}>|\{.{0,80}\}|\(.{0,80}\)"
    r"|n/a|none|null|unknown|redacted|masked|ip(?:[_ -]?addr(?:ess)?)?|-{1,3}",
    re.IGNORECASE,
)


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)


def seconds(text: str) -> float | None:
    """Read a duration: `3605`, `1:00:02`, `1h30m`, `about an hour`. None where there is none."""
    text = text.strip().lower()
    if re.fullmatch(_COUNT, text):
        return float(text)
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = (float(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + rest
    parts = _PART.findall(_apart(text))
    return sum(_spoken(*part) for part in parts) if parts else None


def _apart(text: str) -> str:
    """Put a space between `1d` and `2h` in `1d2h`, so that each unit ends at a word's end."""
    return re.sub(r"(?<=\d[smhd])(?=\d)", " ", text)


def _spoken(count: str, unit: str, word: str, long_unit: str) -> float:
    name = long_unit or unit
    scale = _UNITS[name] if name in _UNITS else _LONG_UNITS[name.rstrip("s")]
    return (_NUMBER_WORDS[word] if word else float(count)) * scale


def whole(text: str | None) -> int | None:
    """Read a count; None where the text is none."""
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdigit() else None


def port(text: str | None) -> int | None:
    """Read a port number; None for what is none, names included."""
    number = whole(text)
    return number if number is not None and number <= 65535 else None


def address(text: str | None) -> str | None:
    """Read an address or a host's name; None where it is missing or masked, even in part."""
    if not text:
        return None
    if _IPV4.fullmatch(text):  # nearly every address; the library takes ten times as long
        return text
    text = text.strip().strip('"').lstrip("[").rstrip("]")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None if not text or len(text) > 255 or masked(text) else text


def is_ip(text: str) -> bool:
    """Tell whether a text is an IP address, and no host's name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def masked(text: str) -> bool:
    """Tell whether a text only stands in for what was taken out, or says that there is nothing."""
    return _MASKED.fullmatch(text) is not None


def flags(text: str) -> list[str]:
    """Read flags however they are spelled: `SYN ACK`, `PUSH-ACK`, `[SA]`, `S.`, `...A..S.`, `0x12`. In header order."""
    upper = text.strip().upper()
    if upper.startswith("0X") and len(upper) <= 6:
        return _flags_of_bits(upper)
    words = _FLAG_WORD.findall(upper)
    found = {_FLAG_ALIASES.get(word, word) for word in words} if words else _flags_of_letters(upper.strip("[]() "))
    return [flag for flag in FLAGS if flag in found]


def _flags_of_letters(letters: str) -> set[str]:
    if letters.count(".") > 1:  # a dot for each flag that is not set; a single one is tcpdump's ACK
        letters = letters.replace(".", "")
    return {_FLAG_LETTERS[one] for one in letters} if set(letters) <= set(_FLAG_LETTERS) else set()


def _flags_of_bits(text: str) -> list[str]:
    try:
        bits = int(text, 16)
    except ValueError:
        return []
    return [flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1]


def flag_class(names: Sequence[str]) -> str:
    """Give the choice of the feature packet.flags that these flags belong to (RFC 9293 section 3.1)."""
    have = set(names)
    if not have or {"SYN", "FIN"} <= have or {"SYN", "RST"} <= have or ({"FIN", "URG"} <= have and "ACK" not in have):
        return "odd"
    if "SYN" in have:
        return "SA" if "ACK" in have else "S"
    if "RST" in have:
        return "R"
    if "FIN" in have:
        return "FA"
    if "ACK" in have:
        return "PA" if "PSH" in have else "A"
    return "odd"


def finite(number: float) -> bool:
    """Tell whether a number may enter a case."""
    return math.isfinite(number)
