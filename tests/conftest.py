"""What all tests share: the shipped shelf, and the expert made of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from knowledge.shelf import Shelf
from rules.diagnose import Expert
from tests.corpus import CORPUS, Entry, lines
from tests.minimal import MINIMAL, write
from tests.served import Fleet
from tests.shipped import shipped_expert, shipped_shelf


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return shipped_shelf()


@pytest.fixture(scope="session")
def expert() -> Expert:
    return shipped_expert()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in MINIMAL.items():
        write(tmp_path / name, text)
    return tmp_path


@pytest.fixture(scope="session")
def corpus() -> list[Entry]:
    if not CORPUS.exists():
        pytest.skip(f"the corpus of real log lines is not at {CORPUS}; its licences keep it out of the repository")
    return lines()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Start real server processes."""
    found = Fleet(tmp_path_factory.mktemp("fleet"))
    yield found
    found.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first."""
    items.sort(key=lambda one: one.get_closest_marker("early") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test wrote fit to be sent between processes: hostile text may hold what UTF-8 cannot."""
    report = yield
    report.sections = [(title, text.encode("utf-8", "replace").decode()) for title, text in report.sections]
    return report
