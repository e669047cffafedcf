"""durable_rules, behind one function: facts in; rules that fired and facts that follow out.

What the engine (2.0.28) may and may not do was measured; each odd line below holds one of those limits:
no timer threads, no unmatched fact, constants only, one pattern a feature, a fresh session deleted at the end.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import durable_rules_engine as c_engine
from durable.engine import Host

from knowledge.clause import Bounds, Clause, Value
from rules.rule import Rule

_NAME = "whydrop"


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
    """One set of rules, compiled once. `run` may be called from any thread."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {f"r{number}": rule for number, rule in enumerate(rules)}
        features = sorted({clause.feature for rule in rules for clause in rule.clauses})
        self._keys = {feature: f"f{number}" for number, feature in enumerate(features)}
        host = _QuietHost({_NAME: {key: self._compile(rule) for key, rule in self._rules.items()} | _catch_all()})
        self._host = host
        self._ruleset = host.get_ruleset(_NAME)
        self._sessions = itertools.count(1)

    def run(self, facts: Mapping[str, Value]) -> Run:
        """Chain all rules to the fixpoint over these facts. A fact that is given is never derived anew."""
        batch = [{"k": 1, self._keys[name]: _wire(value)} for name, value in facts.items() if name in self._keys]
        if not batch:
            return Run(frozenset(), {})
        session = str(next(self._sessions))
        try:
            return self._chain(session, batch, facts)
        finally:
            self._ruleset.delete_state(session)

    def _chain(self, session: str, batch: list[dict[str, Any]], facts: Mapping[str, Value]) -> Run:
        fired: set[str] = set()
        derived: dict[str, Value] = {}
        while batch:
            new: dict[str, Value] = {}
            for rule in self._fire(session, batch):
                fired.add(rule.name)
                if rule.then and rule.then[0] not in facts and rule.then[0] not in derived:
                    new[rule.then[0]] = rule.then[1]
            derived |= new
            batch = [{"k": 1, self._keys[name]: _wire(value)} for name, value in new.items() if name in self._keys]
        return Run(frozenset(fired), derived)

    def _fire(self, session: str, batch: list[dict[str, Any]]) -> Iterable[Rule]:
        """Assert facts and take the activations one by one, without the host's per-action state update."""
        handle = self._ruleset._handle  # noqa: SLF001  (the package offers no public way to it)
        state = self._ruleset.assert_facts([{"sid": session, **fact} for fact in batch])
        result = c_engine.start_action_for_state(handle, state)
        message = result[1] if result else None
        while message:
            for key in json.loads(message):
                yield self._rules[key]
            message = c_engine.complete_and_start_action(handle, state)

    def _compile(self, rule: Rule) -> dict[str, Any]:
        patterns = [{f"c{number}": self._pattern(clause)} for number, clause in enumerate(rule.clauses)]
        return {"all": patterns, "run": _nothing}

    def _pattern(self, clause: Clause) -> dict[str, Any]:
        key = self._keys[clause.feature]
        if isinstance(clause.test, Bounds):
            return _both(_bounds(key, clause.test))
        alternatives = [{key: _wire(value)} for value in sorted(clause.test, key=str)]
        return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}


def _bounds(key: str, bounds: Bounds) -> list[dict[str, Any]]:
    suffix = "" if bounds.strict else "e"
    low = [] if bounds.low is None else [{f"$gt{suffix}": {key: bounds.low}}]
    high = [] if bounds.high is None else [{f"$lt{suffix}": {key: bounds.high}}]
    return [*low, *high]


def _both(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _wire(value: Value) -> str | float:
    """Yes and no travel as words: the engine compares loosely and knows true as 1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _catch_all() -> dict[str, Any]:
    """Match every fact, so that none is unhandled, and never complete, so that it costs no activation."""
    return {"every_fact": {"all": [{"c0": {"k": 1}}, {"c1": {"never": 1}}], "run": _nothing}}


def _nothing(_closure: object) -> None:
    """Stand in for an action; activations are read off the engine instead."""
