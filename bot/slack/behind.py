"""What stands behind the app in Slack: the inbox and what carries wishes out, the modals, and how answers are read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.casebook import Casebook
from bot.cases import NoSuchCase
from bot.settings import Settings
from bot.slack.app import Inbox, ModalOf
from bot.slack.hearing import Fields, ParseAnswer, Private
from bot.slack.installs import Tokens
from bot.slack.modals import answer_modal, outcome_modal, paste_modal
from bot.slack.wishes import Wish
from bot.tables import Busy
from knowledge.clause import Value
from rules.answers import parse_answer


@dataclass(frozen=True, slots=True)
class Behind:
    """The parts; `run` carries wishes out until it is cancelled."""

    inbox: Inbox
    modal: ModalOf
    parse_answer: ParseAnswer
    run: Callable[[], Awaitable[None]]


def workspace_of(settings: Settings, team: str) -> str:
    """Give the workspace of a team's cases."""
    return settings.slack_workspace or team


@dataclass(frozen=True, slots=True)
class Modals:
    """Makes the modals. A case of another workspace is none."""

    settings: Settings
    casebook: Casebook

    async def open(self, team: str, private: Private) -> Fields:
        """Make the modal that a button opens, or the one to paste lines into. Raises NoSuchCase, Busy."""
        shelf, kept = self.casebook.expert.shelf, private.model_dump_json()
        press = private.press
        if press is None or press.does == "start":
            return paste_modal(shelf, kept, files=True)
        consulted = await self.casebook.read(workspace_of(self.settings, team), press.case)
        if press.does == "ended":
            return outcome_modal(consulted, shelf, kept)
        if press.feature not in shelf.features or shelf.features[press.feature].question is None:
            raise NoSuchCase
        expert = self.casebook.expert
        asked = await self.casebook.in_thread(lambda: expert.asked(consulted.case, press.feature))
        return answer_modal(asked, consulted, shelf, kept)

    def parse(self, feature: str, text: str) -> Value:
        """Read an answer that was typed. Raises ValueError."""
        known = self.casebook.expert.shelf.features.get(feature)
        if known is None:
            raise ValueError("this question is not asked any longer")
        return parse_answer(known, text)


class _Nowhere:
    async def accept(self, wish: Wish) -> bool:  # noqa: ARG002
        raise Busy


async def _nothing() -> None:
    await asyncio.Event().wait()


def behind(settings: Settings, casebook: Casebook, tokens: Tokens) -> Behind:  # noqa: ARG001  (joined with CORE)
    """Put the parts together."""
    modals = Modals(settings, casebook)
    return Behind(_Nowhere(), modals.open, modals.parse, _nothing)
