"""What a single entry cannot know: whether all that it names exists, and whether its values fit."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from knowledge.clause import Bounds, Clause, parse_clause
from knowledge.complaint import Complaint, check_clauses, check_facts, unknown
from knowledge.dialect_check import check_dialect
from knowledge.model import (
    Cause,
    Clue,
    Contradiction,
    Entry,
    Example,
    Feature,
    Inference,
    Phrases,
    Product,
    Remedy,
    Symptom,
)
from knowledge.shelf import Shelf
from knowledge.yamlfile import Where

Finding = tuple[str, str, Where, str]
"""Kind and id of an entry, the path inside it, and what is wrong there."""

_ENDS = ("client", "server", "source", "destination")
COMMAND_FIELDS = frozenset([*_ENDS, *(f"{end}_port" for end in _ENDS), "interface"])


def cross_check(shelf: Shelf) -> Iterator[Finding]:
    """Find everything in the entries that other entries contradict."""
    checks: list[tuple[str, Mapping[str, Any], Callable[[Shelf, Any], Iterator[Complaint]]]] = [
        ("features", shelf.features, _check_feature),
        ("causes", shelf.causes, _check_cause),
        ("symptoms", shelf.symptoms, _check_symptom),
        ("products", shelf.products, _check_product),
        ("dialects", shelf.dialects, check_dialect),
        ("inferences", shelf.inferences, _check_inference),
        ("phrases", shelf.phrases, _check_phrases),
        ("contradictions", shelf.contradictions, _check_contradiction),
    ]
    for kind, entries, check in checks:
        for id_, entry in entries.items():
            for where, message in (*check(shelf, entry), *_check_sources(shelf, entry)):
                yield kind, id_, where, message
    for id_, where, message in _check_rival_inferences(shelf):
        yield "inferences", id_, where, message


def _check_sources(shelf: Shelf, entry: Entry) -> Iterator[Complaint]:
    for where, reference in references(entry):
        source, _, statement = reference.partition("#")
        if source not in shelf.sources:
            yield where, unknown("source", source, shelf.sources)
        elif statement and statement not in shelf.sources[source].statements:
            yield where, unknown(f"statement of {source}", statement, shelf.sources[source].statements)


def references(entry: Entry) -> Iterator[tuple[Where, str]]:
    """Give every source that an entry names anywhere, `id` or `id#statement`, and where it names it."""
    return _references(entry, ())


def _references(part: object, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(part, Entry):
        for name in type(part).model_fields:
            yield from _references_of_field(getattr(part, name), name, where)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _references(value, (*where, key))
    elif isinstance(part, (list, tuple)):
        for index, value in enumerate(part):
            yield from _references(value, (*where, index))


def _references_of_field(value: object, name: str, where: Where) -> Iterator[tuple[Where, str]]:
    if name in ("source", "better_source") and isinstance(value, str):
        yield (*where, name.replace("_", " ")), value
    elif name == "sources" and isinstance(value, list):
        yield from (((*where, name, index), one) for index, one in enumerate(value))
    else:
        yield from _references(value, (*where, name))


def _check_phrases(shelf: Shelf, phrases: Phrases) -> Iterator[Complaint]:
    if phrases.id not in shelf.features:
        yield (), unknown("feature", phrases.id, shelf.features)


def _check_feature(shelf: Shelf, feature: Feature) -> Iterator[Complaint]:
    yield from _check_verb(shelf, feature.question.use if feature.question else None, ("question",))
    if feature.type == "choice" and len(feature.choices) < 2:
        yield (), "a choice needs at least two choices"
    if feature.type in ("yes-no", "text") and feature.choices:
        yield ("choices",), f"a feature of the type {feature.type} has no choices"
    if feature.type == "number" and feature.question and not feature.choices:
        yield (), "a number that is asked for needs choices, to be offered as buttons"
    wrong = int if feature.type == "choice" else str
    for value in feature.choices:
        if isinstance(value, wrong):
            yield ("choices", value), f"choice {value!r} must be {'a word' if wrong is int else 'a number'}"


def _check_clue(shelf: Shelf, clue: Clue, where: Where) -> Iterator[Complaint]:
    if len(clue.parts()) != 1:
        yield where, "a clue states exactly one of: shows, points to, supports, weakens, excludes"
        return
    strength, clauses = clue.parts()[0]
    if not clauses:
        yield where, "a clue needs at least one clause"
    yield from check_clauses(shelf, clauses, (*where, strength))


def _check_cause(shelf: Shelf, cause: Cause) -> Iterator[Complaint]:
    for index, clue in enumerate(cause.clues):
        yield from _check_clue(shelf, clue, ("clues", index))
    for index, remedy in enumerate(cause.remedies):
        yield from _check_remedy(shelf, remedy, ("remedies", index))
    for group in ("examples", "lookalikes"):
        for index, example in enumerate(getattr(cause, group)):
            yield from _check_example(shelf, example, (group, index))


def _check_example(shelf: Shelf, example: Example, where: Where) -> Iterator[Complaint]:
    yield from check_facts(shelf, example.facts, (*where, "facts"))
    if example.explained_by and example.explained_by not in shelf.causes:
        yield (*where, "explained by"), unknown("cause", example.explained_by, shelf.causes)


def _check_symptom(shelf: Shelf, symptom: Symptom) -> Iterator[Complaint]:
    for index, step in enumerate(symptom.steps):
        yield from _check_remedy(shelf, step, ("steps", index))
    for name in set(symptom.not_causes) & set(shelf.causes):
        yield ("not causes", name), f"{name!r} is a cause as well; it can only be one of the two"


def _check_remedy(shelf: Shelf, remedy: Remedy, where: Where) -> Iterator[Complaint]:
    if remedy.risk != "none" and not remedy.undo:
        yield where, f"a remedy whose risk is {remedy.risk!r} needs 'undo'"
    if remedy.risk == "weakens-security" and not remedy.caution:
        yield where, "a remedy that weakens security needs 'caution': what it costs"
    yield from _check_verb(shelf, remedy.use, where)
    for index, product in enumerate(remedy.only_for):
        if product not in shelf.products:
            yield (*where, "only for", index), unknown("product", product, shelf.products)
    for product, template in remedy.commands.items():
        if product not in shelf.products:
            yield (*where, "commands", product), unknown("product", product, shelf.products)
        yield from _check_template(template, (*where, "commands", product))


def _check_verb(shelf: Shelf, verb: str | None, where: Where) -> Iterator[Complaint]:
    verbs = {verb for product in shelf.products.values() for verb in product.commands}
    if verb and verb not in verbs:
        yield (*where, "use"), unknown("command of any product", verb, verbs)


def _check_template(template: str, where: Where) -> Iterator[Complaint]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as wrong:
        yield where, f"this template cannot be filled: {wrong}; write {{{{ and }}}} for braces"
        return
    for name in sorted(names - COMMAND_FIELDS):
        yield where, unknown("field", name, COMMAND_FIELDS)


def _check_product(_shelf: Shelf, product: Product) -> Iterator[Complaint]:
    for verb, command in product.commands.items():
        yield from _check_template(command.run, ("commands", verb, "run"))


def _check_inference(shelf: Shelf, rule: Inference) -> Iterator[Complaint]:
    yield from check_clauses(shelf, rule.when, ("when",))
    yield from check_facts(shelf, rule.then, ("then",))


def _check_contradiction(shelf: Shelf, rule: Contradiction) -> Iterator[Complaint]:
    yield from check_clauses(shelf, rule.when, ("when",))
    if rule.ask_again not in rule.when:
        yield ("ask again",), unknown("clause of this contradiction", rule.ask_again, rule.when)
    elif rule.ask_again in shelf.features and shelf.features[rule.ask_again].question is None:
        yield ("ask again",), f"{rule.ask_again} has no question"


def _check_rival_inferences(shelf: Shelf) -> Iterator[tuple[str, Where, str]]:
    """Two inferences that state different values of one feature must never both fire: order would matter."""
    rules = [(id_, *next(iter(rule.then.items())), rule) for id_, rule in shelf.inferences.items()]
    for index, (id_, feature, value, rule) in enumerate(rules):
        for other_id, other_feature, other_value, other in rules[:index]:
            if feature == other_feature and value != other_value and not _disjoint(shelf, rule, other):
                yield id_, ("when",), f"can fire together with {other_id!r}, which states another {feature}"


def _disjoint(shelf: Shelf, one: Inference, other: Inference) -> bool:
    shared = set(one.when) & set(other.when) & set(shelf.features)
    return any(_apart(shelf.features[name], one.when[name], other.when[name]) for name in shared)


def _apart(feature: Feature, one: Any, other: Any) -> bool:
    try:
        first, second = parse_clause(feature, one), parse_clause(feature, other)
    except ValueError:
        return True
    if isinstance(first.test, frozenset):
        return not any(second.holds(value) for value in first.test)
    if isinstance(second.test, frozenset):
        return _apart(feature, other, one)
    return _bounds_apart(first, second)


def _bounds_apart(first: Clause, second: Clause) -> bool:
    one, other = first.test, second.test
    if not (isinstance(one, Bounds) and isinstance(other, Bounds)):
        return False
    infinite = float("inf")
    low = max(-infinite if b.low is None else b.low for b in (one, other))
    high = min(infinite if b.high is None else b.high for b in (one, other))
    return low > high or (low == high and (one.strict or other.strict))
