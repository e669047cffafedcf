"""New messages in a channel: Slack takes about one a second of them, and a few more at once."""

from __future__ import annotations

import time
from collections.abc import Callable

RATE = 1.0
"""New messages a second in one channel."""
BURST = 4
"""New messages at once in a channel that was quiet."""
_MANY = 10_000


class Pacing:
    """When the next message may be posted, for each channel. Other processes pace themselves."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._full: dict[str, float] = {}

    def wait(self, channel: str) -> float:
        """Take a turn, and give 0; or give the seconds until there is one."""
        now = self._now()
        full = max(self._full.get(channel, now), now)
        early = full - now - (BURST - 1) / RATE
        if early > 0:
            return early
        if len(self._full) >= _MANY:
            self._full = {name: at for name, at in self._full.items() if at > now}
        self._full[channel] = full + 1 / RATE
        return 0.0
