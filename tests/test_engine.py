"""The engine, CLIPS and a page of plain Python give the same findings and the same derived facts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import rules.engine as rules_engine
from knowledge.clause import Bounds, Clause, Value
from knowledge.model import Feature, SymptomId
from knowledge.shelf import Shelf
from rules.ask import follow_rules
from rules.engine import Engine, Run
from rules.rule import Rule, rule_book
from tests.oracles import naive
from tests.oracles.clips_engine import ClipsEngine
from tests.oracles.random_rules import RuleBase, cases, near, rule_base, seeded

pytestmark = pytest.mark.early

Facts = Mapping[str, Value]
SHAPES = [(6, 12), (12, 40), (20, 60), (30, 120), (40, 200), (60, 300), (9, 80), (15, 15)]
"""Features and rules of each random base."""
CASES_EACH = 1300
REAL_CASES = 3000


def differences(given: Iterable[Facts], *runs: Callable[[Facts], Run]) -> list[str]:
    """Run every case everywhere; describe each case in which not all agree."""
    found = []
    for facts in given:
        first, *others = [run(facts) for run in runs]
        found += [f"{facts}: {first} is not {other}" for other in others if _typed(other) != _typed(first)]
    return found


def _typed(run: Run) -> tuple[frozenset[str], dict[str, tuple[type, Value]]]:
    """Tell True from 1.0, which Python calls equal."""
    return run.fired, {name: (type(value), value) for name, value in run.derived.items()}


def by_follow_rules(rules: Sequence[Rule], fired: Callable[[Facts], Run], facts: Facts) -> Run:
    """Derive with rules.ask, which knows nothing of findings: those are taken as another run gives them."""
    known = follow_rules(rules, facts)
    return Run(fired(facts).fired, {name: value for name, value in known.items() if name not in facts})


@pytest.fixture(scope="module", params=range(len(SHAPES)), ids=[f"{f}-features-{r}-rules" for f, r in SHAPES])
def base(request: pytest.FixtureRequest) -> RuleBase:
    number: int = request.param
    return rule_base(number, *SHAPES[number])


def test_three_engines_agree_on_random_rules(base: RuleBase) -> None:
    evaluate = partial(naive.evaluate, base.rules)
    given = cases(base, len(base.rules), CASES_EACH)
    follow = partial(by_follow_rules, base.rules, evaluate)
    assert differences(given, Engine(base.rules).run, ClipsEngine(base.rules).run, evaluate, follow) == []


def test_random_cases_reach_what_they_are_for() -> None:
    """Ten thousand cases prove nothing if they never chain, never give a target and never meet a boundary."""
    assert len(SHAPES) * CASES_EACH >= 10_000
    base = rule_base(3, *SHAPES[3])
    given = list(cases(base, 0, 500))
    runs = [naive.evaluate(base.rules, facts) for facts in given]
    targets = {rule.then[0] for rule in base.rules if rule.then}
    by_one_step = [naive.evaluate([one for one in base.rules if one.then], facts) for facts in given]
    assert any(len(run.derived) >= 3 for run in runs)
    assert any(_needs_a_chain(base.rules, facts, run) for facts, run in zip(given, by_one_step, strict=True))
    assert any(targets & facts.keys() for facts in given)
    assert any("unknown.feature" in facts for facts in given)
    assert {} in given


def _needs_a_chain(rules: Sequence[Rule], facts: Facts, run: Run) -> bool:
    """Tell whether some inference fired only because another one had."""
    return any(
        rule.name in run.fired and any(clause.feature not in facts for clause in rule.clauses)
        for rule in rules
        if rule.then
    )


def _real_cases(shelf: Shelf, rules: Sequence[Rule], seed: object, count: int) -> Iterator[dict[str, Value]]:
    """Draw facts of the shelf's own features: their choices, and numbers around every bound that a clause names."""
    chance = seeded(seed)
    tests = [(clause.feature, clause.test) for rule in rules for clause in rule.clauses]
    pools = {name: _pool(shelf.features[name], [t for n, t in tests if n == name]) for name in dict(tests)}
    for _ in range(count):
        names = chance.sample(sorted(pools), chance.choice((1, 3, 6, 10, 15, 20)))
        yield {name: chance.choice(pools[name]) for name in names}


