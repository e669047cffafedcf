"""The table of Web API methods, what each needs, and what they share: finding channels, judging payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.slack.limits import message_problems, refused
from tests.slack.shapes import Fields, Problem
from tests.slack.workspace import Channel, Message, Refusal, Slack, Team, Token


@dataclass(frozen=True)
class Request:
    """One call of a method by an app that is who it says it is."""

    slack: Slack
    token: Token
    args: Fields
    address: str = ""

    @property
    def team(self) -> Team:
        """Give the workspace of the token."""
        return self.slack.teams[self.token.team]

    def need(self, name: str) -> str:
        """Give an argument that must be there."""
        value = self.args.get(name)
        if value is None or value == "":
            raise Refusal(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return str(value)

    def channel(self, name: str = "channel", *, inside: bool = True) -> Channel:
        """Give the channel that is meant, of which the bot is a member."""
        found = self.team.channels.get(self.need(name))
        if not found or (found.kind != "channel" and self.token.bot not in found.members):
            raise Refusal("channel_not_found")
        if inside and self.token.bot not in found.members:
            raise Refusal("not_in_channel")
        return found


Call = Callable[[Request], Fields]


@dataclass(frozen=True)
class Method:
    """A method and the scopes of which one is needed."""

    call: Call
    scopes: tuple[str, ...] = ()


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str) -> Callable[[Call], Call]:
    """Put a method into the table."""

    def put(call: Call) -> Call:
        METHODS[name] = Method(call, scopes)
        return call

    return put


def found_message(channel: Channel, ts: str) -> Message:
    """Give a message that everybody sees."""
    message = channel.messages.get(ts)
    if not message or message.deleted or message.only:
        raise Refusal("message_not_found")
    return message


def judged(slack: Slack, where: str, message: Fields, team: Team | None = None) -> None:
    """Refuse a message as Slack does; `team` is where the files are that its blocks show."""
    found = slack.judge(where, message_problems(message, slack.allowed_mentions))
    refuse(found, "invalid_blocks")
    if team:
        refuse(list(_bad_files(slack, team, message)), "invalid_blocks")
    if not any(message.get(key) for key in ("text", "blocks", "attachments", "markdown_text")):
        raise Refusal("no_text")


def _bad_files(slack: Slack, team: Team, message: Fields) -> Iterator[Problem]:
    """Find pictures that Slack does not have, or has not looked at yet. Their app could not know: it is no fault."""
    for place, block in enumerate(message.get("blocks") or []):
        if "slack_file" in block:
            file = team.files.get(str(block["slack_file"].get("id")))
            if not file or not file.complete or file.looked_at > slack.clock.now():
                yield Problem(f"/blocks/{place}/slack_file", "invalid slack file", "slack-file-object")


_NAMED = ("msg_too_long", "msg_blocks_too_long", "metadata_too_large", "view_too_large")


def refuse(found: list[Problem], error: str) -> None:
    """Refuse what has problems, with the error that Slack has for them, and each problem as Slack words it."""
    fatal = refused(found)
    if fatal:
        named = next((one.what for one in fatal if one.what in _NAMED), error)
        said = [str(one) for one in fatal]
        raise Refusal(named, errors=said, response_metadata={"messages": said})


def shown(team: Team, message: Message) -> Fields:
    """Give a message as Slack tells it to apps."""
    told: Fields = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text, "team": team.id}
    if message.bot:
        told |= {"bot_id": bot_id(message.user), "app_id": "A0WHYDROP"}
    if message.blocks:
        told["blocks"] = message.blocks
    if message.thread:
        told["thread_ts"] = message.thread
    if message.edited:
        told["edited"] = {"user": message.user, "ts": message.ts}
    if "metadata" in message.body:
        told["metadata"] = message.body["metadata"]
    return told


def bot_id(user: str) -> str:
    """Give the B id that belongs to the U id of a bot."""
    return "B" + user[1:]


def yes(value: object) -> bool:
    """Read a flag, of a form or of JSON."""
    return value in (True, "true", "1", 1)
