"""What the catalogue promises as a whole: how much it knows, and that its advice is safe, can be undone and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from knowledge.check import references
from knowledge.model import Remedy
from knowledge.shelf import KINDS, Shelf
from rules.answers import askable
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
ADVICE: Mapping[str, Sequence[Remedy]] = {
    **{id_: cause.remedies for id_, cause in SHELF.causes.items()},
    **{id_: symptom.steps for id_, symptom in SHELF.symptoms.items()},
}
"""What is advised for each cause, and for each symptom while its cause is open, in the order in which it is shown."""
WEAKENS = "weakens-security"


def too_early(remedies: Sequence[Remedy]) -> list[str]:
    """Give the remedies that weaken security and are listed before one that does not."""
    harmless = max((place for place, one in enumerate(remedies) if one.risk != WEAKENS), default=0)
    return [one.do for one in remedies[:harmless] if one.risk == WEAKENS]


@pytest.mark.parametrize("id_", ADVICE)
def test_what_weakens_security_is_advised_after_all_that_does_not(id_: str) -> None:
    assert too_early(ADVICE[id_]) == []


@pytest.mark.parametrize("id_", ADVICE)
def test_every_change_says_how_to_undo_it(id_: str) -> None:
    assert [one.do for one in ADVICE[id_] if one.risk != "none" and not one.undo] == []


@pytest.mark.parametrize("id_", ADVICE)
def test_every_remedy_says_how_to_check_that_it_worked(id_: str) -> None:
    assert [one.do for one in ADVICE[id_] if not one.check] == []


def test_a_remedy_that_weakens_security_too_early_is_found() -> None:
    harmless = Remedy(do="Look", kind="look", risk="none", check="It is seen", source="house")
    harmful = harmless.model_copy(update={"do": "Open all", "risk": WEAKENS})
    assert too_early([harmless, harmful, harmful]) == []
    assert too_early([harmless, harmful, harmless]) == ["Open all"]
    assert too_early([harmful, harmful]) == []


def cited(shelf: Shelf) -> set[str]:
    """Give the sources that some entry names."""
    entries = [entry for kind in KINDS for entry in getattr(shelf, kind).values()]
    return {name.partition("#")[0] for entry in entries for _, name in references(entry)}


@pytest.mark.parametrize(
    ("what", "count", "least"),
    [
        ("causes", len(SHELF.causes), 50),
        ("questions", len(askable(SHELF)), 45),
        ("products with commands", sum(bool(one.commands) for one in SHELF.products.values()), 20),
        ("cited sources", len(cited(SHELF) & SHELF.sources.keys()), 250),
    ],
)
def test_the_catalogue_holds_at_least(what: str, count: int, least: int) -> None:
    assert count >= least, f"{count} {what}"