def _pool(feature: Feature, tests: Sequence[frozenset[Value] | Bounds]) -> list[Value]:
    if feature.type == "yes-no":
        return [True, False]
    if feature.type == "choice":
        return [str(value) for value in feature.choices]
    named = [value for test in tests if isinstance(test, frozenset) for value in test]
    ends = [end for test in tests if isinstance(test, Bounds) for end in (test.low, test.high) if end is not None]
    return [*named, *(value for end in ends for value in near(end)), *map(float, feature.choices), 0.0, 1e-05, 1e16]


@pytest.mark.parametrize("symptom", ["out-of-state", "reset", None])
def test_three_engines_agree_on_the_shelf(shelf: Shelf, symptom: SymptomId | None) -> None:
    book = rule_book(shelf, symptom)
    rules = book.all_rules()
    evaluate = partial(naive.evaluate, rules)
    given = _real_cases(shelf, rules, symptom, REAL_CASES)
    follow = partial(by_follow_rules, book.inferences, evaluate)
    assert differences(given, Engine(rules).run, ClipsEngine(rules).run, evaluate, follow) == []


def test_the_shelf_fits_into_the_engine_with_room_to_grow(shelf: Shelf) -> None:
    every_rule = rule_book(shelf).all_rules()
    conditions = {
        (clause.feature, one)
        for rule in every_rule
        for clause in rule.clauses
        for one in (clause.test if isinstance(clause.test, frozenset) else [clause.test])
    }
    assert len(conditions) < rules_engine._MOST_CONDITIONS * 0.8


def test_a_wrong_oracle_is_caught(shelf: Shelf) -> None:
    """One bound moved by one second, one word dropped, one conclusion changed: each must show."""
    right = rule_book(shelf, "out-of-state").all_rules()
    run = Engine(right).run
    for wrong in (_with_a_bound_moved(right), _with_a_clause_less(right), _with_another_conclusion(right)):
        given = _real_cases(shelf, right, "wrong", REAL_CASES)
        assert differences(given, run, partial(naive.evaluate, wrong))
        given = _real_cases(shelf, right, "wrong", REAL_CASES)
        assert differences(given, run, ClipsEngine(wrong).run)


def _with_a_bound_moved(rules: Sequence[Rule]) -> list[Rule]:
    moved = next(rule for rule in rules for clause in rule.clauses if isinstance(clause.test, Bounds))
    clauses = tuple(replace(clause, test=_moved(clause.test)) for clause in moved.clauses)
    return [replace(moved, clauses=clauses) if rule is moved else rule for rule in rules]


def _moved(test: frozenset[Value] | Bounds) -> frozenset[Value] | Bounds:
    if isinstance(test, frozenset):
        return test
    low, high = (None if end is None else end + 1.0 for end in (test.low, test.high))
    return Bounds(low, high, test.strict)


def _with_a_clause_less(rules: Sequence[Rule]) -> list[Rule]:
    longest = max(rules, key=lambda rule: len(rule.clauses))
    return [replace(rule, clauses=rule.clauses[1:]) if rule is longest else rule for rule in rules]


def _with_another_conclusion(rules: Sequence[Rule]) -> list[Rule]:
    first = next(rule for rule in rules if rule.then and isinstance(rule.then[1], bool))
    assert first.then is not None
    other = (first.then[0], not first.then[1])
    return [replace(rule, then=other) if rule is first else rule for rule in rules]


def test_true_is_told_from_one() -> None:
    def derives(value: Value) -> Callable[[Facts], Run]:
        return lambda _facts: Run(frozenset(), {"x": value})

    assert differences([{}], derives(True), derives(1.0))


YES = Rule("yes", (Clause("a", frozenset({True})),), ("b", "derived"))
THEN = Rule("then", (Clause("b", frozenset({"derived"})),), ("c", 2.0))
LONG = Rule("long", (Clause("c", Bounds(1.5, None)),))
OTHER = Rule("other", (Clause("b", frozenset({"given"})),))


def test_inferences_chain_over_several_levels() -> None:
    run = Engine([LONG, OTHER, THEN, YES]).run({"a": True})
    assert run == Run(frozenset({"yes", "then", "long"}), {"b": "derived", "c": 2.0})


def test_a_fact_that_is_given_is_never_derived_anew() -> None:
    run = Engine([LONG, OTHER, THEN, YES]).run({"a": True, "b": "given"})
    assert run == Run(frozenset({"yes", "other"}), {})


@pytest.mark.parametrize("facts", [{}, {"no.such": "x"}, {"no.such": float("nan")}])
def test_without_a_fact_that_rules_look_at_nothing_fires(facts: Facts) -> None:
    assert Engine([YES]).run(facts) == Run(frozenset(), {})


def test_without_rules_nothing_fires() -> None:
    assert Engine([]).run({"a": True}) == Run(frozenset(), {})


