"""Webhooks over REST: who is told when a case is concluded, and how that went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field

from bot.api.diagnoses import JSON
from bot.api.once import WritingOnce, sent
from bot.api.shallow import Shallow
from bot.api.shapes import Given, Wanting
from bot.cases import Change, Reply
from bot.entrance import Reading, Writing
from bot.outbox import Webhooks

router = APIRouter(route_class=Shallow, prefix="/v1/webhooks", tags=["webhooks"])
_EXAMPLE = {"url": "https://example.com/whydrop"}


class WantedWebhook(Wanting):
    """An address to tell."""

    url: str = Field(max_length=2000, description="https only; one that the whole internet can reach")


class WebhookShown(Given):
    """An address that is told; `failing` is since when nothing arrives, `disabled` since when nothing is sent."""

    id: str
    url: str
    created: datetime
    failing: datetime | None
    disabled: datetime | None
    why: str | None


class NewWebhook(WebhookShown):
    """A webhook with the secret that its signatures are checked with, which is shown this once."""

    secret: str


class WebhookList(Given):
    """The webhooks of the workspace."""

    webhooks: Sequence[WebhookShown]


class DeliveryShown(Given):
    """Something that was told, or is to be: delivered, due (again), or given up where it is neither."""

    id: str
    type: str
    created: datetime
    due: datetime | None
    tries: int
    tried: datetime | None
    status: int | None
    outcome: str | None
    delivered: datetime | None


class DeliveryList(Given):
    """The last deliveries of a webhook, newest first."""

    deliveries: Sequence[DeliveryShown]


def _webhooks(request: Request) -> Webhooks:
    found: Webhooks = request.app.state.webhooks
    return found


@router.post("", summary="Add a webhook", status_code=201, response_model=NewWebhook)
async def add(
    wanted: Annotated[WantedWebhook, Body(examples=[_EXAMPLE])], once: WritingOnce, request: Request
) -> Response:
    """Tell an address of each case that is concluded, in the Standard Webhooks form.

    Check `webhook-signature` with the secret of the answer, which is not shown again.
    """
    if kept := await once.kept():
        return kept
    await _webhooks(request).check(wanted.url)

    async def added(change: Change) -> Reply:
        webhook, secret = await _webhooks(request).add_in(change, wanted.url)
        shown = WebhookShown.model_validate(webhook, from_attributes=True)
        body = NewWebhook(**shown.model_dump(), secret=secret).model_dump_json().encode()
        return Reply(201, {**JSON, "location": f"/v1/webhooks/{webhook.id}"}, body)

    return sent(await once.done(added))


@router.get("", summary="List the webhooks", response_model=WebhookList)
async def listed(request: Request, caller: Reading) -> WebhookList:
    """List the webhooks of the key's workspace."""
    found = await _webhooks(request).list(caller.workspace)
    return WebhookList(webhooks=[WebhookShown.model_validate(one, from_attributes=True) for one in found])


@router.delete("/{webhook}", summary="Delete a webhook", status_code=204)
async def delete(request: Request, caller: Writing, webhook: str) -> None:
    """Delete a webhook with what was not delivered yet."""
    await _webhooks(request).remove(caller.workspace, webhook)


@router.post("/{webhook}/enable", summary="Send to a webhook again", status_code=204)
async def enable(webhook: str, once: WritingOnce, request: Request) -> Response:
    """Send again what happens from now on, after a webhook was disabled because nothing arrived."""
    if kept := await once.kept():
        return kept

    async def enabled(change: Change) -> Reply:
        await _webhooks(request).enable_in(change, webhook)
        return Reply(204, {}, b"")

    return sent(await once.done(enabled))


@router.get("/{webhook}/deliveries", summary="List the last deliveries of a webhook", response_model=DeliveryList)
async def deliveries(request: Request, caller: Reading, webhook: str) -> DeliveryList:
    """Tell how the last twenty deliveries went."""
    found = await _webhooks(request).deliveries(caller.workspace, webhook)
    return DeliveryList(deliveries=[DeliveryShown.model_validate(one, from_attributes=True) for one in found])
