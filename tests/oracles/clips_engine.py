"""The same rules in CLIPS, NASA's production system: the second oracle, and the measure of the engine's speed.

A feature is a deftemplate with one slot, so that a fact meets only the rules about its feature. Names are numbered and
words are quoted; yes and no are the symbols TRUE and FALSE, every number is a float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import clips

from knowledge.clause import Bounds, Clause, Value
from rules.engine import Run
from rules.rule import Rule


class ClipsEngine:
    """One set of rules in one CLIPS environment. Of one thread at a time: an environment is not shared."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {f"r{number}": rule for number, rule in enumerate(rules)}
        features = {clause.feature for rule in rules for clause in rule.clauses}
        features |= {rule.then[0] for rule in rules if rule.then}
        self._keys = {feature: f"f{number}" for number, feature in enumerate(sorted(features))}
        self._environment = clips.Environment()
        for construct in self._program():
            self._environment.build(construct)
        self._templates = {name: self._environment.find_template(key) for name, key in self._keys.items()}
        self._fired = self._environment.find_global("fired")
        self._derived = self._environment.find_global("derived")

    def run(self, facts: Mapping[str, Value]) -> Run:
        """Chain all rules to the fixpoint over these facts. A fact that is given is never derived anew."""
        self._environment.reset()
        for name, value in facts.items():
            if name in self._templates:
                self._templates[name].assert_fact(v=_value(value))
        self._environment.run()
        fired = frozenset(self._rules[key].name for key in self._fired.value)
        return Run(fired, dict(self._then(key) for key in self._derived.value))

    def program(self) -> str:
        """Give the whole program as CLIPS reads it."""
        return "\n".join(self._program())

    def _program(self) -> Iterator[str]:
        yield "(defglobal ?*fired* = (create$) ?*derived* = (create$))"
        yield from (f"(deftemplate {key} (slot v))" for key in self._keys.values())
        yield from (self._rule(key, rule) for key, rule in self._rules.items())

    def _rule(self, key: str, rule: Rule) -> str:
        patterns = " ".join(self._pattern(clause, f"?v{number}") for number, clause in enumerate(rule.clauses))
        return f"(defrule {key} {patterns} => (bind ?*fired* ?*fired* {key}){self._action(key, rule)})"

    def _pattern(self, clause: Clause, variable: str) -> str:
        if isinstance(clause.test, Bounds):
            test = f"{variable}&:(and (floatp {variable}) {_comparisons(clause.test, variable)})"
        else:
            test = "|".join(_constant(value, variable) for value in sorted(clause.test, key=str))
        return f"({self._keys[clause.feature]} (v {test}))"

    def _action(self, key: str, rule: Rule) -> str:
        if not rule.then:
            return ""
        target = self._keys[rule.then[0]]
        fact = f"(assert ({target} (v {_literal(rule.then[1])})))"
        return f" (if (not (any-factp ((?f {target})) TRUE)) then {fact} (bind ?*derived* ?*derived* {key}))"

    def _then(self, key: str) -> tuple[str, Value]:
        return cast(tuple[str, Value], self._rules[key].then)


def _comparisons(bounds: Bounds, variable: str) -> str:
    equal = "" if bounds.strict else "="
    low = "" if bounds.low is None else f"(>{equal} {variable} {_literal(bounds.low)})"
    high = "" if bounds.high is None else f"(<{equal} {variable} {_literal(bounds.high)})"
    return f"{low} {high}".strip()


def _constant(value: Value, variable: str) -> str:
    """Numbers are compared, not matched: a pattern would tell -0.0 from 0.0."""
    if isinstance(value, (bool, str)):
        return _literal(value)
    return f"{variable}&:(and (floatp {variable}) (= {variable} {_literal(value)}))"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(float(value))


def _value(value: Value) -> Any:
    """Booleans become symbols and text becomes strings by themselves; numbers must be floats."""
    return value if isinstance(value, (bool, str)) else float(value)
