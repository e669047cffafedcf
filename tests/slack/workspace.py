"""What there is in Slack: workspaces with people, channels, messages, views, files and tokens; plain state."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from tests.slack.shapes import Fields, Problem

APP = "A0WHYDROP"
CLIENT_ID = "100.200"
CLIENT_SECRET = "loopback-client-secret"
APP_TOKEN = "xapp-1-A0WHYDROP-1-loopback"
ALL_SCOPES = frozenset(
    {
        *("app_mentions:read", "assistant:write", "chat:write", "commands", "files:read", "files:write"),
        *(
            "channels:history",
            "channels:read",
            "groups:history",
            "im:history",
            "im:read",
            "im:write",
            "reactions:write",
            "users:read",
        ),
        *("links:read", "links:write"),
    }
)
TRIGGER_S = 3
"""docs.slack.dev, handling-user-interaction: a trigger_id expires in 3 seconds, and is used once."""
RESPONSE_URL_S = 30 * 60
RESPONSE_URL_USES = 5
"""handling-user-interaction: a response_url can be used up to 5 times within 30 minutes."""
CODE_S = 10 * 60
"""installing-with-oauth: a code is exchanged within ten minutes, once."""
TOKEN_S = 12 * 60 * 60
"""using-token-rotation: an access token expires after 12 hours."""
MOST_VIEWS = 3


class Refusal(Exception):
    """An answer with `ok: false`."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass
class Clock:
    """The time in Slack: the real one, put forward by tests instead of waiting."""

    ahead: float = 0

    def now(self) -> float:
        """Give the seconds since 1970."""
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead += seconds


@dataclass
class File:
    """A file in a workspace. Slack looks at it until `looked_at`, in seconds since 1970."""

    id: str
    name: str
    content: bytes
    user: str
    title: str = ""
    shared: set[str] = field(default_factory=set)
    complete: bool = True
    looked_at: float = 0.0


@dataclass
class Message:
    """A message in a channel; `only` is who sees it, when it is ephemeral."""

    ts: str
    channel: str
    user: str
    body: Fields
    bot: bool = False
    thread: str | None = None
    only: str | None = None
    files: list[str] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    edited: int = 0
    deleted: bool = False

    @property
    def text(self) -> str:
        """Give the top-level text."""
        return str(self.body.get("text") or "")

    @property
    def blocks(self) -> list[Fields]:
        """Give its blocks, which have ids."""
        found: list[Fields] = self.body.get("blocks") or []
        return found


@dataclass
class Channel:
    """A channel, or a direct conversation (`im`) of two."""

    id: str
    name: str
    kind: Literal["channel", "group", "im"]
    members: set[str]
    messages: dict[str, Message] = field(default_factory=dict)


@dataclass
class View:
    """A modal or a Home tab that somebody has before them."""

    id: str
    team: str
    user: str
    body: Fields
    root: str
    previous: str | None = None
    changes: int = 0
    state: Fields = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Give what changes with every change of the view."""
        return f"{self.id}.{self.changes:08x}"


@dataclass
class User:
    """Somebody in a workspace."""

    id: str
    name: str
    bot: bool = False


@dataclass
class Team:
    """A workspace."""

    id: str
    domain: str
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    modals: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    bot: str | None = None
    installed: bool = False

    def views(self) -> Iterator[View]:
        """Give all views that are open."""
        yield from self.homes.values()
        yield from itertools.chain.from_iterable(self.modals.values())


@dataclass
class Token:
    """A bot's token. One that rotates ends at `ends`, in seconds since 1970."""

    value: str
    team: str
    bot: str
    scopes: frozenset[str]
    ends: float | None = None
    refresh: str | None = None
    revoked: bool = False


@dataclass
class Code:
    """A code of the OAuth flow."""

    value: str
    team: str
    user: str
    scopes: frozenset[str]
    redirect: str | None
    made: float
    used: bool = False


@dataclass
class Trigger:
    """What lets an app open a modal for somebody."""

    team: str
    user: str
    made: float
    view: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """Where an app answers what somebody did."""

    team: str
    channel: str
    user: str
    made: float
    message: str | None = None
    thread: str | None = None
    uses: int = 0


@dataclass
class Ids:
    """Makes ids, and timestamps that are unique and increase."""

    clock: Clock
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    last: int = 0

    def make(self, prefix: str) -> str:
        """Make an id."""
        return f"{prefix}{next(self.counter):08d}"

    def ts(self) -> str:
        """Make the timestamp of a message."""
        self.last = max(self.last + 1, int(self.clock.now() * 1_000_000))
        return f"{self.last // 1_000_000}.{self.last % 1_000_000:06d}"


