"""What an app's answers do: a message to a response_url, the body of an acknowledgement, a view's response_action."""

from __future__ import annotations

from tests.slack.limits import errors_problems
from tests.slack.methods import judged, refuse
from tests.slack.methods_views import judged_view, put, replaced
from tests.slack.shapes import Fields, Problem
from tests.slack.workspace import RESPONSE_URL_S, RESPONSE_URL_USES, Message, Refusal, ResponseUrl, Slack, View

_KEPT = ("text", "blocks", "attachments")


def answered_at(slack: Slack, name: str, message: Fields) -> None:
    """Take what was sent to a response_url."""
    url = slack.response_urls.get(name)
    if not url or slack.clock.now() - url.made > RESPONSE_URL_S:
        raise Refusal("expired_url")
    if url.uses >= RESPONSE_URL_USES:
        raise Refusal("used_url")
    if not message.get("delete_original"):
        judged(slack, "response_url", message, slack.teams[url.team])
    url.uses += 1
    _respond(slack, url, message)
    slack.changed()


def _respond(slack: Slack, url: ResponseUrl, message: Fields) -> None:
    team = slack.teams[url.team]
    original = team.channels[url.channel].messages.get(url.message or "")
    body = {key: message[key] for key in _KEPT if key in message}
    if message.get("delete_original") or message.get("replace_original"):
        if not original:
            raise Refusal("message_not_found")
        original.deleted = bool(message.get("delete_original"))
        if not original.deleted:
            original.body, original.edited = body, original.edited + 1
            slack.post(team, original)
        return
    assert team.bot
    only = url.user if message.get("response_type", "ephemeral") == "ephemeral" else None
    ts = slack.ids.ts()
    slack.post(team, Message(ts, url.channel, team.bot, body, bot=True, thread=url.thread, only=only))


def acknowledged_command(slack: Slack, name: str, body: object) -> None:
    """Take the body of a command's acknowledgement: a text or a message for who typed it."""
    if isinstance(body, str) and body.strip():
        body = {"text": body}
    if isinstance(body, dict) and body:
        judged(slack, "acknowledgement", body)
        _respond(slack, slack.response_urls[name], body)


def acknowledged_submission(slack: Slack, view: View, body: object) -> None:
    """Take the body of a view_submission's acknowledgement. Raises Refusal where Slack shows an error in the modal."""
    stack = slack.teams[view.team].modals[view.user]
    if not isinstance(body, dict) or not body:
        stack.remove(view)
    elif body.get("response_action") == "clear":
        stack.clear()
    elif body.get("response_action") == "errors":
        refuse(slack.judge("response_action", errors_problems(body.get("errors"), view.body)), "invalid_errors")
        view.errors = dict(body["errors"])
    elif body.get("response_action") == "update":
        replaced(slack, view, judged_view(slack, "response_action", body.get("view"), "modal", view.id))
    elif body.get("response_action") == "push":
        put(slack, slack.teams[view.team], view.user, judged_view(slack, "response_action", body.get("view"), "modal"))
    else:
        slack.judge("response_action", [Problem("/response_action", "is unknown", "modals")])
        raise Refusal("invalid_response_action")
    slack.changed()
