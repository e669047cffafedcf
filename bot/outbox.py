"""The outbox: which webhooks a workspace has, and what is to be delivered to them, as Standard Webhooks asks for."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases import Change, Store, new_id
from bot.tables import DELIVERIES, ID_LENGTH, WEBHOOKS
from bot.targets import Reach

MOST_WEBHOOKS = 10
"""Webhooks of one workspace."""
MOST_LISTED = 100
"""Deliveries of a webhook that are shown."""
ROTATION = timedelta(days=1)
"""How long a secret that was replaced signs beside the new one."""

_PREFIX = "whsec_"
_ADDING = 0x77_68_61_64
"""The first half of PostgreSQL's advisory lock of adding a webhook; the other half is the workspace."""
_ID = re.compile(rf"[a-z2-7]{{{ID_LENGTH}}}")


class NoSuchWebhook(LookupError):
    """There is no such webhook in this workspace."""


class TooManyWebhooks(Exception):
    """The workspace has as many webhooks as a workspace may have."""

    def __init__(self) -> None:
        super().__init__(f"a workspace may have {MOST_WEBHOOKS} webhooks")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told what happens in a workspace. Times are in UTC.

    `failing` is since when nothing arrives, `disabled` since when nothing is sent, and `why` says why not.
    """

    id: str
    url: str = field(repr=False)  # its query may be a secret
    created: datetime
    failing: datetime | None = None
    disabled: datetime | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that is told to a webhook, and how that went. Times are in UTC.

    It was delivered, or it is `due` (again), or neither: then it was given up. `status` is HTTP's, None where there was
    no answer; `outcome` says in words how the last attempt went.
    """

    id: str
    type: str
    created: datetime
    due: datetime | None
    tries: int
    tried: datetime | None
    status: int | None
    outcome: str | None
    delivered: datetime | None


async def announce(change: Change, event: str, about: Mapping[str, object]) -> None:
    """Tell all webhooks of the workspace, in the transaction of the change: both happen or neither.

    `event` is a name such as case.concluded. `about` is JSON, small: ids and facts, not what was pasted. Raises
    ValueError or TypeError for what JSON does not know.
    """
    message = {"type": event, "timestamp": change.at.isoformat(), "data": about}
    body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    enabled = and_(WEBHOOKS.c.workspace == change.workspace, WEBHOOKS.c.disabled.is_(None))
    # Locked, so that none is removed between here and the end of the change, which would undo it.
    chosen = select(WEBHOOKS.c.id).where(enabled).order_by(WEBHOOKS.c.id).with_for_update(read=True, key_share=True)
    webhooks = (await change.connection.scalars(chosen)).all()
    told: dict[str, Any] = {"case": change.case, "type": event, "body": body, "created": change.at, "due": change.at}
    rows = [{"id": f"msg_{new_id()}", "webhook": webhook, "tries": 0, **told} for webhook in webhooks]
    if rows:
        await change.connection.execute(insert(DELIVERIES), rows)


