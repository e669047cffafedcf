"""What all tests share: the shipped shelf, and the expert made of it."""

from __future__ import annotations

import pytest

from knowledge.load import load_shelf
from knowledge.shelf import Shelf
from rules.diagnose import Expert


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return load_shelf()


@pytest.fixture(scope="session")
def expert(shelf: Shelf) -> Expert:
    return Expert(shelf)
