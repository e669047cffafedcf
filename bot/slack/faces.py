"""All messages of one expert, as the conversation asks for them. Slow ones diagnose: call them beside the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile

from bot.case_events import Summary
from bot.casebook import Consulted
from bot.export import markdown
from bot.picture import picture
from bot.picture_svg import picture_svg
from bot.slack.aliases import aliases_of
from bot.slack.blocks import Block
from bot.slack.home import HomeSettings, home_view
from bot.slack.notices import fault_message, help_message, not_understood_message, old_button_message, status_message
from bot.slack.parts import Button, Buttons, Image, Message, Part, Quoted, Small
from bot.slack.picture_png import picture_alt
from bot.slack.views import (
    Showing,
    addresses_message,
    asks,
    case_message,
    change_message,
    doors_of,
    edit_message,
    seen_as,
    why_message,
)
from bot.slack.words import is_web, quote
from rules.case import KnowledgeStamp
from rules.diagnose import VERSION, Expert
from rules.explain import what_if

_HELD = 11_000
"""Characters of what a message quotes."""
_CUT = "Cut here: {:,} of {:,} lines, more does not fit into a message."
_AS_FILE = "In a thread and in direct messages it follows as a file, if whydrop may write files."


@dataclass(frozen=True, slots=True)
class Faces:
    """Makes messages; `public_url` is the service's address in links."""

    expert: Expert
    public_url: str | None = None

    @property
    def _stamp(self) -> KnowledgeStamp:
        return KnowledgeStamp(version=VERSION, hash=self.expert.shelf.hash)

    def case(self, consulted: Consulted, shown: Showing) -> Message:
        """Show where a case stands."""
        return case_message(consulted, self.expert.shelf, replace(shown, picture=self._picture(consulted, shown)))

    def _picture(self, consulted: Consulted, shown: Showing) -> Image | None:
        """Draw what happened, for whoever sees it, where a case comes to an end."""
        if asks(consulted, shown):
            return None
        drawn = picture(seen_as(consulted, shown).diagnosis, self.expert.shelf)
        return Image(picture_alt(drawn), svg=picture_svg(drawn)) if drawn else None

    def why(self, consulted: Consulted, shown: Showing) -> Message:
        """Say why its question is asked. This diagnoses once for each answer."""
        asked = consulted.diagnosis.question
        found = what_if(self.expert, consulted.case, asked.feature) if asked else []
        return why_message(seen_as(consulted, shown), self.expert.shelf, found, alone=shown.alone)

    def change(self, consulted: Consulted, shown: Showing) -> Message:
        """List its answers, to be changed."""
        return change_message(seen_as(consulted, shown), self.expert.shelf)

    def edit(self, consulted: Consulted, shown: Showing, feature: str) -> Message:
        """Ask one of its questions again. Raises LookupError where there is no such question."""
        asked = self.expert.asked(consulted.case, feature)
        return edit_message(seen_as(consulted, shown), self.expert.shelf, asked, alone=shown.alone)

    def raw(self, consulted: Consulted) -> Message:
        """Show the addresses that stand behind aliases."""
        return addresses_message(consulted)

    def exported(self, consulted: Consulted, shown: Showing) -> Message:
        """Write it down for a ticket, as much of it as a message holds."""
        lines = self._written(consulted, shown).splitlines()
        most = _held(lines)
        link = f"{shown.link}/export.md" if shown.link and is_web(shown.link) else ""
        file = [Button("Get it as a file", doors_of(consulted).value("link"), url=link)] if link else []
        parts: list[Part] = [Quoted("\n".join(lines[:most]), "For a ticket (Markdown)")]
        if most < len(lines):
            where = "on the page" if link else f"what `python -m bot cases export {consulted.kept.summary.id}` writes"
            parts.append(Small([f"{_CUT.format(most, len(lines))} The whole is {where}. {_AS_FILE}"]))
        return Message([*parts, Buttons(file, "More")] if file else parts)

    def exported_whole(self, consulted: Consulted, shown: Showing) -> str:
        """Write it down for a ticket, where a message does not hold it; else ""."""
        text = self._written(consulted, shown)
        lines = text.splitlines()
        return text if _held(lines) < len(lines) else ""

    def _written(self, consulted: Consulted, shown: Showing) -> str:
        return markdown(seen_as(consulted, shown), self.expert.shelf, shown.link)

    def said(self, lines: Sequence[str], consulted: Consulted | None, shown: Showing) -> Message:
        """Say something, about a case or not."""
        hidden = aliases_of(consulted).hide_all if consulted and shown.aliases else str
        return Message([Small([hidden(line) for line in lines])])

    def unclear(self, consulted: Consulted, shown: Showing, why: str, typed: str) -> Message:
        """Say that something typed was not understood, and how to answer."""
        hidden = aliases_of(consulted).hide_all if shown.aliases else str
        asked = consulted.diagnosis.question is not None
        return not_understood_message(hidden(why), hidden(typed), asked=asked)

    def help(self) -> Message:
        """Say what whydrop does here."""
        return help_message(self.public_url)

    def fault(self) -> Message:
        """Say that something went wrong."""
        return fault_message()

    def unreadable(self) -> Message:
        """Say that a button, or its case, cannot be read."""
        return old_button_message()

    def folded(self) -> Message:
        """Say that the case went on further down."""
        return Message([Small(["This case went on further down."])])

    def status(self, own: Sequence[Summary]) -> Message:
        """Say how whydrop is, and which cases are open."""
        shelf = self.expert.shelf
        ongoing = sum(one.state == "open" for one in own)
        known = f"{len(shelf.products)} products, {len(shelf.causes)} causes"
        return status_message(self._stamp, True, f"{known}; your open cases: {ongoing}.")

    def home(self, own: Sequence[Summary], *, aliases: bool) -> Block:
        """Show the app's home."""
        return home_view(own, HomeSettings(aliases, self.public_url), self.expert.shelf, self._stamp)


def _held(lines: Sequence[str]) -> int:
    """Count the lines from the first on that a message holds."""
    longs = accumulate(len(quote(line)) + 1 for line in lines)
    return sum(1 for _ in takewhile(lambda long: long <= _HELD, longs))
