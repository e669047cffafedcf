"""What stands behind the app in Slack: the inbox and what carries wishes out, the modals, and how answers are read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.casebook import Casebook
from bot.cases import NoSuchCase
from bot.settings import Settings
from bot.slack.app import Inbox as Keeping
from bot.slack.app import ModalOf, Respond
from bot.slack.faces import Faces
from bot.slack.hearing import Fields, ParseAnswer, Private
from bot.slack.inbox import Inbox
from bot.slack.installs import Tokens
from bot.slack.modals import answer_modal, outcome_modal, paste_modal
from bot.slack.pictures import Pictures
from bot.slack.places import Places
from bot.slack.posting import Addresses, WebApi
from bot.slack.turns import Turns
from bot.slack.world import World
from knowledge.clause import Value
from rules.answers import NoAnswer, parse_answer

log = logging.getLogger("whydrop.slack")


@dataclass(frozen=True, slots=True)
class Behind:
    """The parts; `run` carries wishes out until it is cancelled."""

    inbox: Keeping
    modal: ModalOf
    parse_answer: ParseAnswer
    respond: Respond
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
        """Read an answer that was typed. Raises NoAnswer."""
        known = self.casebook.expert.shelf.features.get(feature)
        if known is None:
            raise NoAnswer("unknown feature", "this question is not asked any longer")
        return parse_answer(known, text)


def behind(settings: Settings, casebook: Casebook, tokens: Tokens) -> Behind:
    """Put the parts together."""
    inbox, modals = Inbox(casebook.store), Modals(settings, casebook)
    web = WebApi(tokens.token_of, Addresses.beside(settings.slack_api_url))
    public = settings.public_url
    world = World(
        casebook,
        Places(casebook.store),
        web,
        Faces(casebook.expert, public),
        partial(workspace_of, settings),
        lambda case: f"{public}/cases/{case}" if public else None,
        tokens.forget,
        pictures=Pictures(casebook.store, web, casebook.thinking),
    )

    async def run() -> None:
        knowing = asyncio.create_task(_known(tokens))
        try:
            await Turns(world, inbox).run()
        finally:
            knowing.cancel()
            await asyncio.gather(knowing, return_exceptions=True)
            await web.close()

    return Behind(inbox, modals.open, modals.parse, web.respond, run)


async def _known(tokens: Tokens) -> None:
    """Find out whose token is set before the first request has to wait for it, and tell if it is wrong."""
    try:
        await tokens.authorize(None, None)
    except SlackApiError as wrong:
        log.error("Slack refuses WHYDROP_SLACK_BOT_TOKEN: %s", wrong.response.get("error"))
    except (aiohttp.ClientError, OSError, TimeoutError) as wrong:
        log.warning("Slack cannot be reached yet: %s", type(wrong).__name__)
