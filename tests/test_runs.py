"""A run of refused packets is a scan; late answers of a server are none, however many ports they go to."""

from __future__ import annotations

from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()


def _line(second: int, source: str, target: str, flags: str) -> str:
    (src, spt), (dst, dpt) = source.split("/"), target.split("/")
    return (
        f"Mar  3 10:15:{second:02} gw1 kernel: DROP IN=eth0 OUT= SRC={src} DST={dst} LEN=40 TTL=50 "
        f"PROTO=TCP SPT={spt} DPT={dpt} WINDOW=1024 RES=0x00 {flags} URGP=0"
    )


def _events(*lines: str) -> list[str | None]:
    return [line.record.event for line in read("\n".join(lines), SHELF).lines]


def test_one_source_that_tries_many_ports_scans() -> None:
    probes = [_line(1, f"192.0.2.9/{40000 + port}", f"198.51.100.7/{port}", "SYN") for port in range(20, 26)]
    assert _events(*probes) == ["scan"] * 6
    assert _events(*probes[:5]) == ["denied"] * 5


def test_a_domain_member_that_is_refused_is_no_scan() -> None:
    ports = (88, 135, 389, 445, 3268)
    assert (
        _events(*(_line(1, f"10.1.1.9/{50000 + port}", f"10.1.1.2/{port}", "SYN") for port in ports)) == ["denied"] * 5
    )


def test_one_service_of_a_few_hosts_is_what_proxies_and_monitors_try() -> None:
    tried = [_line(1, f"10.1.1.9/{50000 + host}", f"198.51.100.{host}/443", "SYN") for host in range(1, 17)]
    assert _events(*tried[:15]) == ["denied"] * 15
    assert _events(*tried) == ["scan"] * 16


def test_answers_are_no_probes_whatever_port_they_come_from() -> None:
    for flags in ("ACK SYN", "ACK", "ACK RST"):
        late = [_line(1, "10.1.1.9/8443", f"198.51.100.7/{port}", flags) for port in range(51000, 51009)]
        assert _events(*late) == ["out-of-state"] * 9


def test_a_source_port_that_stays_the_same_tells_a_scanner_sooner() -> None:
    probes = [_line(1, "192.0.2.9/40000", f"198.51.100.7/{port}", "ACK") for port in range(20, 23)]
    assert _events(*probes) == ["scan"] * 3
    assert _events(*probes[:2]) == ["out-of-state"] * 2


def test_flags_that_no_stack_sends_tell_it_sooner_still() -> None:
    probes = [_line(1, "192.0.2.9/40000", f"198.51.100.7/{port}", "FIN") for port in (20, 21)]
    assert _events(*probes) == ["scan"] * 2


def test_late_answers_of_a_server_are_no_scan() -> None:
    late = [_line(1, "192.0.2.9/443", f"198.51.100.7/{port}", "ACK FIN") for port in range(50000, 50020)]
    assert _events(*late) == ["out-of-state"] * 20


def test_the_same_packet_sent_again_is_no_scan() -> None:
    again = [_line(second, "192.0.2.9/40000", "198.51.100.7/22", "SYN") for second in range(9)]
    assert _events(*again) == ["denied"] * 9


def test_attempts_far_apart_are_no_scan() -> None:
    apart = [_line(15 * turn, f"192.0.2.9/{40000 + turn}", f"198.51.100.7/{turn + 20}", "SYN") for turn in range(4)]
    assert _events(*apart) == ["denied"] * 4


def test_the_order_of_the_lines_does_not_matter() -> None:
    probes = [_line(1, "192.0.2.9/40000", f"198.51.100.7/{port}", "SYN") for port in range(20, 26)]
    others = [_line(15 * turn, "203.0.113.5/40000", "198.51.100.7/443", "SYN") for turn in range(4)]
    mixed = [
        probes[0],
        others[3],
        probes[4],
        others[0],
        probes[2],
        others[1],
        probes[1],
        others[2],
        probes[3],
        probes[5],
    ]
    assert _events(*mixed).count("scan") == 6
