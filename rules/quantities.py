"""Read what people and devices write for durations, flags, ports and addresses."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Sequence

_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60}
_UNITS |= {"h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400}
_UNIT_WORDS = "|".join(sorted((f"{unit}s?" for unit in _UNITS), key=len, reverse=True))
_COUNT = r"\d{1,12}(?:\.\d{1,6})?"
_NUMBER_WORDS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
_NUMBER_WORDS |= {"half a": 0.5, "half an": 0.5, "ten": 10.0, "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0}
_WORDS = "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
SPOKEN = rf"(?:{_COUNT}|{_WORDS})\s*-?(?:{_UNIT_WORDS})"
"""A duration as spoken: 3605s, 5 minutes, an hour, half an hour. Also a pattern for RE2."""

_SPOKEN = re.compile(rf"({_COUNT}|{_WORDS})\s*-?({_UNIT_WORDS})", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2})(?:\.\d{1,6})?")
_DAYS_CLOCK = re.compile(r"(\d{1,4})d(\d{1,2})h(?:(\d{1,2})m)?(?:(\d{1,2})s)?")

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_FLAG_WORD = re.compile(r"FIN|SYN|RST|RESET|PUSH|PSH|ACK|URG|ECE|ECN|CWR")
_FLAG_ALIASES = {"RESET": "RST", "PUSH": "PSH", "ECN": "ECE"}
_FLAG_LETTERS = dict(zip("FSRPAUEC.W", (*FLAGS, "ACK", "CWR"), strict=True))

_MASKED = re.compile(
    r"(?i)[x*]{1,5}(?:[.:][x*]{0,5}){0,8}|[a-d]\.[a-d]\.[a-d]\.[a-d]|[<{(\[].{0,80}[>})\]]|n/a|none|null|unknown|-{1,3}|\d*x[x\d]*"
)


def seconds(text: str) -> float | None:
    """Read a duration: `3605`, `1:00:02`, `1h`, `about an hour`. None where there is none."""
    text = text.strip().lower()
    if re.fullmatch(_COUNT, text):
        return float(text)
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = (float(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + rest
    if days := _DAYS_CLOCK.fullmatch(text):
        return sum(float(part or 0) * unit for part, unit in zip(days.groups(), (86400, 3600, 60, 1), strict=True))
    parts = _SPOKEN.findall(text)
    return sum(_spoken(count, unit) for count, unit in parts) if parts else None


def _spoken(count: str, unit: str) -> float:
    number = _NUMBER_WORDS.get(count.lower())
    return (float(count) if number is None else number) * _UNITS.get(unit, _UNITS.get(unit.rstrip("s"), 1))


def whole(text: str | None) -> int | None:
    """Read a count; None where the text is none."""
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdigit() else None


def port(text: str | None) -> int | None:
    """Read a port number; None for what is none, names included."""
    number = whole(text)
    return number if number is not None and number <= 65535 else None


def address(text: str | None) -> str | None:
    """Read an address or a host's name; None where it is missing or masked."""
    text = (text or "").strip().strip('"').lstrip("[").rstrip("]")
    if not text or len(text) > 255 or _MASKED.fullmatch(text):
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def flags(text: str) -> list[str]:
    """Read flags however they are spelled: `SYN ACK`, `PUSH-ACK`, `[SA]`, `S.`, `0x12`. In the order of the header."""
    upper = text.strip().upper()
    if upper.startswith("0X") and len(upper) <= 6:
        return _flags_of_bits(upper)
    words = _FLAG_WORD.findall(upper)
    if words:
        found = {_FLAG_ALIASES.get(word, word) for word in words}
    else:
        letters = upper.strip("[]() ")
        found = {_FLAG_LETTERS[one] for one in letters} if set(letters) <= set(_FLAG_LETTERS) else set()
    return [flag for flag in FLAGS if flag in found]


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
