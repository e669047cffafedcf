"""A diagnosis is a pure function of the case: the same facts, the same answer, in whatever order they came."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.clause import Value
from rules.answers import is_unknown, make_case
from rules.ask import answers_of, expected_gain, moved
from rules.case import Case, Diagnosis
from rules.explain import cause_named, grounds, what_if, why_not
from rules.read import PasteTooLarge
from tests.shipped import shipped_expert, shipped_shelf

SHELF = shipped_shelf()
EXPERT = shipped_expert()
ASKABLE = [feature for feature in SHELF.features.values() if feature.question]


def _said(diagnosis: Diagnosis) -> str:
    return diagnosis.model_dump_json(by_alias=True)


@st.composite
def _answers(draw: st.DrawFn) -> dict[str, Value]:
    features = draw(st.lists(st.sampled_from(ASKABLE), unique_by=lambda one: one.id, max_size=9))
    return {feature.id: draw(st.sampled_from(answers_of(feature))) for feature in features}


@settings(max_examples=150, deadline=None)
@given(answers=_answers(), seed=st.integers(0, 1000))
def test_the_order_of_answers_does_not_matter(answers: dict[str, Value], seed: int) -> None:
    names = list(answers)
    random.Random(seed).shuffle(names)  # noqa: S311  (only an order)
    shuffled = {name: answers[name] for name in names}
    assert _said(EXPERT.diagnose(Case(answers=shuffled))) == _said(EXPERT.diagnose(Case(answers=answers)))


@settings(max_examples=150, deadline=None)
@given(before=_answers(), after=_answers())
def test_a_changed_answer_gives_the_same_as_a_fresh_case_with_it(
    before: dict[str, Value], after: dict[str, Value]
) -> None:
    old = Case(answers={**before, **{name: value for name, value in before.items() if name not in after}})
    EXPERT.diagnose(old)
    changed = old.model_copy(update={"answers": {**before, **after}})
    assert _said(EXPERT.diagnose(changed)) == _said(EXPERT.diagnose(Case(answers={**after, **before, **after})))


@settings(max_examples=150, deadline=None)
@given(answers=_answers())
def test_probabilities_sum_to_one_and_the_best_comes_first(answers: dict[str, Value]) -> None:
    shares = [one.probability for one in EXPERT.diagnose(Case(answers=answers)).hypotheses]
    assert shares == sorted(shares, reverse=True)
    assert not answers or sum(shares) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(answers=_answers(), seed=st.integers(0, 1000))
def test_every_conversation_ends_and_never_asks_the_same_twice(answers: dict[str, Value], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (plays the engineer)
    case, asked = Case(answers=answers), set[tuple[str, bool]]()
    while (question := EXPERT.diagnose(case).question) is not None:
        answered = question.feature in case.answers
        assert (question.feature, answered) not in asked
        asked.add((question.feature, answered))
        if not answered and chance.random() < 0.4:
            case = case.model_copy(update={"declined": case.declined | {question.feature}})
        else:
            told = {**case.answers, question.feature: chance.choice(question.choices).value}
            confirmed = case.confirmed | ({question.feature} if answered else set())
            case = case.model_copy(update={"answers": told, "confirmed": confirmed})


def test_nothing_is_concluded_from_nothing() -> None:
    diagnosis = EXPERT.diagnose(Case())
    assert (diagnosis.symptom, diagnosis.hypotheses, diagnosis.verdict, diagnosis.steps) == (None, [], None, [])
    assert diagnosis.question is not None
    assert diagnosis.question.feature == "symptom"


def test_without_evidence_there_is_no_verdict() -> None:
    everything_unknown = frozenset(feature.id for feature in ASKABLE)
    diagnosis = EXPERT.diagnose(Case(answers={"symptom": "out-of-state"}, declined=everything_unknown))
    assert diagnosis.question is None
    assert diagnosis.verdict is None


def test_no_cause_is_named_while_it_is_open_what_there_is_to_explain() -> None:
    strong: dict[str, Value] = {"packet.flags": "FA", "session.closed_before": "fin", "session.since_end_s": 1.0}
    diagnosis = EXPERT.diagnose(Case(answers=strong, declined=frozenset({"symptom"})))
    assert diagnosis.hypotheses[0].cause == "late-packets"
    assert (diagnosis.question, diagnosis.verdict, diagnosis.steps) == (None, None, [])


def test_a_declined_question_is_not_asked_again() -> None:
    case = Case(answers={"symptom": "out-of-state"})
    first = EXPERT.diagnose(case).question
    assert first is not None
    second = EXPERT.diagnose(case.model_copy(update={"declined": frozenset({first.feature})})).question
    assert second is not None
    assert second.feature != first.feature


def test_what_is_not_known_is_not_asked_again_because_of_a_contradiction() -> None:
    told: dict[str, Value] = {"symptom": "reset", "packet.flags": "SA", "reset.phase": "mid-transfer"}
    asked = EXPERT.diagnose(Case(answers=told)).question
    assert asked is not None
    assert asked.feature == "handshake.completed"
    declined = EXPERT.diagnose(Case(answers=told, declined=frozenset({"handshake.completed"}))).question
    assert declined is None or declined.feature != "handshake.completed"


def test_one_confirmed_answer_does_not_silence_another_contradiction() -> None:
    answers: dict[str, Value] = {"symptom": "out-of-state", "packet.flags": "SA", "packet.payload": True}
    confirmed = frozenset({"packet.flags"})
    asked = EXPERT.diagnose(Case(answers=answers, confirmed=confirmed)).contradictions
    assert [one.ask_again for one in asked] == ["packet.payload"]


def test_an_answer_outranks_the_line() -> None:
    seen = EXPERT.observe(Case(answers={"packet.flags": "A"}), EXPERT.read("Not a Valid SYN Packet [SA]"))
    flags = next(fact for fact in seen if fact.feature == "packet.flags")
    assert (flags.value, flags.kind, flags.origin) == ("A", "told", "you said")


LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface x"


@pytest.mark.parametrize(("feature", "told"), [("symptom", "reset"), ("packet.flags", "PA")])
def test_an_answer_that_the_log_contradicts_is_asked_again(feature: str, told: str) -> None:
    case = make_case(SHELF, LINE, {feature: told})
    diagnosis = EXPERT.diagnose(case)
    assert diagnosis.question is not None
    assert diagnosis.question.feature == diagnosis.contradictions[0].ask_again == feature
    assert "the log says" in diagnosis.contradictions[0].because
    stands = EXPERT.diagnose(make_case(SHELF, LINE, {feature: told}, confirmed=[feature]))
    assert not any(one.ask_again == feature and "the log says" in one.because for one in stands.contradictions)


def test_a_rounded_answer_does_not_contradict_the_log() -> None:
    paste = "server-rst after 3550 seconds of silence, no session matched"
    assert EXPERT.diagnose(make_case(SHELF, paste, {"timing.idle_s": "about an hour"})).contradictions == []


@pytest.mark.parametrize("name", ["log.event", "flow.client", "log.product"])
def test_what_only_a_line_can_say_cannot_be_told(name: str) -> None:
    with pytest.raises(ValueError, match="read from the line"):
        make_case(SHELF, "", {name: "denied"})


def test_silence_is_compared_with_the_timers_of_the_product_in_the_case() -> None:
    facts = {"symptom": "out-of-state", "timing.idle_s": "3612s"}
    own = EXPERT.diagnose(make_case(SHELF, "", facts, "paloalto"))
    known = {fact.feature: fact.value for fact in own.facts}
    assert known["timing.idle_is_own_timer"] is True
    assert "PAN-OS" in str(known["timing.matching_timers"])
    unlike = EXPERT.diagnose(make_case(SHELF, "", facts, "forcepoint"))
    known = {fact.feature: fact.value for fact in unlike.facts}
    assert known["timing.idle_is_own_timer"] is False
    assert known["timing.idle_reached_own_timer"] is True


def test_every_source_that_is_named_is_listed() -> None:
    diagnosis = EXPERT.diagnose(make_case(SHELF, "", {"symptom": "reset", "reset.phase": "answer-to-syn"}))
    named = {step.source.partition("#")[0] for step in diagnosis.steps}
    named |= {one.source.partition("#")[0] for one in diagnosis.hypotheses[0].for_ if one.source}
    assert named <= {source.id for source in diagnosis.sources}


@settings(max_examples=60, deadline=None)
@given(answers=_answers(), symptom=st.sampled_from(["out-of-state", "reset"]))
def test_what_a_question_is_chosen_for_is_what_its_answers_really_do(answers: dict[str, Value], symptom: str) -> None:
    case = Case(answers={**answers, "symptom": symptom})
    thought = EXPERT.think(case, EXPERT.read(""))
    known = {name: fact.value for name, fact in thought.facts.items()}
    for outlook in thought.family.asking.outlooks(known, frozenset(), thought.probabilities)[:4]:
        for value, factors in zip(thought.family.asking.offered(outlook.feature), outlook.factors, strict=True):
            told = case.model_copy(update={"answers": {**case.answers, outlook.feature.id: value}})
            really = EXPERT.think(told, EXPERT.read("")).probabilities
            assert moved(thought.probabilities, factors) == pytest.approx(really, abs=1e-9)


def test_a_question_that_splits_the_causes_gains_more_than_one_that_does_not() -> None:
    even = [0.5, 0.5]
    splitting = expected_gain(even, [{0: 10.0}, {1: 10.0}])
    useless = expected_gain(even, [{0: 10.0, 1: 10.0}, {}])
    assert splitting > 0.3
    assert useless == pytest.approx(0, abs=1e-12)


def test_the_expected_gain_is_the_mean_divergence_of_the_shares() -> None:
    now, factors = [0.6, 0.3, 0.1], [{0: 10.0, 2: 0.3}, {1: 3.0}]
    likely = [[one.get(place, 1.0) / sum(f.get(place, 1.0) for f in factors) for one in factors] for place in range(3)]
    mean = 0.0
    for number, one in enumerate(factors):
        after = moved(now, one)
        chance = sum(now[place] * likely[place][number] for place in range(3))
        mean += chance * sum(a * math.log(a / b) for a, b in zip(after, now, strict=True))
    assert expected_gain(now, factors) == pytest.approx(mean)


def test_why_not_names_what_failed_and_what_is_missing() -> None:
    case = Case(answers={"symptom": "out-of-state", "packet.flags": "SA"})
    found = why_not(EXPERT, case, cause_named(EXPERT, "idle timeout"))
    assert found.against
    assert {clause.feature for unmet in found.failed for clause in unmet.failed} == {"packet.flags"}
    assert all(clause.feature != "packet.flags" for unmet in found.missing for clause in unmet.missing)


@pytest.mark.parametrize("asked", [why_not, grounds])
def test_while_no_kind_of_message_is_known_no_cause_is_said_to_be_of_another(asked: Callable[..., object]) -> None:
    with pytest.raises(LookupError, match="No cause stands anywhere yet, Idle timeout at the firewall neither"):
        asked(EXPERT, Case(paste="hello"), "idle-timeout")


def test_why_not_of_the_other_symptom_says_so() -> None:
    with pytest.raises(LookupError, match="another kind of message"):
        why_not(EXPERT, Case(answers={"symptom": "reset"}), "idle-timeout")


def test_what_if_agrees_with_really_answering() -> None:
    case = Case(answers={"symptom": "out-of-state", "packet.flags": "SA"})
    told = [one.probability for one in what_if(EXPERT, case, "handshake.syn_seen")]
    real = [
        EXPERT.diagnose(Case(answers={**case.answers, "handshake.syn_seen": value})).hypotheses[0].probability
        for value in (True, False)
    ]
    assert told == real


def test_an_answer_that_is_none_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"'purple' is no answer to packet.flags; allowed: SA \(SYN\+ACK"):
        make_case(SHELF, "", {"packet.flags": "purple"})


def test_a_misspelt_feature_is_answered_with_the_right_one() -> None:
    with pytest.raises(ValueError, match=r"unknown feature 'packet.flag'; did you mean 'packet.flags'"):
        make_case(SHELF, "", {"packet.flag": "SA"})


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [
        ("packet.flags", "sa", "SA"),
        ("packet.flags", "SYN ACK", "SA"),
        ("packet.flags", "[FA]", "FA"),
        ("packet.flags", "fin-psh-ack", "FA"),
        ("timing.worked", "never", "never"),
        ("timing.worked", "2", "then-broke"),
        ("timing.worked", "it works, except now and then", "sporadic"),
        ("timing.idle_s", "about an hour", 3600.0),
        ("timing.idle_s", "3605s", 3605.0),
        ("timing.idle_s", "1:00:05", 3605.0),
        ("timing.idle_s", "half an hour", 1800.0),
        ("handshake.syn_seen", "Yes", True),
        ("handshake.syn_seen", "2", False),
    ],
)
def test_answers_are_understood_as_people_type_them(feature: str, text: str, value: Value) -> None:
    assert make_case(SHELF, "", {feature: text}).answers == {feature: value}


@pytest.mark.parametrize("text", ["unknown", "I don't know", "idk"])
def test_i_do_not_know_declines_the_question(text: str) -> None:
    case = make_case(SHELF, "", {"packet.flags": text})
    assert (case.answers, case.declined) == ({}, frozenset({"packet.flags"}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1.0, 1e16])
def test_no_number_beyond_measure_enters_a_case(value: float) -> None:
    with pytest.raises(ValueError, match="a finite number"):
        make_case(SHELF, "", {"timing.idle_s": value})


def test_a_paste_beyond_the_limit_says_what_to_do() -> None:
    with pytest.raises(PasteTooLarge, match="Paste the lines around the drop"):
        EXPERT.diagnose(Case(paste="x" * 4_000_001))
    with pytest.raises(PasteTooLarge, match="Filter it by the addresses"):
        EXPERT.diagnose(Case(paste="x\n" * 20_001))


@pytest.mark.parametrize(
    "text", ["idk", "I don’t know", " Dont  know. ", "I'm not sure", "no clue!", "unknown", "skip"]
)
def test_people_say_in_many_ways_that_they_do_not_know(text: str) -> None:
    assert is_unknown(text)


@pytest.mark.parametrize("text", ["", "no", "know", "unknown host", "not sure it worked"])
def test_other_words_are_not_taken_for_it(text: str) -> None:
    assert not is_unknown(text)
