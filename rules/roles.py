"""Roles: which end of a line opened the connection, why we think so, and whether that is an assumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.model import Dialect, LineRule

End = Literal["source", "destination"]
_LOWEST_EPHEMERAL = 1024
_EPHEMERAL = 32768
"""Ports from here on are taken by clients of most systems (Linux; IANA begins at 49152)."""


@dataclass(frozen=True, slots=True)
class Opener:
    """The end that opened the connection, why we think so, and whether that is an assumption."""

    side: End
    because: str
    assumed: bool


def opener_of(
    dialect: Dialect, rule: LineRule, flags: Sequence[str], ports: tuple[int | None, int | None]
) -> Opener | None:
    """Decide who opened the connection: by the line's kind, by a SYN+ACK, or by the ports. None if nothing tells."""
    if side := rule.client or dialect.client:
        return Opener(side, dialect.client_because or f"{dialect.title} names the two ends in this order", False)
    if {"SYN", "ACK"} <= set(flags):
        return Opener("destination", "a SYN+ACK comes from the server", False)
    return _by_ports(*ports)


def _by_ports(source: int | None, destination: int | None) -> Opener | None:
    """Assume that the service port is the server's: below 1024, or clearly the lower of the two, or the only one."""
    if source is None or destination is None:
        return _by_one_port(source, destination)
    low, high = sorted((source, destination))
    if low == high or (low >= _LOWEST_EPHEMERAL and high < 2 * low):
        return None
    return Opener("destination" if source == low else "source", f"{low} looks like the service port", True)


def _by_one_port(source: int | None, destination: int | None) -> Opener | None:
    if destination is not None and destination < _EPHEMERAL:
        return Opener("source", f"{destination} is the only port that is named, so it is taken for the server's", True)
    if source is not None and source < _LOWEST_EPHEMERAL:
        return Opener("destination", f"{source} looks like the service port", True)
    return None
