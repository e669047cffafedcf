"""Times as lines state them: full ones become ISO 8601; a year that is missing stays missing (--05-28T08:00:41)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from knowledge.pattern import pattern

_ISO = r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d\b"
_EPOCHS = {"epoch": 1.0, "epoch-ms": 1e3, "epoch-us": 1e6, "epoch-ns": 1e9}
_LATEST_EPOCH = 4_102_444_800  # the year 2100
_NO_YEAR = 1904  # a leap year, so that 29 February can be read


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
    if match := pattern(_ISO).search(head):
        return stated_time(match.group() or "", ["iso"])
    if match := pattern(_BSD).search(head):
        text = " ".join((match.group() or "").split())
        return stated_time(text, ["%b %d %Y %H:%M:%S", "%b %d %H:%M:%S"])
    return None


def _read(text: str, form: str) -> datetime:
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
    return datetime.strptime(f"{_NO_YEAR} {text}", f"%Y {form}")


def written(moment: datetime) -> str:
    """Write a time; the missing year as ISO 8601 writes it."""
    text = moment.isoformat().replace("+00:00", "Z")
    return "-" + text[4:] if moment.year == _NO_YEAR else text


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Give the seconds from one stated time to another; None unless both are stated in the same manner."""
    if earlier is None or later is None or earlier.startswith("--") != later.startswith("--"):
        return None
    begin, end = _moment(earlier), _moment(later)
    if (begin.tzinfo is None) != (end.tzinfo is None):
        return None
    return (end - begin).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{_NO_YEAR}{text[1:]}" if text.startswith("--") else text)
