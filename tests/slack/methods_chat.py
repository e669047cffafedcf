"""Messages: chat.*, reactions.add and conversations.*."""

from __future__ import annotations

from tests.slack.methods import Request, found_message, judged, method, shown, yes
from tests.slack.shapes import Fields
from tests.slack.workspace import Channel, Message, Refusal

_KEPT = ("text", "blocks", "attachments", "metadata", "markdown_text")


def _target(request: Request) -> Channel:
    wanted = str(request.args.get("channel") or "")
    if (
        wanted in request.team.users and wanted != request.token.bot
    ):  # a user's id stands for the conversation with them
        return request.slack.im(request.team, wanted, request.token.bot)
    if not wanted:
        raise Refusal("channel_not_found")
    return request.channel()


def thread_of(channel: Channel, thread: object) -> str | None:
    """Give the thread that is meant; a reply to a reply goes to the thread of that."""
    if not thread:
        return None
    parent = channel.messages.get(str(thread))
    if not parent or parent.deleted:
        raise Refusal("thread_not_found")
    return parent.thread or parent.ts


@method("chat.postMessage", "chat:write")
def post(request: Request) -> Fields:
    """Post a message."""
    channel = _target(request)
    judged(request.slack, "chat.postMessage", request.args, request.team)
    thread = thread_of(channel, request.args.get("thread_ts"))
    body = {key: request.args[key] for key in _KEPT if key in request.args}
    if thread and yes(request.args.get("reply_broadcast")):
        body["reply_broadcast"] = True
    message = request.slack.post(
        request.team,
        Message(request.slack.ids.ts(), channel.id, request.token.bot, body, bot=True, thread=thread),
    )
    told = shown(request.team, message)
    if channel.kind == "im":
        request.slack.echo(
            request.team.id, {**told, "channel": channel.id, "channel_type": "im", "event_ts": message.ts}
        )
    return {"channel": channel.id, "ts": message.ts, "message": told}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(request: Request) -> Fields:
    """Post a message that one person sees, until they reload."""
    channel = request.channel()
    judged(request.slack, "chat.postEphemeral", request.args, request.team)
    user = request.need("user")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    thread = thread_of(channel, request.args.get("thread_ts"))
    body = {key: request.args[key] for key in _KEPT if key in request.args}
    ts = request.slack.ids.ts()
    request.slack.post(
        request.team, Message(ts, channel.id, request.token.bot, body, bot=True, thread=thread, only=user)
    )
    return {"message_ts": ts}


def _own(request: Request, error: str, ts: str = "ts") -> tuple[Channel, Message]:
    channel = request.channel()
    message = found_message(channel, request.need(ts))
    if message.user != request.token.bot:
        raise Refusal(error)
    return channel, message


@method("chat.update", "chat:write")
def update(request: Request) -> Fields:
    """Change a message of the bot. Blocks that are not given stay; a text that is not given goes."""
    channel, message = _own(request, "cant_update_message")
    judged(request.slack, "chat.update", request.args, request.team)
    body = {key: request.args[key] for key in _KEPT if key in request.args}
    body.setdefault("text", "")
    before = shown(request.team, message)
    message.body = {**message.body, **body}
    message.edited += 1
    request.slack.post(request.team, message)
    if channel.kind == "im":
        told = {"type": "message", "subtype": "message_changed", "channel": channel.id, "channel_type": "im"}
        more = {"message": shown(request.team, message), "previous_message": before, "ts": request.slack.ids.ts()}
        request.slack.echo(request.team.id, {**told, **more, "event_ts": more["ts"]})
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown(request.team, message)}


@method("chat.delete", "chat:write")
def delete(request: Request) -> Fields:
    """Delete a message of the bot."""
    channel, message = _own(request, "cant_delete_message")
    message.deleted = True
    request.slack.changed()
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def permalink(request: Request) -> Fields:
    """Give the address of a message."""
    channel = request.channel(inside=False)
    message = found_message(channel, request.need("message_ts"))
    path = f"archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": f"https://{request.team.domain}.slack.example/{path}"}


