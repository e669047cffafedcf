"""Messages that are about no case: help, how whydrop is, and what went wrong."""

from __future__ import annotations

from bot.phrases import capital, short
from bot.slack.buttons import ButtonValue
from bot.slack.parts import Button, Buttons, Message, Part, Prose, Quoted, Small
from bot.slack.verdict import TYPE
from rules.case import KnowledgeStamp

START = Button("Paste lines…", ButtonValue(does="start"), "primary")
"""Opens the modal to paste lines."""
_NOTHING_ASKED = "No question is open in this case. Log lines may still be added; “status” shows the case again."


def help_message(link: str | None = None) -> Message:
    """Say what whydrop does and how it is asked."""
    page = [Button("Open the page", ButtonValue(does="link"), url=link)] if link else []
    ways = (
        "• `/whydrop` and a line: the answer is for you alone; `/whydrop` alone opens a box for many lines\n"
        "• mention me in a thread or a channel, or use “Diagnose this message” on any message: I answer in its thread\n"
        "• write to me directly: lines, code blocks, or a text file\n"
        "• `/whydrop case ID` shows a case again, `/whydrop status` tells how I am"
    )
    return Message(
        [
            Prose(
                "Paste what the firewall said of a packet that was dropped as out of state, or of a connection that "
                "was reset. I say what I read, ask a few questions, and give the cause, the proof and the next steps.",
                "whydrop: why was it dropped, who reset it?",
            ),
            Prose(ways, "How to ask"),
            Small(
                [
                    "Answers may be typed: “SA”, “3605s”, “about an hour”; “unknown” is always one.",
                    "Addresses may be masked: keep the ports, the flags and the times, they matter most.",
                ]
            ),
            Buttons([START, *page], "More"),
        ]
    )


def status_message(stamp: KnowledgeStamp, ready: bool, counts: str) -> Message:
    """Tell how whydrop is; `counts` says what it knows."""
    state = "whydrop is up." if ready else "whydrop is not quite ready: what is asked now is answered later."
    return Message([Prose(state), Small([counts, f"Knowledge {stamp.version} {stamp.hash}"])])


def fault_message(reference: str = "") -> Message:
    """Admit a fault of ours; `reference` finds it in the log."""
    more = [Small([f"Reference {reference}"])] if reference else []
    return Message([Prose("Something went wrong here. This is a fault of whydrop's. Please try again."), *more])


def not_understood_message(wrong: str, typed: str = "", *, asked: bool = True) -> Message:
    """Say why what was typed was not taken, in the words of the reader of answers; `asked`: a question is open."""
    said: list[Part] = [Quoted(short(typed.strip(), 200))] if typed.strip() else []
    if not asked:
        return Message([*said, Prose("I did not understand that."), Small([_NOTHING_ASKED])])
    words = capital(wrong)
    why = f" {words}{'' if words.endswith('.') else '.'}" if words else ""
    return Message([*said, Prose(f"I did not understand that as an answer.{why}"), Small([TYPE])])


def old_button_message() -> Message:
    """Say that a button means nothing any more."""
    return Message([Prose("This button can no longer be read; it may be an old one. Paste the lines again.")])
