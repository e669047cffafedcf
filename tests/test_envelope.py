"""What a line was carried in is taken off: quotes, fences, grep's marks, containers, journals, collectors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from knowledge.shelf import Shelf
from rules.clean import clean
from rules.envelope import carried
from rules.read import read
from rules.times import envelope_host

LINE = (
    "Mar  3 10:15:54 fw1 : %ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
    "flags RST  on interface outside"
)
PAIRS = (
    'date=2024-03-03 time=10:15:54 devname="fw1" devid="FG1" logid="0000000013" type="traffic" subtype="forward" '
    'srcip=192.0.2.2 srcport=51515 srcintf="a" dstip=198.51.100.3 dstport=443 dstintf="b" sessionid=7 proto=6 '
    'action="server-rst" policyid=12 duration=1 sentbyte=52 rcvdbyte=40 sentpkt=1 rcvdpkt=1'
)


def _journal(line: str) -> str:
    return json.dumps({"MESSAGE": line, "SYSLOG_IDENTIFIER": "fw", "__REALTIME_TIMESTAMP": "1709460954000000"})


def _journal_of_bytes(line: str) -> str:
    return json.dumps({"MESSAGE": list(line.encode()), "_HOSTNAME": "fw1", "__REALTIME_TIMESTAMP": "1709460954000000"})


WRAPPINGS: Mapping[str, Callable[[str], str]] = {
    "a quoted mail": lambda line: f"> {line}",
    "a mail quoted twice": lambda line: f">> > {line}",
    "a mail quoted in HTML": lambda line: "&gt; " + line.replace(">", "&gt;").replace("<", "&lt;"),
    "a code span": lambda line: f"`{line}`",
    "a fence on the same line": lambda line: f"```{line}```",
    "grep with file and number": lambda line: f"/var/log/fw.log:1234:{line}",
    "grep with a number": lambda line: f"17:{line}",
    "grep's context": lambda line: f"fw.log-1235-{line}",
    "cat -n": lambda line: f"     12\t{line}",
    "a container's prefix": lambda line: f"syslog-1  | {line}",
    "a list": lambda line: f"- {line}",
    "a numbered list": lambda line: f"3. {line}",
    "Kubernetes": lambda line: f"2024-03-03T10:15:55.000000001Z stdout F {line}",
    "Docker": lambda line: json.dumps({"log": line + "\n", "stream": "stdout", "time": "2024-03-03T10:15:55.1Z"}),
    "Elastic": lambda line: json.dumps({"@timestamp": "2024-03-03T10:15:55.1Z", "message": line}),
    "Elastic's original": lambda line: json.dumps({"event": {"original": line, "kind": "event"}}),
    "Docker in Elastic": lambda line: json.dumps({"message": json.dumps({"log": line, "stream": "stderr"})}),
    "GELF": lambda line: json.dumps({"version": "1.1", "host": "fw1", "short_message": line}),
    "Splunk": lambda line: json.dumps({"_raw": line, "source": "udp:514"}),
    "a journal": _journal,
    "a journal with bytes": _journal_of_bytes,
    "a spreadsheet's cell": lambda line: '"' + line.replace('"', '""') + '"' if '"' in line else line,
    "a terminal's colours": lambda line: f"\x1b[01;31m{line}\x1b[0m",
    "CRLF": lambda line: f"{line}\r",
    "a byte order mark": lambda line: f"\ufeff{line}",
}


@pytest.mark.parametrize("line", [LINE, PAIRS], ids=["words", "pairs"])
@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=str)
def test_a_line_is_read_whatever_it_was_carried_in(shelf: Shelf, wrapping: str, line: str) -> None:
    plain = read(line, shelf).lines[0].record
    packed = read(WRAPPINGS[wrapping](line), shelf)
    assert packed.unread == ()
    assert len(packed.lines) == 1
    differing = {"time", "raw", "device"}  # the packing may know them better, and raw is what was pasted
    assert packed.lines[0].record.model_dump(exclude=differing) == plain.model_dump(exclude=differing)


def test_the_raw_line_is_kept_as_it_was_pasted(shelf: Shelf) -> None:
    pasted = f"> {LINE}"
    assert read(pasted, shelf).lines[0].record.raw == pasted


def test_a_journal_lends_its_time_and_its_host(shelf: Shelf) -> None:
    record = read(_journal_of_bytes(PAIRS.partition("devname")[2]), shelf).lines
    assert record == () or record[0].record.time is not None
    bare = LINE.partition(": ")[2]
    assert read(_journal_of_bytes(bare), shelf).lines[0].record.time == "2024-03-03T10:15:54Z"
    assert read(_journal_of_bytes(bare), shelf).lines[0].record.device == "fw1"


@pytest.mark.parametrize(
    "line",
    ["12:30:45 started", "192.0.2.1:443 -> 192.0.2.2:80", '{"a": 1}', "{ not json", "plain", '"quoted"', "{}", "[1]"],
)
def test_what_is_not_packed_stays_as_it_is(line: str) -> None:
    assert list(carried(line)) == [line]


def test_packing_in_packing_is_opened_only_so_deep() -> None:
    line = LINE
    for _ in range(50):
        line = json.dumps({"message": line}) if len(line) < 60_000 else line
    assert 1 < len(list(carried(line))) < 8


def test_quotes_inside_json_are_content_until_it_is_opened(shelf: Shelf) -> None:
    curled = PAIRS.replace('"fw1"', "\u201cfw1\u201d") + ' msg="a &quot;b&quot;"'
    record = read(json.dumps({"log": curled, "stream": "stdout"}, ensure_ascii=False), shelf).lines[0].record
    assert (record.event, record.device) == ("reset-by-server", "fw1")


def test_a_line_is_found_in_a_tables_cell_whose_quotes_were_doubled() -> None:
    line = 'Nov 21 10:00:05 fw1 date=2026-11-21 action="server-rst" srcip=192.0.2.1'
    quoted = line.replace('"', '""')
    assert next(carried(f'2026-11-21 10:00:05,relay01,"{quoted}",local0')) == line


def test_a_line_is_found_in_what_searches_give_back() -> None:
    line = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.1/443 to 198.51.100.7/51515 flags RST  on interface x"
    for found in ({"preview": False, "result": {"_raw": line}}, {"_index": "a", "_source": {"message": line}}):
        assert next(carried(json.dumps(found))) == line


def test_cells_of_a_table_with_bars_are_no_containers_names() -> None:
    assert next(carried("| 10.1.1.5 | 198.51.100.7 | 443 | reset |")).startswith("10.1.1.5 |")


def test_what_grep_puts_around_its_matches_goes() -> None:
    coloured = LINE.replace("192.0.2.10", "\x1b[01;31m\x1b[K192.0.2.10\x1b[m\x1b[K")
    assert clean(coloured) == LINE


def test_a_nul_at_the_end_of_a_message_goes() -> None:
    assert clean(LINE + "\0") == LINE


@pytest.mark.parametrize("word", ["12", "GMT", "CET", "PDT"])
def test_a_number_or_a_time_zone_behind_the_time_is_no_device(word: str) -> None:
    assert envelope_host(f"2026-11-21T10:00:01.123456Z {word} [Note] something") is None
    assert envelope_host(f"Nov 21 10:00:01 {word}fw something") == f"{word}fw"
