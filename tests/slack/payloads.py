"""What Slack tells an app, in the shapes of docs.slack.dev: events, slash commands, actions, views, shortcuts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.slack.delivery import Parcel
from tests.slack.methods import shown
from tests.slack.methods_views import told
from tests.slack.shapes import Fields
from tests.slack.workspace import APP, Channel, Message, ResponseUrl, Slack, Team, User, View

VERIFICATION = "loopback-verification-token"
_HOST = re.compile(r"(?<![\w@./-])((?:https?://)?(?:[a-z0-9-]+\.)+(?:com|net|org|example|io|local)\b(?:/[^\s<>|]*)?)")
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)


def escaped(text: str) -> str:
    """Give what somebody typed as Slack tells it: control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_message(text: str) -> str:
    """Give what somebody typed as a message has it: escaped, and host names made into links outside of code."""
    parts = _CODE.split(escaped(text))
    return "".join(part if index % 2 else _HOST.sub(_linked, part) for index, part in enumerate(parts))


def _linked(found: re.Match[str]) -> str:
    host = found.group(1)
    return f"<{host}>" if host.startswith("http") else f"<http://{host}|{host}>"


def with_escapes(value: Any) -> Any:
    """Escape the words of plain_text objects, as Slack does where it tells of them (bolt-python issue 513)."""
    if isinstance(value, list):
        return [with_escapes(one) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: with_escapes(inner) for key, inner in value.items()}
    return told | ({"text": escaped(told["text"])} if told.get("type") == "plain_text" else {})


@dataclass(frozen=True)
class Teller:
    """Makes parcels about what somebody in a workspace did."""

    slack: Slack
    address: str
    team: Team
    user: User

    def event(self, event: Fields, **more: Any) -> Parcel:
        """Wrap an event."""
        return wrapped(self.slack, self.team, event, **more)

    def _common(self) -> Fields:
        told_team = {"id": self.team.id, "domain": self.team.domain}
        told_user = {"id": self.user.id, "username": self.user.name, "name": self.user.name, "team_id": self.team.id}
        ids = {"api_app_id": APP, "token": VERIFICATION, "enterprise": None, "is_enterprise_install": False}
        return {"team": told_team, "user": told_user, **ids}

    def response_url(self, channel: Channel, message: Message | None = None, thread: str | None = None) -> str:
        """Make a response_url."""
        name = self.slack.ids.make("r")
        made = ResponseUrl(self.team.id, channel.id, self.user.id, self.slack.clock.now())
        made.message, made.thread = (message.ts, message.thread) if message else (None, thread)
        self.slack.response_urls[name] = made
        return f"{self.address}/response/{name}"

    def command(self, channel: Channel, command: str, text: str) -> Parcel:
        """Tell of a slash command."""
        place = {"channel_id": channel.id, "channel_name": channel.name or "directmessage"}
        who = {"user_id": self.user.id, "user_name": self.user.name}
        payload = {
            "token": VERIFICATION,
            "team_id": self.team.id,
            "team_domain": self.team.domain,
            **place,
            **who,
            "command": command,
            "text": escaped(text) if self.slack.escapes_commands else text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self.response_url(channel),
            "trigger_id": self.slack.trigger(self.team.id, self.user.id),
        }
        return Parcel("slash_commands", payload)

    def shortcut(self, message: Message, callback: str) -> Parcel:
        """Tell of a message shortcut."""
        channel = self.team.channels[message.channel]
        payload = {
            **self._common(),
            "type": "message_action",
            "action_ts": self.slack.ids.ts(),
            "callback_id": callback,
            "trigger_id": self.slack.trigger(self.team.id, self.user.id),
            "response_url": self.response_url(channel, message),
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "message_ts": message.ts,
            "message": self.message(message),
        }
        return Parcel("interactive", payload)

    def global_shortcut(self, callback: str) -> Parcel:
        """Tell of a global shortcut."""
        more = {"type": "shortcut", "callback_id": callback, "action_ts": self.slack.ids.ts()}
        trigger = self.slack.trigger(self.team.id, self.user.id)
        return Parcel("interactive", {**self._common(), **more, "trigger_id": trigger})

    def message(self, message: Message) -> Fields:
        """Tell a message, with its files."""
        from_files = [self.file(one) for one in message.files]
        told = {**shown(self.team, message), **({"files": from_files} if from_files else {})}
        return told | ({"blocks": with_escapes(told["blocks"])} if message.bot and "blocks" in told else {})

    def file(self, name: str) -> Fields:
        """Tell a file."""
        file = self.team.files[name]
        path = f"{self.address}/files-pri/{self.team.id}-{file.id}"
        urls = {"url_private": f"{path}/{file.name}", "url_private_download": f"{path}/download/{file.name}"}
        kind = {"mimetype": "application/octet-stream", "filetype": file.name.rpartition(".")[2], "mode": "hosted"}
        return {"id": file.id, "name": file.name, "title": file.name, "size": len(file.content), **kind, **urls}

    def action_in_message(self, message: Message, action: Fields, state: Fields) -> Parcel:
        """Tell of a button or a menu in a message. Of an ephemeral one Slack does not tell the content."""
        channel = self.team.channels[message.channel]
        container: Fields = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container |= {"is_ephemeral": message.only is not None}
        container |= {"thread_ts": message.thread} if message.thread else {}
        payload = {
            **self._common(),
            "type": "block_actions",
            "container": container,
            "trigger_id": self.slack.trigger(self.team.id, self.user.id),
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "response_url": self.response_url(channel, message),
            "state": {"values": state},
            "actions": [{**action, "action_ts": self.slack.ids.ts()}],
        }
        return Parcel("interactive", payload | ({} if message.only else {"message": self.message(message)}))

    def action_in_view(self, view: View, action: Fields) -> Parcel:
        """Tell of a button or a menu in a modal or the Home tab."""
        payload = {
            **self._common(),
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.slack.trigger(self.team.id, self.user.id, view.id),
            "view": told(self.slack, view),
            "actions": [{**action, "action_ts": self.slack.ids.ts()}],
        }
        return Parcel("interactive", payload)

    def submission(self, view: View) -> Parcel:
        """Tell that somebody submitted a modal."""
        more = {"type": "view_submission", "trigger_id": self.slack.trigger(self.team.id, self.user.id, view.id)}
        return Parcel("interactive", {**self._common(), **more, "view": told(self.slack, view), "response_urls": []})

    def closing(self, view: View, *, cleared: bool) -> Parcel:
        """Tell that somebody closed a modal."""
        more = {"type": "view_closed", "view": told(self.slack, view), "is_cleared": cleared}
        return Parcel("interactive", {**self._common(), **more})

    def suggestion(self, view: View, block: str, action: str, typed: str) -> Parcel:
        """Ask for the options of a menu while somebody types."""
        more = {"type": "block_suggestion", "block_id": block, "action_id": action, "value": typed}
        container = {"type": "view", "view_id": view.id}
        return Parcel("interactive", {**self._common(), **more, "container": container, "view": told(self.slack, view)})


def wrapped(slack: Slack, team: Team, event: Fields, **more: Any) -> Parcel:
    """Wrap an event for an app."""
    authorization = {
        "enterprise_id": None,
        "team_id": team.id,
        "user_id": team.bot,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    payload = {
        "token": VERIFICATION,
        "team_id": team.id,
        "api_app_id": APP,
        "event": {"event_ts": slack.ids.ts(), **event},
        "type": "event_callback",
        "event_id": slack.ids.make("Ev"),
        "event_time": int(slack.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": slack.ids.make("4-"),
        **more,
    }
    return Parcel("events_api", payload)
