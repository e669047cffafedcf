"""A clock for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class Clock:
    """A clock that stands still until it is set: `time` is what stores ask for, `seconds` are those since it began."""

    time: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    seconds: float = 0.0

    def __call__(self) -> datetime:
        """Give the time."""
        return self.time
