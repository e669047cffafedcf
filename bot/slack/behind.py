"""What stands behind the app in Slack: the inbox and what carries wishes out, the buttons and the modals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.casebook import Casebook
from bot.settings import Settings
from bot.slack.app import Inbox as Keeping
from bot.slack.app import ModalOf
from bot.slack.buttons import read_button
from bot.slack.faces import Faces
from bot.slack.hearing import Fields, Private, ReadButton
from bot.slack.inbox import Inbox
from bot.slack.installs import Tokens
from bot.slack.modals import answer_modal, outcome_modal, paste_modal
from bot.slack.places import Places
from bot.slack.posting import Addresses, WebApi
from bot.slack.turns import Turns
from bot.slack.world import World


@dataclass(frozen=True, slots=True)
class Behind:
    """The parts; `run` carries wishes out until it is cancelled."""

    inbox: Keeping
    modal: ModalOf
    read_button: ReadButton
    run: Callable[[], Awaitable[None]]


def behind(settings: Settings, casebook: Casebook, tokens: Tokens) -> Behind:
    """Put the parts together."""
    expert, page = casebook.expert, settings.public_url

    def workspace_of(team: str) -> str:
        return settings.slack_workspace or team

    def link_of(case: str) -> str | None:
        return f"{page}/cases/{case}" if page else None

    async def modal(team: str, private: Private) -> Fields:
        return await _modal(casebook, workspace_of(team), private)

    inbox, slack = Inbox(casebook.store), WebApi(tokens.token_of, Addresses.beside(settings.slack_api_url))
    world = World(
        casebook, Places(casebook.store), slack, Faces(expert, page), workspace_of, link_of, uninstalled=tokens.forget
    )

    async def run() -> None:
        try:
            await Turns(world, inbox).run()
        finally:
            await slack.close()

    return Behind(inbox, modal, lambda text: read_button(text).press(), run)


async def _modal(casebook: Casebook, workspace: str, private: Private) -> Fields:
    """Make the modal that a button opens. Raises NoSuchCase."""
    shelf, press, kept = casebook.expert.shelf, private.press, private.model_dump_json()
    if press is None or press.does == "start":
        return paste_modal(shelf, kept, files=True)
    consulted = await casebook.read(workspace, press.case)
    if press.does == "ended":
        return outcome_modal(consulted, shelf, kept)
    asked = await casebook.in_thread(lambda: casebook.expert.asked(consulted.case, press.feature))
    return answer_modal(asked, consulted, shelf, kept)
