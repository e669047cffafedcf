"""Which other causes may be at work beside the leading one: those with a strong sign that it does not explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rules.case import Beside, Hypothesis
from rules.weigh import STRONG

_OF_THE_SYMPTOM = frozenset(
    {"symptom", "log.event", "packet.flags", "reset.by", "server.embedded", "firewall.syn_proxy", "app.health_check"}
)
"""What was dropped, who reset, what the two ends are: no cause is needed beside the leading one for that."""
_MOST = 2
"""More causes at once are no explanation."""


def beside(leader: Hypothesis, others: Sequence[Hypothesis]) -> list[Beside]:
    """Find causes with a strong sign of their own, the likeliest first; what excludes one must be the leader's too.

    Shares add up to one, as if only one cause were at work; two that are at work together would hide each other.
    """
    explained = {*_OF_THE_SYMPTOM, *(name for finding in leader.for_ for name in finding.facts)}
    found: list[Beside] = []
    for one in others:
        found += _signs(one, explained)
        explained.update(*(sign.facts for sign in found))
    return found[:_MOST]


def _signs(one: Hypothesis, explained: set[str]) -> Iterator[Beside]:
    if any(finding.strength == "excludes" and not explained.issuperset(finding.facts) for finding in one.against):
        return
    for finding in one.for_:
        if finding.strength in STRONG and explained.isdisjoint(finding.facts):
            yield Beside(cause=one.cause, title=one.title, because=finding.because, facts=finding.facts)
            return
