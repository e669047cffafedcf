"""A Slack in memory, as the conversation needs it, and messages that say what they show; for tests of the logic."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.case_events import Summary
from bot.casebook import Consulted
from bot.slack.parts import Image
from bot.slack.replies import Fields
from bot.slack.views import Showing
from bot.slack.web import CannotLook, Refused, SharedFile

HOOK = "https://hooks.slack.com/commands/"


@dataclass
class Seen:
    """A message: `only` is who sees it, when it is not everybody."""

    ts: str
    channel: str
    thread: str
    text: str
    key: str = ""
    only: str = ""
    changed: int = 0
    blocks: bool = True


@dataclass
class FakeSlack:
    """Posts into lists. `plan` holds what the next calls of a method raise: before (True) or after it was done."""

    messages: list[Seen] = field(default_factory=list)
    homes: dict[str, Fields] = field(default_factory=dict)
    files: dict[str, tuple[SharedFile, bytes]] = field(default_factory=dict)
    steps: list[tuple[str, Mapping[str, str] | str]] = field(default_factory=list)
    plan: dict[str, list[tuple[bool, BaseException]]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    readable: bool = True
    calls: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def _before(self, method: str) -> BaseException | None:
        """Raise what is planned to come before the work; give what is to come after it."""
        self.calls.append(method)
        planned = self.plan.get(method) or []
        if not planned:
            return None
        before, wrong = planned.pop(0)
        if before:
            raise wrong
        return wrong

    def _put(self, channel: str, thread: str, body: Fields, *, key: str = "", only: str = "") -> Seen:
        ts = f"{next(self._numbers)}.0"
        made = Seen(ts, channel, thread, body["text"], key, only, blocks="blocks" in body)
        self.messages.append(made)
        return made

    async def post(self, team: str, channel: str, thread: str, body: Fields, key: str) -> tuple[str, str]:
        assert team
        after = self._before("post")
        if channel in self.outside:
            raise Refused("not_in_channel")
        made = self._put(f"D{channel}" if channel.startswith("U") else channel, thread, body, key=key)
        if after:
            raise after
        return made.channel, made.ts

    async def find(self, team: str, channel: str, thread: str, key: str, since: float) -> str | None:
        assert team
        assert since
        self._before("find")
        if not self.readable:
            raise CannotLook
        return next((m.ts for m in self.messages if (m.channel, m.thread, m.key) == (channel, thread, key)), None)

    async def update(self, team: str, channel: str, ts: str, body: Fields) -> None:
        assert team
        after = self._before("update")
        found = next((one for one in self.messages if (one.channel, one.ts) == (channel, ts) and not one.only), None)
        if found is None:
            raise Refused("message_not_found")
        found.text, found.changed = body["text"], found.changed + 1
        if after:
            raise after

    async def post_for_one(self, team: str, channel: str, thread: str, user: str, body: Fields) -> None:
        assert team
        after = self._before("post_for_one")
        if channel in self.outside:
            raise Refused("not_in_channel")
        self._put(channel, thread, body, only=user)
        if after:
            raise after

    async def respond(self, url: str, body: Fields) -> None:
        after = self._before("respond")
        channel, user, ts = url.removeprefix(HOOK).split("/")
        if body["replace_original"]:
            found = next(one for one in self.messages if one.ts == ts)
            found.text, found.changed = body["text"], found.changed + 1
        else:
            self._put(channel, "", body, only=user)
        if after:
            raise after

    async def publish(self, team: str, user: str, view: Fields) -> None:
        assert team
        self._before("publish")
        self.homes[user] = view

    async def file(self, team: str, file: str) -> SharedFile:
        assert team
        self._before("file")
        if file not in self.files:
            raise Refused("file_not_found")
        return self.files[file][0]

    async def download(self, team: str, url: str, most: int) -> bytes:
        assert team
        return next(content for file, content in self.files.values() if file.url == url)[: most + 1]

    async def upload(
        self, team: str, name: str, title: str, content: bytes, channel: str = "", thread: str = ""
    ) -> str:
        assert team
        assert title
        assert bool(channel) == bool(thread)
        after = self._before("upload")
        file = f"F{next(self._numbers)}"
        self.files[file] = SharedFile(name, "image/png", "hosted", len(content), ""), content
        if after:
            raise after
        return file

    async def complete_step(self, team: str, execution: str, outputs: Mapping[str, str]) -> None:
        assert team
        self._before("complete_step")
        if any(execution == one for one, _ in self.steps):
            raise Refused("already_completed")
        self.steps.append((execution, outputs))

    async def fail_step(self, team: str, execution: str, error: str) -> None:
        assert team
        self.steps.append((execution, error))


@dataclass(frozen=True)
class Words:
    """A message that only has a text."""

    text: str

    @property
    def whole(self) -> str:
        return self.text

    @property
    def undrawn(self) -> Image | None:
        return None

    def with_file(self, file: str) -> Words:
        raise AssertionError(file)

    def body(self) -> Fields:
        return {"text": self.text, "blocks": []}


class PlainViews:
    """Says what is shown, for tests to look at."""

    def case(self, consulted: Consulted, shown: Showing) -> Words:
        question = consulted.diagnosis.question
        asked = f"asks {question.feature}" if question else "concluded"
        how = [
            name for name in ("alone", "aliases", "stopped", "shared_by") if getattr(shown, name)
        ]  # what the real views lay out
        return Words("\n".join([f"case {consulted.kept.summary.id} {asked} {' '.join(how)}".strip(), shown.moved]))

    def why(self, consulted: Consulted, shown: Showing) -> Words:
        return self._about("why", consulted, shown)

    def change(self, consulted: Consulted, shown: Showing) -> Words:
        return self._about("change", consulted, shown)

    def edit(self, consulted: Consulted, shown: Showing, feature: str) -> Words:
        return self._about(f"edit {feature}", consulted, shown)

    def raw(self, consulted: Consulted) -> Words:
        return self._about("raw", consulted, Showing())

    def exported(self, consulted: Consulted, shown: Showing) -> Words:
        return self._about("export", consulted, shown)

    def exported_whole(self, consulted: Consulted, shown: Showing) -> str:
        assert not shown.alone, consulted.kept.summary.id
        return ""

    def said(self, lines: Sequence[str], consulted: Consulted | None, shown: Showing) -> Words:
        assert replace(shown) == shown
        return Words("\n".join(["said", *lines, *([consulted.kept.summary.id] if consulted else [])]))

    def unclear(self, consulted: Consulted, shown: Showing, why: str, typed: str) -> Words:
        return self._about(f"unclear {typed!r}: {why}", consulted, shown)

    def help(self) -> Words:
        return Words("help")

    def fault(self) -> Words:
        return Words("fault")

    def unreadable(self) -> Words:
        return Words("unreadable")

    def folded(self) -> Words:
        return Words("folded")

    def status(self, own: Sequence[Summary]) -> Words:
        return Words(f"status, {len(own)} open")

    def home(self, own: Sequence[Summary], *, aliases: bool) -> Fields:
        return {"type": "home", "own": [one.id for one in own], "aliases": aliases}

    def _about(self, what: str, consulted: Consulted, shown: Showing) -> Words:
        return Words(f"{what} of {consulted.kept.summary.id}{' alone' if shown.alone else ''}")
