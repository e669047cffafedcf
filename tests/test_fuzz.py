"""Samples cut, spliced, swapped, repeated and mixed with anything are read without a loss, and so are whole pastes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.shelf import Shelf
from rules.case import Unread
from rules.read import Reader, Results, reader_of
from tests.reading import problems
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
READER = reader_of(SHELF)
SAMPLES = [sample.line for dialect in SHELF.dialects.values() for sample in dialect.samples]


def _printed() -> Iterator[str]:
    """Print the samples that are JSON over many lines."""
    for line in SAMPLES:
        try:
            content = json.loads(line)
        except ValueError:
            continue
        yield from (json.dumps(content, indent=indent) for indent in (1, 4) if isinstance(content, dict))


PRINTED = list(_printed())
EXAMPLES = 500

Mutation = Callable[[str, str, int, int], str]
"""Makes a text of two texts and two places in the first; places beyond its end count from its beginning again."""


def _cut(text: str, _other: str, begin: int, end: int) -> str:
    return text[min(begin, end) : max(begin, end)]


def _splice(text: str, other: str, begin: int, end: int) -> str:
    return text[:begin] + other[end % (len(other) + 1) :]


def _insert(text: str, other: str, begin: int, _end: int) -> str:
    return text[:begin] + other + text[begin:]


def _swap(text: str, _other: str, begin: int, end: int) -> str:
    first, last = sorted((begin, end))
    return text[last:] + text[first:last] + text[:first]


def _repeat(text: str, _other: str, begin: int, end: int) -> str:
    first, last = sorted((begin, end))
    return text[:last] + text[first:last] * 5 + text[last:]


def _other_bytes(text: str, other: str, begin: int, _end: int) -> str:
    content = bytearray(text.encode())
    content[begin : begin + 4] = other.encode("utf-16", "surrogatepass")[:4]
    return content.decode("utf-8", "replace")


MUTATIONS: Sequence[Mutation] = (_cut, _splice, _insert, _swap, _repeat, _other_bytes)
anything = st.one_of(
    st.text(max_size=8), st.sampled_from(["\x00", "\x1b[31m", "\ufeff", "\u202e", '"', "\\", "{", "\t"])
)
samples = st.sampled_from(SAMPLES)
places = st.integers(0, 2_000)


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str] = samples) -> str:
    """Give a sample that was changed up to three times."""
    text = draw(texts)
    for mutation in draw(st.lists(st.sampled_from(MUTATIONS), max_size=3)):
        begin, end = (draw(places) % (len(text) + 1) for _ in range(2))
        text = mutation(text, draw(st.one_of(anything, samples)), begin, end)
    return text


pastes = st.lists(st.one_of(mutated(), samples, st.sampled_from(PRINTED), anything), max_size=8).map("\n".join)


@settings(max_examples=EXAMPLES, deadline=None)
@given(mutated())
def test_a_mutated_sample_is_read_without_a_loss(text: str) -> None:
    assert list(problems(text, READER)) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(pastes, places, places)
def test_a_paste_of_mutated_lines_cut_anywhere_is_read_without_a_loss(paste: str, begin: int, end: int) -> None:
    assert list(problems(paste[begin % 50 : len(paste) - end % 50], READER)) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(mutated(st.sampled_from(PRINTED)), st.sampled_from(["", "> ", "  ", "| "]))
def test_printed_json_cut_and_quoted_anyhow_is_read_without_a_loss(text: str, quoting: str) -> None:
    assert list(problems("\n".join(quoting + line for line in text.split("\n")), READER)) == []


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None)
@given(pastes)
def test_many_more_pastes_are_read_without_a_loss(paste: str) -> None:
    assert list(problems(paste, READER)) == []


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_changes_a_sample(mutation: Mutation) -> None:
    assert mutation(SAMPLES[0], "other", 7, 20) != SAMPLES[0]


class _Losing(Reader):
    """A reader that swallows the second result, as a mistake in joining lines would."""

    def stream(self, lines: Iterable[str]) -> Results:
        """Read, and lose something."""
        for place, one in enumerate(super().stream(lines)):
            if place != 1:
                yield one


class _Counting(Reader):
    """A reader whose answers depend on what it read before."""

    read = 0

    def stream(self, lines: Iterable[str]) -> Results:
        """Read, and number the readings."""
        self.read += 1
        yield from super().stream(lines)
        yield Unread(line=1, text="", why=f"reading {self.read}")


def test_a_line_that_is_lost_is_found(shelf: Shelf) -> None:
    assert list(problems("one\ntwo", _Losing(shelf))) == ["line 2 is lost: 'two'"]


def test_a_reading_that_changes_is_found(shelf: Shelf) -> None:
    assert list(problems("one\ntwo", _Counting(shelf))) == ["read twice, it gives something else"]
