"""How the time of one diagnosis grows with the number of causes: 50 to 500, made of the shipped ones.

python -m bench.growth [--runs N]
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `python bench/growth.py` works as well

from bench.diagnose import Part
from knowledge.load import load_shelf
from knowledge.model import Cause, ClauseText, Clue, Scalar
from knowledge.shelf import Shelf
from rules.ask import changes_something
from rules.case import Case
from rules.diagnose import Expert
from rules.prove import case_of
from rules.think import Family, Thought
from rules.weigh import weigh

SIZES = (50, 100, 200, 350, 500)
PARTS = ("engine", "weigh", "ask")
CASES = 6
WARM = 10
SEED = 20260

Values = Mapping[str, Sequence[Scalar]]
"""What the clues of the shipped causes compare each feature with: single values, and bounds as they are written."""


def grown(shelf: Shelf, size: int) -> Shelf:
    """Give a shelf with so many causes: a choice of ours, or all of them and copies whose clues differ.

    A copy compares features only with what ours compare them with, as the engine takes 500 distinct conditions at most,
    and with one value where ours name several, as it takes 63 rules at most whose lists share a value.
    """
    chance = random.Random(SEED)
    shipped = list(shelf.causes.values())
    if size < len(shipped):
        chosen = {one.id for one in chance.sample(shipped, size)}
        return replace(shelf, causes={id_: one for id_, one in shelf.causes.items() if id_ in chosen})
    values = compared(shipped)
    causes = dict(shelf.causes)
    while len(causes) < size:
        turn, place = divmod(len(causes), len(shipped))
        copy = varied(shipped[place], f"{shipped[place].id}-{turn + 1}", values, chance)
        causes[copy.id] = copy
    return replace(shelf, causes=causes)


def compared(causes: Sequence[Cause]) -> Values:
    """Collect what each feature is compared with, clue by clue."""
    found: dict[str, dict[str, Scalar]] = {}
    for clue in (clue for cause in causes for clue in cause.clues):
        for feature, test in clue.clauses.items():
            found.setdefault(feature, {}).update({repr(one): one for one in _each(test)})
    return {feature: list(tests.values()) for feature, tests in found.items()}


def _each(test: ClauseText) -> Sequence[Scalar]:
    return test if isinstance(test, list) else [test]


def varied(cause: Cause, id_: str, values: Values, chance: random.Random) -> Cause:
    """Copy a cause under another id; one clause of each clue compares its feature with something else."""
    clues = []
    for clue in cause.clues:
        clauses = {feature: chance.choice(_each(test)) for feature, test in clue.clauses.items()}
        feature = chance.choice(sorted(clauses))
        clauses[feature] = chance.choice(values[feature])
        clues.append(Clue.model_validate({clue.strength: clauses, "because": clue.because, "source": clue.source}))
    return cause.model_copy(update={"id": id_, "clues": clues})


def asking_cases(experts: Sequence[Expert]) -> list[Case]:
    """Take first examples of ours after which the next question is chosen, whatever the number of causes."""
    shelf = experts[0].shelf
    found = (case_of(cause.examples[0], cause, shelf) for cause in shelf.causes.values() if cause.examples)
    asking = [case for case in found if all(_chooses(expert, case) for expert in experts)]
    return random.Random(SEED).sample(asking, min(CASES, len(asking)))


def _chooses(expert: Expert, case: Case) -> bool:
    diagnosis = expert.diagnose(case)
    return diagnosis.question is not None and diagnosis.symptom is not None and not diagnosis.contradictions


def parts(expert: Expert, case: Case) -> dict[str, Part]:
    """Give a whole diagnosis and three of its parts as something to call, with the very values it has inside."""
    thought = expert.think(case, expert.read(case.paste))
    values = {name: fact.value for name, fact in thought.facts.items() if name not in thought.run.derived}
    assert _chosen(thought, case)
    return {
        "whole": partial(expert.diagnose, case),
        "engine": partial(thought.family.engine.run, values),
        "weigh": partial(weigh, thought.family.causes, thought.findings),
        "ask": partial(_chosen, thought, case),
    }


def _chosen(thought: Thought, case: Case) -> bool:
    """Choose the next question, as a diagnosis does; tell whether there is one."""
    known = {name: fact.value for name, fact in thought.facts.items()}
    outlooks = thought.family.asking.outlooks(known, case.declined, thought.probabilities)
    return any(changes_something(one, thought.probabilities) for one in outlooks)


SHAPES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda _: 0.0,
    "like log n": math.log,
    "like the square root of n": math.sqrt,
    "linear": lambda n: n,
    "like n log n": lambda n: n * math.log(n),
    "quadratic": lambda n: n * n,
}
"""What a time may grow like, slowest first; each beside a fixed time that does not grow."""
CLOSE = 0.03
"""Deviation, in parts of the time, up to which the slower growth is believed: medians vary as much."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A shape laid through the times: `fixed` + `slope` * shape(n), and by how much it misses them in the mean."""

    shape: str
    fixed: float
    slope: float
    miss: float


