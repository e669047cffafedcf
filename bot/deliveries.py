"""What waits to be delivered: who works on it, when it is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.tables import DELIVERIES, WEBHOOKS

LEASE = timedelta(minutes=5)
"""How long a delivery is left to whoever took it. Far more than an attempt takes, because clocks differ."""
DELAYS = tuple(
    timedelta(seconds=one) for one in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Waits between the attempts, ten in all, over three days; Standard Webhooks proposes them."""
LONGEST_WAIT = timedelta(days=1)
"""The longest wait that a receiver may ask for."""
PATIENCE = timedelta(days=3)
"""A webhook at which nothing arrives for so long is disabled."""
KEPT = timedelta(days=30)
"""How long deliveries can be looked up, whatever became of them."""
_JITTER = 0.2
"""The share by which a wait may be longer, so that what failed together does not come back together."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to attempt until its lease runs out; `tries` counts this attempt."""

    id: str
    webhook: str
    workspace: str
    tries: int
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt went; `status` is HTTP's, None where none came. `wait` is what the receiver asked for."""

    outcome: str
    status: int | None = None
    wait: timedelta = timedelta()

    @property
    def arrived(self) -> bool:
        """Tell whether the receiver has it."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def waiting(now: datetime, busy: Collection[str] = (), full: Collection[str] = ()) -> Select[Any]:
    """Choose the delivery that is due longest, except those for busy webhooks and full workspaces."""
    wanted: list[ColumnElement[bool]] = [DELIVERIES.c.due <= now, WEBHOOKS.c.disabled.is_(None)]
    if busy:
        wanted.append(WEBHOOKS.c.id.not_in(busy))
    if full:
        wanted.append(WEBHOOKS.c.workspace.not_in(full))
    columns = (WEBHOOKS.c.workspace, WEBHOOKS.c.url, WEBHOOKS.c.secret, WEBHOOKS.c.former, WEBHOOKS.c.former_until)
    return select(DELIVERIES, *columns).join(WEBHOOKS).where(*wanted).order_by(DELIVERIES.c.due).limit(1)


async def claimed(connection: AsyncConnection, now: datetime, chosen: Select[Any]) -> Claimed | None:
    """Take a delivery: nobody else does until the lease runs out, as it does if we crash."""
    row = (await connection.execute(chosen.with_for_update(of=DELIVERIES, skip_locked=True))).first()
    if row is None:
        return None
    lease = {"due": now + LEASE, "tries": row.tries + 1, "tried": now}
    await connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == row.id).values(lease))
    secrets = (row.secret, row.former) if row.former and now < row.former_until else (row.secret,)
    return Claimed(row.id, row.webhook, row.workspace, row.tries + 1, row.url, secrets, row.body)


async def settled(connection: AsyncConnection, one: Claimed, answer: Answer, now: datetime) -> None:
    """Write down how an attempt went, and what follows; not if somebody else took the delivery since."""
    # The webhook first, as whoever removes it does. Not so firmly that announcing waits for it.
    chosen = select(WEBHOOKS).where(WEBHOOKS.c.id == one.webhook).with_for_update(key_share=True)
    webhook = (await connection.execute(chosen)).first()
    if webhook is None:
        return
    values: dict[str, object] = {"status": answer.status, "outcome": answer.outcome, "due": None}
    if answer.arrived:
        values["delivered"] = now
        await _update_webhook(connection, one.webhook, {"failing": None})
    else:
        why = await _failed(connection, webhook, answer, now)
        if why is None and one.tries <= len(DELAYS):
            values["due"] = now + max(_delay(one.tries), answer.wait)
    mine = and_(DELIVERIES.c.id == one.id, DELIVERIES.c.tries == one.tries)
    await connection.execute(update(DELIVERIES).where(mine).values(values))


async def _failed(connection: AsyncConnection, webhook: Row[Any], answer: Answer, now: datetime) -> str | None:
    """Note that a webhook failed; disable it if that is enough, and say why it is disabled."""
    if webhook.disabled:
        return str(webhook.why)
    failing = webhook.failing or now
    why = None
    if answer.status == HTTPStatus.GONE:
        why = "the receiver said that it is gone (HTTP 410)"
    elif now - failing >= PATIENCE:
        why = f"nothing arrived for {PATIENCE.days} days"
    if why is None:
        await _update_webhook(connection, webhook.id, {"failing": failing})
        return None
    await _update_webhook(connection, webhook.id, {"failing": failing, "disabled": now, "why": why})
    # What waits is given up: whoever enables it again does not want days of old news at once.
    rest = and_(DELIVERIES.c.webhook == webhook.id, DELIVERIES.c.due.is_not(None))
    await connection.execute(update(DELIVERIES).where(rest).values(due=None, outcome="the webhook was disabled"))
    return why


async def _update_webhook(connection: AsyncConnection, webhook: str, values: Mapping[str, object]) -> None:
    await connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook).values(values))


async def expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget the deliveries that are old."""
    await connection.execute(delete(DELIVERIES).where(DELIVERIES.c.created < now - KEPT))


def _delay(tries: int) -> timedelta:
    return DELAYS[tries - 1] * random.uniform(1, 1 + _JITTER)  # noqa: S311  (it is no secret)
