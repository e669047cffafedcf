"""Any bytes as a paste get an answer or a clear error, in bounded time and memory."""

from __future__ import annotations

import random
import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.paste import MOST_BYTES, check_text, paste_of
from rules.case import Case, Diagnosis
from rules.read import LONGEST_LINE, PasteTooLarge
from tests.shipped import shipped_expert

EXPERT = shipped_expert()
ASA = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"


def _diagnosed(content: bytes) -> Diagnosis:
    """Diagnose as a face does, and hold that the answer can be sent anywhere."""
    found = EXPERT.diagnose(Case(paste=paste_of(content)))
    found.model_dump_json(by_alias=True).encode("utf-8")
    return found


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_answered(content: bytes) -> None:
    _diagnosed(content)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=500), st.integers(0, 200))
def test_a_line_with_anything_put_into_it_is_answered(garbage: str, place: int) -> None:
    found = EXPERT.diagnose(Case(paste=ASA[:place] + garbage + ASA[place:]))
    found.model_dump_json(by_alias=True).encode("utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n" * 1000, b"\x00" * 5000, b"\xff" * 5000, b"\xed\xa0\x80" * 100, bytes(range(256)) * 20],
    ids=["nothing", "empty lines", "NULs", "no UTF-8", "surrogates", "all bytes"],
)
def test_binary_is_answered_with_nothing_read(content: bytes) -> None:
    assert _diagnosed(content).records == []


def test_one_line_of_a_megabyte_is_reported_and_not_read() -> None:
    found = _diagnosed(b"flags SYN ACK " * 75_000)
    assert found.records == []
    assert f"a log line has at most {LONGEST_LINE:,}" in found.unread[0].why


def test_a_long_line_beside_a_good_one_does_not_hide_it() -> None:
    found = _diagnosed(b"x" * 1_000_000 + b"\n" + ASA.encode())
    assert [record.line for record in found.records] == [2]
    assert [one.line for one in found.unread] == [1]


def test_ten_megabytes_are_refused_with_what_to_do() -> None:
    with pytest.raises(PasteTooLarge, match="Paste the lines around"):
        _diagnosed(b"x" * 10_000_000)
    with pytest.raises(PasteTooLarge, match="Paste the lines around"):
        paste_of(b"x" * (MOST_BYTES + 1))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", "a packet capture"),
        (b"\xa1\xb2\x3c\x4d\x00\x02\x00\x04", "a packet capture"),
        (b"\n\r\r\n\x1c\x00\x00\x00", "a packet capture"),
        (b"\x89PNG\r\n\x1a\n\x00", "a picture"),
        (b"%PDF-1.7\n", "a document"),
        (b"PK\x03\x04\x14", "an archive"),
        (b"ab\x00\x01" * 100, "binary file; whydrop reads text"),
    ],
)
def test_what_is_no_text_is_told_with_what_to_do(content: bytes, named: str) -> None:
    with pytest.raises(ValueError, match=r"this is a binary file.*whydrop reads text") as told:
        check_text(content)
    assert named in str(told.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\nx",
        "deny".encode("utf-16"),
        b"\xef\xbb\xbfdeny",
        b"deny\n" * 20 + b"\0" * 9,
        b"\xff\xfe\0" * 30,
        b"\xe4" * 99,
    ],
)
def test_odd_text_is_text(content: bytes) -> None:
    check_text(content)


def test_a_hundred_thousand_lines_are_refused_with_what_to_do() -> None:
    with pytest.raises(PasteTooLarge, match="Filter it by the addresses"):
        _diagnosed(b"line\n" * 100_000)


def test_as_many_lines_as_are_read_are_read_in_bounded_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = _diagnosed((ASA[:150] + "\n").encode() * 20_000)
    assert len(found.records) == 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # KiB


def test_shuffled_halves_of_known_lines_are_answered() -> None:
    chance = random.Random(7)  # noqa: S311  (only a shuffle)
    samples = [sample.line for dialect in EXPERT.shelf.dialects.values() for sample in dialect.samples]
    for _ in range(600):
        one, other = chance.choice(samples), chance.choice(samples)
        mixed = one[: chance.randrange(len(one))] + other[chance.randrange(len(other)) :]
        EXPERT.diagnose(Case(paste=mixed)).model_dump_json(by_alias=True).encode("utf-8")


def test_a_flood_of_commas_pipes_quotes_and_equals_signs_is_answered() -> None:
    for start in (
        "CEF:0|",
        "LEEF:2.0|",
        "1,2020/01/01 00:00:00,0123,TRAFFIC,end,",
        "date=2020-01-01 devid=",
        '[action:"',
    ):
        for filler in (",", "|", "\\|", '"', '=""', " a=", "\\", "\t", "{", "("):
            _diagnosed((start + filler * (60_000 // len(filler))).encode())
