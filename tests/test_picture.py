"""The picture of what happened shows what facts state, says how each is known, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len

from bot.happened import Arrow, Origin, Picture
from bot.picture import picture
from bot.picture_svg import STYLE, picture_svg
from bot.picture_text import COLUMNS, picture_text
from knowledge.clause import Value, typed
from knowledge.shelf import Shelf
from rules.case import Case, Diagnosis, Fact, Kind
from rules.diagnose import Expert
from rules.prove import case_of, worked_cases

ASA = "%ASA-6-106015: Deny TCP (no connection) from "
ANSWER = f"{ASA}192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface outside"
DATA = f"{ASA}198.51.100.7/51515 to 192.0.2.10/443 flags PSH ACK on interface inside"
RESET = (
    'date=2024-05-01 time=10:00:00 devname="fw1" logid="0000000013" type="traffic" subtype="forward" '
    'srcip=198.51.100.7 srcport=51515 dstip=192.0.2.10 dstport=443 proto=6 action="server-rst" duration=2 '
    "sentbyte=900 rcvdbyte=90000 sentpkt=6 rcvdpkt=90"
)
SURENESS = get_args(Kind)
SVG = "{http://www.w3.org/2000/svg}"
ORIGINS = {*SURENESS, "missing", "unknown"}
HOSTILE = "\x1b[31m\u202e</text><script>alert(1)</script>\"'&\x00\ud800"


@pytest.fixture(scope="module")
def worked(shelf: Shelf, expert: Expert) -> list[tuple[str, Diagnosis, Picture]]:
    """Every example and lookalike of the knowledge with its picture."""
    found = []
    for key, (cause, example) in worked_cases(shelf):
        diagnosis = expert.diagnose(case_of(example, cause, shelf))
        drawn = picture(diagnosis, shelf)
        assert drawn is not None, key
        found.append((" / ".join(key), diagnosis, drawn))
    return found


def diagnosed(expert: Expert, paste: str = "", **answers: Value) -> Diagnosis:
    named = {name.replace("__", "."): value for name, value in answers.items()}
    told = {name: typed(expert.shelf.features[name], value) for name, value in named.items()}
    return expert.diagnose(Case(paste=paste, answers=told))


def seen(expert: Expert, paste: str = "", **answers: Value) -> Picture:
    drawn = picture(diagnosed(expert, paste, **answers), expert.shelf)
    assert drawn is not None
    return drawn


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own SVG, and the test is that it parses


def row(drawn: Picture, words: str) -> Arrow:
    found = [arrow for arrow in drawn.arrows if words in arrow.label]
    assert len(found) == 1, [arrow.label for arrow in drawn.arrows]
    return found[0]


def test_origins_are_those_the_picture_promises() -> None:
    kinds, further = get_args(Origin)
    assert {*get_args(kinds), *get_args(further)} == ORIGINS


def test_arrow_is_as_sure_as_the_least_sure_of_its_facts(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, diagnosis, drawn in worked:
        kinds: Mapping[str, Kind] = {fact.feature: fact.kind for fact in diagnosis.facts}
        for arrow in drawn.arrows:
            assert arrow.origin in ORIGINS, name
            assert arrow.way in ORIGINS, name
            assert bool(arrow.facts) == (arrow.origin != "unknown"), (name, arrow)
            if arrow.origin in SURENESS:
                assert arrow.origin == max((kinds[one] for one in arrow.facts), key=SURENESS.index), (name, arrow)
            assert arrow.because, (name, arrow)


def test_nothing_is_called_seen_that_was_only_told(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, diagnosis, drawn in worked:
        if all(fact.kind != "seen" for fact in diagnosis.facts):
            assert "seen in the log" not in picture_text(drawn), name
            assert "seen in the log" not in picture_svg(drawn), name


def test_svg_is_small_well_formed_and_inert(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, _, drawn in worked:
        svg = picture_svg(drawn)
        assert parsed(svg).tag.endswith("svg"), name
        assert len(svg) - len(STYLE) < 1024 * (2 + len(drawn.arrows)), name
        assert not re.search(r"<script|<foreignObject|href|url\(|@import|\son\w+=", svg), name


def test_text_fits_sixty_columns(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, _, drawn in worked:
        for line in picture_text(drawn).splitlines():
            assert cell_len(line) <= COLUMNS, (name, line)
            assert line.isascii(), (name, line)


def letters(text: str) -> str:
    return "".join(one for one in text if one.isalnum())


def statements(drawn: Picture) -> Iterator[str]:
    yield from (part for arrow in drawn.arrows for part in (arrow.label, arrow.because))
    yield from drawn.notes
    yield from (part for lane in drawn.lanes for part in (lane.title, *lane.lines))


def test_svg_and_text_say_the_same(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, _, drawn in worked:
        shown = "".join(one.text or "" for one in parsed(picture_svg(drawn)).iter(f"{SVG}text"))
        for face in (letters(shown), letters(picture_text(drawn))):
            for one in statements(drawn):
                assert letters(one) in face, (name, one)


def test_svg_says_in_words_what_it_draws(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, _, drawn in worked:
        root = parsed(picture_svg(drawn))
        assert root.findtext("{*}title") == drawn.title, name
        said = root.findtext("{*}desc") or ""
        assert all(arrow.label in said for arrow in drawn.arrows), name


def test_no_patch_leaves_the_page(worked: list[tuple[str, Diagnosis, Picture]]) -> None:
    for name, _, drawn in worked:
        root = parsed(picture_svg(drawn))
        width = float(root.attrib["viewBox"].split()[2])
        for one in root.iter(f"{SVG}rect"):
            left = float(one.get("x", "0"))
            assert left >= 0, name
            assert left + float(one.attrib["width"]) <= width, name


def test_picture_does_not_depend_on_the_order_of_facts(
    shelf: Shelf, worked: list[tuple[str, Diagnosis, Picture]]
) -> None:
    for name, diagnosis, drawn in worked:
        turned = diagnosis.model_copy(update={"facts": diagnosis.facts[::-1]})
        again = picture(turned, shelf)
        assert again == drawn, name
        assert picture_svg(again) == picture_svg(drawn), name
        assert picture_text(again) == picture_text(drawn), name


def test_first_sample_of_each_dialect_can_be_drawn(shelf: Shelf, expert: Expert) -> None:
    drawn = 0
    for dialect in shelf.dialects.values():
        sample = next((one for one in dialect.samples if one.event not in ("irrelevant", "opened", "packet")), None)
        found = picture(expert.diagnose(Case(paste=sample.line)), shelf) if sample else None
        if found:
            drawn += 1
            parsed(picture_svg(found))
            assert all(cell_len(line) <= COLUMNS for line in picture_text(found).splitlines()), dialect.id
    assert drawn > len(shelf.dialects) / 2


@pytest.mark.parametrize("paste", ["", "hello", f"{ASA[:5]}302013: Built inbound TCP connection 1"])
def test_nothing_known_gives_no_picture(expert: Expert, paste: str) -> None:
    assert picture(diagnosed(expert, paste), expert.shelf) is None


def test_open_symptom_shows_what_is_known_and_no_more(expert: Expert) -> None:
    drawn = seen(expert, handshake__syn_seen=True)
    assert [(one.label, one.origin, one.known_to) for one in drawn.arrows] == [("SYN", "told", "firewall")]
    silent = seen(expert, timing__idle_s=30)
    assert [(one.kind, one.origin) for one in silent.arrows] == [("silence", "told")]


def test_answer_of_an_unseen_opening_ends_at_the_firewall(expert: Expert) -> None:
    drawn = seen(expert, ANSWER, handshake__syn_seen=False)
    syn, answer = drawn.arrows
    assert (syn.origin, syn.fate, syn.end) == ("missing", "missing", "firewall")
    assert (answer.start, answer.end, answer.fate, answer.origin) == ("server", "firewall", "dropped", "seen")
    assert [lane.address for lane in drawn.lanes] == ["198.51.100.7:51515", "", "192.0.2.10:443"]
    assert drawn.lanes[1].lines == ("Cisco ASA",)


def test_missing_opening_goes_past_only_where_there_is_another_way(expert: Expert) -> None:
    past = row(seen(expert, ANSWER, handshake__syn_seen=False, route__second_path=True), "SYN: never came")
    assert (past.fate, past.origin, past.way) == ("around", "missing", "unknown")
    here = row(seen(expert, ANSWER, handshake__syn_seen=False, route__second_path=False), "SYN: never came")
    assert here.fate == "missing"


def test_silence_stands_before_the_drop_with_its_length(expert: Expert) -> None:
    drawn = seen(expert, DATA, timing__idle_s=3605)
    assert [one.kind for one in drawn.arrows] == ["packet", "silence", "packet"]
    assert "3605 s" in drawn.arrows[1].label
    assert (drawn.arrows[2].start, drawn.arrows[2].origin) == ("client", "seen")


def test_roles_that_are_assumed_are_called_so(expert: Expert) -> None:
    drawn = seen(expert, DATA)
    assert "role assumed" in drawn.lanes[0].lines
    assert any("443 looks like the service port" in note for note in drawn.notes)
    assert "role assumed" not in seen(expert, ANSWER).lanes[0].lines


def test_flags_alone_leave_the_sender_open(expert: Expert) -> None:
    dropped = row(seen(expert, symptom="out-of-state", packet__flags="A"), "dropped here")
    assert (dropped.start, dropped.way, dropped.origin) == (None, "unknown", "told")


def test_sender_of_an_answer_without_addresses_is_inferred(expert: Expert) -> None:
    dropped = row(seen(expert, symptom="out-of-state", packet__flags="SA"), "dropped here")
    assert (dropped.start, dropped.way, dropped.origin) == ("server", "inferred", "told")


def test_source_of_a_whole_connection_is_only_taken_for_the_sender(shelf: Shelf, expert: Expert) -> None:
    line = next(one.line for one in shelf.dialects["suricata-eve"].samples if one.event == "out-of-state")
    dropped = seen(expert, line).arrows[-1]
    assert (dropped.start, dropped.way, dropped.origin, dropped.fate) == ("client", "assumed", "seen", "reported")
    assert "assumed" in dropped.because


def test_answer_comes_from_the_server_whatever_the_ports_say(expert: Expert) -> None:
    dropped = seen(expert, DATA.replace("flags PSH ACK ", ""), packet__flags="SA").arrows[-1]
    assert (dropped.start, dropped.way) == ("server", "inferred")


def test_reset_that_a_balancer_made_is_called_its_own(shelf: Shelf, expert: Expert) -> None:
    line = next(one.line for one in shelf.dialects["f5-afm"].samples if one.event == "reset-by-firewall")
    assert row(seen(expert, line), "RST").label == "RST: made by the load balancer"


def test_opening_that_nothing_tells_of_is_open(expert: Expert) -> None:
    assert row(seen(expert, symptom="out-of-state", packet__flags="A"), "SYN").origin == "unknown"


@pytest.mark.parametrize(
    ("answers", "start", "end", "way"),
    [
        ({"reset.by": "server"}, "server", "client", "told"),
        ({"reset.by": "client"}, "client", "server", "told"),
        ({"reset.by": "firewall"}, "firewall", None, "told"),
        ({"reset.by": "server", "reset.arrived_from": "only-leaves"}, "firewall", "client", "told"),
        ({"reset.by": "server", "reset.ttl": "differs"}, "server", "client", "unknown"),
        ({"reset.arrived_from": "server-side"}, "server", "client", "told"),
        ({}, None, None, "unknown"),
    ],
)
def test_reset_starts_where_it_was_made(
    expert: Expert, answers: Mapping[str, Value], start: str | None, end: str | None, way: str
) -> None:
    named = {name.replace(".", "__"): value for name, value in answers.items()}
    last = row(seen(expert, "", symptom="reset", **named), "RST")
    assert (last.start, last.end, last.way) == (start, end, way)


def test_reset_that_the_log_names_is_seen(expert: Expert) -> None:
    last = row(seen(expert, RESET), "RST")
    assert (last.start, last.origin) == ("server", "seen")
    assert "line 1" in last.because


def test_reset_in_a_hosts_own_log_proves_no_sender(shelf: Shelf, expert: Expert) -> None:
    line = "2024/05/01 10:00:00 read tcp 198.51.100.7:51515->192.0.2.10:443: read: connection reset by peer"
    diagnosis = diagnosed(expert, line)
    assert {fact.feature: fact.value for fact in diagnosis.facts}["log.stands"] == "host"
    drawn = picture(diagnosis, shelf)
    assert drawn is not None
    assert row(drawn, "RST").way == "unknown"


def test_fin_of_a_half_close_came_from_the_side_that_does_not_send(expert: Expert) -> None:
    fin = row(seen(expert, DATA, session__half_closed=True), "FIN")
    assert (fin.start, fin.origin, fin.way) == ("server", "told", "inferred")
    assert row(seen(expert, symptom="out-of-state", session__half_closed=True), "FIN").start is None


def test_what_stands_in_the_path_has_a_lane(expert: Expert) -> None:
    drawn = seen(expert, RESET, route__middlebox="load-balancer", balancer__target_healthy=False)
    assert [lane.stand for lane in drawn.lanes] == ["client", "between", "firewall", "server"]
    assert row(drawn, "balancer").start == "between"
    assert [lane.stand for lane in seen(expert, RESET, route__middlebox="none").lanes] == [
        "client",
        "firewall",
        "server",
    ]


def test_event_of_a_balancer_without_a_lane_stands_at_the_device(expert: Expert) -> None:
    assert row(seen(expert, RESET, balancer__target_healthy=False), "balancer").start == "firewall"


def test_failover_stands_before_the_drop(expert: Expert) -> None:
    labels = [one.label for one in seen(expert, DATA, timing__after_event="failover").arrows]
    assert labels.index("a failover") == len(labels) - 2


def test_port_used_again_shows_the_connection_before(expert: Expert) -> None:
    line = DATA.replace("PSH ACK", "SYN")
    drawn = seen(expert, line, scope__same_port_again=True, session__closed_before="fin", session__since_end_s=12)
    assert [one.label for one in drawn.arrows] == [
        "SYN of the connection before",
        "FIN: closed in good order",
        "12 s after the end",
        "the same source port is used again within two minutes",
        "SYN: dropped here",
    ]


def test_direction_that_the_firewall_does_not_see_is_missing(expert: Expert) -> None:
    line = DATA.replace("PSH ACK", "ACK")
    missing = row(seen(expert, line, route__both_directions="client-to-server"), "does not come here")
    assert (missing.start, missing.fate, missing.origin) == ("server", "around", "missing")


def hostile(expert: Expert) -> Picture:
    """Draw a case whose addresses, names and origins all bite."""
    diagnosis = diagnosed(expert, ANSWER)
    record = diagnosis.records[0]
    end = record.source.model_copy(update={"ip": HOSTILE, "translated_ip": HOSTILE * 9})
    bad = record.model_copy(update={"source": end, "product": HOSTILE * 3, "vendor": "Bad"})
    facts = [
        one if one.feature != "flow.server" else one.model_copy(update={"value": HOSTILE}) for one in diagnosis.facts
    ]
    facts.append(Fact(feature="timing.worked", value="never", origin=f"line 1: {HOSTILE * 20}", kind="seen"))
    drawn = picture(diagnosis.model_copy(update={"records": [bad], "facts": facts}), expert.shelf)
    assert drawn is not None
    return drawn


def test_hostile_texts_are_inert_in_svg(expert: Expert) -> None:
    svg = picture_svg(hostile(expert))
    names = {one.tag.rpartition("}")[2] for one in parsed(svg).iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "path", "g", "text"}
    assert "\u202e" not in svg
    assert "script&gt;" in svg


def test_hostile_texts_are_inert_on_a_terminal(expert: Expert) -> None:
    text = picture_text(hostile(expert))
    assert all(one == "\n" or not unicodedata.category(one).startswith("C") for one in text)
    assert all(cell_len(line) <= COLUMNS for line in text.splitlines())


def test_wide_letters_do_not_widen_the_text(expert: Expert) -> None:
    diagnosis = diagnosed(expert, ANSWER)
    record = diagnosis.records[0].model_copy(update={"product": "防火墙" * 20, "vendor": "防"})
    drawn = picture(diagnosis.model_copy(update={"records": [record]}), expert.shelf)
    assert drawn is not None
    assert all(cell_len(line) <= COLUMNS for line in picture_text(drawn).splitlines())


def test_picture_stands_in_a_page_that_brings_the_style(expert: Expert) -> None:
    drawn = seen(expert, ANSWER)
    assert "<style>" not in picture_svg(drawn, style=False)
    assert picture_svg(drawn).replace(f"<style>{STYLE}</style>\n", "") == picture_svg(drawn, style=False)


def test_style_has_dark_colours_and_touches_nothing_else_on_a_page() -> None:
    assert "prefers-color-scheme:dark" in STYLE
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)\{", STYLE)
    assert all(one.startswith(".happened") for group in selectors for one in group.split(","))
