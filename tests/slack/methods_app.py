"""What apps call of themselves: auth.*, files.*, assistant.threads.*, functions.* and blocks.validate."""

from __future__ import annotations

from collections.abc import Mapping

from tests.slack.limits import blocks_problems, message_problems, prompts_problems, refused, view_problems
from tests.slack.methods import Request, bot_id, method, refuse, shown, yes
from tests.slack.methods_chat import thread_of
from tests.slack.shapes import Fields, Problem
from tests.slack.workspace import File, Message, Refusal, Team


@method("auth.test")
def auth_test(request: Request) -> Fields:
    """Tell whose token it is."""
    team, bot = request.team, request.token.bot
    named = {"url": f"https://{team.domain}.slack.example/", "team": team.domain, "user": "whydrop"}
    return {**named, "team_id": team.id, "user_id": bot, "bot_id": bot_id(bot), "is_enterprise_install": False}


@method("auth.revoke")
def revoke(request: Request) -> Fields:
    """Make a token bad."""
    if not yes(request.args.get("test")):
        request.token.revoked = True
    return {"revoked": request.token.revoked}


def file_told(address: str, team: Team, file: File, now: float) -> Fields:
    """Give a file as Slack tells it to apps; `address` is where files are downloaded."""
    path = f"{address}/files-pri/{team.id}-{file.id}"
    named = {"id": file.id, "name": file.name, "title": file.title or file.name, "user": file.user}
    ending = file.name.rpartition(".")[2]
    kind = {"mimetype": "image/png" if ending == "png" else "application/octet-stream", "filetype": ending}
    # Of a file that Slack has not looked at yet it does not tell what it is (java-slack-sdk issue 1349).
    kind = {**(dict.fromkeys(kind, "") if file.looked_at > now else kind), "mode": "hosted"}
    urls = {"url_private": f"{path}/{file.name}", "url_private_download": f"{path}/download/{file.name}"}
    return {**named, **kind, **urls, "size": len(file.content), "user_team": team.id, "file_access": "visible"}


@method("files.info", "files:read")
def file_info(request: Request) -> Fields:
    """Tell about a file."""
    file = request.team.files.get(request.need("file"))
    if not file:
        raise Refusal("file_not_found")
    return {"file": file_told(request.address, request.team, file, request.slack.clock.now())}


@method("files.getUploadURLExternal", "files:write")
def upload_url(request: Request) -> Fields:
    """Give an address to upload to."""
    name, length = request.need("filename"), int(request.need("length"))
    if length < 1:
        raise Refusal("invalid_arguments")
    file = File(request.slack.ids.make("F"), name, b"\0" * length, request.token.bot, complete=False)
    request.team.files[file.id] = file
    return {"upload_url": f"{request.address}/upload/v1/{request.team.id}-{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write")
def complete_upload(request: Request) -> Fields:
    """Share uploaded files."""
    wanted: list[Mapping[str, str]] = request.args.get("files") or []
    files = [request.team.files.get(one["id"]) for one in wanted]
    found = [file for file in files if file and file.complete]
    if not found or len(found) != len(wanted):
        raise Refusal("file_not_found")
    now = request.slack.clock.now()
    for file, one in zip(found, wanted, strict=True):
        file.title, file.looked_at = one.get("title") or file.name, now + request.slack.looking_s
    if request.args.get("channel_id"):
        _share(request, found)
    return {"files": [file_told(request.address, request.team, file, now) for file in found]}


def _share(request: Request, files: list[File]) -> None:
    channel = request.channel("channel_id")
    body = {"text": request.args.get("initial_comment") or ""}
    if body["text"]:
        refuse(
            request.slack.judge("initial_comment", message_problems(body, request.slack.allowed_mentions)), "no_text"
        )
    for file in files:
        file.shared.add(channel.id)
    thread = thread_of(channel, request.args.get("thread_ts"))
    ids = [file.id for file in files]
    ts = request.slack.ids.ts()
    message = Message(ts, channel.id, request.token.bot, body, bot=True, thread=thread, files=ids)
    request.slack.post(request.team, message)
    if channel.kind == "im":
        said = {**shown(request.team, message), "channel": channel.id, "channel_type": "im", "subtype": "file_share"}
        request.slack.echo(request.team.id, {**said, "event_ts": ts})


def _in_thread(request: Request, name: str, value: object) -> Fields:
    channel = request.channel("channel_id")
    thread = str(request.args.get("thread_ts") or "")
    if thread and thread not in channel.messages:
        raise Refusal("invalid_thread_ts")
    request.slack.statuses.setdefault((channel.id, thread), {})[name] = value
    request.slack.changed()
    return {}


@method("assistant.threads.setStatus", "assistant:write", "chat:write")
def status(request: Request) -> Fields:
    """Say what the app is doing in a thread; an empty status says it is done."""
    request.need("thread_ts")
    if len(request.args.get("loading_messages") or []) > 10:
        raise Refusal("invalid_arguments")
    return _in_thread(request, "status", request.args.get("status", ""))


@method("assistant.threads.setSuggestedPrompts", "assistant:write")
def prompts(request: Request) -> Fields:
    """Suggest what could be asked."""
    refuse(
        request.slack.judge("setSuggestedPrompts", prompts_problems(request.args.get("prompts"))), "invalid_arguments"
    )
    return _in_thread(request, "prompts", request.args["prompts"])


@method("assistant.threads.setTitle", "assistant:write")
def title(request: Request) -> Fields:
    """Give a thread a title."""
    request.need("thread_ts")
    return _in_thread(request, "title", request.need("title"))


def _complete(request: Request, **result: object) -> Fields:
    execution = request.slack.executions.get(request.need("function_execution_id"))
    if execution is None:
        raise Refusal("function_not_found")
    if "outputs" in execution or "error" in execution:
        raise Refusal("function_execution_not_in_running_state")
    execution.update(result)
    request.slack.changed()
    return {}


@method("functions.completeSuccess")
def complete_success(request: Request) -> Fields:
    """End a step of a workflow well."""
    if not isinstance(request.args.get("outputs"), dict):
        raise Refusal("invalid_arguments")
    return _complete(request, outputs=request.args["outputs"])


@method("functions.completeError")
def complete_error(request: Request) -> Fields:
    """End a step of a workflow with an error."""
    return _complete(request, error=request.need("error"))


@method("blocks.validate")
def validate(request: Request) -> Fields:
    """Say what is wrong with blocks, a message or a view; like Slack's, it says nothing of a missing text."""
    args = request.args
    given = [key for key in ("blocks", "message", "view") if key in args]
    if len(given) != 1:
        raise Refusal("invalid_arguments")
    found: list[Problem]
    if given == ["view"]:
        found = view_problems(args["view"], "home" if args["view"].get("type") == "home" else "modal")
    else:
        found = (
            message_problems(args["message"]) if given == ["message"] else blocks_problems(args["blocks"], "message")
        )
    refuse(refused(found), "invalid_blocks")
    return {}
