"""Why not that cause, and what would an answer change, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.phrases import lower, percent
from bot.wording import reason
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Fact
from rules.explain import Unmet, WhatIf, WhyNot


def why_not_words(found: WhyNot, facts: Mapping[str, Fact], shelf: Shelf) -> list[str]:
    """Say why a cause does not lead."""
    one = found.hypothesis
    lines = [f"“{one.title}” stands at {percent(one.probability)} ({one.standing})."]
    lines += [f"Against it: {reason(finding, facts, shelf)}." for finding in found.against]
    lines += [f"Not met: {_unmet(unmet, facts, shelf)}." for unmet in found.failed[:3]]
    lines += [f"Not known: {_lacking(unmet, shelf)}." for unmet in found.missing[:3]]
    return lines


def _unmet(unmet: Unmet, facts: Mapping[str, Fact], shelf: Shelf) -> str:
    clause = unmet.failed[0]
    feature = shelf.features[clause.feature]
    value = said(feature, facts[clause.feature].value)
    return f"“{unmet.because}” does not hold, for {lower(feature.title)} = {value}"


def _lacking(unmet: Unmet, shelf: Shelf) -> str:
    titles = " and ".join(lower(shelf.features[clause.feature].title) for clause in unmet.missing)
    return f"{titles}; it decides whether “{unmet.because}” holds"


def what_if_words(found: Sequence[WhatIf]) -> list[str]:
    """Say what each answer would change."""
    return [f"“{one.label}”: “{one.leader}” would lead with {percent(one.probability)}." for one in found]
