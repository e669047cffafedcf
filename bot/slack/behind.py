"""What stands behind the app in Slack: the inbox and what carries wishes out, the buttons and the modals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.casebook import Casebook
from bot.settings import Settings
from bot.slack.app import Inbox, ModalOf
from bot.slack.hearing import Fields, Private, ReadButton
from bot.slack.installs import Tokens
from bot.slack.wishes import Press, Wish
from bot.tables import Busy


@dataclass(frozen=True, slots=True)
class Behind:
    """The parts; `run` carries wishes out until it is cancelled."""

    inbox: Inbox
    modal: ModalOf
    read_button: ReadButton
    run: Callable[[], Awaitable[None]]


class _Nowhere:
    async def accept(self, wish: Wish) -> bool:  # noqa: ARG002
        raise Busy


async def _no_modal(team: str, private: Private) -> Fields:  # noqa: ARG001
    raise Busy


def _no_button(text: str) -> Press:
    raise ValueError(text)


async def _nothing() -> None:
    await asyncio.Event().wait()


def behind(settings: Settings, casebook: Casebook, tokens: Tokens) -> Behind:  # noqa: ARG001  (joined with CORE, VIEWS)
    """Put the parts together."""
    return Behind(_Nowhere(), _no_modal, _no_button, _nothing)
