from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.case_token import LONGEST, UNDERSTOOD, Carried, decode, encode, fit
from knowledge.clause import Value
from knowledge.load import load_shelf
from knowledge.model import Feature
from rules.ask import answers_of
from rules.case import Case, Fact

SHELF = load_shelf()
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def values(feature: Feature) -> st.SearchStrategy[Value]:
    """Give any value that a feature can have."""
    if feature.type == "text":
        return ANYTHING
    if feature.type == "number":
        return st.floats(0, 1e15)
    return st.sampled_from(answers_of(feature))


def facts_of(features: list[Feature]) -> st.SearchStrategy[tuple[Fact, ...]]:
    kinds = st.sampled_from(["seen", "inferred", "assumed"])
    one = [
        st.builds(Fact, feature=st.just(feature.id), value=values(feature), origin=ANYTHING, kind=kinds)
        for feature in features
    ]
    return st.tuples(*one)


FEATURES = st.lists(st.sampled_from(list(SHELF.features.values())), max_size=12, unique_by=lambda one: one.id)
TOLD = FEATURES.flatmap(lambda some: st.fixed_dictionaries({one.id: values(one) for one in some}))
NAMES = st.frozensets(st.sampled_from(list(SHELF.features)), max_size=5)
CASES = st.builds(
    Case,
    product=st.none() | st.sampled_from(list(SHELF.products)),
    answers=TOLD,
    declined=NAMES,
    confirmed=NAMES,
    observed=FEATURES.flatmap(facts_of),
)


@given(CASES, ANYTHING)
@settings(deadline=None)
def test_a_case_comes_back_as_it_went(case: Case, understood: str) -> None:
    carried = Carried(case, understood)
    token = encode(carried)
    if len(token) <= LONGEST:
        assert decode(token, SHELF) == carried


@given(CASES, st.text(max_size=UNDERSTOOD))
@settings(deadline=None)
def test_a_fitted_case_leaves_room_for_the_next_answer(case: Case, understood: str) -> None:
    travels, _ = fit(Carried(case, understood), SHELF.features)
    longest = max((feature for feature in SHELF.features.values() if feature.question), key=lambda one: len(one.id))
    more = travels.case.model_copy(update={"answers": {**travels.case.answers, longest.id: answers_of(longest)[-1]}})
    assert decode(encode(Carried(more, travels.understood)), SHELF).case == more


def test_what_is_left_out_is_only_what_no_rule_compares() -> None:
    noise = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
    facts = (
        Fact(feature="packet.interface", value=noise, origin="line 1", kind="seen"),
        Fact(feature="packet.flags", value="SA", origin="line 1: " + noise, kind="seen"),
        Fact(feature="timing.idle_s", value=3605.0, origin="line 1", kind="assumed"),
    )
    travels, left_out = fit(Carried(Case(observed=facts), "Line 1"), SHELF.features)
    assert left_out
    kept = [(fact.feature, fact.value, fact.origin) for fact in travels.case.observed or ()]
    assert kept == [("packet.flags", "SA", "line 1"), ("timing.idle_s", 3605.0, "line 1")]


def test_reasons_go_first() -> None:
    noise = "".join(map(chr, range(0x4E00, 0x4E00 + 900)))
    fact = Fact(feature="packet.flags", value="SA", origin="line 1: " + noise, kind="seen")
    travels, left_out = fit(Carried(Case(observed=(fact,)), "Line 1, Cisco"), SHELF.features)
    assert left_out
    assert travels.understood == "Line 1, Cisco"


def test_a_case_in_which_everything_is_known_fits() -> None:
    facts = tuple(
        Fact(feature=one.id, value="x" * 40_000 if one.type == "text" else answer, origin=f"line 1: {one}", kind="seen")
        for one in SHELF.features.values()
        for answer in (answers_of(one) or [0.123456789])[:1]
    )
    askable = [one for one in SHELF.features.values() if one.question]
    case = Case(
        observed=facts,
        answers={one.id: answers_of(one)[-1] for one in askable},
        declined=frozenset(one.id for one in askable),
        confirmed=frozenset(one.id for one in askable),
    )
    travels, _ = fit(Carried(case, "x" * 10_000), SHELF.features)
    assert len(encode(travels)) < LONGEST


