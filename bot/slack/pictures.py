"""The picture of what happened: brought to Slack after the answer, shown in its message, and known from then on."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases import Store
from bot.logs import place
from bot.slack.parts import Image
from bot.slack.picture_png import rendered
from bot.slack.places import inserted
from bot.slack.replies import Fields, Message
from bot.slack.tables import SLACK_PICTURES
from bot.slack.web import Later, NoToken, Refused, Slack, Uncertain
from bot.tables import Busy
from bot.thinking import Here
from bot.threads import TooBusy

log = logging.getLogger("whydrop.slack")

PATIENCE_S = 3.0
"""Seconds in which a picture is made, brought and shown, or it is not."""
MOST_AT_ONCE = 4
"""Pictures that are on their way at a time; others are left out, so that hands stay free for answers."""
NAME = "what-happened.png"
TITLE = "What happened"
_BAD_FILE = "invalid_blocks"
"""What Slack says to a message with a file that it has not looked at yet, or does not have."""
_TRIES = 4
"""How often a message is sent with a file that Slack says it has looked at."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 0.5
_LEFT_ALONE_S = 600.0
"""Seconds for which a workspace that takes no files is not asked again."""
_MOST_KNOWN = 10_000

Put = Callable[[Fields], Awaitable[None]]
"""Puts a message in the place of the one that is there."""
Stepping = Callable[[str], Awaitable[None]]


class Pictures:
    """Brings pictures. One per process."""

    def __init__(self, store: Store, slack: Slack, thinking: Here) -> None:
        self._store = store
        self._slack = slack
        self._thinking = thinking
        self._under_way = 0
        self._refused: dict[str, float] = {}
        self._logged: set[tuple[str, str]] = set()

    async def known(self, team: str, message: Message) -> Message:
        """Show the picture that a message is to have, if the workspace has it already."""
        image = message.undrawn
        if image is None:
            return message
        chosen = select(SLACK_PICTURES.c.file).where(_picture(team, image))
        file = await self._store.read_with(lambda connection: connection.scalar(chosen))
        return message.with_file(str(file)) if file else message

    async def show(self, team: str, case: str, message: Message, put: Put, step: Stepping) -> None:
        """Bring the picture that a message is to have, and show it where the message is: as well as it goes.

        It raises nothing: the answer is there. What Slack refuses leaves the message as it is.
        """
        image = message.undrawn
        if image is None or self._under_way >= MOST_AT_ONCE or time.monotonic() < self._refused.get(team, 0.0):
            return
        self._under_way += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                file = await self._brought(team, image)
                await step("brought")
                await self._put(team, file, message.with_file(file).body(), put)
                await step("drawn")
                await self._keep(team, case, image, file)
        except Refused as refused:
            log.info("no picture: %s", refused.error)
        except (Later, Uncertain, NoToken, Busy, TooBusy, TimeoutError, IntegrityError) as wrong:
            # An IntegrityError is a case that was deleted meanwhile.
            log.info("no picture: %s", type(wrong).__name__)
        except Exception as wrong:  # noqa: BLE001  (the answer is there; it is not to be brought again for this)
            log.error("no picture: unexpected %s at %s", type(wrong).__name__, place(wrong))
        finally:
            self._under_way -= 1

    async def forget(self, team: str, files: Sequence[str]) -> None:
        """Forget files that Slack does not have any longer. It raises nothing: the answer was sent without them."""
        gone = delete(SLACK_PICTURES).where(SLACK_PICTURES.c.team == team, SLACK_PICTURES.c.file.in_(files))
        try:
            await self._store.write_with(lambda connection: connection.execute(gone))
        except Busy:
            log.info("pictures that are gone were not forgotten")

    async def _brought(self, team: str, image: Image) -> str:
        # It keeps the interpreter for some tens of milliseconds.
        png = await self._thinking.apart(rendered, image.svg)
        try:
            return await self._slack.upload(team, NAME, TITLE, png)
        except Refused as refused:
            self._leave_alone(team, refused.error)
            raise

    def _leave_alone(self, team: str, error: str) -> None:
        """Remember that a workspace takes no files, and say so once."""
        if max(len(self._refused), len(self._logged)) >= _MOST_KNOWN:
            self._refused.clear()
            self._logged.clear()
        self._refused[team] = time.monotonic() + _LEFT_ALONE_S
        if (team, error) not in self._logged:
            self._logged.add((team, error))
            log.warning("Slack takes no pictures in %s: %s; its verdicts go without", team, error)

    async def _put(self, team: str, file: str, body: Fields, put: Put) -> None:
        """Show a file as soon as Slack has looked at it: until then, it refuses messages with it."""
        tries, wait = 0, _FIRST_WAIT_S
        while True:
            if await self._looked_at(team, file):
                try:
                    return await put(body)
                except Refused as refused:
                    tries += 1
                    if refused.error != _BAD_FILE or tries == _TRIES:
                        raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    async def _looked_at(self, team: str, file: str) -> bool:
        try:
            return bool((await self._slack.file(team, file)).mimetype)
        except Refused:  # it may not be asked; then only trying tells
            return True

    async def _keep(self, team: str, case: str, image: Image, file: str) -> None:
        values = {"file": file, "at": self._store.now()}

        async def keep(connection: AsyncConnection) -> None:
            keyed = {"team": team, "digest": digest(image), "case": case, **values}
            row = inserted(connection, SLACK_PICTURES, keyed)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["team", "digest"], set_=values)  # type: ignore[attr-defined]
            )

        if case:
            await self._store.write_with(keep)


def digest(image: Image) -> str:
    """Name a picture by what is drawn."""
    return hashlib.sha256(image.svg.encode("utf-8", "replace")).hexdigest()


def without_pictures(body: Fields) -> tuple[Fields, Sequence[str]]:
    """Take the pictures out of a message that are files in Slack; gives it and their ids."""
    kept, files = [], []
    for block in body.get("blocks") or []:
        if block.get("type") == "image" and (file := (block.get("slack_file") or {}).get("id")):
            files.append(str(file))
        else:
            kept.append(block)
    return {**body, "blocks": kept}, files


def _picture(team: str, image: Image) -> ColumnElement[bool]:
    return and_(SLACK_PICTURES.c.team == team, SLACK_PICTURES.c.digest == digest(image))
