"""What the conversation needs of Slack, and in which ways Slack may fail to do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Fields = dict[str, Any]

EVENT_TYPE = "whydrop_reply"
"""The type of the metadata that our messages bear; its payload is the key of the wish."""


class Later(Exception):
    """It was not done, and may work later; `seconds` says when."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.0f} s")
        self.seconds = seconds


class Refused(Exception):
    """Slack refused it; it was not done. `error` is Slack's name for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Uncertain(Exception):
    """It may have been done. `answered`: Slack said that it failed; else no answer came at all."""

    def __init__(self, *, answered: bool) -> None:
        super().__init__("answered with a server error" if answered else "no answer")
        self.answered = answered


class CannotLook(Exception):
    """What stands in the channel may not be read there."""


class NoToken(Exception):
    """The app is not installed in that workspace (any longer)."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that was shared: `mode` is Slack's (hosted, snippet, ...), `size` in bytes."""

    name: str
    mimetype: str
    mode: str
    size: int
    url: str


class Slack(Protocol):
    """What is called in Slack, each for a team. All raise Later, Refused, Uncertain and NoToken."""

    async def post(self, team: str, channel: str, thread: str, body: Fields, key: str) -> tuple[str, str]:
        """Post a message that bears the key, into a thread unless that is ""; give its channel and ts."""

    async def find(self, team: str, channel: str, thread: str, key: str, since: float) -> str | None:
        """Look for our message with that key, posted since (seconds since 1970); give its ts. Raises CannotLook."""

    async def update(self, team: str, channel: str, ts: str, body: Fields) -> None:
        """Put a message in the place of another."""

    async def post_for_one(self, team: str, channel: str, thread: str, user: str, body: Fields) -> None:
        """Post a message that one person sees."""

    async def respond(self, url: str, body: Fields) -> None:
        """Answer at the address that a request named."""

    async def publish(self, team: str, user: str, view: Fields) -> None:
        """Show somebody the app's home."""

    async def file(self, team: str, file: str) -> SharedFile:
        """Tell about a file."""

    async def download(self, team: str, url: str, most: int) -> bytes:
        """Read a file, not more than `most` bytes of it."""

    async def upload(
        self, team: str, name: str, title: str, content: bytes, channel: str = "", thread: str = ""
    ) -> str:
        """Bring a file, into a thread or for a message to show; give its id. Slack may look at it only after that."""

    async def complete_step(self, team: str, execution: str, outputs: Mapping[str, str]) -> None:
        """Say what a step of a workflow gave."""

    async def fail_step(self, team: str, execution: str, error: str) -> None:
        """Say that a step of a workflow failed."""
