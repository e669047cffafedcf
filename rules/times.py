"""Times as lines state them: full ones become ISO 8601; what is missing stays missing (--05-28T08:00:41, T08:00:41)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from knowledge.pattern import PatternSet, pattern

_ISO = r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d\b"
_EPOCHS = {"epoch": 1.0, "epoch-ms": 1e3, "epoch-us": 1e6, "epoch-ns": 1e9}
_LATEST_EPOCH = 4_102_444_800  # the year 2100
_NO_YEAR = 1904  # a leap year, so that 29 February can be read
_NO_DATE = 1900  # strptime's own, where a format names no date
_US = r"\b\d{1,2}/\d{1,2}/\d{4},? \d{1,2}:\d\d:\d\d ?[AP]M\b"
_TIME_OF_DAY = r"^\W{0,3}(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)\s"
_SLASHED = r"\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\b"
_STAMP = rf"(?:{_BSD}|\b\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?)"
_HOST = rf"{_STAMP} (?P<host>[A-Za-z0-9][\w.-]{{0,63}}) "
_WORDS = frozenset(("kernel", "firewall", "id", "info", "warning", "error", "local", "date", "CEF", "LEEF"))
_ZONE = re.compile(r"GMT|UTC|[A-Z]{1,4}[SD]T|CET|EET|WET|MSK|BST|\d+", re.ASCII)
"""Names of time zones, and bare numbers (a database writes that of its thread there): neither is a host."""
_DAY = 86_400.0
_HALF_A_YEAR = 180 * _DAY


def stated_time(text: str, formats: Sequence[str]) -> str | None:
    """Read a time in one of the formats (strptime's, or iso, epoch, epoch-ms, epoch-us, epoch-ns)."""
    for form in formats:
        try:
            moment = _read(text.strip()[:64], form)
        except (ValueError, OverflowError):
            continue
        return written(moment)
    return None


def envelope_time(line: str) -> str | None:
    """Find a time near the beginning of a line, where syslog puts it."""
    head = line[:120]
    for place in _ANY_STYLE.matching(head)[:1]:
        form, styles = _STYLES[place]
        match = pattern(form).search(head)
        text = (match.group() if match else None) or ""
        return stated_time(text if styles == ["iso"] else " ".join(text.replace(",", "").split()), styles)
    if found := pattern(_TIME_OF_DAY).found(head):
        return stated_time(found["time"][:15], ["%H:%M:%S.%f", "%H:%M:%S"])
    return None


_STYLES = (
    (_ISO, ["iso"]),
    (_BSD, ["bsd"]),
    (_SLASHED, ["%Y/%m/%d %H:%M:%S"]),
    (_US, ["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S%p"]),
)
_ANY_STYLE = PatternSet([form for form, _ in _STYLES])


def envelope_host(line: str) -> str | None:
    """Find the name of the device that logged, where syslog puts it: right behind the time."""
    found = pattern(_HOST).found(line[:160])
    return found["host"] if found and found["host"] not in _WORDS and not _ZONE.fullmatch(found["host"]) else None


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: at for at, name in enumerate(_NAMES, start=1)}
_BSD_PARTS = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2})(?: (\d{4}))? (\d\d):(\d\d):(\d\d)", re.ASCII)


def _bsd(text: str) -> datetime:
    """Read syslog's time; strptime takes ten times as long."""
    parts = _BSD_PARTS.fullmatch(text)
    if parts is None or parts[1] not in _MONTHS:
        raise ValueError(text)
    year, month, day = int(parts[3] or _NO_YEAR), _MONTHS[parts[1]], int(parts[2])
    return datetime(year, month, day, int(parts[4]), int(parts[5]), int(parts[6]))  # noqa: DTZ001 - it states no zone


def _read(text: str, form: str) -> datetime:
    if form == "bsd":
        return _bsd(text)
    if form == "%Y/%m/%d %H:%M:%S" and len(text) == len("2024/03/03 10:15:54"):
        return datetime.fromisoformat(text.replace("/", "-"))
    if form == "iso":
        return datetime.fromisoformat(text)
    if form in _EPOCHS:
        seconds = float(text) / _EPOCHS[form]
        if not 0 < seconds < _LATEST_EPOCH:
            raise ValueError(text)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if "%Y" in form or "%y" in form:
        moment = datetime.strptime(text, form)
        return moment.replace(tzinfo=UTC) if form.endswith(("GMT", "UTC")) else moment
    if not any(part in form for part in ("%d", "%j", "%x", "%c")):
        return datetime.strptime(text, form)
    return datetime.strptime(f"{_NO_YEAR} {text}", f"%Y {form}")


def written(moment: datetime) -> str:
    """Write a time; a missing year or date as ISO 8601 writes it."""
    if moment.year == _NO_DATE:
        return "T" + moment.time().isoformat()
    text = moment.isoformat().replace("+00:00", "Z")
    return "-" + text[4:] if moment.year == _NO_YEAR else text


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Give the seconds from one stated time to another; None where they cannot be compared.

    A year that only one of the two states is taken for both, and a turn of the year or of the day between two that
    state none is seen. A time with a zone and one without cannot be compared.
    """
    if earlier is None or later is None or earlier.startswith("T") != later.startswith("T"):
        return None
    begin, end = _moment(earlier), _moment(later)
    if (begin.tzinfo is None) != (end.tzinfo is None):
        return None
    if _NO_YEAR in (begin.year, end.year) and begin.year != end.year:
        begin, end = _in_year(begin, end.year), _in_year(end, begin.year)
    gap = (end - begin).total_seconds()
    if earlier.startswith("T") and gap < -_DAY / 2:
        return gap + _DAY
    if earlier.startswith("--") and later.startswith("--") and gap < -_HALF_A_YEAR:
        return gap + 366 * _DAY
    return gap


def _in_year(moment: datetime, year: int) -> datetime:
    if moment.year != _NO_YEAR:
        return moment
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=year, day=day)


def _moment(text: str) -> datetime:
    if text.startswith("T"):
        return datetime.fromisoformat(f"{_NO_DATE}-01-01{text}")
    return datetime.fromisoformat(f"{_NO_YEAR}{text[1:]}" if text.startswith("--") else text)