@method("chat.unfurl", "links:write")
def unfurl(request: Request) -> Fields:
    """Unfurl links of a message, for all who see it."""
    if "unfurl_id" not in request.args:
        found_message(request.channel(), request.need("ts"))
    unfurls = request.args.get("unfurls") or {}
    metadata = request.args.get("metadata")
    if not unfurls and not metadata:
        raise Refusal("missing_unfurls")
    for one in unfurls.values():
        judged(
            request.slack,
            "chat.unfurl",
            {"text": "an unfurl has no text of its own", "blocks": one.get("blocks", [])},
        )
    request.slack.unfurls.append(dict(request.args))
    return {}


@method("reactions.add", "reactions:write")
def react(request: Request) -> Fields:
    """Add a reaction."""
    message = found_message(request.channel(), request.need("timestamp"))
    name = request.need("name")
    if name in message.reactions:
        raise Refusal("already_reacted")
    message.reactions.append(name)
    request.slack.changed()
    return {}


@method("conversations.open", "im:write")
def open_im(request: Request) -> Fields:
    """Begin a direct conversation."""
    users = str(request.args.get("users") or "").split(",")
    if len(users) != 1 or users[0] not in request.team.users:
        raise Refusal("user_not_found")
    return {"channel": {"id": request.slack.im(request.team, users[0], request.token.bot).id}}


@method("conversations.info", "channels:read", "groups:read", "im:read")
def info(request: Request) -> Fields:
    """Tell about a channel."""
    channel = request.channel(inside=False)
    told = {"id": channel.id, "name": channel.name, "is_im": channel.kind == "im", "is_channel": channel.kind != "im"}
    return {
        "channel": {**told, "is_private": channel.kind != "channel", "is_member": request.token.bot in channel.members}
    }


_HISTORY = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}


@method("conversations.replies", *_HISTORY.values())
def replies(request: Request) -> Fields:
    """Give a thread: at most 15 messages at once, for apps that are distributed outside the Marketplace."""
    channel = _read_in(request)
    ts = request.need("ts")
    if ts not in channel.messages:
        raise Refusal("thread_not_found")
    return _paged(request, [m for m in _of_all(channel) if ts in (m.ts, m.thread)])


@method("conversations.history", *_HISTORY.values())
def history(request: Request) -> Fields:
    """Give what stands in a channel outside of threads, the newest first."""
    there = [m for m in _of_all(_read_in(request)) if m.thread is None or "reply_broadcast" in m.body]
    oldest = float(request.args.get("oldest") or 0)
    return _paged(request, [m for m in reversed(there) if float(m.ts) > oldest])


def _read_in(request: Request) -> Channel:
    """Give the channel that is to be read: each kind needs a scope of its own."""
    channel = request.channel()
    needed = _HISTORY[channel.kind]
    if needed not in request.token.scopes:
        raise Refusal("missing_scope", needed=needed, provided=",".join(sorted(request.token.scopes)))
    return channel


def _of_all(channel: Channel) -> list[Message]:
    return [m for m in channel.messages.values() if not m.only and not m.deleted]


def _paged(request: Request, seen: list[Message]) -> Fields:
    limit = min(int(request.args.get("limit") or 15), 15)
    cursor = int(request.args.get("cursor") or 0)
    page = seen[cursor : cursor + limit]
    more = cursor + limit < len(seen)
    following = {"next_cursor": str(cursor + limit) if more else ""}
    return {"messages": [shown(request.team, m) for m in page], "has_more": more, "response_metadata": following}


@method("users.info", "users:read")
def user_info(request: Request) -> Fields:
    """Tell about somebody."""
    user = request.team.users.get(request.need("user"))
    if not user:
        raise Refusal("user_not_found")
    told = {"id": user.id, "team_id": request.team.id, "name": user.name, "real_name": user.name, "is_bot": user.bot}
    return {"user": {**told, "tz": "Etc/UTC", "locale": "en-US", "profile": {"display_name": user.name}}}
