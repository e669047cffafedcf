"""What a wish is answered with, and where: one visible reply each. And what the faces of it are made by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.case_events import Summary
from bot.casebook import Consulted
from bot.slack.parts import Image
from bot.slack.views import Showing

Fields = dict[str, Any]


class Message(Protocol):
    """What is posted: with blocks, or at length in words where those are refused."""

    @property
    def text(self) -> str:
        """Say it in words, short enough for an update."""

    @property
    def whole(self) -> str:
        """Say it in words, at length."""

    @property
    def undrawn(self) -> Image | None:
        """Give the picture that it is to show once Slack has it."""

    def with_file(self, file: str) -> Message:
        """Show that picture: it is this file in Slack."""

    def body(self) -> Fields:
        """Give its text and its blocks."""


class Views(Protocol):
    """Makes messages. All pure, and called beside the loop."""

    def case(self, consulted: Consulted, shown: Showing) -> Message:
        """Show where a case stands."""

    def why(self, consulted: Consulted, shown: Showing) -> Message:
        """Say why its question is asked."""

    def change(self, consulted: Consulted, shown: Showing) -> Message:
        """List its answers, to be changed."""

    def edit(self, consulted: Consulted, shown: Showing, feature: str) -> Message:
        """Ask one of its questions again."""

    def raw(self, consulted: Consulted) -> Message:
        """Show the addresses that stand behind aliases."""

    def exported(self, consulted: Consulted, shown: Showing) -> Message:
        """Write it down for a ticket."""

    def exported_whole(self, consulted: Consulted, shown: Showing) -> str:
        """Write it down for a ticket, where a message does not hold it; else ""."""

    def said(self, lines: Sequence[str], consulted: Consulted | None, shown: Showing) -> Message:
        """Say something, about a case or not."""

    def unclear(self, consulted: Consulted, shown: Showing, why: str, typed: str) -> Message:
        """Say that something typed was not understood, and how to answer."""

    def help(self) -> Message:
        """Say what whydrop does here."""

    def fault(self) -> Message:
        """Say that something went wrong."""

    def unreadable(self) -> Message:
        """Say that a button, or its case, cannot be read."""

    def folded(self) -> Message:
        """Say that the case went on further down."""

    def status(self, own: Sequence[Summary]) -> Message:
        """Say how whydrop is, and which cases are open."""

    def home(self, own: Sequence[Summary], *, aliases: bool) -> Fields:
        """Show the app's home."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A text file, in a thread."""

    channel: str
    thread: str
    name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Alone:
    """For whoever wished. `replace`: in the place of what was pressed; `case` is the one that it shows.

    Only in the place of another it gets a picture that Slack does not have yet: what is said first cannot be changed
    by us, as nobody but Slack can find it. `attached` follows, where all can see it.
    """

    message: Message
    replace: bool = False
    case: str = ""
    attached: Attached | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A new message, in a thread unless that is "".

    With `case` it is the one that shows the case in that thread from now on, instead of `before`. `then` is for
    whoever wished, once it is there; `asker` is "" where a case is only shown.
    """

    channel: str
    thread: str
    message: Message
    case: str = ""
    asker: str = ""
    before: str = ""
    then: Alone | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """In the place of a message, or as a new one if that is gone.

    `before` is another message of that thread that shows the case: it says then that the case goes on below.
    """

    channel: str
    ts: str
    message: Message
    instead: Post
    before: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The app's home, as whoever wished sees it."""

    view: Fields


@dataclass(frozen=True, slots=True)
class Finished:
    """A step of a workflow is done; `error` says why it is not."""

    execution: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


Reply = Alone | Post | Update | Home | Finished
