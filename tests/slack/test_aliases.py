"""With aliases no address is left, wherever it stood, and a name stays the same all along a case."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.case_events import Answered, CaseEvent, Outcome
from bot.casebook import Consulted
from bot.export import as_json, markdown
from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.picture_text import picture_text
from bot.slack.aliases import aliased, aliases_of
from bot.slack.views import Showing, addresses_message, case_message
from rules.diagnose import Expert
from tests.slack.moments import IDLE, LINE, NEVER, NOT_SEEN, TWO_ENDS, consulted, pasted

SIX = (
    "%ASA-6-106015: Deny TCP (no connection) from 2001:db8::10/443 to 2001:DB8:0:0::7/51515 flags SYN ACK "
    "on interface outside"
)
PROSE = (
    f"{LINE}\nour client 198.51.100.7 (laptop.corp.example) goes through 203.0.113.200:8080, then "
    "http://192.0.2.10:443/ and [2001:db8::5]:8443; tcpdump says 192.0.2.77.443 > 198.51.100.7.51515 and fe80::1%eth0"
)
HIDDEN = ("192.0.2", "198.51.100", "203.0.113", "2001:db8", "2001:DB8", "fe80::", "fw-berlin", "corp.example")


def everything(found: Consulted, expert: Expert, showing: Showing) -> str:
    """Give all that anybody is shown of a case."""
    seen = aliased(found, aliases_of(found))
    drawn = picture(seen.diagnosis, expert.shelf)
    pictures = [picture_svg(drawn), picture_text(drawn)] if drawn else []
    message = case_message(found, expert.shelf, showing)
    exports = [markdown(seen, expert.shelf), json.dumps(as_json(seen, expert.shelf))]
    return "\n".join([json.dumps(message.body(), ensure_ascii=False), message.whole, *exports, *pictures])


@pytest.mark.parametrize("paste", [LINE, IDLE, TWO_ENDS, SIX, PROSE])
@pytest.mark.parametrize("whole", [True, False])
def test_no_address_is_left_anywhere(expert: Expert, paste: str, whole: bool) -> None:
    told = Outcome(solved=True, cause=None, note="it was 192.0.2.10, of course")
    ways: list[list[CaseEvent]] = [[], [NOT_SEEN, NEVER], [NOT_SEEN, NEVER, told]]
    for events in ways:
        found = consulted(expert, pasted(paste), *events)
        text = everything(found, expert, Showing(aliases=True, whole=whole))
        assert [one for one in HIDDEN if one in text] == []
        assert "client-1" in text


OCTETS = st.integers(1, 254)
FOURS = st.builds(lambda *o: ".".join(map(str, o)), OCTETS, OCTETS, OCTETS, OCTETS)
SIXES = st.integers(2**120, 2**128 - 1).map(ipaddress.IPv6Address)
WRITTEN = FOURS | SIXES.map(str) | SIXES.map(lambda one: one.exploded) | SIXES.map(lambda one: one.exploded.upper())
AROUND = st.sampled_from(("{}", "({})", "[{}]:443", "src={} ", "{}/32", '"{}"', "{},", "<{}>", "from {}:", "-{}-"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(WRITTEN, AROUND), min_size=1, max_size=6))
def test_an_address_is_found_however_it_is_written(expert: Expert, found: list[tuple[str, str]]) -> None:
    paste = LINE + "\n" + " and ".join(around.format(address) for address, around in found)
    case = consulted(expert, pasted(paste))
    text = everything(case, expert, Showing(aliases=True))
    for address, _ in found:
        assert address not in text


def test_names_tell_the_roles_and_the_order(expert: Expert) -> None:
    listed = {one.alias: one.raw for one in aliases_of(consulted(expert, pasted(TWO_ENDS))).listed}
    assert listed == {
        "client-1": "198.51.100.7",
        "server-1": "192.0.2.10",
        "host-1": "2001:db8::10",
        "host-2": "203.0.113.5",
        "fw-a": "fw-berlin-1",
        "host-3": "app.corp.example",
    }


def test_one_address_has_one_name_however_it_is_written(expert: Expert) -> None:
    paste = "2001:db8::1 and 2001:0DB8:0:0:0:0:0:1 and 2001:db8:0::1"
    assert [one.alias for one in aliases_of(consulted(expert, pasted(paste))).listed] == ["host-1"]


def test_neither_answers_nor_further_lines_change_a_name(expert: Expert) -> None:
    first = aliases_of(consulted(expert, pasted(PROSE))).listed
    more = "\n".join([PROSE, IDLE.replace("198.51.100.7", "203.0.113.200"), TWO_ENDS])
    events: list[CaseEvent] = [
        pasted(PROSE),
        NOT_SEEN,
        pasted(more),
        NEVER,
        Answered(feature="route.second_path", value=True),
    ]
    later = aliases_of(consulted(expert, *events)).listed
    assert set(first) <= set(later)
    assert len({one.alias for one in later}) == len(later)


def test_the_names_of_devices_change_no_words_of_ours(expert: Expert) -> None:
    paste = TWO_ENDS.replace("fw-berlin-1", "reset")
    found = consulted(expert, pasted(paste))
    seen = aliased(found, aliases_of(found))
    assert [one.title for one in seen.diagnosis.hypotheses] == [one.title for one in found.diagnosis.hypotheses]
    assert seen.diagnosis.symptom == found.diagnosis.symptom
    assert seen.diagnosis.records[0].device == "fw-a"


def test_addresses_of_ours_stay(expert: Expert) -> None:
    found = consulted(expert, pasted(LINE), NOT_SEEN, NEVER)
    assert aliased(found, aliases_of(found)).diagnosis.sources == found.diagnosis.sources


def test_times_and_versions_are_no_addresses(expert: Expert) -> None:
    paste = "at 10:00:00 and 2026-03-01T03:12:00+01:00, 00:11:22:33:44:55, release 7.4.1, 300.1.1.1"
    assert aliases_of(consulted(expert, pasted(paste))).listed == []


def test_the_asker_sees_what_stands_behind_the_names(expert: Expert) -> None:
    text = addresses_message(consulted(expert, pasted(TWO_ENDS))).text
    assert "client-1  198.51.100.7" in text
    assert "fw-a      fw-berlin-1" in text
    assert "no addresses" in addresses_message(consulted(expert, pasted("nothing"))).text
