"""Views: modals of a stack of three, and Home tabs."""

from __future__ import annotations

from typing import Any, Literal

from tests.slack.limits import view_problems
from tests.slack.methods import Request, bot_id, method, refuse
from tests.slack.shapes import Fields
from tests.slack.workspace import (
    APP,
    MOST_VIEWS,
    TRIGGER_S,
    Refusal,
    Slack,
    Team,
    Trigger,
    View,
    elements,
    with_ids,
)


def told(slack: Slack, view: View) -> Fields:
    """Give a view as Slack tells it to apps."""
    team = slack.teams[view.team]
    plain = {"callback_id": "", "external_id": "", "private_metadata": "", "submit": None, "close": None}
    flags = {"clear_on_close": False, "notify_on_close": False}
    bot = {"app_id": APP, "bot_id": bot_id(team.bot or "U"), "app_installed_team_id": team.id}
    ids = {"id": view.id, "team_id": view.team, "hash": view.hash, "root_view_id": view.root}
    return {
        **plain,
        **flags,
        **view.body,
        **ids,
        **bot,
        "previous_view_id": view.previous,
        "state": {"values": view.state},
    }


def judged_view(slack: Slack, where: str, body: Any, surface: Literal["modal", "home"], view: str = "") -> Fields:
    """Refuse a view as Slack does; gives it as Slack keeps it."""
    found = slack.judge(where, view_problems(body, surface, slack.allowed_mentions))
    refuse(found, "invalid_arguments")
    external = body.get("external_id")
    for team in slack.teams.values() if external else ():
        if any(other.body.get("external_id") == external and other.id != view for other in team.views()):
            raise Refusal("duplicate_external_id")
    return with_ids(body, slack.ids)


def initial_state(body: Fields) -> Fields:
    """Give what stands in the fields of a view before anybody touches them."""
    return {
        block["block_id"]: {one["action_id"]: _initial(one) for one in elements(block)}
        for block in body["blocks"]
        if block["type"] == "input"
    }


def _initial(element: Fields) -> Fields:
    kind = element["type"]
    if kind.endswith(("text_input", "number_input")):
        return {"type": kind, "value": element.get("initial_value")}
    if kind == "file_input":
        return {"type": kind, "files": []}
    if kind == "checkboxes" or kind.startswith("multi_"):
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    return {"type": kind, "selected_option": element.get("initial_option")}


def spend(slack: Slack, trigger_id: str) -> Trigger:
    """Use a trigger_id, once, within three seconds."""
    trigger = slack.triggers.get(trigger_id)
    if not trigger:
        raise Refusal("invalid_trigger_id")
    if trigger.used:
        raise Refusal("exchanged_trigger_id")
    if slack.clock.now() - trigger.made > TRIGGER_S:
        raise Refusal("expired_trigger_id")
    trigger.used = True
    return trigger


def put(slack: Slack, team: Team, user: str, body: Fields) -> View:
    """Put one more modal on somebody's stack; the first when there is none."""
    stack = team.modals.setdefault(user, [])
    if len(stack) >= MOST_VIEWS:
        raise Refusal("push_limit_reached")
    name = slack.ids.make("V")
    root, previous = (stack[0].id, stack[-1].id) if stack else (name, None)
    view = View(name, team.id, user, body, root, previous, state=initial_state(body))
    stack.append(view)
    slack.changed()
    return view


def replaced(slack: Slack, view: View, body: Fields) -> View:
    """Give a view another body; what was entered stays where block_id and action_id do."""
    fresh = initial_state(body)
    for block, values in fresh.items():
        values |= {key: value for key, value in view.state.get(block, {}).items() if key in values}
    view.body, view.state, view.errors, view.changes = body, fresh, {}, view.changes + 1
    slack.changed()
    return view


def _triggered(request: Request) -> Trigger:
    trigger = spend(request.slack, request.need("trigger_id"))
    if trigger.team != request.team.id:
        raise Refusal("invalid_trigger_id")
    return trigger


@method("views.open")
def open_view(request: Request) -> Fields:
    """Open a modal."""
    body = judged_view(request.slack, "views.open", request.args.get("view"), "modal")
    trigger = _triggered(request)
    request.team.modals[trigger.user] = []
    return {"view": told(request.slack, put(request.slack, request.team, trigger.user, body))}


@method("views.push")
def push_view(request: Request) -> Fields:
    """Put a modal on top of the one that somebody acted in."""
    body = judged_view(request.slack, "views.push", request.args.get("view"), "modal")
    trigger = _triggered(request)
    if not trigger.view or not request.team.modals.get(trigger.user):
        raise Refusal("not_found")
    return {"view": told(request.slack, put(request.slack, request.team, trigger.user, body))}


def _fits(request: Request, view: View) -> None:
    if request.args.get("hash") and request.args["hash"] != view.hash:
        raise Refusal("hash_conflict")


@method("views.update")
def update_view(request: Request) -> Fields:
    """Change a view."""
    wanted, external = request.args.get("view_id"), request.args.get("external_id")
    for view in request.team.views():
        if view.id == wanted or (external and view.body.get("external_id") == external):
            surface: Literal["modal", "home"] = "home" if view.body["type"] == "home" else "modal"
            body = judged_view(request.slack, "views.update", request.args.get("view"), surface, view.id)
            _fits(request, view)
            return {"view": told(request.slack, replaced(request.slack, view, body))}
    raise Refusal("not_found")


@method("views.publish")
def publish_view(request: Request) -> Fields:
    """Show somebody's Home tab."""
    user = request.need("user_id")
    if user not in request.team.users:
        raise Refusal("invalid_arguments")
    view = request.team.homes.get(user)
    body = judged_view(request.slack, "views.publish", request.args.get("view"), "home", view.id if view else "")
    if view:
        _fits(request, view)
        return {"view": told(request.slack, replaced(request.slack, view, body))}
    name = request.slack.ids.make("V")
    request.team.homes[user] = View(name, request.team.id, user, body, name, state=initial_state(body))
    request.slack.changed()
    return {"view": told(request.slack, request.team.homes[user])}
