"""What lines state together: an end before a drop, a scan, a burst; and how far a connection got by its bytes."""

from __future__ import annotations

import pytest

from knowledge.clause import Value
from rules.case import Fact
from rules.observe import observe
from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()


def _facts(*lines: str) -> dict[str, Fact]:
    return {fact.feature: fact for fact in observe(read("\n".join(lines), SHELF))}


def _values(*lines: str) -> dict[str, Value]:
    return {name: fact.value for name, fact in _facts(*lines).items()}


def _drop(time: str = "10:00:05", source: str = "192.0.2.10/443", target: str = "198.51.100.7/51515") -> str:
    flags = "flags SYN ACK  on interface outside"
    return f"May 11 2026 {time} fw1 : %ASA-6-106015: Deny TCP (no connection) from {source} to {target} {flags}"


def _teardown(time: str, reason: str, ends: str = "outside:192.0.2.10/443 to inside:198.51.100.7/51515") -> str:
    head = f"May 11 2026 {time} fw1 : %ASA-6-302014:"
    return f"{head} Teardown TCP connection 7 for {ends} duration 0:01:00 bytes 9 {reason}"


BUILT = (
    "May 11 2026 10:00:00 fw1 : %ASA-6-302013: Built outbound TCP connection 7 for outside:192.0.2.10/443 "
    "(192.0.2.10/443) to inside:198.51.100.7/51515 (198.51.100.7/51515)"
)


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("TCP FINs", "fin"),
        ("TCP Reset-O", "rst"),
        ("SYN Timeout", "handshake-timeout"),
        ("Idle Timeout", "idle-timeout"),
    ],
)
def test_an_end_of_the_same_connection_before_the_drop_is_seen(reason: str, ended: str) -> None:
    facts = _facts(_teardown("10:00:00", reason), _drop("10:00:05"))
    assert facts["session.closed_before"].value == ended
    assert facts["session.closed_before"].origin == "line 1: the connection ended before the drop"
    assert facts["session.since_end_s"].value == 5.0
    assert facts["session.since_end_s"].origin == "line 1: line 2 came 5 s later"


def test_the_order_of_the_lines_is_that_of_their_times() -> None:
    assert _values(_drop("10:00:05"), _teardown("10:00:00", "TCP FINs"))["session.closed_before"] == "fin"


def test_an_end_after_the_drop_does_not_count() -> None:
    assert "session.closed_before" not in _values(_drop("10:00:05"), _teardown("10:00:09", "TCP FINs"))


def test_an_end_of_other_ports_does_not_count() -> None:
    other = _teardown("10:00:00", "TCP FINs", "outside:192.0.2.10/443 to inside:198.51.100.7/51516")
    assert "session.closed_before" not in _values(other, _drop())


def test_the_other_direction_is_the_same_connection() -> None:
    turned = _drop(source="198.51.100.7/51515", target="192.0.2.10/443")
    assert _values(_teardown("10:00:00", "TCP FINs"), turned)["session.closed_before"] == "fin"


def test_an_opening_before_the_drop_means_that_the_syn_was_seen() -> None:
    facts = _facts(BUILT, _drop())
    assert (facts["handshake.syn_seen"].value, facts["handshake.syn_seen"].kind) == (True, "seen")


def test_the_drop_is_the_case_and_not_the_lines_before_it() -> None:
    assert _values(BUILT, _teardown("10:00:01", "TCP Reset-O"), _drop())["log.event"] == "out-of-state"


def test_one_source_over_many_ports_is_a_scan_and_fewer_are_not() -> None:
    drops = [
        _drop(f"10:00:0{n}", "192.0.2.10/40000", f"198.51.100.7/{n + 20}").replace("SYN ACK", "ACK") for n in range(6)
    ]
    assert _values(*drops)["scope.one_source_many_targets"] is True
    assert "scope.one_source_many_targets" not in _values(*drops[:2])


def test_many_connections_in_one_second_are_a_burst() -> None:
    drops = [_drop("10:00:05", f"192.0.2.{n}/443", f"198.51.100.{n}/5151{n}") for n in range(1, 8)]
    assert _values(*drops)["scope.spread"] == "many-at-once"
    spread = [_drop(f"10:00:0{n}", f"192.0.2.{n}/443", f"198.51.100.{n}/5151{n}") for n in range(1, 8)]
    assert "scope.spread" not in _values(*spread)


def test_who_is_client_is_said_with_its_reason() -> None:
    fact = _facts(_drop())["flow.client"]
    assert (fact.value, fact.kind, fact.origin) == ("198.51.100.7", "seen", "line 1: a SYN+ACK comes from the server")
    guessed = _facts(_drop().replace("SYN ACK", "ACK"))["flow.client"]
    assert (guessed.kind, guessed.origin) == ("assumed", "assumed from line 1: 443 looks like the service port")


def _fortigate(sent: str, received: str) -> str:
    (sent_bytes, sent_packets), (got_bytes, got_packets) = sent.split("/"), received.split("/")
    counts = f"sentbyte={sent_bytes} rcvdbyte={got_bytes} sentpkt={sent_packets} rcvdpkt={got_packets}"
    return (
        'date=2026-05-11 time=10:00:00 devname="fw1" devid="FG1" logid="0000000013" type="traffic" subtype="forward" '
        'srcip=192.0.2.2 srcport=51515 srcintf="a" dstip=198.51.100.3 dstport=443 dstintf="b" sessionid=7 proto=6 '
        f'action="server-rst" policyid=12 duration=1 {counts}'
    )


@pytest.mark.parametrize(
    ("sent", "received", "server", "phase"),
    [
        ("52/1", "40/1", "none", "answer-to-syn"),
        ("156/3", "120/3", "none", "answer-to-syn"),
        ("104/2", "132/2", "none", None),  # SYN and ACK, SYN+ACK and RST: a handshake, then a reset
        ("900/8", "1500/7", "small", None),
        ("9000/80", "150000/120", "normal", None),
    ],
)
def test_bytes_and_packets_tell_how_far_it_got(sent: str, received: str, server: str, phase: str | None) -> None:
    values = _values(_fortigate(sent, received))
    assert values["session.server_bytes"] == server
    assert values.get("reset.phase") == phase


def test_nothing_read_is_nothing_known() -> None:
    assert _facts("good morning") == {}


def test_a_close_of_hours_ago_was_an_earlier_connection_on_the_same_ports() -> None:
    lines = [BUILT, _teardown("03:00:10", "TCP FINs")]
    late = _values(lines[0].replace("10:00:00", "03:00:00"), lines[1], _drop("15:00:00").replace("SYN ACK", "ACK"))
    assert {"session.closed_before", "session.since_end_s", "handshake.syn_seen"}.isdisjoint(late)
    silent = _values(_teardown("03:00:10", "Conn-timeout"), _drop("15:00:00").replace("SYN ACK", "ACK"))
    assert silent["session.closed_before"] == "idle-timeout"
