"""JSON over many lines becomes one line, lists of JSON become several, and no line gets lost on the way."""

from __future__ import annotations

import json

import pytest

from rules.gather import gather

RECORD = {"src": "192.0.2.1", "deep": {"list": [1, {"text": 'a "quoted" } brace\\'}]}}


def _texts(*lines: str) -> list[str]:
    return [one.text for one in gather(lines)]


def _places(*lines: str) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in gather(lines)]


def test_printed_json_is_put_together() -> None:
    printed = json.dumps(RECORD, indent=2).split("\n")
    assert [json.loads(text) for text in _texts("before", *printed, "behind")[1:-1]] == [RECORD]
    assert _places("before", *printed, "behind") == [(1, 1), (2, len(printed) + 1), (len(printed) + 2,) * 2]


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("key", [None, "records", "Records", "events", "value", "logEvents"])
def test_a_list_of_records_is_taken_apart(key: str | None, indent: int | None) -> None:
    content = [RECORD, {"src": "192.0.2.2"}]
    printed = json.dumps({key: content} if key else content, indent=indent).split("\n")
    assert [json.loads(text) for text in _texts(*printed)] == content


def test_a_list_of_numbers_is_no_list_of_records() -> None:
    assert _texts('{"records": [1, 2]}') == ['{"records": [1, 2]}']


def test_printed_json_that_breaks_off_comes_back_line_by_line() -> None:
    printed = json.dumps(RECORD, indent=2).split("\n")[:-1]
    assert _texts(*printed) == printed


def test_a_brace_that_never_closes_holds_back_no_more_than_so_many_lines() -> None:
    lines = ["{", *(f"line {number}" for number in range(5000))]
    assert _texts(*lines) == lines


def test_empty_lines_and_marks_of_quoting_alone_are_left_out() -> None:
    assert _places("a", "", "  ", "> ", "```", "b") == [(1, 1), (6, 6)]


def test_several_printed_records_stay_apart() -> None:
    printed = json.dumps(RECORD, indent=2).split("\n")
    assert len(_texts(*printed, *printed)) == 2