def token_of(parts: object) -> str:
    """Write a token as an attacker would."""
    return "1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(parts).encode())).decode().rstrip("=")


def parts(**changed: Any) -> list[Any]:
    made: dict[str, Any] = {
        "product": None,
        "facts": [],
        "answers": {},
        "declined": [],
        "confirmed": [],
        "understood": "",
    }
    return list((made | changed).values())


def test_the_forger_of_these_tests_knows_the_format() -> None:
    assert decode(token_of(parts(answers={"packet.flags": "SA"})), SHELF).case.answers == {"packet.flags": "SA"}


FORGED = {
    "nothing": "",
    "another version": "2." + encode(Carried(Case())).removeprefix("1."),
    "no version": encode(Carried(Case())).removeprefix("1."),
    "no base64": "1.****",
    "no ASCII": "1.é",
    "a lone surrogate": "1.\ud800",
    "no zlib": "1." + base64.urlsafe_b64encode(b"hello hello").decode(),
    "cut": encode(Carried(Case()))[:-4],
    "something behind": "1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(parts()).encode()) + b"more").decode(),
    "a bomb": "1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(parts()).encode() + b" " * 1_000_000)).decode(),
    "too long": "1." + "A" * LONGEST,
    "not JSON": "1." + base64.urlsafe_b64encode(zlib.compress(b"{")).decode(),
    "not UTF-8": "1." + base64.urlsafe_b64encode(zlib.compress(b'["\xff"]')).decode(),
    "deep": "1." + base64.urlsafe_b64encode(zlib.compress(b"[" * 60_000)).decode(),
    "an object": token_of({}),
    "too few parts": token_of(parts()[:5]),
    "too many parts": token_of([*parts(), 1]),
    "an unknown product": token_of(parts(product="abacus")),
    "an unknown feature": token_of(parts(answers={"packet.colour": "red"})),
    "an unknown feature declined": token_of(parts(declined=["packet.colour"])),
    "an unknown feature confirmed": token_of(parts(confirmed=["packet.colour"])),
    "an answer confirmed that was not given": token_of(parts(confirmed=[0])),
    "an answer confirmed before the first": token_of(parts(answers={"packet.flags": "SA"}, confirmed=[-1])),
    "yes confirmed": token_of(parts(answers={"packet.flags": "SA"}, confirmed=[False])),
    "an unknown feature observed": token_of(parts(facts=[["packet.colour", "red", "line 1", "seen"]])),
    "an unknown value": token_of(parts(answers={"packet.flags": "red"})),
    "a number for a choice": token_of(parts(answers={"packet.flags": 1})),
    "a text for a number": token_of(parts(answers={"timing.idle_s": "3600"})),
    "yes for a number": token_of(parts(answers={"timing.idle_s": True})),
    "no number": token_of(parts(answers={"timing.idle_s": float("nan")})),
    "infinite": token_of(parts(answers={"timing.idle_s": float("inf")})),
    "a number beyond all": token_of(parts(answers={"timing.idle_s": 10**400})),
    "one for yes": token_of(parts(answers={"handshake.syn_seen": 1})),
    "null": token_of(parts(answers={"handshake.syn_seen": None})),
    "a list": token_of(parts(answers={"packet.flags": ["SA"]})),
    "of another kind": token_of(parts(facts=[["packet.flags", "SA", "line 1", "heard"]])),
    "a fact too short": token_of(parts(facts=[["packet.flags", "SA"]])),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="token") as refused:
        decode(FORGED[kind], SHELF)
    assert len(str(refused.value)) < 100


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: "1." + base64.urlsafe_b64encode(raw).decode()))
def test_no_token_breaks_the_reading(token: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(token, SHELF)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING, lambda one: st.lists(one, max_size=4)
    )
)
def test_no_content_breaks_the_reading(content: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(token_of(content), SHELF)
