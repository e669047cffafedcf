"""The only place that knows numbers: strengths and priors as log-odds, probabilities as words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from knowledge.model import Cause, Prior, Strength
from rules.case import Finding, Standing

LOG_ODDS: Mapping[Strength, float] = {
    "points to": math.log(10),
    "supports": math.log(3),
    "weakens": -math.log(3),
    "excludes": -math.log(1000),
}
"""Natural logarithms of odds; start values by expert judgement (docs/weighing.md), to be tuned on real cases."""

PRIORS: Mapping[Prior, float] = {"common": 0.0, "uncommon": -math.log(3), "rare": -math.log(10)}

ESTABLISHED = 0.9
LIKELY = 0.5
POSSIBLE = 0.1


def weigh(causes: Sequence[Cause], findings: Mapping[str, Sequence[Finding]]) -> list[float]:
    """Give the probability of each cause, summing to 1: its prior and the log-odds of its findings, compared."""
    return shares(
        [
            PRIORS[cause.prior] + sum(LOG_ODDS[finding.strength] for finding in findings.get(cause.id, ()))
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
    """Give the word for a probability. Established takes two strong findings, or more; excluded takes one."""
    strengths = [finding.strength for finding in findings]
    if "excludes" in strengths and probability < LIKELY:
        return "excluded"
    if probability >= ESTABLISHED and strengths.count("points to") >= 2:
        return "established"
    if probability >= LIKELY and {"points to", "supports"} & set(strengths):
        return "likely"
    return "possible" if probability >= POSSIBLE else "unlikely"
