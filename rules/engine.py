"""durable_rules, behind one function: facts in; rules that fired and facts that follow out.

What the engine (2.0.28) may and may not do was measured; each odd line below holds one of those limits:
no timer threads, no unmatched fact, constants only, one pattern a feature, a fresh session deleted at the end.
A session that never had an activation must not be deleted: its `context` is set up by the first one only
(createStateNode and deleteStateNode in its state.c), and freeing it aborts the process. So each session opens with one.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import durable_rules_engine as c_engine
from durable.engine import Host

from knowledge.clause import Bounds, Clause, Value
from rules.rule import Rule

_NAME = "whydrop"
_OPENING = "opening"
_MOST_CONDITIONS = 500
"""Of all rules: from 509 on, the engine's table of 512 is full and it looks for a free place for ever."""
_MOST_AT_ONCE = 60
"""Conditions of one feature: from 64 on that hold at once, the engine refuses the fact."""
_MOST_CLAUSES = 16
"""Of a rule: the engine refuses the fact that would meet the seventeenth."""
_MOST_LISTS = 60
"""Different rules that name one value in a list: from 64 on the engine's stack is full, and it refuses the fact."""


class _QuietHost(Host):  # type: ignore[misc]  # durable has no types
    """A Host without its timer threads: they call the C engine concurrently with ours and crash it."""

    def _run(self) -> None:
        """Start nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came out: the names of the rules that fired, and the facts that inferences added."""

    fired: frozenset[str]
    derived: Mapping[str, Value]


class Engine:
    """One set of rules, compiled once. `run` may be called from any thread. Raises ValueError for too many rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        _check_limits(rules)
        alike: dict[tuple[Clause, ...], list[Rule]] = defaultdict(list)
        for rule in rules:
            alike[rule.clauses].append(rule)  # a session costs by the rule, and half of all clues share their clauses
        self._rules = {f"r{number}": same for number, same in enumerate(alike.values())}
        features = sorted({clause.feature for clauses in alike for clause in clauses})
        self._keys = {feature: f"f{number}" for number, feature in enumerate(features)}
        compiled = {key: self._compile(same[0].clauses) for key, same in self._rules.items()}
        self._host = _QuietHost({_NAME: compiled | _catch_all()})
        self._ruleset = self._host.get_ruleset(_NAME)
        self._sessions = itertools.count(1)

    def run(self, facts: Mapping[str, Value]) -> Run:
        """Chain all rules to the fixpoint over these facts. A fact that is given is never derived anew."""
        session = str(next(self._sessions))
        state = self._assert(session, [f'"{_OPENING}":1', *self._wired(facts)])
        try:
            return self._chain(session, state, facts)
        finally:
            self._ruleset.delete_state(session)

    def _chain(self, session: str, state: int, facts: Mapping[str, Value]) -> Run:
        fired: set[str] = set()
        derived: dict[str, Value] = {}
        while True:
            rules = list(self._activations(state))
            fired |= {rule.name for rule in rules}
            new = {name: value for name, value in _conclusions(rules) if name not in facts and name not in derived}
            derived |= new
            batch = self._wired(new)
            if not batch:
                return Run(frozenset(fired), derived)
            state = self._assert(session, batch)

    def _wired(self, facts: Mapping[str, Value]) -> list[str]:
        return [f'"k":1,"{self._keys[name]}":{_wire(value)}' for name, value in facts.items() if name in self._keys]

    def _assert(self, session: str, batch: list[str]) -> int:
        text = ",".join(f'{{"sid":"{session}",{fact}}}' for fact in batch)
        problem, state = c_engine.assert_facts(self._ruleset._handle, f"[{text}]")  # noqa: SLF001  (no public way)
        if problem:
            raise RuntimeError(f"the engine refused facts ({problem}): {text}")
        return int(state)

    def _activations(self, state: int) -> Iterator[Rule]:
        """Take the activations one by one, without the host's state update after each."""
        handle = self._ruleset._handle  # noqa: SLF001  (the package offers no public way to it)
        result = c_engine.start_action_for_state(handle, state)
        message = result[1] if result else None
        while message:
            yield from self._rules.get(_rule_in(message), ())
            message = c_engine.complete_and_start_action(handle, state)

    def _compile(self, clauses: Iterable[Clause]) -> dict[str, Any]:
        patterns = [{f"c{number}": self._pattern(clause)} for number, clause in enumerate(clauses)]
        return {"all": patterns, "run": _nothing}

    def _pattern(self, clause: Clause) -> dict[str, Any]:
        key = self._keys[clause.feature]
        if isinstance(clause.test, Bounds):
            return _both(_bounds(key, clause.test))
        alternatives = [{key: _word(value)} for value in sorted(clause.test, key=str)]
        return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}