class Webhooks:
    """The webhooks of all workspaces. A workspace sees its own only."""

    def __init__(self, store: Store, reach: Reach | None = None) -> None:
        self._store = store
        self._reach = reach or Reach()

    async def add(self, workspace: str, url: str) -> tuple[Webhook, str]:
        """Add a webhook, in a transaction of its own; see `add_in`. Raises RefusedTarget, TooManyWebhooks, Busy."""
        await self.check(url)
        return await self._store.change(workspace, lambda change: self.add_in(change, url))

    async def check(self, url: str) -> None:
        """Ask whether an address may be told. Raises RefusedTarget with the rule that it breaks."""
        await self._reach.check(url)

    async def add_in(self, change: Change, url: str) -> tuple[Webhook, str]:
        """Add a webhook that was checked; gives the secret of its signatures, which cannot be had again.

        Raises TooManyWebhooks.
        """
        webhook, secret = Webhook(new_id(), url, change.at), _new_secret()
        await _one_at_a_time(change.connection, change.workspace)
        counted = select(func.count()).select_from(WEBHOOKS).where(WEBHOOKS.c.workspace == change.workspace)
        if (await change.connection.scalar(counted) or 0) >= MOST_WEBHOOKS:
            raise TooManyWebhooks
        row = {
            "id": webhook.id,
            "workspace": change.workspace,
            "url": url,
            "secret": secret,
            "created": webhook.created,
        }
        await change.connection.execute(insert(WEBHOOKS).values(row))
        return webhook, secret

    async def list(self, workspace: str) -> tuple[Webhook, ...]:
        """List the webhooks of a workspace, oldest first."""
        chosen = select(WEBHOOKS).where(WEBHOOKS.c.workspace == workspace).order_by(WEBHOOKS.c.created, WEBHOOKS.c.id)
        found = await self._store.read_with(lambda connection: connection.execute(chosen))
        return tuple(_webhook(row) for row in found.all())

    async def remove(self, workspace: str, webhook: str) -> None:
        """Remove a webhook and its deliveries, those that wait too. Raises NoSuchWebhook, Busy."""
        gone = delete(WEBHOOKS).where(_is(workspace, webhook))
        if not (await self._store.write_with(lambda connection: connection.execute(gone))).rowcount:
            raise NoSuchWebhook

    async def enable(self, workspace: str, webhook: str) -> None:
        """Send again what happens from now on; what was given up stays so. Raises NoSuchWebhook, Busy."""
        await self._store.change(workspace, lambda change: self.enable_in(change, webhook))

    async def enable_in(self, change: Change, webhook: str) -> None:
        """Send again, from the end of the change on. Raises NoSuchWebhook."""
        enabled = update(WEBHOOKS).where(_is(change.workspace, webhook)).values(disabled=None, why=None, failing=None)
        if not (await change.connection.execute(enabled)).rowcount:
            raise NoSuchWebhook

    async def rotate(self, workspace: str, webhook: str) -> str:
        """Give a webhook a new secret; for a day the former one signs too. Raises NoSuchWebhook, Busy."""
        secret = _new_secret()
        former = {"former": WEBHOOKS.c.secret, "former_until": self._store.now() + ROTATION}
        await self._update(workspace, webhook, {"secret": secret, **former})
        return secret

    async def deliveries(self, workspace: str, webhook: str, limit: int = 20) -> tuple[Delivery, ...]:
        """List the last deliveries of a webhook, newest first, at most 100. Raises NoSuchWebhook, ValueError."""
        if not 1 <= limit <= MOST_LISTED:
            raise ValueError(f"1 to {MOST_LISTED} deliveries are shown")
        is_there = select(WEBHOOKS.c.id).where(_is(workspace, webhook))
        chosen = select(DELIVERIES).where(DELIVERIES.c.webhook == webhook)
        chosen = chosen.order_by(DELIVERIES.c.created.desc(), DELIVERIES.c.id).limit(limit)

        async def read(connection: AsyncConnection) -> tuple[Delivery, ...]:
            if await connection.scalar(is_there) is None:
                raise NoSuchWebhook
            return tuple(_delivery(row) for row in await connection.execute(chosen))

        return await self._store.read_with(read)

    async def counts(self) -> dict[str, int]:
        """Count the deliveries of all workspaces by their state."""
        waiting = func.count(DELIVERIES.c.due)
        delivered = func.count(DELIVERIES.c.delivered)
        chosen = select(func.count(), waiting, delivered).select_from(DELIVERIES)
        row = (await self._store.read_with(lambda connection: connection.execute(chosen))).one()
        return {"waiting": row[1], "delivered": row[2], "given up": row[0] - row[1] - row[2]}

    async def _update(self, workspace: str, webhook: str, values: Mapping[str, object]) -> None:
        change = update(WEBHOOKS).where(_is(workspace, webhook)).values(values)
        if not (await self._store.write_with(lambda connection: connection.execute(change))).rowcount:
            raise NoSuchWebhook


async def _one_at_a_time(connection: AsyncConnection, workspace: str) -> None:
    """Let nobody else add to a workspace meanwhile; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_ADDING, func.hashtext(workspace))))


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """Give the bytes that a secret signs with."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def _is(workspace: str, webhook: str) -> ColumnElement[bool]:
    """Choose a webhook of a workspace. Raises NoSuchWebhook for what is no id."""
    if not _ID.fullmatch(webhook):
        raise NoSuchWebhook
    return and_(WEBHOOKS.c.workspace == workspace, WEBHOOKS.c.id == webhook)


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(row.id, row.url, row.created, row.failing, row.disabled, row.why)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        type=row.type,
        created=row.created,
        due=row.due,
        tries=row.tries,
        tried=row.tried,
        status=row.status,
        outcome=row.outcome,
        delivered=row.delivered,
    )
