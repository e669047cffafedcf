"""Roles that another line of the paste proves: an opening turns inside and outside into client and server."""

from __future__ import annotations

import pytest

from rules.observe import observe
from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()


def _built(direction: str) -> str:
    return (
        f"May 11 2026 10:00:00 fw1 : %ASA-6-302013: Built {direction} TCP connection 7 for outside:192.0.2.10/5000 "
        "(192.0.2.10/5000) to inside:198.51.100.7/5151 (203.0.113.9/6161)"
    )


def _teardown(reason: str) -> str:
    return (
        "May 11 2026 10:01:00 fw1 : %ASA-6-302014: Teardown TCP connection 7 for outside:192.0.2.10/5000 "
        f"to inside:198.51.100.7/5151 duration 0:01:00 bytes 9 {reason}"
    )


def _event(*lines: str) -> str | None:
    return read("\n".join(lines), SHELF).lines[-1].record.event


@pytest.mark.parametrize(
    ("direction", "reason", "event"),
    [
        ("outbound", "TCP Reset-O", "reset-by-server"),
        ("outbound", "TCP Reset-I", "reset-by-client"),
        ("inbound", "TCP Reset-O", "reset-by-client"),
        ("inbound", "TCP Reset-I", "reset-by-server"),
    ],
)
def test_an_opening_turns_inside_and_outside_into_sides(direction: str, reason: str, event: str) -> None:
    assert _event(_teardown(reason)) == "other"
    assert _event(_built(direction), _teardown(reason)) == event


def test_the_opening_is_named_as_the_reason() -> None:
    facts = {one.feature: one for one in observe(read(f"{_built('outbound')}\n{_teardown('TCP Reset-O')}", SHELF))}
    assert (facts["reset.by"].value, facts["flow.client"].value) == ("server", "198.51.100.7")
    assert facts["flow.client"].origin == "line 2: line 1 shows who opened it"
    assert facts["flow.client"].kind == "seen"


def test_the_opening_of_another_connection_tells_nothing() -> None:
    other = _built("outbound").replace("5151", "5152")
    assert _event(other, _teardown("TCP Reset-O")) == "other"


def test_a_syn_in_the_same_capture_tells_who_the_client_is() -> None:
    syn = "10:15:53.000000 IP 192.0.2.10.5000 > 198.51.100.7.5151: Flags [S], seq 1, win 64240, length 0"
    reset = "10:15:53.000900 IP 198.51.100.7.5151 > 192.0.2.10.5000: Flags [R.], seq 0, ack 2, win 0, length 0"
    assert _event(reset) == "other"
    assert _event(syn, reset) == "reset-by-server"


def test_translated_addresses_are_known_by_both_names() -> None:
    reset = "10:00:02.000900 IP 192.0.2.10.5000 > 203.0.113.9.6161: Flags [R.], seq 0, ack 2, win 0, length 0"
    assert _event(reset) == "other"
    assert _event(_built("outbound"), reset) == "reset-by-server"