def _check_limits(rules: Sequence[Rule]) -> None:
    conditions: dict[str, set[Value | Bounds]] = defaultdict(set)
    for clause in (clause for rule in rules for clause in rule.clauses):
        conditions[clause.feature] |= clause.test if isinstance(clause.test, frozenset) else {clause.test}
    counts = [
        ("conditions in all", sum(map(len, conditions.values())), _MOST_CONDITIONS),
        ("conditions on one number", max(map(_bounds_among, conditions.values()), default=0), _MOST_AT_ONCE),
        ("clauses in one rule", max((len(rule.clauses) for rule in rules), default=0), _MOST_CLAUSES),
        ("different rules with one value in a list", max(_lists_with(rules).values(), default=0), _MOST_LISTS),
    ]
    for what, count, most in counts:
        if count > most:
            raise ValueError(f"{count} {what}; the engine takes {most}")


def _lists_with(rules: Iterable[Rule]) -> Counter[tuple[str, Value]]:
    """Count for each value of each feature the different rules that name it in a list of several."""
    found: Counter[tuple[str, Value]] = Counter()
    for clauses in {rule.clauses for rule in rules}:
        for clause in clauses:
            if isinstance(clause.test, frozenset) and len(clause.test) > 1:
                found.update((clause.feature, value) for value in clause.test)
    return found


def _bounds_among(conditions: Iterable[Value | Bounds]) -> int:
    return sum(isinstance(one, Bounds) for one in conditions)


def _bounds(key: str, bounds: Bounds) -> list[dict[str, Any]]:
    suffix = "" if bounds.strict else "e"
    low = [] if bounds.low is None else [{f"$gt{suffix}": {key: bounds.low}}]
    high = [] if bounds.high is None else [{f"$lt{suffix}": {key: bounds.high}}]
    return [*low, *high]


def _both(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _word(value: Value) -> str | float:
    """Yes and no travel as words: the engine compares loosely and knows true as 1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _wire(value: Value) -> str:
    """Write JSON that the engine can read: at 1e+16 it drops all facts from there on, in silence; 1.0e+16 it reads."""
    word = _word(value)
    if isinstance(word, str):
        return json.dumps(word, ensure_ascii=False)  # as the rules were
    if not math.isfinite(word):
        raise ValueError(f"{word!r} is no finite number")
    text = repr(float(word))
    return text if "." in text else text.replace("e", ".0e")


def _rule_in(message: str) -> str:
    """Give the rule of an activation: its first key. The facts that follow are long, and known already."""
    return message[2 : message.index('"', 2)]


def _conclusions(rules: Iterable[Rule]) -> Iterator[tuple[str, Value]]:
    return (rule.then for rule in rules if rule.then)


def _catch_all() -> dict[str, Any]:
    """Match every fact, so that none is unhandled, and never complete, so that it costs no activation.

    The opening fact does complete: it is the activation that each session needs.
    """
    every_fact = {"all": [{"c0": {"k": 1}}, {"c1": {"never": 1}}], "run": _nothing}
    every_session = {"all": [{"c0": {_OPENING: 1}}], "run": _nothing}
    return {"every_fact": every_fact, "every_session": every_session}


def _nothing(_closure: object) -> None:
    """Stand in for an action; activations are read off the engine instead."""
