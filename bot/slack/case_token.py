"""The case travels in the buttons of a message, for nothing is stored: a case becomes a short token, and back.

What the lines stated travels, the lines themselves do not. A token comes back through a signed request, and is still
read as if anybody had written it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from knowledge.clause import Value, typed
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.case import Case, Fact

LONGEST = 2000
"""Characters of a button's value, as Slack documents it."""
UNDERSTOOD = 300
"""Characters that are carried of what was understood from the line."""
_VERSION = "1."
_ROOM = 250
"""Characters kept free for the answer that a button adds to the case."""
_LARGEST = 64 * 1024
"""Bytes a token may unpack to."""

_Wire = tuple[
    str | None,  # product
    list[
        tuple[str, Value, str, Literal["seen", "told", "inferred", "assumed"]]
    ],  # observed: feature, value, origin, kind
    dict[str, Value],  # answers
    list[str],  # declined
    list[str | int],  # confirmed: features, or the places of answers
    str,  # understood
]
_WIRE: TypeAdapter[_Wire] = TypeAdapter(_Wire, config=ConfigDict(strict=True, allow_inf_nan=False))


@dataclass(frozen=True, slots=True)
class Carried:
    """What travels: the case without its paste, and the sentences that say what was understood from it."""

    case: Case
    understood: str = ""


def encode(carried: Carried) -> str:
    """Write a token."""
    case = carried.case
    facts = [[fact.feature, fact.value, fact.origin, fact.kind] for fact in case.observed or ()]
    told = {name: place for place, name in enumerate(case.answers)}
    confirmed = [told.get(name, name) for name in sorted(case.confirmed)]
    parts = [case.product, facts, dict(case.answers), sorted(case.declined), confirmed, carried.understood]
    plain = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return _VERSION + base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")


def decode(token: str, shelf: Shelf) -> Carried:
    """Read a token. Raises ValueError if it is not one of this version's, or names what is not known here."""
    if len(token) > LONGEST or not token.startswith(_VERSION):
        raise ValueError("no token of this version")
    try:
        product, facts, answers, declined, confirmed, understood = _WIRE.validate_json(_unpacked(token))
    except ValidationError:
        # Its words would quote the token.
        raise ValueError("the token holds no case") from None
    confirmed_names = _named(confirmed, list(answers))
    observed = tuple(Fact(feature=name, value=value, origin=said, kind=kind) for name, value, said, kind in facts)
    _check(
        shelf.features, {**answers, **{fact.feature: fact.value for fact in observed}}, {*declined, *confirmed_names}
    )
    if product is not None and product not in shelf.products:
        raise ValueError("the token names a product that is not known")
    case = Case(
        product=product,
        answers=answers,
        declined=frozenset(declined),
        confirmed=frozenset(confirmed_names),
        observed=observed,
    )
    return Carried(case, understood)


def _named(confirmed: Sequence[str | int], told: Sequence[str]) -> list[str]:
    if any(isinstance(one, int) and not 0 <= one < len(told) for one in confirmed):
        raise ValueError("the token confirms an answer that it does not hold")
    return [told[one] if isinstance(one, int) else one for one in confirmed]


def _unpacked(token: str) -> bytes:
    packed = token.removeprefix(_VERSION)
    unpacking = zlib.decompressobj()
    try:
        squeezed = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        plain = unpacking.decompress(squeezed, _LARGEST)
    except (zlib.error, ValueError):
        raise ValueError("the token is garbled") from None
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("the token is cut, or unpacks to too much")
    return plain


def _check(features: Mapping[str, Feature], values: Mapping[str, Value], names: set[str]) -> None:
    if unknown := (values.keys() | names) - features.keys():
        raise ValueError(f"the token names {len(unknown)} features that are not known")
    try:
        for name, value in values.items():
            typed(features[name], value)
    except ValueError:
        raise ValueError("the token gives a feature a value that it cannot have") from None


def fit(carried: Carried, features: Mapping[str, Feature]) -> tuple[Carried, bool]:
    """Leave out what is needed least until the token is short enough; tells whether anything was left out."""
    for smaller in _smaller(carried, features):
        if len(encode(smaller)) <= LONGEST - _ROOM:
            return smaller, smaller is not carried
    raise ValueError("too much is known about this case for one message")


def _smaller(carried: Carried, features: Mapping[str, Feature]) -> Iterator[Carried]:
    """Leave out the reasons behind origins, longest first; then the sentences; then texts, which only fill commands.

    What an answer outdoes goes first: that the same was declined, and what a line said if the answer was confirmed.
    """
    yield carried
    case = carried.case
    settled = case.confirmed & case.answers.keys()
    facts = [fact for fact in case.observed or () if fact.feature not in settled]
    carried = replace(carried, case=case.model_copy(update={"declined": case.declined - case.answers.keys()}))
    yield _with(carried, facts, carried.understood)
    for place in sorted(range(len(facts)), key=lambda one: -len(facts[one].origin)):
        shorter = facts[place].origin.partition(":")[0][:40]
        facts[place] = facts[place].model_copy(update={"origin": shorter})
        yield _with(carried, facts, carried.understood)
    yield _with(carried, facts, "")
    for fact in sorted(_texts(facts, features), key=lambda one: -len(str(one.value))):
        facts.remove(fact)
        yield _with(carried, facts, "")


def _texts(facts: list[Fact], features: Mapping[str, Feature]) -> list[Fact]:
    return [fact for fact in facts if features[fact.feature].type == "text"]


def _with(carried: Carried, facts: list[Fact], understood: str) -> Carried:
    return replace(carried, case=carried.case.model_copy(update={"observed": tuple(facts)}), understood=understood)
