"""manifest.json asks for what the app does, and for nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from typer.testing import CliRunner

from bot.case_events import CaseEvent
from bot.cli import app
from bot.slack import hearing
from bot.slack.app import EVENTS
from bot.slack.manifest import manifest_for
from bot.slack.opening import OPTIONAL, REDIRECT, SCOPES
from bot.slack.outputs import outputs, unread
from bot.slack.wishes import Step
from rules.diagnose import Expert
from tests.slack.moments import LINE, NEVER, NOT_SEEN, consulted, pasted

ROOT = Path(__file__).parents[1]
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text("utf-8"))
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
ASKED = set(MANIFEST["oauth_config"]["scopes"]["bot"])
LEFT_OUT = set(MANIFEST["oauth_config"]["scopes"]["bot_optional"])
"""What whoever installs the app may leave out."""
ADDRESS = "https://YOUR-HOST/slack/events"

METHODS: Mapping[str, frozenset[str]] = {
    name: frozenset(scopes.split())
    for name, scopes in {
        "apps_connections_open": "",  # an app-level token's: connections:write
        "auth_test": "",
        "oauth_v2_access": "",
        "views_open": "",
        "views_publish": "",
        "views_update": "",
        "chat_postMessage": "chat:write",
        "chat_postEphemeral": "chat:write",
        "chat_update": "chat:write",
        "chat_delete": "chat:write",
        "chat_getPermalink": "",
        "conversations_history": "channels:history groups:history im:history mpim:history",
        "conversations_replies": "channels:history groups:history im:history mpim:history",
        "conversations_open": "im:write",
        "files_info": "files:read",
        "files_upload_v2": "files:write",
        "files_getUploadURLExternal": "files:write",
        "files_completeUploadExternal": "files:write",
        "functions_completeSuccess": "",
        "functions_completeError": "",
        "reactions_add": "reactions:write",
        "users_info": "users:read",
    }.items()
}
"""What each method of the Web API needs: any one of these scopes, or none. From the page of each method."""
DELIVERED: Mapping[str, str] = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "app_home_opened": "",
    "app_uninstalled": "",
    "tokens_revoked": "",
    "function_executed": "",
}
"""What each event needs to be delivered."""
OFFERED: Mapping[str, str] = {"slash_commands": "commands", "shortcuts": "commands", "agent_view": "assistant:write"}
"""What each feature needs to be offered."""


def called() -> Iterator[str]:
    """Give the methods of the Web API that the app calls, wherever a client is."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_method(node.func.attr):
                yield node.func.attr
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_method(node.value):
                yield node.value
            dotted = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.replace(".", "_")
            if dotted and "." in str(getattr(node, "value", "")) and is_method(dotted):
                yield dotted


def is_method(name: str) -> bool:
    return "_" in name and not name.startswith("_") and name != "api_call" and hasattr(AsyncWebClient, name)


def test_the_calls_are_found() -> None:
    assert {"views_open", "apps_connections_open", "auth_test"} <= set(called())
    assert is_method("chat_postMessage")
    assert not is_method("retry_handlers")


@pytest.mark.parametrize("method", sorted(set(called())))
def test_each_call_has_a_scope_that_is_asked_for(method: str) -> None:
    needed = METHODS[method]
    assert not needed or needed & ASKED, f"{method} needs one of {sorted(needed)}"


ELSEWHERE = {"mpim:history"}
"""What a called method could need where the app is not: it takes part in no group of direct messages."""


def test_each_scope_is_needed() -> None:
    by_calls = {scope for method in called() for scope in METHODS[method]} - ELSEWHERE
    by_events = {DELIVERED[event] for event in SETTINGS["event_subscriptions"]["bot_events"]}
    by_features = {scope for feature, scope in OFFERED.items() if FEATURES.get(feature)}
    files = {"files:read"}  # direct messages carry text files, which are read from Slack with the bot's token
    assert by_calls | by_events | by_features | files == ASKED | {""}


def test_what_may_be_left_out_is_asked_for_and_nothing_is_heard_or_offered_by_it() -> None:
    """tests/slack/test_scopes.py runs the app without each."""
    assert ASKED > LEFT_OUT
    assert list(OPTIONAL) == sorted(LEFT_OUT) == MANIFEST["oauth_config"]["scopes"]["bot_optional"]
    assert not LEFT_OUT & {*DELIVERED.values(), *OFFERED.values(), "chat:write", "files:read"}


def test_oauth_asks_for_the_same_scopes() -> None:
    assert list(SCOPES) == sorted(SCOPES) == MANIFEST["oauth_config"]["scopes"]["bot"]
    assert "user" not in MANIFEST["oauth_config"]["scopes"]


def test_the_events_are_those_that_are_listened_to() -> None:
    subscribed = SETTINGS["event_subscriptions"]["bot_events"]
    assert {one.partition(".")[0] for one in subscribed} == set(EVENTS)
    assert set(subscribed) == set(DELIVERED)


