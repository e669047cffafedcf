"""People in a loopback Slack, who type, press, submit and read; tests with them read like conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.slack.answering import acknowledged_command, acknowledged_submission
from tests.slack.delivery import Ack, Parcel
from tests.slack.entering import changed, chosen, filled
from tests.slack.limits import options_problems
from tests.slack.loopback import Loopback
from tests.slack.methods import refuse
from tests.slack.methods_views import told
from tests.slack.oauth import allow
from tests.slack.payloads import Teller, as_message, with_escapes
from tests.slack.seen import Part, Seen, SeenView, part
from tests.slack.shapes import Fields
from tests.slack.workspace import Channel, File, Message, Team, User

Sent = str | tuple[str, bytes]


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace. What they do is awaited until the app has acknowledged it."""

    town: Loopback
    team: Team
    user: User

    @property
    def id(self) -> str:
        """Give their id."""
        return self.user.id

    @property
    def dm(self) -> Channel:
        """Give their conversation with the app."""
        assert self.team.bot, "the app is not installed"
        return self.town.slack.im(self.team, self.user.id, self.team.bot)

    @property
    def _tell(self) -> Teller:
        return Teller(self.town.slack, self.town.url, self.team, self.user)

    # What they do

    async def types(self, line: str, channel: Channel | None = None) -> Ack:
        """Type a slash command; it cannot be typed in a thread."""
        command, _, text = line.partition(" ")
        parcel = self._tell.command(channel or self.dm, command, text)
        ack = await self.town.deliver(parcel)
        if ack.good:
            acknowledged_command(self.town.slack, parcel.payload["response_url"].rpartition("/")[2], ack.body)
        return ack

    def says(self, channel: Channel, text: str, thread: Seen | None = None, files: Sequence[Sent] = ()) -> Seen:
        """Write a message that the app is not told of; gives it."""
        assert self.user.id in channel.members, f"{self.user.name} is not in #{channel.name}"
        root = (thread.message.thread or thread.ts) if thread else None
        ids = [self._uploads(file, channel) for file in files]
        blocks = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]
        body: Fields = {"text": as_message(text), "blocks": [{"type": "rich_text", "elements": blocks}]}
        ts = self.town.slack.ids.ts()
        return Seen(
            self.town.slack.post(self.team, Message(ts, channel.id, self.user.id, body, thread=root, files=ids))
        )

    def _uploads(self, file: Sent, channel: Channel) -> str:
        name, content = (file, file.encode()) if isinstance(file, str) else file
        made = File(self.town.slack.ids.make("F"), name, content, self.user.id, shared={channel.id})
        self.team.files[made.id] = made
        return made.id

    def mention(self, channel: Channel, text: str, thread: Seen | None = None, files: Sequence[Sent] = ()) -> Parcel:
        """Mention the app, and give what Slack is going to tell it."""
        self._subscribed("app_mentions:read")
        assert self.team.bot in channel.members, f"the app is not in #{channel.name}"
        said = self.says(channel, text, thread, files)
        said.message.body["text"] = f"<@{self.team.bot}> {said.message.text}"
        event = {**self._tell.message(said.message), "type": "app_mention", "channel": channel.id}
        return self._tell.event({**event, "event_ts": said.ts})

    async def mentions(
        self, channel: Channel, text: str, thread: Seen | None = None, files: Sequence[Sent] = ()
    ) -> Ack:
        """Mention the app in a channel or in a thread of it."""
        return await self.town.deliver(self.mention(channel, text, thread, files))

    def dm_parcel(self, text: str, files: Sequence[Sent] = (), thread: Seen | None = None) -> Parcel:
        """Write to the app, and give what Slack is going to tell it."""
        self._subscribed("im:history")
        said = self.says(self.dm, text, thread, files)
        more = {"channel": self.dm.id, "channel_type": "im", "event_ts": said.ts}
        more |= {"subtype": "file_share"} if files else {}
        return self._tell.event({**self._tell.message(said.message), **more})

    async def dms(self, text: str, files: Sequence[Sent] = (), thread: Seen | None = None) -> Ack:
        """Write to the app in the conversation with it; a file is its name and its bytes."""
        return await self.town.deliver(self.dm_parcel(text, files, thread))

    def _subscribed(self, scope: str) -> None:
        assert any(
            scope in t.scopes for t in self.town.slack.tokens.values() if t.team == self.team.id and not t.revoked
        ), f"the app has no scope {scope}, so Slack does not tell it"

    async def presses(self, label: str, where: Seen | SeenView, option: str | None = None) -> Ack:
        """Press a button, or choose an option of a menu."""
        return await self.town.deliver(self.press(label, where, option))

    def press(self, label: str, where: Seen | SeenView, option: str | None = None) -> Parcel:
        """Press a button, and give what Slack is going to tell the app."""
        there = part(where.blocks, label)
        action = {**_told(there), **chosen(there, option)}
        if isinstance(where, SeenView):
            changed(where.view, there, option)
            return self._tell.action_in_view(where.view, action)
        assert not where.message.deleted, "the message is gone"
        return self._tell.action_in_message(where.message, action, {})

    async def submits(self, view: SeenView, values: Mapping[str, Any] | None = None) -> Ack:
        """Fill in the fields of a modal, by label, and submit it; AssertionError for what Slack does not send."""
        assert "submit" in view.view.body, "the modal has no button to submit it"
        for name, value in (values or {}).items():
            there = part(view.blocks, name)
            uploads = [self._uploads(one, self.dm) for one in value] if there.element["type"] == "file_input" else None
            changed(view.view, there, [self._tell.file(one) for one in uploads] if uploads is not None else value)
        filled(view)
        view.view.errors = {}
        ack = await self.town.deliver(self._tell.submission(view.view))
        if ack.good:
            acknowledged_submission(self.town.slack, view.view, ack.body)
        return ack

    async def closes(self, view: SeenView) -> Ack | None:
        """Close a modal; the app is told when it asked for that."""
        self.team.modals[self.user.id].remove(view.view)
        if view.view.body.get("notify_on_close"):
            return await self.town.deliver(self._tell.closing(view.view, cleared=False))
        return None

    async def looks_up(self, typed: str, label: str, view: SeenView) -> list[str]:
        """Type into a menu whose options the app gives; gives what is offered."""
        there = part(view.blocks, label)
        parcel = self._tell.suggestion(view.view, there.block["block_id"], there.element["action_id"], typed)
        ack = await self.town.deliver(parcel)
        refuse(self.town.slack.judge("block_suggestion", options_problems(ack.body)), "invalid_options")
        return [one["text"]["text"] for one in Part({"type": ""}, ack.body).options]

    async def uses_shortcut(self, message: Seen, callback: str) -> Ack:
        """Use a shortcut on a message."""
        return await self.town.deliver(self._tell.shortcut(message.message, callback))

    async def uses_global_shortcut(self, callback: str) -> Ack:
        """Use a shortcut from the search bar."""
        return await self.town.deliver(self._tell.global_shortcut(callback))

    async def opens_home(self, tab: str = "home") -> Ack:
        """Open the app's page, at its Home or its Messages tab."""
        event: Fields = {"type": "app_home_opened", "user": self.user.id, "channel": self.dm.id, "tab": tab}
        if (home := self.home()) and tab == "home":
            event["view"] = told(self.town.slack, home.view)
        return await self.town.deliver(self._tell.event(event))

    async def shares_link(self, channel: Channel, url: str) -> Ack:
        """Post a link that the app unfurls."""
        said = self.says(channel, url)
        link = {"url": url, "domain": httpx.URL(url).host}
        where = {"channel": channel.id, "message_ts": said.ts, "user": self.user.id, "source": "conversations_history"}
        return await self.town.deliver(self._tell.event({"type": "link_shared", **where, "links": [link]}))

    async def runs_step(self, callback: str, inputs: Fields) -> tuple[str, Ack]:
        """Run the app's step of a workflow; gives the id of the execution."""
        name = self.town.slack.ids.make("Fx")
        self.town.slack.executions[name] = {"inputs": inputs}
        function = {"id": "Fn1", "callback_id": callback, "title": callback, "type": "app", "app_id": "A0WHYDROP"}
        event = {"type": "function_executed", "function": function, "inputs": inputs, "function_execution_id": name}
        return name, await self.town.deliver(self._tell.event({**event, "workflow_execution_id": "Wx1"}))

    def allows(self, page: str) -> str:
        """Allow what Slack's page for installing asks for; gives the address to go on to."""
        return allow(self.town.slack, self.team, self.user.id, page)

    async def uninstalls(self) -> list[Ack]:
        """Remove the app; Slack tells of the tokens and of the removal, in no promised order."""
        revoked = self._tell.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.team.bot]}})
        removed = self._tell.event({"type": "app_uninstalled"})
        self.town.slack.uninstall(self.team)
        return [await self.town.deliver(revoked), await self.town.deliver(removed)]

    # What they see

    def sees(self, channel: Channel, thread: Seen | None = None) -> list[Seen]:
        """Give the messages that they see in a channel, or in a thread with what it answers, oldest first."""
        if self.user.id not in channel.members:
            return []
        root = (thread.message.thread or thread.ts) if thread else None
        there = sorted(channel.messages.values(), key=lambda one: one.ts)
        return [
            Seen(one)
            for one in there
            if not one.deleted
            and one.only in (None, self.user.id)
            and (root in (one.ts, one.thread) if root else one.thread is None or "reply_broadcast" in one.body)
        ]

    def replies(self, channel: Channel, thread: Seen) -> list[Seen]:
        """Give what was answered in a thread."""
        return self.sees(channel, thread)[1:]

    async def reads(
        self, words: str, channel: Channel | None = None, thread: Seen | None = None, seconds: float = 5.0
    ) -> Seen:
        """Wait for a message that has those words, in its text or in its blocks; gives the newest."""
        where = channel or self.dm

        def found() -> Seen | None:
            fits = [m for m in self.sees(where, thread) if words in m.words() or words in m.shows()]
            fits = [m for m in fits if m.message.user != self.user.id]
            return fits[-1] if fits else None

        try:
            seen = await self.town.until(found, seconds)
        except TimeoutError:
            there = [m.words() for m in self.sees(where, thread)]
            refused = [f"{c.method}: {c.answer.get('error')}" for c in self.town.faults.refused() if c.answer]
            what = f"{words!r} is not there; {self.user.name} sees {there}; Slack refused {refused}"
            raise AssertionError(what) from None
        assert seen
        return seen

    def modal(self) -> SeenView | None:
        """Give the modal on top."""
        stack = self.team.modals.get(self.user.id)
        return SeenView(stack[-1]) if stack else None

    async def gets_modal(self, title: str = "") -> SeenView:
        """Wait for a modal."""
        found = await self.town.until(lambda: (top := self.modal()) and title in top.title and top)
        assert isinstance(found, SeenView)
        return found

    def home(self) -> SeenView | None:
        """Give the app's Home tab."""
        view = self.team.homes.get(self.user.id)
        return SeenView(view) if view else None

    async def gets_home(self, words: str = "") -> SeenView:
        """Wait for the Home tab to have those words."""
        found = await self.town.until(lambda: (home := self.home()) and words in home.shows() and home)
        assert isinstance(found, SeenView)
        return found


def _told(there: Part) -> Fields:
    kept = ("type", "action_id", "text", "value", "style", "url")
    told = {key: there.element[key] for key in kept if key in there.element}
    return {
        **told,
        "block_id": there.block["block_id"],
        **({"text": with_escapes(told["text"])} if "text" in told else {}),
    }


def person(town: Loopback, name: str, team: Team | None = None) -> Person:
    """Add somebody to a workspace, the first one unless told otherwise."""
    where = team or town.team
    return Person(town, where, town.slack.user(where, name))
