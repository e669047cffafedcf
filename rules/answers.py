"""Answers as people type them become values; a paste and answers become a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from knowledge.clause import Value, plain, typed
from knowledge.complaint import unknown
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.case import Case, Diagnosis
from rules.quantities import flag_class, flags, seconds

_UNKNOWN = frozenset(
    {"unknown", "don't know", "dont know", "do not know", "dunno", "idk", "no idea", "no clue", "not sure", "skip"}
)

_SHOWN = 60
_YES = frozenset({"yes", "y", "true", "1", "yep", "yeah", "yup"})
_NO = frozenset({"no", "n", "false", "0", "2", "nope", "nah"})
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")
_HOURS = re.compile(r"[0-9]{1,3}h[0-5][0-9]")
_LONGEST = 200
_CLEAR = 4
"""Letters from which the beginning of a word is taken for it; fewer are more likely a slip."""


_TELLING = 8
"""Letters from which some words out of a label are taken for it."""
_MANY = 8
"""More choices than these are named without their labels."""


class NoAnswer(ValueError):
    """What was typed is no answer; `spoken` says so to whoever sees the question, and does not name its feature."""

    def __init__(self, words: str, spoken: str) -> None:
        super().__init__(words)
        self.spoken = spoken


def is_unknown(text: str) -> bool:
    """Tell whether a typed answer says that one does not know."""
    said = " ".join(text.replace("’", "'").lower().split()).strip(" .!")
    return said.removeprefix("i ").removeprefix("i'm ") in _UNKNOWN


def parse_answer(feature: Feature, text: str) -> Value:
    """Read a typed answer: a value, its number in the list, its label, a duration. Raises NoAnswer."""
    said = " ".join(text.split()).lower()[:_LONGEST]
    if feature.type == "yes-no" and (bare := said.rstrip(" .!")) in _YES | _NO:
        return bare in _YES
    if feature.type == "number":
        return _number(feature, said)
    if feature.type == "choice" and (value := _choice(feature, said)) is not None:
        return value
    raise _no_answer(feature, text)


def _no_answer(feature: Feature, text: str) -> NoAnswer:
    shown = repr(text[:_SHOWN])
    if feature.type == "number":
        words = f"{shown} is no duration; write for example 3600, 3605s, 1h or 'about an hour'"
        return NoAnswer(words, words)
    many = len(feature.choices) > _MANY
    named = [str(name) if many else f"{name} ({label})" for name, label in feature.choices.items()]
    labels = [str(label) for label in feature.choices.values()]
    if feature.type == "yes-no":
        named = labels = ["yes", "no"]
    listed = f"one of the {len(labels)} in the list" if many else "; ".join(labels)
    return NoAnswer(
        f"{shown} is no answer to {feature.id}; allowed: {', '.join(named)}, unknown",
        f"{shown} is none of the answers: {listed}, or unknown",
    )


def _number(feature: Feature, said: str) -> Value:
    for value, label in feature.choices.items():
        if said == label.lower():
            return typed(feature, value)
    # 3,600 s is an hour and 1,5 h an hour and a half; read up to the comma, both would be something else.
    typed_so = _COMMA.sub(".", _THOUSANDS.sub("", said.removeprefix("about ").removeprefix("around ")))
    number = seconds(f"{typed_so}m" if _HOURS.fullmatch(typed_so) else typed_so)
    if number is None:
        raise _no_answer(feature, said)
    try:
        return typed(feature, number)
    except ValueError:  # too large, or too small
        raise _no_answer(feature, said) from None


def _choice(feature: Feature, said: str) -> Value | None:
    values = [str(value) for value in feature.choices]
    exact = {value.lower(): value for value in values}
    exact |= {label.lower(): str(value) for value, label in feature.choices.items()}
    exact |= {str(number): value for number, value in enumerate(values, start=1)}
    for text in (said, said.replace(" ", "-")):
        if text in exact:
            return exact[text]
    if feature.id == "packet.flags" and (named := flags(said)):
        return flag_class(named)
    for near in (
        {value for text, value in exact.items() if len(said) >= _CLEAR and text.startswith(said)},
        {value for text, value in exact.items() if len(said) >= _TELLING and f" {said} " in f" {text} "},
    ):
        if near:
            return near.pop() if len(near) == 1 else None
    return None


def make_case(
    shelf: Shelf,
    paste: str,
    answers: Mapping[str, Value | int | None],
    product: str | None = None,
    declined: Iterable[str] = (),
    confirmed: Iterable[str] = (),
) -> Case:
    """Make a case of a paste and answers; `unknown` or None declines a question. Raises ValueError."""
    told: dict[str, Value] = {}
    refused = set(declined)
    for name, raw in answers.items():
        feature = shelf.features.get(name)
        if feature is None:
            raise ValueError(unknown("feature", name[:_SHOWN], askable(shelf)))
        if feature.type == "text" or name == "log.event":
            raise ValueError(f"{name} is read from the line; it cannot be answered")
        if raw is None or (isinstance(raw, str) and is_unknown(raw)):
            refused.add(name)
        else:
            told[name] = parse_answer(feature, raw) if isinstance(raw, str) else typed(feature, raw)
    for name in (*refused, *confirmed):
        if name not in shelf.features:
            raise ValueError(unknown("feature", name, shelf.features))
    return Case(
        paste=paste,
        product=None if product is None else product_id(product, shelf),
        answers=told,
        declined=frozenset(refused),
        confirmed=frozenset(confirmed),
    )


def asked_again(diagnosis: Diagnosis, feature: str) -> bool:
    """Tell whether a feature is asked because of a contradiction."""
    return any(one.ask_again == feature for one in diagnosis.contradictions)


def answered(case: Case, feature: str, value: Value | None, *, again: bool = False) -> Case:
    """Give the case after an answer; None is "I don't know". Asked again, the answer stands even if it contradicts."""
    answers = {name: told for name, told in case.answers.items() if name != feature}
    declined = case.declined - {feature}
    if value is None:
        declined |= {feature}
    else:
        answers[feature] = value
    confirmed = case.confirmed | {feature} if again else case.confirmed
    return case.model_copy(update={"answers": answers, "declined": declined, "confirmed": confirmed})


def withdrawn(case: Case, feature: str) -> Case:
    """Give the case as if that question had never been answered."""
    answers = {name: told for name, told in case.answers.items() if name != feature}
    left = {"declined": case.declined - {feature}, "confirmed": case.confirmed - {feature}}
    return case.model_copy(update={"answers": answers, **left})


def askable(shelf: Shelf) -> list[str]:
    """List the features that have a question."""
    return [feature.id for feature in shelf.features.values() if feature.question]


def product_id(text: str, shelf: Shelf) -> str:
    """Find a product by id, name or alias. Raises ValueError with the names that are known."""
    wanted = text.strip().lower()
    for product in shelf.products.values():
        names = (product.id, product.product, product.title, *product.aliases)
        if wanted in {name.lower() for name in names}:
            return product.id
    raise ValueError(unknown("product", text[:_SHOWN], shelf.products))


def said(feature: Feature, value: Value) -> str:
    """Write a value for people: its label if it has one."""
    label = feature.choices.get(plain(value)) or (
        feature.choices.get(int(value)) if isinstance(value, float) and value.is_integer() else None
    )
    if isinstance(label, str) and feature.type == "choice":
        return f"{plain(value)} ({label})" if len(plain(value)) <= 2 else label
    unit = f" {feature.unit}" if feature.unit else ""
    return plain(value) + unit
