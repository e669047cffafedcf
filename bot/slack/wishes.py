"""What somebody in Slack wants, whichever door they came through, and where the answer goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.case_events import Name, Sound
from rules.case import Shape


class Place(Shape):
    """Where an answer goes: into a thread, or to the asker alone by the address that the request named.

    `channel` and `thread` name the thread; in a direct message without threads `thread` is the message that began it.
    `response_url` is Slack's address for an answer to one command or button: half an hour, five times.
    `message` is the message whose button was pressed, or that a shortcut was used on.
    """

    channel: Name = ""
    thread: Name = ""
    message: Name = ""
    response_url: Sound = ""
    direct: bool = False


class Bring(Shape):
    """Lines to diagnose; in a thread that has a case they are further lines, or a typed answer to its question.

    `files` are ids of files that were shared; their text is read when the wish is carried out.
    """

    kind: Literal["bring"] = "bring"
    text: Sound
    product: Name | None = None
    files: tuple[Name, ...] = ()


class Press(Shape):
    """A button that was pressed: what it does, the case it is of, and what it carries (see bot/slack/buttons.py)."""

    kind: Literal["press"] = "press"
    does: Name
    case: Name = ""
    version: int = 0
    feature: Name = ""
    value: bool | float | Sound | None = None


class Ended(Shape):
    """How a case ended, as somebody told it."""

    kind: Literal["ended"] = "ended"
    case: Name
    solved: bool
    cause: Name | None = None
    note: Sound = ""


class Look(Shape):
    """The app's home was opened, a case was asked for by its id, or how whydrop is."""

    kind: Literal["look"] = "look"
    at: Literal["home", "case", "status", "help"]
    case: Name = ""


class Step(Shape):
    """A step of a workflow was reached: lines in, cause and link out."""

    kind: Literal["step"] = "step"
    execution: Name
    text: Sound
    product: Name | None = None


class Left(Shape):
    """The app was taken off the workspace, or its tokens were revoked: what is kept of it goes.

    `at` is when, in whole seconds since 1970, 0 if that was not told: the app may be back by the time we hear of it.
    """

    kind: Literal["left"] = "left"
    at: float = 0.0


Act = Annotated[Bring | Press | Ended | Look | Step | Left, Field(discriminator="kind")]


class Wish(Shape):
    """One wish of one person. `key` is the same whenever Slack delivers it again; `team` is the workspace."""

    key: Name
    team: Name
    user: Name
    place: Place
    act: Act

    @property
    def lane(self) -> str:
        """What it belongs to: wishes of one lane are carried out in the order in which they came."""
        place = self.place
        if place.channel and place.thread:
            return f"{self.team} {place.channel} {place.thread}"
        return f"{self.team} {getattr(self.act, 'case', '') or self.user}"
