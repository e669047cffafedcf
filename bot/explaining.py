"""Why not that cause, and what would an answer change, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.phrases import lower, percent
from bot.wording import evidence, reason
from knowledge.shelf import Shelf
from rules.answers import said
from rules.case import Fact, Hypothesis
from rules.explain import Moved, Unmet, WhatIf, WhyNot


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


_MOVES = 4


def moved_words(found: Sequence[Moved]) -> str:
    """Say what an answer did to the ranking."""
    if not found:
        return "That changes little."
    return "; ".join(f"{one.title} {percent(one.before)} → {percent(one.after)}" for one in found[:_MOVES])


def why_words(
    one: Hypothesis, follows: Mapping[str, Sequence[str]], facts: Mapping[str, Fact], shelf: Shelf
) -> list[str]:
    """Say from which facts a cause got its place, what those follow from, and what would refute it."""
    lines = [f"“{one.title}” stands at {percent(one.probability)} ({one.standing})."]
    lines += [f"For it ({finding.strength}): {reason(finding, facts, shelf)}." for finding in one.for_]
    lines += [f"Against it ({finding.strength}): {reason(finding, facts, shelf)}." for finding in one.against]
    if not one.for_ and not one.against:
        lines.append("Nothing that is known speaks for or against it; it stands where causes begin.")
    behind = dict.fromkeys(name for finding in (*one.for_, *one.against) for name in finding.facts if name in follows)
    for name in behind:
        known = "; ".join(evidence(facts[base], shelf) for base in follows[name] if base in facts)
        lines.append(f"“{lower(shelf.features[name].title)}” follows from [{known}].")
    return [*lines, f"What would refute it: {one.refuted_by}."]
