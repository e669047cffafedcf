"""Hold a dialect to its own samples: they are read as they say, nobody else claims them, and nothing in it is idle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from knowledge.clause import typed
from knowledge.complaint import Complaint
from knowledge.model import Dialect, FactRule, Sample
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from rules.case import Record
from rules.envelope import carried
from rules.gather import gather
from rules.interpret import ReadLine, Stated
from rules.observe import observe
from rules.read import Decoded, Reading, read, reader_of


def of_dialect(dialect: Dialect, shelf: Shelf) -> Iterator[Complaint]:
    """Find everything that a dialect claims by its samples and that is not so."""
    checks: Sequence[Callable[[Sample, Dialect, Shelf], Iterator[str]]] = (misread, claimed_by_others, unmarked)
    for number, sample in enumerate(dialect.samples):
        for check in checks:
            yield from ((("samples", number), message) for message in check(sample, dialect, shelf))
    yield from idle(dialect, shelf)


def misread(sample: Sample, dialect: Dialect, shelf: Shelf) -> Iterator[str]:
    """Say in what a sample is read differently from what it states."""
    reader = reader_of(shelf)
    owners = {one.id if (one := reader.dialect_of(line)) else None for line in sample.line.splitlines()}
    if dialect.id not in owners:
        yield f"sample {sample.line[:60]!r} is recognised by {', '.join(filter(None, owners)) or 'nobody'}"
        return
    lines = read(sample.line, shelf).lines
    line = next((one for one in lines if one.says == sample.event), lines[0] if lines else None)
    if (line is None) != (sample.event == "irrelevant"):
        yield f"sample {sample.line[:60]!r} gives {'no record' if line is None else 'a record'}"
    elif line is not None:
        yield from _differences(sample, line, shelf)


def _differences(sample: Sample, line: ReadLine, shelf: Shelf) -> Iterator[str]:
    wanted = None if sample.event in ("opened", "packet", "irrelevant") else sample.event
    if line.record.event != wanted:
        yield f"sample {sample.line[:60]!r} gives event {line.record.event}, not {wanted}"
    for name, value in sample.expect.items():
        if (got := _part(line.record, name)) != value:
            yield f"sample {sample.line[:60]!r} gives {name} {got!r}, not {value!r}"
    stated = {one.feature: one.value for one in observe(Reading((line,), ()))}
    for name, raw in sample.facts.items():
        if stated.get(name) != typed(shelf.features[name], raw):
            yield f"sample {sample.line[:60]!r} states {name} {stated.get(name)!r}, not {raw!r}"


def _part(record: Record, name: str) -> object:
    part: object = record
    for step in name.split("."):
        part = getattr(part, step)
    return part


def claimed_by_others(sample: Sample, dialect: Dialect, shelf: Shelf) -> Iterator[str]:
    """Say which lines of a sample another dialect claims: a header or the rest of a block may be nobody's."""
    recogniser = reader_of(shelf).recogniser
    for line in gather(sample.line.splitlines()):
        forms = (recogniser.claims(text) for text in carried(line.text))
        owners = [one.id for one in next(filter(None, forms), [])]
        if others := [one for one in owners if one != dialect.id]:
            yield f"line {line.text[:60]!r} is claimed by {', '.join(others)} as well"


def unmarked(sample: Sample, dialect: Dialect, _shelf: Shelf) -> Iterator[str]:
    """Say which marks a sample lacks that every line of its dialect should bear."""
    missing = [words for words, text in dialect.marks.items() if pattern(text).search(sample.line) is None]
    if missing and not dialect.fallback:
        yield f"sample {sample.line[:60]!r} lacks the mark {', '.join(map(repr, missing))}"


def idle(dialect: Dialect, shelf: Shelf) -> Iterator[Complaint]:
    """Find what no sample uses: a rule, a pattern, a field."""
    reader = reader_of(shelf)
    found = [one for sample in dialect.samples for one in reader.decoded(sample.line.splitlines())]
    own = [one for one in found if one.dialect is dialect]
    lines = [one for sample in dialect.samples for one in read(sample.line, shelf).lines]
    yield from _idle_rules(dialect, own)
    yield from _idle_facts(dialect, lines, shelf)
    yield from _idle_patterns(dialect, own)
    named = set().union(*(one.used.fields for one in own))
    filled = {name for line in lines if line.record.dialect == dialect.id for name in _filled(line)}
    for name in dialect.fields.keys() - (named & filled):
        yield ("fields", name), f"no sample fills {name}"


def _idle_rules(dialect: Dialect, found: Sequence[Decoded]) -> Iterator[Complaint]:
    met = {id(one.used.line) for one in found}
    for index, rule in enumerate(dialect.lines):
        if rule.event != "irrelevant" and id(rule) not in met:
            yield ("lines", index), f"no sample meets this rule of {rule.event}"
    named = {id(one.used.product) for one in found}
    for index, product in enumerate(dialect.products):
        if id(product) not in named:
            yield ("products", index), f"no sample is of {product.product} by this rule"


def _idle_facts(dialect: Dialect, lines: Sequence[ReadLine], shelf: Shelf) -> Iterator[Complaint]:
    stated = [one for line in lines if line.record.dialect == dialect.id for one in line.stated]
    for index, rule in enumerate(dialect.facts):
        if not any(_states(rule, one, shelf) for one in stated):
            yield ("facts", index), f"no sample states {', '.join(rule.facts)} by this rule"


def _states(rule: FactRule, one: Stated, shelf: Shelf) -> bool:
    named = one.feature in rule.facts and one.because == rule.because
    return named and one.value == typed(shelf.features[one.feature], rule.facts[one.feature])


def _idle_patterns(dialect: Dialect, found: Sequence[Decoded]) -> Iterator[Complaint]:
    used = {text for one in found for text in _patterns_used(dialect, one)}
    for name, texts in (("patterns", dialect.patterns), ("details", dialect.details)):
        for index, text in enumerate(texts):
            if text not in used:
                yield (name, index), f"no sample uses the pattern {text[:60]!r}"


def _patterns_used(dialect: Dialect, one: Decoded) -> Iterator[str]:
    text = one.text if dialect.codec in ("leef", "table", "words") else one.text.replace("\t", " ")
    matching = [each for each in dialect.patterns if pattern(each).search(one.raw.get("item", text))]
    yield from matching[:1] if dialect.codec == "regex" or "item" in one.raw else matching
    yield from (each for each in dialect.details if pattern(each).search(text))


def _filled(line: ReadLine) -> Iterator[str]:
    for name, value in line.record.model_dump().items():
        parts = value if isinstance(value, dict) else {}
        yield from (f"{name}.{part}" for part, one in parts.items() if one is not None)
        if value and not parts:
            yield name
    if any(one.feature == "timing.idle_s" for one in line.stated):
        yield "idle_s"
