"""Rules over facts to the fixpoint, as plainly as can be said: the first oracle of the engine.

It shares nothing with the engine but the shapes of rules: even the comparisons of a clause are written out again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from knowledge.clause import Bounds, Clause, Value
from rules.engine import Run
from rules.rule import Rule


def evaluate(rules: Sequence[Rule], facts: Mapping[str, Value]) -> Run:
    """Look at every rule again and again until nothing new follows. A fact that is given is never derived anew."""
    known = dict(facts)
    while True:
        fired = [rule for rule in rules if all(_meets(clause, known) for clause in rule.clauses)]
        new = dict(rule.then for rule in fired if rule.then and rule.then[0] not in known)
        if not new:
            break
        known |= new
    derived = {name: value for name, value in known.items() if name not in facts}
    return Run(frozenset(rule.name for rule in fired), derived)


def _meets(clause: Clause, known: Mapping[str, Value]) -> bool:
    if clause.feature not in known:
        return False
    value = known[clause.feature]
    if isinstance(clause.test, Bounds):
        return isinstance(value, float) and _inside(clause.test, value)
    return any(type(one) is type(value) and one == value for one in clause.test)


def _inside(bounds: Bounds, value: float) -> bool:
    low = -math.inf if bounds.low is None else bounds.low
    high = math.inf if bounds.high is None else bounds.high
    return low < value < high or (not bounds.strict and value in (low, high))
