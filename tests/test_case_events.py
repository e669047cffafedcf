from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.case_events import (
    Answered,
    Asked,
    CaseEvent,
    Concluded,
    Leading,
    Outcome,
    Pasted,
    Summary,
    Withdrawn,
    read_event,
    replayed,
)
from knowledge.clause import Value
from rules.answers import answered, withdrawn
from rules.case import Case, KnowledgeStamp
from rules.diagnose import Expert

STAMP = KnowledgeStamp(version="0.1.0", hash="0123abcd")
PASTED = Pasted(paste="Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515", product="cisco-asa")
ALL_KINDS: Sequence[CaseEvent] = [
    PASTED,
    Asked(feature="packet.flags"),
    Answered(feature="packet.flags", value="SA"),
    Answered(feature="timing.idle_s", value=3605.5),
    Answered(feature="handshake.syn_seen", value=True, again=True),
    Answered(feature="route.second_path", value=None),
    Withdrawn(feature="timing.idle_s"),
    Concluded(cause="asymmetric-routing", confidence=0.91, knowledge=STAMP),
    Concluded(cause=None, confidence=0, knowledge=STAMP),
    Outcome(cause="asymmetric-routing", note="a second router, as it said"),
    Outcome(cause=None),
]


def test_replaying_is_folding_by_hand() -> None:
    case = Case(paste=PASTED.paste, product="cisco-asa")
    case = answered(case, "packet.flags", "SA")
    case = answered(case, "timing.idle_s", 3605.5)
    case = answered(case, "handshake.syn_seen", True, again=True)
    case = answered(case, "route.second_path", None)
    case = withdrawn(case, "timing.idle_s")
    assert replayed(ALL_KINDS) == case
    assert case == Case(
        paste=PASTED.paste,
        product="cisco-asa",
        answers={"packet.flags": "SA", "handshake.syn_seen": True},
        declined=frozenset({"route.second_path"}),
        confirmed=frozenset({"handshake.syn_seen"}),
    )


def test_nothing_happened_in_an_empty_case() -> None:
    assert replayed([]) == Case()


def test_a_later_paste_stands_for_the_earlier_and_answers_stay() -> None:
    case = replayed([PASTED, Answered(feature="packet.flags", value="SA"), Pasted(paste="another line")])
    assert (case.paste, case.product, case.answers) == ("another line", None, {"packet.flags": "SA"})


VALUES: st.SearchStrategy[Value | None] = (
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(st.builds(Answered, feature=st.text(max_size=50), value=VALUES, again=st.booleans()))
def test_any_answer_comes_back_as_it_went(event: Answered) -> None:
    back = read_event(event.model_dump_json())
    assert back == event
    assert isinstance(back, Answered)
    assert type(back.value) is type(event.value)


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs", "Cc"])))
def test_any_paste_can_be_kept(paste: str) -> None:
    event = Pasted(paste=paste)
    assert read_event(event.model_dump_json()) == event
    assert event.paste == paste.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "heard", "feature": "packet.flags"},
        {"feature": "packet.flags"},
        {"kind": "answered", "feature": "packet.flags", "value": ["SA"]},
        {"kind": "answered", "feature": "packet.flags"},
        {"kind": "answered", "feature": "packet.flags", "value": float("nan")},
        {"kind": "answered", "feature": "packet.flags", "value": "SA", "again": "yes"},
        {"kind": "answered", "feature": "packet.flags", "value": "SA", "more": 1},
        {"kind": "asked", "feature": "x" * 201},
        {"kind": "concluded", "cause": "nat", "confidence": 1.1, "knowledge": {"version": "1", "hash": "2"}},
        {"kind": "outcome", "cause": None, "note": "x" * 2001},
    ],
)
def test_what_is_no_event_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_event(json.dumps(body))


def test_events_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        PASTED.paste = "something else"  # type: ignore[misc]


CONCLUDED = Concluded(cause="nat", confidence=0.9, knowledge=STAMP)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([PASTED], "open"),
        ([PASTED, CONCLUDED], "concluded"),
        ([PASTED, CONCLUDED, Withdrawn(feature="packet.flags")], "open"),
        ([PASTED, CONCLUDED, Answered(feature="packet.flags", value="SA"), Asked(feature="packet.flags")], "open"),
        ([PASTED, Outcome(cause="nat")], "closed"),
        ([PASTED, Outcome(cause="nat"), CONCLUDED], "closed"),
        ([PASTED, Outcome(cause="nat"), Asked(feature="packet.flags")], "closed"),
        ([PASTED, Outcome(cause="nat"), Answered(feature="packet.flags", value="SA")], "open"),
    ],
)
def test_what_is_told_opens_a_case_and_an_outcome_closes_it(events: list[CaseEvent], state: str) -> None:
    now = datetime.now(UTC)
    assert Summary("x", 0, now, now).after(events, None, now).state == state


def test_what_leads_is_taken_from_the_diagnosis(expert: Expert) -> None:
    diagnosis = expert.diagnose(
        Case(paste="%ASA-6-" + "106015: " + PASTED.paste + " flags SYN ACK on interface outside")
    )
    first = diagnosis.hypotheses[0]
    assert Leading.of(diagnosis) == Leading("out-of-state", first.cause, first.standing, "cisco-asa")
    assert Leading.of(expert.diagnose(Case(paste="hello"))) == Leading()
