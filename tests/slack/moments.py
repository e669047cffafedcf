"""Moments of a conversation as Slack is told them: each a message, a modal or a home, made without a Slack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.case_events import Answered, CaseEvent, KeptCase, Leading, Numbered, Outcome, Pasted, Summary
from bot.casebook import Consulted
from bot.explaining import moved_words
from bot.slack import notices
from bot.slack.home import HomeSettings, home_view
from bot.slack.modals import answer_modal, outcome_modal, paste_modal
from bot.slack.parts import Image, Message
from bot.slack.views import (
    Showing,
    addresses_message,
    case_message,
    change_message,
    edit_message,
    why_message,
)
from rules.diagnose import Expert
from rules.explain import moved, what_if

LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK "
    "on interface outside"
)
IDLE = (
    "%ASA-6-106015: Deny TCP (no connection) from 198.51.100.7/51515 to 192.0.2.10/1521 flags PSH ACK "
    "on interface inside"
)
TWO_ENDS = (
    'date=2024-05-01 time=10:00:00 devname="fw-berlin-1" logid="0000000013" type="traffic" subtype="forward" '
    'srcip=198.51.100.7 srcport=51515 dstip=192.0.2.10 dstport=443 proto=6 action="server-rst" duration=2 '
    "sentbyte=900 rcvdbyte=90000 sentpkt=6 rcvdpkt=90\n"
    "the client 198.51.100.7 talks to app.corp.example (2001:db8::10), 203.0.113.5 is the proxy"
)
BEGUN = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
CASE = "a" * 26
LINK = f"https://whydrop.example/cases/{CASE}"
NOT_SEEN = Answered(feature="handshake.syn_seen", value=False)
NEVER = Answered(feature="timing.worked", value="never")
PATHS = Answered(feature="route.second_path", value=True)
NONE = Answered(feature="scope.special", value="none")


def consulted(expert: Expert, *events: CaseEvent) -> Consulted:
    """Give the case that comes of such events."""
    numbered = tuple(Numbered(n, BEGUN + timedelta(minutes=n), event) for n, event in enumerate(events, start=1))
    before = KeptCase(Summary(CASE, 0, BEGUN, BEGUN), numbered)
    diagnosis = expert.diagnose(before.case)
    summary = before.summary.after(events, Leading.of(diagnosis), numbered[-1].at)
    return Consulted(KeptCase(summary, numbered), diagnosis)


def pasted(paste: str) -> Pasted:
    """Give the event of a paste."""
    return Pasted(paste=paste)


def settled(expert: Expert) -> Consulted:
    """Give a case that has come to its end."""
    return consulted(expert, pasted(LINE), NOT_SEEN, NEVER)


def _first(expert: Expert) -> Message:
    return case_message(consulted(expert, pasted(LINE)), expert.shelf, Showing(LINK))


def _alone(expert: Expert) -> Message:
    return case_message(consulted(expert, pasted(LINE)), expert.shelf, Showing(alone=True))


def _answered(expert: Expert) -> Message:
    before = consulted(expert, pasted(IDLE), NONE)
    after = consulted(expert, pasted(IDLE), NONE, Answered(feature="timing.worked", value="then-broke"))
    moves = moved_words(moved(before.diagnosis, after.diagnosis))
    return case_message(after, expert.shelf, Showing(LINK, moved=moves))


def _number(expert: Expert) -> Message:
    told = [
        Answered(feature="scope.service", value="none"),
        Answered(feature="scope.logs", value="gateway-change"),
        Answered(feature="timing.moment", value="slow-answer"),
    ]
    return case_message(consulted(expert, pasted(TWO_ENDS), *told), expert.shelf, Showing(alone=True))


def _verdict(expert: Expert) -> Message:
    shown = Image("What happened: the drop, between 198.51.100.7:51515 and 192.0.2.10:443", file="F0WHYDROP")
    return case_message(settled(expert), expert.shelf, Showing(LINK, picture=shown))


def _whole(expert: Expert) -> Message:
    return case_message(settled(expert), expert.shelf, Showing(LINK, whole=True))


def _aliased(expert: Expert) -> Message:
    return case_message(consulted(expert, pasted(TWO_ENDS)), expert.shelf, Showing(LINK, aliases=True))


def _closed(expert: Expert) -> Message:
    told = Outcome(solved=True, cause="asymmetric-routing", note="BGP preferred the second line; local-pref set.")
    found = consulted(expert, pasted(LINE), NOT_SEEN, NEVER, told)
    return case_message(found, expert.shelf, Showing(LINK, aliases=True, shared_by="U0ASKER"))


def _stopped(expert: Expert) -> Message:
    return case_message(consulted(expert, pasted(IDLE)), expert.shelf, Showing(LINK, alone=True, stopped=True))


def _why(expert: Expert) -> Message:
    found = consulted(expert, pasted(IDLE), NONE)
    asked = found.diagnosis.question
    assert asked is not None
    return why_message(found, expert.shelf, what_if(expert, found.case, asked.feature), alone=False)


def _edit(expert: Expert) -> Message:
    found = settled(expert)
    return edit_message(found, expert.shelf, expert.asked(found.case, "timing.worked"), alone=False)


def _home(expert: Expert) -> dict[str, Any]:
    cases = [
        consulted(expert, pasted(LINE)).kept.summary,
        consulted(expert, pasted(IDLE)).kept.summary,
        replace(settled(expert).kept.summary, id="b" * 26, state="closed"),
    ]
    return home_view(
        cases, HomeSettings(True, "https://whydrop.example"), expert.shelf, settled(expert).diagnosis.knowledge
    )


MESSAGES: Mapping[str, Callable[[Expert], Message]] = {
    "first-reply": _first,
    "first-reply-alone": _alone,
    "after-an-answer": _answered,
    "a-duration-is-asked": _number,
    "verdict": _verdict,
    "verdict-whole": _whole,
    "aliases": _aliased,
    "closed-and-shared": _closed,
    "stopped": _stopped,
    "why": _why,
    "change": lambda expert: change_message(settled(expert), expert.shelf),
    "edit": _edit,
    "addresses": lambda expert: addresses_message(consulted(expert, pasted(TWO_ENDS))),
    "nothing-read": lambda expert: case_message(
        consulted(expert, pasted("it just hangs, please help :(")), expert.shelf, Showing()
    ),
    "help": lambda _: notices.help_message("https://whydrop.example"),
    "status": lambda expert: notices.status_message(
        settled(expert).diagnosis.knowledge, True, "74 products, 61 causes, 12 open cases here."
    ),
    "fault": lambda _: notices.fault_message("k3f9"),
    "not-understood": lambda _: notices.not_understood_message(
        "'perhaps' is no duration; write for example 3600", "perhaps"
    ),
    "unreadable": lambda _: notices.old_button_message(),
}
"""Messages by the name of their moment."""
VIEWS: Mapping[str, Callable[[Expert], dict[str, Any]]] = {
    "paste-modal": lambda expert: paste_modal(expert.shelf, "", "", files=True),
    "answer-modal": lambda expert: answer_modal(
        expert.asked(settled(expert).case, "timing.idle_s"), settled(expert), expert.shelf
    ),
    "outcome-modal": lambda expert: outcome_modal(settled(expert), expert.shelf),
    "home": _home,
}
"""Modals and the home by the name of their moment."""
