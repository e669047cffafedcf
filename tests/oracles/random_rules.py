"""Random rules, and random cases for them: every shape of clause, values at the very boundaries, chains of inferences.

Two inferences never state different values of one feature in one case: as on the shelf, they look at different values
of a third feature.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from knowledge.clause import Bounds, Clause, Value
from rules.rule import Rule

WORDS = (
    "SA",
    "PA",
    "yes",
    "true",
    "1800",
    'a "quoted" word',
    "back\\slash",
    "it's",
    "é",
    "with space",
    "{brace}",
    "[x]",
)
BOUNDS = (-40.0, -0.5, 0.0, 1.0, 59.999, 60.0, 350.0, 1800.0, 3600.0, 86400.0)
FAR = (-0.0, 1e-05, -1e-07, 5e-324, 1e16, 1.5e16, 1e300, -1e300, 123456789.123456789)


@dataclass(frozen=True)
class RuleBase:
    """Rules beside the values that each feature can have."""

    rules: tuple[Rule, ...]
    values: Mapping[str, Sequence[Value]]


def seeded(seed: object) -> Random:
    """Give the same chance each time."""
    return Random(str(seed))  # noqa: S311  (cases must repeat)


def rule_base(seed: object, features: int, rules: int) -> RuleBase:
    """Make rules over some features: a quarter infer, and what they infer is looked at by others."""
    chance = seeded(seed)
    values = {f"feature.{number}": _values(chance, number) for number in range(features)}
    targets = {name: _by_selector(chance, name, values) for name in chance.sample(sorted(values), features // 3)}
    made = [_inference(chance, f"inference/{n}", targets, values) for n in range(rules // 4)]
    made += [Rule(f"cause/{n}", _clauses(chance, values, chance.randint(1, 4))) for n in range(rules - len(made))]
    return RuleBase(tuple(made), values)


def cases(base: RuleBase, seed: object, count: int) -> Iterator[dict[str, Value]]:
    """Draw facts: few or many features, some that no rule knows."""
    chance = seeded(seed)
    names = [*sorted(base.values), "unknown.feature"]
    for _ in range(count):
        chosen = chance.sample(names, min(len(names), chance.choice((0, 1, 3, 6, 10, 15))))
        yield {name: chance.choice(base.values.get(name, ("x", True, 1.0))) for name in chosen}


def near(bound: float) -> list[Value]:
    """Give a number and its neighbours, down to the nearest that can be told apart."""
    return [math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf), bound - 1.0, bound + 1.0]


def _values(chance: Random, number: int) -> Sequence[Value]:
    kind = number % 3
    if kind == 0:
        return (True, False)
    if kind == 1:
        return tuple(chance.sample(WORDS, chance.randint(2, 6)))
    return (*itertools.chain.from_iterable(near(bound) for bound in chance.sample(BOUNDS, 5)), *FAR)


Selector = tuple[str, Mapping[Value, Value]]


def _by_selector(chance: Random, target: str, values: Mapping[str, Sequence[Value]]) -> Selector:
    """Choose a feature whose value decides which value the inferences of a target state."""
    numbers = [name for name in sorted(values) if isinstance(values[name][0], float)]
    selector = chance.choice([name for name in sorted(values) if name not in (target, *numbers)])
    return selector, {value: chance.choice(values[target]) for value in values[selector]}


def _inference(
    chance: Random, name: str, targets: Mapping[str, Selector], values: Mapping[str, Sequence[Value]]
) -> Rule:
    target = chance.choice(sorted(targets))
    selector, stated = targets[target]
    value = chance.choice(sorted(stated, key=str))
    others = {one: values[one] for one in values if one not in (target, selector)}
    clauses = [*_clauses(chance, others, chance.randint(0, 2)), Clause(selector, frozenset({value}))]
    return Rule(name, tuple(sorted(clauses, key=lambda clause: clause.feature)), (target, stated[value]))


def _clauses(chance: Random, values: Mapping[str, Sequence[Value]], count: int) -> tuple[Clause, ...]:
    names = sorted(chance.sample(sorted(values), count))
    return tuple(Clause(name, _test(chance, values[name])) for name in names)


def _test(chance: Random, values: Sequence[Value]) -> frozenset[Value] | Bounds:
    if not isinstance(values[0], float):
        return frozenset(chance.sample(values, min(len(values), chance.choice((1, 1, 1, 2, 3)))))
    low, high = sorted(chance.sample(BOUNDS, 2))
    return chance.choice(
        (
            Bounds(low, None),
            Bounds(low, None, strict=True),
            Bounds(None, high),
            Bounds(None, high, strict=True),
            Bounds(low, high),
            Bounds(low, high, strict=True),
            Bounds(low, low),
            frozenset({low}),
            frozenset({low, high}),
        )
    )
