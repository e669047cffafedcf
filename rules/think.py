"""Chain the rules over a case: what was seen and told becomes facts, findings and probabilities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from knowledge.model import Cause, SymptomId
from knowledge.shelf import Shelf
from rules.ask import Asking
from rules.case import Case, Fact, Finding
from rules.engine import Engine, Run
from rules.interpret import ReadLine
from rules.observe import observe
from rules.prose import MOST_HEARD, ear_of, prose_of, sentences
from rules.read import Reading, read
from rules.rule import Clued, RuleBook, rule_book
from rules.timers import Timetable
from rules.weigh import WEIGHTS, Weights, weigh


@dataclass(frozen=True)
class Family:
    """The causes of one symptom with everything compiled from them, once."""

    causes: tuple[Cause, ...]
    book: RuleBook
    engine: Engine
    asking: Asking

    @cached_property
    def clues(self) -> Mapping[str, Clued]:
        """Clues by rule name."""
        return {clue.rule.name: clue for clue in self.book.clues}


@dataclass(frozen=True, slots=True)
class Thought:
    """What chaining the rules over a case gave."""

    family: Family
    facts: Mapping[str, Fact]
    run: Run
    findings: Mapping[str, list[Finding]]
    probabilities: Sequence[float]

    @property
    def symptom(self) -> SymptomId | None:
        """The symptom, once it is known."""
        fact = self.facts.get("symptom")
        return None if fact is None else "reset" if fact.value == "reset" else "out-of-state"

    @property
    def product(self) -> str | None:
        """The product that wrote the line, once it is known."""
        fact = self.facts.get("log.product")
        return str(fact.value) if fact else None


class Thinker:
    """A shelf made ready to think with."""

    def __init__(self, shelf: Shelf, weights: Weights = WEIGHTS) -> None:
        self.shelf = shelf
        self._weights = weights
        self.timetable = Timetable(shelf)
        self._families = {
            symptom: _family(shelf, symptom, self.timetable, weights) for symptom in ("out-of-state", "reset", None)
        }

    def families(self) -> list[Family]:
        """Give all that was compiled: for each symptom, and for the case whose symptom is unknown."""
        return list(self._families.values())

    def read(self, paste: str) -> Reading:
        """Read a paste. Raises PasteTooLarge."""
        return read(paste, self.shelf)

    def observe(self, case: Case, reading: Reading) -> list[Fact]:
        """Collect what is known before any rule: the lines' facts, then what was told, which outranks them."""
        return list({fact.feature: fact for fact in (*seen(case, reading, self.shelf), *_told(case))}.values())

    def family(self, facts: Mapping[str, Fact]) -> Family:
        """Choose the causes of the case's symptom; all of them while it is unknown."""
        symptom = facts.get("symptom")
        key: SymptomId | None = None
        if symptom is not None:
            key = "reset" if symptom.value == "reset" else "out-of-state"
        return self._families[key]

    def think(self, case: Case, reading: Reading) -> Thought:
        """Chain all rules over a case."""
        given = {fact.feature: fact for fact in self.observe(case, reading)}
        given |= {fact.feature: fact for fact in self.timetable.facts(given)}
        family = self.family(given)
        run = family.engine.run({name: fact.value for name, fact in given.items()})
        facts = given | _derived(run, family, given, self.shelf)
        findings = _findings(run, family)
        return Thought(family, facts, run, findings, weigh(family.causes, findings, self._weights))


def _family(shelf: Shelf, symptom: SymptomId | None, timetable: Timetable, weights: Weights) -> Family:
    causes = tuple(cause for cause in shelf.causes.values() if symptom is None or symptom in cause.symptoms)
    book = rule_book(shelf, symptom)
    return Family(causes, book, Engine(book.all_rules()), Asking(shelf, book, causes, timetable.compare, weights))


def seen(case: Case, reading: Reading, shelf: Shelf) -> list[Fact]:
    """Give what the paste says, lines before words; a case that travels without its paste brings it along."""
    if case.observed is not None:
        return list(case.observed)
    written = _written(reading, shelf)
    words = {one.record.line for one in reading.lines if shelf.dialects[one.record.dialect].fallback}
    return list({fact.feature: fact for fact in [*written, *_outspoken(written, observe(reading), words)]}.values())


def _outspoken(written: Sequence[Fact], observed: Iterable[Fact], words: set[int]) -> Iterator[Fact]:
    """Leave out the symptom that was read off mere words where a sentence says which it is."""
    told = any(fact.feature == "symptom" for fact in written)
    lines = {f"line {number}" for number in words}
    for fact in observed:
        if not (told and fact.feature == "symptom" and fact.origin.partition(":")[0] in lines):
            yield fact


def _written(reading: Reading, shelf: Shelf) -> list[Fact]:
    """Give what the engineer's own sentences say."""
    prose = listened_to(reading, shelf)
    return ear_of(shelf).facts(sentences(prose)) if prose and shelf.phrases else []


def listened_to(reading: Reading, shelf: Shelf) -> list[tuple[int, str]]:
    """Give the lines that are an engineer's own words, as far as they are listened to, with their numbers."""
    texts = {one.line: one.text for one in reading.unread if not one.cut}
    texts |= {one.record.line: one.record.raw for one in reading.lines if _may_be_words(one, shelf)}
    found: list[tuple[int, str]] = []
    room = MOST_HEARD
    for number, line in sorted(texts.items()):
        if (text := prose_of(line)) and len(text) <= room:
            found.append((number, text))
            room -= len(text)
    return found


def _may_be_words(line: ReadLine, shelf: Shelf) -> bool:
    """Tell whether a line may be a sentence: people quote an error within theirs, and a device quotes nobody."""
    return line.stands == "host" or shelf.dialects[line.record.dialect].fallback


def _told(case: Case) -> list[Fact]:
    told = sorted(case.answers.items())
    if case.product:
        told.append(("log.product", case.product))
    return [Fact(feature=name, value=value, origin="you said", kind="told") for name, value in told]


def _derived(run: Run, family: Family, given: Mapping[str, Fact], shelf: Shelf) -> dict[str, Fact]:
    reasons = {}
    for rule in family.book.inferences:
        if rule.then and rule.name in run.fired and rule.then[0] in run.derived:
            inference = shelf.inferences[rule.name.partition("/")[2]]
            reasons[rule.then[0]] = f"inferred: {inference.because}"
    return {
        name: Fact(feature=name, value=value, origin=reasons.get(name, "inferred"), kind="inferred")
        for name, value in sorted(run.derived.items())
        if name not in given
    }


def _findings(run: Run, family: Family) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for name in sorted(run.fired & family.clues.keys(), key=_natural):
        clue = family.clues[name]
        found[clue.cause].append(
            Finding(
                clue=name,
                strength=clue.strength,
                because=clue.because,
                facts=[clause.feature for clause in clue.rule.clauses],
                source=clue.source,
            )
        )
    return found


def _natural(name: str) -> tuple[str, int]:
    cause, _, number = name.rpartition("/")
    return cause, int(number)
