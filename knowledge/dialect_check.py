"""What a dialect promises and its file alone can break: patterns, names, the product's words, marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from knowledge.complaint import Complaint, check_facts, unknown
from knowledge.model import Dialect, LineRule
from knowledge.pattern import pattern
from knowledge.shelf import Shelf
from knowledge.yamlfile import Where

_END_PARTS = ("ip", "port", "zone", "interface", "translated_ip", "translated_port")
RECORD_FIELDS = frozenset(
    [f"{end}.{part}" for end in ("source", "destination") for part in _END_PARTS]
    + ["bytes.sent", "bytes.received", "packets.sent", "packets.received"]
    + ["time", "transport", "flags", "reason", "action", "duration_s", "idle_s", "rule", "id"]
    + ["device", "ttl", "payload"]
)
_EXPECTED = (RECORD_FIELDS - {"idle_s"}) | {"vendor", "product", "line", "last_line"}
NO_EVENT = ("other", "irrelevant", "packet", "opened")
"""What a line rule may call a line without the product having words for it."""
_FEWEST_MARKS = 2


def check_dialect(shelf: Shelf, dialect: Dialect) -> Iterator[Complaint]:
    """Find everything in a dialect that cannot be so."""
    yield from _names(shelf, dialect)
    yield from _values(shelf, dialect)
    yield from _marks(dialect)
    yield from _says(dialect)
    wrong = list(_compiles(dialect))
    yield from wrong or _shapes(dialect)


def _names(shelf: Shelf, dialect: Dialect) -> Iterator[Complaint]:
    if dialect.product not in shelf.products and not dialect.fallback:
        yield ("product",), unknown("product", dialect.product, shelf.products)
    for index, rule in enumerate(dialect.products):
        if rule.product not in shelf.products:
            yield ("products", index, "product"), unknown("product", rule.product, shelf.products)
    for name in dialect.fields:
        if name not in RECORD_FIELDS:
            yield ("fields", name), unknown("record field", name, RECORD_FIELDS)
    for index, sample in enumerate(dialect.samples):
        for name in sorted(sample.expect.keys() - _EXPECTED):
            yield ("samples", index, "expect", name), unknown("record field", name, _EXPECTED)


def _values(shelf: Shelf, dialect: Dialect) -> Iterator[Complaint]:
    for index, rule in enumerate(dialect.facts):
        yield from check_facts(shelf, rule.facts, ("facts", index, "facts"))
    for index, sample in enumerate(dialect.samples):
        yield from check_facts(shelf, sample.facts, ("samples", index, "facts"))


def _marks(dialect: Dialect) -> Iterator[Complaint]:
    if not dialect.fallback and len(dialect.marks) < _FEWEST_MARKS:
        yield ("marks",), f"it needs at least {_FEWEST_MARKS} marks: an unread line is told which of them it lacks"


def _says(dialect: Dialect) -> Iterator[Complaint]:
    for index, rule in enumerate(dialect.lines):
        if rule.event not in NO_EVENT and not dialect.fallback and not rule.says:
            yield ("lines", index), f"a rule of the event {rule.event} needs 'says': the product's own words for it"
        for place, message in _of_words(dialect, rule):
            yield ("lines", index, "says", place), message


def _of_words(dialect: Dialect, rule: LineRule) -> Iterator[tuple[int, str]]:
    for place, words in enumerate(rule.says):
        if words in rule.says[:place]:
            yield place, f"duplicate {words!r}"
        elif not any(words in sample.line for sample in dialect.samples):
            yield place, f"no sample says {words!r}; write it as it stands in a line"


def _compiles(dialect: Dialect) -> Iterator[Complaint]:
    for where, text in _patterns(dialect):
        try:
            pattern(text)
        except ValueError as wrong:
            yield where, str(wrong)


def _patterns(dialect: Dialect) -> Iterator[tuple[Where, str]]:
    for name in ("recognise", "unless", "block", "header", "each", "pair"):
        if text := getattr(dialect, name):
            yield (name,), text
    yield from ((("marks", words), text) for words, text in dialect.marks.items())
    for name, texts in (("patterns", dialect.patterns), ("details", dialect.details)):
        yield from (((name, index), text) for index, text in enumerate(texts))
    conditions: Mapping[str, list[dict[str, str]]] = {
        "lines": [one.when for one in dialect.lines],
        "facts": [one.when for one in dialect.facts],
        "products": [one.when for one in dialect.products],
    }
    for name, rules in conditions.items():
        for index, when in enumerate(rules):
            yield from (((name, index, "when", raw), text) for raw, text in when.items())


_NEEDED: Mapping[str, tuple[str, Callable[[Dialect], bool]]] = {
    "regex": ("patterns", lambda one: bool(one.patterns)),
    "csv": ("columns", lambda one: bool(one.columns)),
    "table": ("columns or a header", lambda one: bool(one.columns or one.header)),
}


def _shapes(dialect: Dialect) -> Iterator[Complaint]:
    """Find what has no group that would be read, or lacks what its codec reads with."""
    what, given = _NEEDED.get(dialect.codec, ("", lambda _: True))
    if not given(dialect):
        yield ("codec",), f"the codec {dialect.codec} needs {what}"
    if dialect.header and "(?P<names>" not in dialect.header:
        yield ("header",), "a header needs a group named 'names', which holds the names of the columns"
    if dialect.pair and pattern(dialect.pair).groups < 2:
        yield ("pair",), "a pair needs two groups: the key, and the value"
    for index, text in enumerate(dialect.details):
        if "(?P<" not in text:
            yield ("details", index), "a detail needs a named group, or it adds nothing"
