"""The benchmark of growth makes the causes it says, and names the shape of what it measured."""

from __future__ import annotations

import pytest

from bench.growth import SHAPES, SIZES, best_fit, compared, grown
from knowledge.shelf import Shelf


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_recognised(shape: str) -> None:
    assert best_fit(SIZES, [SHAPES[shape](size) or 1.0 for size in SIZES]).shape == shape


def test_a_time_that_does_not_grow_is_told_from_one_that_does() -> None:
    fit = best_fit(SIZES, [400.0 + 2.0 * size for size in SIZES])
    assert fit.shape == "linear"
    assert [fit.fixed, fit.slope] == pytest.approx([400.0, 2.0])


def test_a_smaller_shelf_holds_causes_of_ours_only(shelf: Shelf) -> None:
    causes = grown(shelf, SIZES[0]).causes
    assert (len(causes), causes.keys() - shelf.causes.keys()) == (SIZES[0], set())


def test_copies_compare_features_with_what_ours_compare_them_with(shelf: Shelf) -> None:
    causes = grown(shelf, SIZES[-1]).causes
    assert len(causes) == SIZES[-1]
    assert {id_: causes[id_] for id_ in shelf.causes} == shelf.causes
    ours, all_of_them = (compared(list(some.values())) for some in (shelf.causes, causes))
    assert all(set(map(repr, all_of_them[feature])) <= set(map(repr, ours[feature])) for feature in all_of_them)
    assert len({repr(sorted(map(repr, one.clues))) for one in causes.values()}) == SIZES[-1]


def test_the_same_shelf_grows_each_time(shelf: Shelf) -> None:
    assert grown(shelf, 100).causes == grown(shelf, 100).causes
