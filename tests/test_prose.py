"""Engineers' own sentences state facts; what they deny, doubt or ask states none, and a log line is no sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.case import Case, Fact
from rules.prose import ear_of, is_prose, misheard, sentences
from rules.read import read
from tests.shipped import shipped_expert, shipped_shelf

SHELF = shipped_shelf()
EXPERT = shipped_expert()


def _heard(*lines: str) -> dict[str, Fact]:
    said = sentences(list(enumerate(lines, start=1)))
    return {fact.feature: fact for fact in ear_of(SHELF).facts(said)}


def test_what_is_said_is_a_fact_with_the_words_that_said_it() -> None:
    fact = _heard("Since yesterday SSH to the server hangs after it was idle for 20 minutes.")["timing.idle_s"]
    assert (fact.value, fact.kind) == (1200.0, "told")
    assert fact.origin.startswith("you wrote, line 1: “")
    assert "20 minutes" in fact.origin


@pytest.mark.parametrize(
    "sentence",
    [
        "The server does not send a RST.",
        "We never saw a reset of the connection.",
        "Could it be that the server sends a RST?",
        "I wonder whether the connection was reset by the peer.",
    ],
)
def test_what_is_denied_doubted_or_asked_is_none(sentence: str) -> None:
    assert "symptom" not in _heard(sentence) or _heard(sentence)["symptom"].value != "reset"


def test_what_is_said_in_two_ways_is_not_known() -> None:
    assert "timing.worked" not in _heard("It never worked.", "It worked for a while, then it hangs.")


def test_whether_it_hangs_or_is_reset_is_asked_where_both_are_told() -> None:
    assert "symptom" not in _heard("The session hangs.", "Then the server resets the connection.")


def test_a_sentence_goes_on_in_the_line_below() -> None:
    (one, two) = sentences([(4, "The connection was idle for"), (5, "an hour. Then it"), (6, "hangs.")])
    assert (one.line, one.text, two.line, two.text) == (4, "The connection was idle for an hour.", 5, "Then it hangs.")


@pytest.mark.parametrize(
    "line",
    [
        "Mar  3 10:15:54 gw1 kernel: DROP IN=eth0 OUT= SRC=192.0.2.9",
        "2026-11-21T10:00:00Z server restarted after failover",
        'date=2026-11-21 action="server-rst"',
        "192.0.2.1 198.51.100.2 443 80",
        "x" * 5_000,
    ],
)
def test_a_machines_line_is_no_sentence(line: str) -> None:
    assert not is_prose(line)


def test_the_firewall_that_is_named_is_the_product() -> None:
    assert _heard("Our FortiGate drops the packets.")["log.product"].value == "fortigate"
    assert "log.product" not in _heard("Between the FortiGate and the Palo Alto packets are dropped.")


def test_a_line_of_the_log_outweighs_what_was_written_beside_it() -> None:
    ends = "from 192.0.2.10/443 to 198.51.100.7/51515"
    line = f"%ASA-6-106015: Deny TCP (no connection) {ends} flags SYN ACK  on interface x"
    facts = {
        fact.feature: fact
        for fact in EXPERT.diagnose(Case(paste=f"We see the packet flags RST dropped.\n{line}")).facts
    }
    assert (facts["packet.flags"].value, facts["packet.flags"].kind) == ("SA", "seen")


def test_an_answer_outweighs_what_was_written() -> None:
    paste = "The session hangs after it was idle for 20 minutes."
    answers = {"timing.idle_s": 60.0}
    facts = {fact.feature: fact for fact in EXPERT.diagnose(Case(paste=paste, answers=answers)).facts}
    assert (facts["timing.idle_s"].value, facts["timing.idle_s"].origin) == (60.0, "you said")


def test_words_alone_start_a_case() -> None:
    paste = (
        "The first query after lunch always hangs.\nThe database connections were idle for 60 minutes behind our ASA."
    )
    diagnosis = EXPERT.diagnose(Case(paste=paste))
    assert diagnosis.symptom == "out-of-state"
    assert diagnosis.hypotheses[0].cause == "idle-timeout"


def test_a_book_of_any_sentences_is_read_in_time() -> None:
    ear = ear_of(SHELF)
    assert ear.facts(sentences([(n, "no " * 600) for n in range(2_000)])) == []


def test_every_phrase_holds_to_its_samples() -> None:
    assert list(misheard(SHELF)) == []


def test_sentences_are_reported_as_unread_all_the_same() -> None:
    assert [one.line for one in read("Something odd happens with the thing here.", SHELF).unread] == [1]


@pytest.mark.parametrize(
    "sentence",
    [
        "A colleague thinks that the firewall failed over.",
        "Our runbook says: after a failover, clear the sessions.",
        "The firewall failed over last year.",
        "The cluster failed over in 2019 for the last time.",
        "Our other site works fine after the failover.",
        "The drops have nothing to do with the policy push.",
        "Even after a reboot of the firewall the drops continue.",
        "We ruled out a second ISP line.",
    ],
)
def test_hearsay_other_times_and_other_places_state_nothing(sentence: str) -> None:
    assert _heard(sentence) == {}


def test_each_bullet_is_a_sentence_of_its_own() -> None:
    listed = [(1, "* no load balancer"), (2, "* the firewall was rebooted"), (3, "- nothing in the server log")]
    assert [(one.line, one.text) for one in sentences(listed)] == listed


def test_what_is_too_much_to_be_listened_to_stays_unread() -> None:
    many = "\n\n".join(f"Sentence {number} says that the first query after lunch hangs." for number in range(300))
    diagnosis = EXPERT.diagnose(Case(paste=many))
    assert [fact.feature for fact in diagnosis.facts if fact.kind == "told"]
    assert diagnosis.unread
    assert diagnosis.unread[-1].line == 599


def test_sentences_of_which_nothing_was_taken_stay_unread() -> None:
    paste = "The first query after lunch hangs.\n\nSomebody should look into this matter soon."
    assert [one.line for one in EXPERT.diagnose(Case(paste=paste)).unread] == [3]


def test_a_long_paragraph_on_one_line_is_listened_to_sentence_by_sentence() -> None:
    paragraph = "We run a small shop with two switches and a printer in the cellar. " * 30
    paste = f"{paragraph}The first query after lunch hangs. {paragraph}"
    facts = {fact.feature for fact in EXPERT.diagnose(Case(paste=paste)).facts if fact.kind == "told"}
    assert "timing.only_reused" in facts


def test_a_sample_that_is_taken_for_hearsay_is_no_proof() -> None:
    said = "The firewall failed over."
    phrases = SHELF.phrases["timing.after_event"]
    failover = phrases.values["failover"][0].model_copy(update={"samples": [f"The docs say: {said}"]})
    values = {"failover": [failover]}
    shelf = replace(SHELF, phrases={phrases.id: phrases.model_copy(update={"values": values})})
    assert "does not say it" in "".join(message for _, _, message in misheard(shelf))