def listened(decorator: str) -> set[str]:
    """Give what the app listens to: the first arguments of a decorator of Bolt's, as they are in our code."""
    tree = ast.parse((ROOT / "bot/slack/app.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    found = [node.args[0] for node in calls if ast.unparse(node.func) == f"app.{decorator}"]
    return {str(getattr(hearing, one.attr)) for one in found if isinstance(one, ast.Attribute)}


def test_commands_and_shortcuts_are_those_that_are_listened_to() -> None:
    assert {one["command"] for one in FEATURES["slash_commands"]} == listened("command") == {hearing.COMMAND}
    for kind, decorator in (("message", "message_shortcut"), ("global", "global_shortcut")):
        offered = {one["callback_id"] for one in FEATURES["shortcuts"] if one["type"] == kind}
        assert offered == listened(decorator) != set()


def test_the_workflow_step_takes_what_is_heard() -> None:
    (name,) = MANIFEST["functions"]
    assert name == hearing.FUNCTION
    step = MANIFEST["functions"][name]
    told = {"type": "function_executed", "function": {"callback_id": name}, "function_execution_id": "Fx1"}
    inputs = {one: f"the {one}" for one in step["input_parameters"]}
    wish = hearing.event({"event_id": "Ev1", "team_id": "T1", "event": {**told, "inputs": inputs}})
    assert wish
    assert wish.act == Step(execution="Fx1", text="the log", product="the product")
    for parameters in (step["input_parameters"], step["output_parameters"]):
        assert all(one["name"] == key for key, one in parameters.items())


@pytest.mark.parametrize("link", ["https://whydrop.example/cases/x", None])
@pytest.mark.parametrize(
    "events", [(pasted(LINE), NOT_SEEN, NEVER), (pasted(LINE),), (pasted("hello"),), (pasted(""),)]
)
def test_the_workflow_step_gives_what_is_promised(
    expert: Expert, events: Sequence[CaseEvent], link: str | None
) -> None:
    promised = MANIFEST["functions"][hearing.FUNCTION]["output_parameters"]
    always = {name for name, one in promised.items() if one["is_required"]}
    given = outputs(consulted(expert, *events), expert.shelf, link)
    assert set(given) == set(promised) - (set() if link else {"link"})
    assert always == set(unread("the paste is too large"))
    assert all(one["type"] == "string" for one in promised.values())
    assert all(given.values())


def test_all_addresses_are_of_one_host_and_are_answered() -> None:
    addresses = re.findall(r"https://YOUR-HOST[^\"]*", (ROOT / "manifest.json").read_text("utf-8"))
    assert set(addresses) == {ADDRESS, f"https://YOUR-HOST{REDIRECT}"}
    assert SETTINGS["interactivity"] == {"is_enabled": True, "request_url": ADDRESS}
    assert SETTINGS["event_subscriptions"]["request_url"] == ADDRESS


def test_it_is_for_distribution() -> None:
    assert SETTINGS["token_rotation_enabled"]
    assert SETTINGS["org_deploy_enabled"]
    assert not SETTINGS["socket_mode_enabled"]
    assert FEATURES["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert "assistant_view" not in FEATURES


def test_it_is_printed_for_each_way_in() -> None:
    socket, one, many = manifest_for(None), manifest_for("whydrop.example.com"), manifest_for("x.example", many=True)
    assert "YOUR-HOST" not in json.dumps([socket, one, many])
    assert "https://" not in json.dumps(socket)
    assert socket["settings"]["socket_mode_enabled"]
    assert not socket["settings"]["token_rotation_enabled"]
    assert one["settings"]["interactivity"]["request_url"] == "https://whydrop.example.com/slack/events"
    assert "redirect_urls" not in one["oauth_config"]
    assert not one["settings"]["token_rotation_enabled"]
    assert many == json.loads(json.dumps(MANIFEST).replace("YOUR-HOST", "x.example"))


@pytest.mark.parametrize(
    "options",
    [("--host", "whydrop"), ("--host", "https://x.example"), ("--host", 'x.example"'), ("--host", ""), ("--many",)],
)
def test_a_host_that_is_none_is_refused_in_one_line(options: tuple[str, ...]) -> None:
    found = CliRunner().invoke(app, ["manifest", *options])
    assert found.exit_code == 2
    assert len(found.stderr.splitlines()) == 1
    assert found.stdout == ""


def test_the_command_prints_json() -> None:
    found = CliRunner().invoke(app, ["manifest", "--host", "whydrop.example.com"])
    assert json.loads(found.stdout) == manifest_for("whydrop.example.com")


def test_what_is_written_fits_slacks_limits() -> None:
    about = MANIFEST["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 174 <= len(about["long_description"]) <= 4000
    assert len(FEATURES["agent_view"]["agent_description"]) <= 300
    assert len(FEATURES["agent_view"]["suggested_prompts"]) <= 4
    for one in FEATURES["shortcuts"]:
        assert len(one["name"]) <= 24
        assert len(one["description"]) <= 150
    for command in FEATURES["slash_commands"]:
        assert len(command["description"]) <= 2000
        assert command["should_escape"] is False  # what is pasted is no mention and no link
