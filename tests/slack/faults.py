"""What goes wrong on the way to Slack and back: planned answers, and a record of all calls."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.slack.shapes import Fields


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned answer. `done` says whether the call does its work before the answer is lost."""

    status: int = 200
    error: str = ""
    retry_after: int | None = None
    silent: bool = False
    cut: bool = False
    done: bool = False


DROPPED = Fault(cut=True)
"""The connection dies before Slack has done anything."""
LOST = Fault(cut=True, done=True)
"""Slack does it, and the connection dies before the answer arrives: a retry does it again."""
SILENT = Fault(silent=True)
"""No answer comes until the client has had enough."""


def failing(status: int = 500) -> Fault:
    """Plan a server error."""
    return Fault(status, "internal_error")


def rate_limited(after: int = 1) -> Fault:
    """Plan an answer 429 that asks to wait some seconds."""
    return Fault(429, "ratelimited", after)


def refusing(error: str) -> Fault:
    """Plan an answer with `ok: false`."""
    return Fault(error=error)


@dataclass(frozen=True)
class Call:
    """One call as it came. `answer` is None where the caller got none."""

    method: str
    args: Fields
    token: str
    at: float
    answer: Fields | None = None


@dataclass
class Faults:
    """Planned answers by method (`response_url` and `upload` too), the calls so far, and those done twice."""

    planned: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[Call] = field(default_factory=list)
    lost: list[Call] = field(default_factory=list)
    doubled: list[Call] = field(default_factory=list)

    def plan(self, method: str, *faults: Fault) -> None:
        """Plan the next answers of a method."""
        self.planned[method].extend(faults)

    def next(self, method: str) -> Fault | None:
        """Take the next planned answer."""
        return self.planned[method].popleft() if self.planned[method] else None

    def did(self, call: Call, *, lost: bool = False) -> None:
        """Remember a call that did its work; the same one again after a lost answer has done it twice."""
        if any((old.method, old.args, old.token) == (call.method, call.args, call.token) for old in self.lost):
            self.doubled.append(call)
        if lost:
            self.lost.append(call)

    def refused(self) -> list[Call]:
        """Give the calls that were answered with `ok: false`."""
        return [call for call in self.calls if call.answer and not call.answer.get("ok")]

    def of(self, method: str) -> list[Call]:
        """Give the calls of a method."""
        return [call for call in self.calls if call.method == method]
