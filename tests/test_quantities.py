"""Durations, flags, ports, addresses and times are read as people and devices write them, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.quantities import FLAGS, address, flag_class, flags, masked, port, seconds, whole
from rules.times import envelope_host, envelope_time, seconds_between, stated_time


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3605", 3605),
        ("0.5", 0.5),
        ("0:00:30", 30),
        ("1:00:02", 3602),
        ("23:59:59", 86399),
        ("162:25:17", 584717),
        ("5:25", 325),
        ("3605s", 3605),
        ("20 ms", 0.02),
        ("5 minutes", 300),
        ("5min", 300),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1d2h", 93600),
        ("2 hours and 5 minutes", 7500),
        ("about an hour", 3600),
        ("half an hour", 1800),
        ("Half a minute", 30),
        ("thirty minutes", 1800),
        ("a day", 86400),
        ("1-hour", 3600),
        ("30 Min", 1800),
    ],
)
def test_a_duration_is_read(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "soon", "I am here", "5 months", "10am", "a m", "x3s5", "-", "1:2:3:4", "NaN", "inf"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert seconds(text) is None


@given(st.text(max_size=200))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    value = seconds(text)
    assert value is None or 0 <= value < float("inf")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SYN ACK", ["SYN", "ACK"]),
        ("ACK SYN", ["SYN", "ACK"]),
        ("FIN PSH ACK", ["FIN", "PSH", "ACK"]),
        ("PUSH-ACK", ["PSH", "ACK"]),
        ("RST-ACK", ["RST", "ACK"]),
        ("SYN,ACK", ["SYN", "ACK"]),
        ("syn+ack", ["SYN", "ACK"]),
        ("TCP Reset", ["RST"]),
        ("SA", ["SYN", "ACK"]),
        ("[FA]", ["FIN", "ACK"]),
        ("RA", ["RST", "ACK"]),
        ("A", ["ACK"]),
        ("S.", ["SYN", "ACK"]),
        ("P.", ["PSH", "ACK"]),
        (".", ["ACK"]),
        ("...A..S.", ["SYN", "ACK"]),
        ("CE....S.", ["SYN", "ECE", "CWR"]),
        ("0x12", ["SYN", "ACK"]),
        ("0x18", ["PSH", "ACK"]),
        ("SEW", ["SYN", "ECE", "CWR"]),
        ("FUP", ["FIN", "PSH", "URG"]),
    ],
)
def test_flags_are_read_however_they_are_spelled(text: str, names: list[str]) -> None:
    assert flags(text) == names


@pytest.mark.parametrize("text", ["", "INVALID", "none", "0x", "0xZZ", "hello", "<FLAGS>"])
def test_what_are_no_flags_are_none(text: str) -> None:
    assert flags(text) == []


@given(st.sets(st.sampled_from(FLAGS)), st.sampled_from([" ", "-", ",", "+", "/"]))
def test_flags_come_back_from_every_way_of_joining_them(names: set[str], between: str) -> None:
    assert set(flags(between.join(names))) == names


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SA", "SA"),
        ("S", "S"),
        ("SEC", "S"),
        ("A", "A"),
        ("PA", "PA"),
        ("FA", "FA"),
        ("FPA", "FA"),
        ("R", "R"),
        ("RA", "R"),
        ("SF", "odd"),
        ("SR", "odd"),
        ("FPU", "odd"),
        ("", "odd"),
        ("P", "odd"),
    ],
)
def test_flags_belong_to_one_class(text: str, kind: str) -> None:
    assert flag_class(flags(text)) == kind


@pytest.mark.parametrize(("text", "value"), [("443", 443), ("0", 0), ("65535", 65535)])
def test_a_port_is_read(text: str, value: int) -> None:
    assert port(text) == value


@pytest.mark.parametrize("text", ["65536", "-1", "https", "", "xxx", "1e3", "٤٤٣", "4" * 40, None])
def test_what_is_no_port_is_none(text: str | None) -> None:
    assert port(text) is None


def test_a_count_is_read_up_to_what_fits() -> None:
    assert whole("310602") == 310602
    assert whole("9" * 19) is None
    assert whole("1.5") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('"192.0.2.7"', "192.0.2.7"),
        ("[192.0.2.7", "192.0.2.7"),
        ("mail-gateway", "mail-gateway"),
        ("exp_srv", "exp_srv"),
        ("0.0.0.0", "0.0.0.0"),
    ],
)
def test_an_address_is_read_and_a_host_name_kept(text: str, value: str) -> None:
    assert address(text) == value


MASKS = [
    "x.x.x.x",
    "xx.xx.xx.xx",
    "XXX.XXX.XXX.XXX",
    "10.x.x.147",
    "172.16.*.*",
    "a.b.c.d",
    "w.x.y.z",
    "00.00.000.00",
    "<IP>",
]
MASKS += ["{{ip}}", "(hidden)", "N/A", "none", "unknown", "-", "***", "IP_ADDRESS", "redacted"]


@pytest.mark.parametrize("text", [*MASKS, "", None, "1.2.3.999", "x" * 300])
def test_a_masked_or_missing_address_is_unknown(text: str | None) -> None:
    assert address(text) is None


def test_a_name_is_not_taken_for_a_mask() -> None:
    assert not any(masked(text) for text in ("tcp", "x-server", "proxy", "fw1.example.com", "abcd"))


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("2024-03-03T10:15:54Z", "iso", "2024-03-03T10:15:54Z"),
        ("2024-03-03 10:15:54", "iso", "2024-03-03T10:15:54"),
        ("2024-03-03 10:15:54 +0200", "%Y-%m-%d %H:%M:%S %z", "2024-03-03T10:15:54+02:00"),
        ("2024/03/03 10:15:54", "%Y/%m/%d %H:%M:%S", "2024-03-03T10:15:54"),
        ("Mar 03 2024 10:15:54 GMT", "%b %d %Y %H:%M:%S GMT", "2024-03-03T10:15:54Z"),
        ("3Mar2024 10:15:54", "%d%b%Y %H:%M:%S", "2024-03-03T10:15:54"),
        ("Feb 29 10:15:54", "%b %d %H:%M:%S", "--02-29T10:15:54"),
        ("1709460954", "epoch", "2024-03-03T10:15:54Z"),
        ("1709460954000", "epoch-ms", "2024-03-03T10:15:54Z"),
        ("1709460954123456", "epoch-us", "2024-03-03T10:15:54.123456Z"),
    ],
)
def test_a_time_is_read_in_its_format(text: str, form: str, value: str) -> None:
    assert stated_time(text, [form]) == value


@pytest.mark.parametrize(
    "text", ["", "2020/00/00 00:00:00", "nan", "inf", "-5", "99999999999999999999", "Feb 30 00:00:00", "x"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    formats = ["iso", "epoch", "epoch-ms", "%Y/%m/%d %H:%M:%S", "%b %d %H:%M:%S"]
    assert stated_time(text, formats) is None


@given(st.text(max_size=100), st.sampled_from(["iso", "epoch", "epoch-ns", "%Y/%m/%d %H:%M:%S", "%b %d %H:%M:%S"]))
def test_any_text_is_a_time_or_none(text: str, form: str) -> None:
    assert stated_time(text, [form]) is None or "T" in str(stated_time(text, [form]))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("<134>1 2024-03-03T10:15:54.123Z fw1 x", "2024-03-03T10:15:54.123000Z"),
        ("Mar  3 10:15:54 fw1 x", "--03-03T10:15:54"),
        ("Mar 03 2024 10:15:54: x", "2024-03-03T10:15:54"),
        ("no time here", None),
        ("x" * 200 + " 2024-03-03T10:15:54Z", None),
    ],
)
def test_the_time_is_found_at_the_beginning_of_a_line(line: str, value: str | None) -> None:
    assert envelope_time(line) == value


def test_times_are_compared_only_if_they_are_stated_in_the_same_manner() -> None:
    assert seconds_between("2024-03-03T10:15:54Z", "2024-03-03T12:15:55+02:00") == 1
    assert seconds_between("--03-03T10:15:54", "--03-03T10:16:54") == 60
    assert seconds_between("T10:15:54", "2024-03-03T10:16:54") is None
    assert seconds_between("2024-03-03T10:15:54", "2024-03-03T10:16:54Z") is None
    assert seconds_between(None, "2024-03-03T10:16:54Z") is None


def test_a_year_that_only_one_time_states_is_taken_for_both() -> None:
    assert seconds_between("--03-03T10:15:54", "2024-03-03T10:16:54") == 60
    assert seconds_between("2026-03-01T00:00:00", "--02-28T23:59:59") == -1
    assert seconds_between("--02-29T10:00:00", "2026-02-28T10:00:05") == 5


def test_the_turn_of_the_year_and_of_the_day_are_seen() -> None:
    assert seconds_between("--12-31T23:59:59", "--01-01T00:00:01") == 2
    assert seconds_between("T23:59:59.5", "T00:00:01") == 1.5
    assert seconds_between("--01-01T00:00:01", "--01-01T00:00:00") == -1


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("<134>1 2023-03-02T03:28:09Z gw-1 app - - - text", "gw-1"),
        ("Mar  3 10:15:54 fw1 kernel: text", "fw1"),
        ("May 11 2026 10:00:05 fw1 : %ASA-6-106015: text", "fw1"),
        ("May 11 2026 10:00:05: %ASA-6-106015: text", None),
        ("2024-03-03 10:15:54 DROP TCP 192.0.2.1 192.0.2.2", None),
        ("Mar 3 10:15:54 kernel: text", None),
        ("no time at all here", None),
    ],
)
def test_the_device_is_named_behind_the_time(line: str, host: str | None) -> None:
    assert envelope_host(line) == host