def fitted(sizes: Sequence[int], times: Sequence[float], shape: str) -> Fit:
    """Lay one shape through the times by least squares of the relative deviations; nothing costs less than nothing."""
    grows = [SHAPES[shape](size) for size in sizes]
    weights = [1 / time**2 for time in times]
    mean_x, mean_y = (_mean(weights, one) for one in (grows, times))
    spread = sum(w * (x - mean_x) ** 2 for w, x in zip(weights, grows, strict=True))
    together = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in zip(weights, grows, times, strict=True))
    slope = max(together / spread, 0.0) if spread else 0.0
    fixed = mean_y - slope * mean_x
    if fixed < 0:
        slope = _mean(weights, [x * y for x, y in zip(grows, times, strict=True)]) / _mean(
            weights, [x * x for x in grows]
        )
        fixed = 0.0
    misses = [((fixed + slope * x - y) / y) ** 2 for x, y in zip(grows, times, strict=True)]
    return Fit(shape, fixed, slope, math.sqrt(sum(misses) / len(misses)))


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)


def best_fit(sizes: Sequence[int], times: Sequence[float]) -> Fit:
    """Choose the slowest growth that comes close; if none does, the nearest."""
    fits = [fitted(sizes, times, shape) for shape in SHAPES]
    return next((one for one in fits if one.miss <= CLOSE), min(fits, key=lambda one: one.miss))


def in_words(name: str, sizes: Sequence[int], times: Sequence[float]) -> str:
    """Say how one part grows."""
    fit = best_fit(sizes, times)
    power = math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
    nearest = "" if fit.miss <= CLOSE else "nearest to "
    beside = f", beside {fit.fixed:.0f} us that do not grow" if fit.fixed >= 0.5 and fit.slope else ""
    over = f"{sizes[-1] / sizes[0]:.0f} times the causes, {times[-1] / times[0]:.1f} times the time (n^{power:.2f})"
    return f"{name:8}{over}: {nearest}{fit.shape}{beside}; misses the medians by {fit.miss:.1%}"


def rows(experts: Mapping[int, Expert], taken: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Write the table: medians over all cases, and the ratio to the smallest shelf."""
    heads = "".join(f"{name:>9}{'ratio':>7}" for name in taken)
    yield f"{'causes':>7}{'at once':>9}{'clues':>7}{'rules':>7}{heads}"
    for place, (size, expert) in enumerate(experts.items()):
        at_once, clues, rules = (_middle(expert, count) for count in (_causes, _clues, _rules))
        cells = "".join(f"{times[place]:9.0f}{times[place] / times[0]:7.2f}" for times in taken.values())
        yield f"{size:7}{at_once:9.0f}{clues:7.0f}{rules:7.0f}{cells}"


def _middle(expert: Expert, count: Callable[[Family], int]) -> float:
    """Give a count of the two symptoms in the mean: a diagnosis weighs the causes of its symptom."""
    return fmean(count(family) for family in expert.families()[:2])


def _causes(family: Family) -> int:
    return len(family.causes)


def _clues(family: Family) -> int:
    return len(family.book.clues)


def _rules(family: Family) -> int:
    """Count what the engine runs: clues with the same clauses are one rule."""
    return len({rule.clauses for rule in family.book.all_rules()})


def processor_time(work: Mapping[str, Part], runs: int) -> dict[str, list[float]]:
    """Time each part in turn, in microseconds of the processor: what else the machine does counts little."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for number in range(WARM + runs):
        for name, part in work.items():
            begin = time.thread_time_ns()
            part()
            spent = (time.thread_time_ns() - begin) / 1000
            if number >= WARM:
                taken[name].append(spent)
    return taken


def medians(experts: Mapping[int, Expert], runs: int) -> dict[str, list[float]]:
    """Time everything, all sizes in turn; give each part's medians in the order of the sizes, in microseconds."""
    times: dict[tuple[int, str], list[float]] = {}
    for case in asking_cases(list(experts.values())):
        work = {
            f"{size} {name}": part for size, expert in experts.items() for name, part in parts(expert, case).items()
        }
        for label, spent in processor_time(work, runs).items():
            size, _, name = label.partition(" ")
            times.setdefault((int(size), name), []).extend(spent)
    found = {name: [median(times[size, name]) for size in experts] for name in ("whole", *PARTS)}
    rest = [whole - sum(some) for whole, *some in zip(*found.values(), strict=True)]
    return {**found, "rest": rest}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="How a diagnosis grows with the causes, in microseconds.")
    parser.add_argument("--runs", type=int, default=60, help="runs of each part of each case (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    runs = arguments().runs
    shelf = load_shelf()
    experts = {size: Expert(grown(shelf, size)) for size in SIZES}
    gc.collect()
    gc.freeze()  # five shelves are held here: what one more costs the collector is no part of a diagnosis
    taken = medians(experts, runs)
    print(f"Python {platform.python_version()}; {runs:,} runs of each part; medians in microseconds of the processor")
    print(f"{len(shelf.causes)} causes are ours, the others copies with other values; at once: those of one symptom;")
    print("rules: clues with other clauses; rest: reading, hypotheses, steps\n")
    print("\n".join(rows(experts, taken)), end="\n\n")
    for name in ("whole", *PARTS):
        print(in_words(name, SIZES, taken[name]))


if __name__ == "__main__":
    main()
