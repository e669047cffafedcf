"""Lines that a mail or a narrow terminal has wrapped are put together again; others are left alone."""

from __future__ import annotations

import textwrap

import pytest

from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
DROP = (
    "Mar  3 2024 10:15:54 fw1 : %ASA-6-106015: Deny TCP (no connection) from 198.51.100.35/443 to 192.0.2.20/45494 "
    "flags SYN ACK  on interface outside"
)
END = (
    "Mar  3 2024 10:15:54 fw1 : %ASA-6-302014: Teardown TCP connection 8844 for outside:203.0.113.9/443 to "
    "inside:192.0.2.44/51849 duration 0:02:01 bytes 115 SYN Timeout"
)
PAIRS = (
    'date=2024-03-03 time=10:15:54 devname="fw1" devid="FG1" logid="0000000013" type="traffic" subtype="forward" '
    'srcip=192.0.2.2 srcport=51515 srcintf="a" dstip=198.51.100.3 dstport=443 dstintf="b" sessionid=7 proto=6 '
    'action="server-rst" policyid=12 duration=1 sentbyte=52 rcvdbyte=40 sentpkt=1 rcvdpkt=1'
)
LINES = pytest.mark.parametrize("line", [DROP, END, PAIRS], ids=["drop", "end", "pairs"])
WIDTHS = pytest.mark.parametrize("width", [64, 72, 80, 100])
CUTS = pytest.mark.parametrize("width", [60, 80, 100])


def _core(paste: str) -> dict[str, object]:
    """What one record says, but for its place and for what may stand in a first part that nobody knows alone."""
    [line] = read(paste, SHELF).lines
    return line.record.model_dump(exclude={"raw", "line", "last_line", "time", "device"})


@LINES
@WIDTHS
def test_a_line_that_a_mail_wrapped_between_words_is_whole_again(line: str, width: int) -> None:
    wrapped = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    assert len(wrapped) > 1
    assert _core("\n".join(f"> {part}" for part in wrapped)) == _core(line.replace("  ", " "))


@LINES
@CUTS
def test_a_line_that_a_terminal_cut_anywhere_is_whole_again(line: str, width: int) -> None:
    cut = [line[at : at + width] for at in range(0, len(line), width)]
    assert len(cut) > 2 or width >= 80
    assert _core("\n".join(cut)) == _core(line)


def test_the_lines_it_stands_on_are_counted() -> None:
    record = read("\n".join(["hello", DROP[:90], DROP[90:], "thanks"]), SHELF).lines[0].record
    assert (record.line, record.last_line) == (2, 3)


@pytest.mark.parametrize("below", ["does anybody know why?", "10 times a day", "192.0.2.1", "flags", "ACK RST"])
def test_what_stands_below_a_whole_line_is_left_alone(below: str) -> None:
    reading = read(f"{DROP}\n{below}", SHELF)
    assert reading.lines[0].record.model_dump() == read(DROP, SHELF).lines[0].record.model_dump()
    assert {one.record.line for one in reading.lines} | {one.line for one in reading.unread} == {1, 2}


def test_lines_with_an_empty_one_between_are_not_put_together() -> None:
    assert [one.line for one in read(f"{DROP[:90]}\n\n{DROP[90:]}", SHELF).unread][-1:] != [1]
    assert all(one.record.last_line is None for one in read(f"{DROP[:90]}\n\n{DROP[90:]}", SHELF).lines)


def test_a_line_whose_rest_is_known_by_itself_is_one_line() -> None:
    rest = "SRC=10.1.1.5 DST=198.51.100.7 LEN=52 TTL=63 PROTO=TCP SPT=51515 DPT=443 WINDOW=502 RES=0x00 ACK PSH URGP=0"
    mac = "00:11:22:33:44:55:66:77:88:99:aa:bb:08:00"
    line = f"Nov 21 10:00:01 gw kernel: [12345.678] DROP IN=eth1 OUT=eth0 MAC={mac} {rest}"
    for width in (80, 100, 120):
        reading = read("\n".join(line[at : at + width] for at in range(0, len(line), width)), SHELF)
        (found,) = reading.lines
        assert (found.record.source.ip, found.record.source.port, found.record.time) == (
            "10.1.1.5",
            51515,
            "--11-21T10:00:01",
        )
    two = f"{line}\n{rest}"
    assert len(read(two, SHELF).lines) == 2
