"""The only place that knows numbers: strengths and priors as log-odds, probabilities as words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.model import Cause, Prior, Strength
from rules.case import Finding, Standing


@dataclass(frozen=True, slots=True)
class Weights:
    """What the words of an entry change the odds by, as factors (docs/weighing.md says how they were found)."""

    shows: float = 200.0
    points_to: float = 20.0
    supports: float = 4.0
    weakens: float = 4.0
    excludes: float = 100.0
    uncommon: float = 2.0
    rare: float = 4.0

    def log_odds(self, strength: Strength) -> float:
        """Give the natural logarithm of odds that a finding of this strength adds."""
        factors = {"shows": self.shows, "points to": self.points_to, "supports": self.supports}
        against = {"weakens": self.weakens, "excludes": self.excludes}
        return math.log(factors[strength]) if strength in factors else -math.log(against[strength])

    def prior(self, prior: Prior) -> float:
        """Give the natural logarithm of odds with which a cause starts."""
        return -math.log({"common": 1.0, "uncommon": self.uncommon, "rare": self.rare}[prior])


WEIGHTS = Weights()

FOR: frozenset[Strength] = frozenset({"shows", "points to", "supports"})
"""The strengths that speak for a cause; the others speak against it."""
STRONG: frozenset[Strength] = frozenset({"shows", "points to"})

ESTABLISHED = 0.9
LIKELY = 0.5
POSSIBLE = 0.1


def weigh(
    causes: Sequence[Cause], findings: Mapping[str, Sequence[Finding]], weights: Weights = WEIGHTS
) -> list[float]:
    """Give the probability of each cause, summing to 1: its prior and the log-odds of its findings, compared."""
    return shares(
        [
            weights.prior(cause.prior) + sum(weights.log_odds(one.strength) for one in findings.get(cause.id, ()))
            for cause in causes
        ]
    )


def shares(scores: Sequence[float]) -> list[float]:
    """Turn scores (natural logarithms) into shares that sum to 1."""
    top = max(scores, default=0.0)
    odds = [math.exp(score - top) for score in scores]
    total = math.fsum(odds)
    return [one / total for one in odds]


def standing(probability: float, findings: Iterable[Finding]) -> Standing:
    """Give the word for a probability. Established takes what shows it, or two that point to it; excluded takes one."""
    strengths = [finding.strength for finding in findings]
    if "excludes" in strengths and probability < LIKELY:
        return "excluded"
    if probability >= ESTABLISHED and ("shows" in strengths or strengths.count("points to") >= 2):
        return "established"
    if probability >= LIKELY and not FOR.isdisjoint(strengths):
        return "likely"
    return "possible" if probability >= POSSIBLE else "unlikely"