@dataclass
class Slack:
    """All of it. `problems` gathers what apps sent that is wrong, refused or not; tests expect it to be empty."""

    clock: Clock = field(default_factory=Clock)
    teams: dict[str, Team] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    executions: dict[str, Fields] = field(default_factory=dict)
    statuses: dict[tuple[str, str], Fields] = field(default_factory=dict)
    unfurls: list[Fields] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    allowed_mentions: set[str] = field(default_factory=set)
    rotation: bool = False
    looking_s: float = 0.15  # no page says how long Slack looks at an uploaded file before blocks may show it
    escapes_commands: bool = True  # no page says whether Slack does; an app is to take both
    app_scopes: frozenset[str] = ALL_SCOPES
    echo: Callable[[str, Fields], None] = lambda _team, _event: None
    changed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.ids = Ids(self.clock)

    def team(self, domain: str) -> Team:
        """Make a workspace, with a channel #general."""
        team = Team(self.ids.make("T"), domain)
        self.teams[team.id] = team
        self.channel(team, "general")
        return team

    def user(self, team: Team, name: str, *, bot: bool = False) -> User:
        """Add somebody to a workspace and its #general."""
        user = User(self.ids.make("U"), name, bot)
        team.users[user.id] = user
        if not bot:
            next(iter(team.channels.values())).members.add(user.id)
        return user

    def channel(self, team: Team, name: str, kind: Literal["channel", "group"] = "channel") -> Channel:
        """Add a channel, without members."""
        channel = Channel(self.ids.make("C"), name, kind, set())
        team.channels[channel.id] = channel
        return channel

    def im(self, team: Team, user: str, other: str) -> Channel:
        """Give the direct conversation of two, or begin it."""
        for channel in team.channels.values():
            if channel.kind == "im" and channel.members == {user, other}:
                return channel
        channel = Channel(self.ids.make("D"), "", "im", {user, other})
        team.channels[channel.id] = channel
        return channel

    def install(self, team: Team, scopes: frozenset[str] | None = None) -> Token:
        """Install the app in a workspace; gives the bot's token."""
        if team.bot is None:
            team.bot = self.user(team, "whydrop", bot=True).id
        team.installed = True
        return self.issue(team, self.app_scopes if scopes is None else scopes)

    def issue(self, team: Team, scopes: frozenset[str]) -> Token:
        """Issue one more token; at most two that rotate are good at a time."""
        assert team.bot
        name = self.ids.make("")
        if self.rotation:
            made = Token(f"xoxe.xoxb-1-{name}", team.id, team.bot, scopes, self.clock.now() + TOKEN_S, f"xoxe-1-{name}")
            good = [t for t in self.tokens.values() if t.team == team.id and not t.revoked and t.ends]
            for old in good[:-1]:
                old.revoked = True
        else:
            made = Token(f"xoxb-{name}", team.id, team.bot, scopes)
        self.tokens[made.value] = made
        return made

    def uninstall(self, team: Team) -> None:
        """Remove the app from a workspace: its tokens are good no more."""
        team.installed = False
        for token in self.tokens.values():
            if token.team == team.id:
                token.revoked = True

    def trigger(self, team: str, user: str, view: str | None = None) -> str:
        """Make a trigger_id for what somebody did."""
        made = f"{self.ids.make('')}.{team[1:]}.{self.ids.make('')}"
        self.triggers[made] = Trigger(team, user, self.clock.now(), view)
        return made

    def post(self, team: Team, message: Message) -> Message:
        """Put a message into its channel."""
        message.body = with_ids(message.body, self.ids)
        team.channels[message.channel].messages[message.ts] = message
        self.changed()
        return message

    def judge(self, where: str, found: list[Problem]) -> list[Problem]:
        """Remember what is wrong; gives that for which Slack refuses the whole."""
        self.problems += [(where, one) for one in found]
        return [one for one in found if one.refused]


def with_ids(body: Fields, ids: Ids) -> Fields:
    """Give a body as Slack keeps it: each block has a block_id, each element an action_id."""
    made = deepcopy(body)
    for block in made.get("blocks") or []:
        block.setdefault("block_id", ids.make("b"))
        for element in elements(block):
            element.setdefault("action_id", ids.make("a"))
    return made


INTERACTIVE = ("button", "select", "picker", "checkboxes", "radio_buttons", "overflow", "input", "feedback_buttons")


def elements(block: Fields) -> list[Fields]:
    """Give the elements of a block that people can use."""
    inner = [*block.get("elements", []), *block.get("actions", [])]
    inner += [block[key] for key in ("accessory", "element") if key in block]
    inner += [one for part in [*block.get("elements", []), *block.get("child_blocks", [])] for one in _nested(part)]
    return [one for one in inner if str(one.get("type", "")).endswith(INTERACTIVE) or "select" in one.get("type", "")]


def _nested(part: Fields) -> list[Fields]:
    return elements(part) if part.get("type") == "card" or "child_blocks" in part else []