@pytest.mark.parametrize("number", [1e16, 1e-05, 5e-324, -1e300])
def test_a_number_that_python_writes_with_an_exponent_hides_no_fact(number: float) -> None:
    """The engine cannot read 1e+16: it would drop that fact and all that follow it, and say nothing."""
    any_number = Rule("any", (Clause("n", Bounds(None, 1e15)),))
    run = Engine([any_number, YES]).run({"n": number, "a": True})
    assert run.fired == ({"yes"} if number == 1e16 else {"any", "yes"})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused_and_the_engine_works_on(number: float) -> None:
    engine = Engine([YES, LONG])
    with pytest.raises(ValueError, match="no finite number"):
        engine.run({"a": True, "c": number})
    assert engine.run({"a": True}).fired == {"yes"}


def test_an_error_of_the_engine_is_raised_and_its_session_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine([YES, THEN, LONG])

    def broken(_handle: int, _state: int) -> str:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("rules.engine.c_engine.complete_and_start_action", broken)
        with pytest.raises(RuntimeError, match="broken"):
            engine.run({"a": True})
    last = next(engine._sessions) - 1
    with pytest.raises(Exception, match="Could not delete state, error code: 309"):  # 309: there is no such session
        engine._ruleset.delete_state(str(last))
    assert engine.run({"a": True}).fired == {"yes", "then", "long"}


def test_a_session_in_which_nothing_fires_can_be_deleted() -> None:
    """In a process of its own, whose fresh memory is filled: the engine frees what only an activation sets up."""
    program = """
from knowledge.clause import Clause
from rules.engine import Engine
from rules.rule import Rule
run = Engine([Rule("r", (Clause("x", frozenset({"a"})),))]).run
print([sorted(run({"x": value}).fired) for value in "bbba"])
"""
    environment = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.perturb=85", "MALLOC_PERTURB_": "85"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "[[], [], [], ['r']]\n")


def _many(count: int, test: Callable[[int], tuple[Clause, ...]]) -> list[Rule]:
    return [Rule(str(number), test(number)) for number in range(count)]


@pytest.mark.parametrize(
    ("rules_", "says"),
    [
        (
            _many(501, lambda n: (Clause(f"f{n % 50}", frozenset({f"v{n}"})),)),
            "501 conditions in all; the engine takes 500",
        ),
        (_many(61, lambda n: (Clause("n", Bounds(float(n))),)), "61 conditions on one number; the engine takes 60"),
        (_many(1, lambda _: tuple(Clause(f"f{n}", frozenset({True})) for n in range(17))), "17 clauses in one rule"),
    ],
)
def test_rules_that_the_engine_cannot_hold_are_refused_before_any_request(rules_: list[Rule], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Engine(rules_)


@pytest.mark.parametrize(
    ("rules_", "facts"),
    [
        (_many(500, lambda n: (Clause(f"f{n % 50}", frozenset({f"v{n}"})),)), {"f1": "v1"}),
        (_many(60, lambda n: (Clause("n", Bounds(float(n))),)), {"n": 100.0}),
        (
            _many(1, lambda _: tuple(Clause(f"f{n:02}", frozenset({True})) for n in range(16))),
            {f"f{n:02}": True for n in range(16)},
        ),
    ],
    ids=["conditions", "bounds", "clauses"],
)
def test_the_engine_holds_what_its_limits_promise(rules_: list[Rule], facts: Facts) -> None:
    assert differences([facts], Engine(rules_).run, partial(naive.evaluate, rules_)) == []


def test_eight_threads_give_what_one_gives(shelf: Shelf) -> None:
    book = rule_book(shelf).all_rules()
    engine = Engine(book)
    given = list(_real_cases(shelf, book, "threads", 400))
    alone = [engine.run(facts) for facts in given]
    with ThreadPoolExecutor(8) as pool:
        rounds = [pool.map(engine.run, given) for _ in range(5)]
        assert all(list(together) == alone for together in rounds)


def test_too_many_lists_with_one_value_are_refused_before_a_case_fails_by_them() -> None:
    def rules(count: int) -> list[Rule]:
        either = Clause("a", frozenset({"x", "y"}))
        return [Rule(f"r{number}", (either, Clause(f"g{number}", frozenset({True})))) for number in range(count)]

    assert Engine(rules(60)).run({"a": "x", "g7": True}).fired == {"r7"}
    with pytest.raises(ValueError, match="61 different rules with one value in a list"):
        Engine(rules(61))
