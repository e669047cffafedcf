"""How long one diagnosis takes, part by part, and the engine's share beside CLIPS on the very same rules and facts.

python -m bench.diagnose [--runs N]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `python bench/diagnose.py` works as well

from knowledge.load import load_shelf
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from rules.prove import case_of, worked_cases
from rules.timers import Timetable
from rules.weigh import weigh
from tests.oracles.clips_engine import ClipsEngine

WARM = 200
FROM_CAUSES = ("asymmetric-routing", "idle-timeout", "port-closed", "threat-reset")
FROM_DIALECTS = ("cisco-asa", "fortigate", "paloalto-traffic-csv")
PARTS = ("read", "observe", "engine", "weigh", "ask", "JSON")
Part = Callable[[], object]


def chosen_cases(expert: Expert) -> dict[str, Case]:
    """Take the first example of some causes, and the first line of some dialects that is worth a diagnosis."""
    shelf = expert.shelf
    found = {
        f"example {cause.id}": case_of(example, cause, shelf)
        for (id_, group, _), (cause, example) in reversed(list(worked_cases(shelf)))
        if id_ in FROM_CAUSES and group == "example"
    }
    for id_ in FROM_DIALECTS:
        samples = [one for one in shelf.dialects[id_].samples if one.event in ("out-of-state", "reset-by-server")]
        found |= {f"line of {id_}": Case(paste=one.line) for one in samples[:1]}
    return found


def parts(expert: Expert, case: Case) -> dict[str, Part]:
    """Give each part of one diagnosis as something to call, with the very values it has inside."""
    timetable = Timetable(expert.shelf)
    reading = expert.read(case.paste)
    thought = expert.think(case, reading)
    family, diagnosis = thought.family, expert.diagnose(case)
    given = {fact.feature: fact for fact in thought.facts.values() if fact.feature not in thought.run.derived}
    values = {name: fact.value for name, fact in given.items()}
    known = {name: fact.value for name, fact in thought.facts.items()}
    ask = partial(family.asking.outlooks, known, case.declined, thought.probabilities)
    clips = ClipsEngine(family.book.all_rules())
    assert clips.run(values) == family.engine.run(values) == thought.run
    return {
        "whole": lambda: expert.diagnose(case).model_dump_json(by_alias=True),
        "read": lambda: expert.read(case.paste),
        "observe": lambda: (expert.observe(case, reading), timetable.facts(given)),
        "engine": lambda: family.engine.run(values),
        "weigh": lambda: weigh(family.causes, thought.findings),
        "ask": ask if _asks(diagnosis) else lambda: None,
        "JSON": lambda: diagnosis.model_dump_json(by_alias=True),
        "CLIPS": lambda: clips.run(values),
    }


def _asks(diagnosis: Diagnosis) -> bool:
    """Tell whether questions are judged: not once a cause is established, nor when an answer is asked again."""
    return not diagnosis.contradictions and diagnosis.hypotheses[0].standing != "established"


def measure(work: Mapping[str, Part], runs: int) -> dict[str, list[float]]:
    """Time each part in turn, so that whatever slows the machine slows all alike. Microseconds."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for number in range(WARM + runs):
        for name, part in work.items():
            begin = time.perf_counter_ns()
            part()
            spent = (time.perf_counter_ns() - begin) / 1000
            if number >= WARM:
                taken[name].append(spent)
    return taken


def row(label: str, facts: int | str, taken: Mapping[str, Sequence[float]]) -> str:
    """Write one line of the table: medians, the whole's p95, what no part accounts for, and the engine to CLIPS."""
    middle = {name: median(times) for name, times in taken.items()}
    rest = middle["whole"] - sum(middle[name] for name in PARTS)
    numbers = [middle["whole"], quantiles(taken["whole"], n=20)[-1], *(middle[name] for name in PARTS), rest]
    cells = "".join(f"{number:9.0f}" for number in numbers)
    return f"{label:32}{facts:>6}{cells}{middle['CLIPS']:9.0f}{middle['engine'] / middle['CLIPS']:9.2f}"


HEAD = "".join([f"{'':32}{'facts':>6}", *(f"{name:>9}" for name in ("whole", "p95", *PARTS, "rest", "CLIPS", "ratio"))])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="How long one diagnosis takes, in microseconds.")
    parser.add_argument("--runs", type=int, default=1000, help="runs of each part of each case (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    runs = arguments().runs
    expert = Expert(load_shelf())
    packages = ", ".join(f"{name} {version(name)}" for name in ("durable_rules", "clipspy"))
    print(f"Python {platform.python_version()}, {packages}; {runs:,} runs of each part; medians in microseconds")
    print("ratio: engine / CLIPS, the same rules and facts; rest: hypotheses, steps, sources\n")
    print(HEAD)
    everything: dict[str, list[float]] = {}
    for label, case in chosen_cases(expert).items():
        taken = measure(parts(expert, case), runs)
        print(row(label, len(expert.diagnose(case).facts), taken))
        for name, times in taken.items():
            everything.setdefault(name, []).extend(times)
    print(row("all of them", "", everything))


if __name__ == "__main__":
    main()
