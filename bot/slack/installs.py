"""Whose workspaces the app is in, and the token for each: one by its token, or many by OAuth, kept in our database."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import delete, desc, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases import Store
from bot.slack.install_tables import SLACK_BOTS, SLACK_INSTALLATIONS, SLACK_ORGS, SLACK_STATES
from bot.slack.web import NoToken

log = logging.getLogger("whydrop.slack")

STATE_S = 600
"""Seconds in which somebody who began to install may come back from Slack."""
ROTATE_MIN = 120
"""Minutes before its end at which a token is exchanged for the next."""
KNOWN_S = 5.0
"""Seconds for which it is remembered that a workspace has the app, or has not."""
_MOST_KNOWN = 10_000


class Tokens(Protocol):
    """Whose requests are taken, and with which token they are answered."""

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Take a request of a workspace; None for one without the app."""

    async def token_of(self, team: str) -> str:
        """Give a token that is good for a while. Raises NoToken."""

    async def forget(self, team: str, at: float = 0.0) -> bool:
        """Forget a workspace's installation, which ended `at` (whole seconds since 1970); False if there is a later."""


class WithoutToken:
    """No workspace's token is set: whoever has the signing secret is answered by the address of the request alone."""

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Take every workspace whose requests carry the signature."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

    async def token_of(self, team: str) -> str:
        """Raise NoToken."""
        raise NoToken(team)

    async def forget(self, team: str, at: float = 0.0) -> bool:
        """There is nothing to forget."""
        del team, at
        return True


class OneToken:
    """The app is in one workspace, or one organisation, whose token is set."""

    def __init__(self, token: str, client: AsyncWebClient) -> None:
        self._token = token
        self._client = client
        self._whose: frozenset[str] = frozenset()
        self._asking = asyncio.Lock()

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Take the requests of the workspace whose token it is. Raises what the client raises, until that is known."""
        if not {enterprise_id, team_id} & await self._owners():
            return None
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=self._token)

    async def _owners(self) -> frozenset[str]:
        async with self._asking:
            if not self._whose:
                told = await self._client.auth_test(token=self._token)
                # An organisation's token is good for all of its workspaces; that of a workspace for no other.
                owner = "enterprise_id" if told.get("is_enterprise_install") else "team_id"
                self._whose = frozenset({str(told[owner])})
        return self._whose

    async def token_of(self, team: str) -> str:
        """Give the token. Slack refuses it for what is in another workspace."""
        return self._token if team else ""

    async def forget(self, team: str, at: float = 0.0) -> bool:
        """The token stands in the settings; there is nothing to forget."""
        del team, at
        return True


@dataclass(frozen=True, slots=True)
class _Known:
    found: AuthorizeResult | None
    until: float


class ManyTokens(AsyncInstallationStore):
    """The app is in the workspaces that installed it by OAuth."""

    def __init__(
        self,
        store: Store,
        client_id: str,
        client_secret: str,
        client: AsyncWebClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._client_id = client_id
        self._kept = AsyncSQLAlchemyInstallationStore(client_id, store.writer, logger=log)
        self._found = AsyncSQLAlchemyInstallationStore(client_id, store.engine, logger=log)
        self._rotator = AsyncTokenRotator(client_id=client_id, client_secret=client_secret, client=client)
        self._known: dict[tuple[str | None, str | None], _Known] = {}
        self._rotating: dict[str, asyncio.Lock] = {}

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Take the requests of workspaces that have the app, with the token as it stands."""
        if not enterprise_id and not team_id:
            return None
        key, now = (enterprise_id, team_id), self._clock()
        known = self._known.get(key)
        if known is None or known.until < now:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = _Known(await self._looked_up(enterprise_id, team_id), now + KNOWN_S)
            self._known[key] = known
        return known.found

    async def _looked_up(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        bot = await self._bot(team_id) if team_id else None
        if bot is None and enterprise_id and (bot := await self._bot_of_org(enterprise_id)) and team_id:
            await self._store.write_with(lambda one: _keep_org(one, team_id, enterprise_id))
        if bot is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=bot.bot_token, bot_user_id=bot.bot_user_id
        )

    async def token_of(self, team: str) -> str:
        """Give a workspace's token; one that ends soon is exchanged first. Raises NoToken, and what a client raises."""
        async with self._rotating.setdefault(team, asyncio.Lock()):
            bot = await self._bot_for(team)
            if bot is None:
                raise NoToken(team)
            return await self._rotated(team, bot)

    async def _rotated(self, team: str, bot: Bot) -> str:
        try:
            fresh = await self._rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=ROTATE_MIN)
        except SlackTokenRotationError:
            # A refresh token is good once: another process may have been faster.
            latest = await self._bot_for(team)
            if latest is not None and latest.bot_token != bot.bot_token:
                return str(latest.bot_token)
            log.error("Slack does not exchange the token of a workspace; it has to install the app again")
            return str(bot.bot_token)
        if fresh is None:
            return str(bot.bot_token)
        await self._kept.async_save_bot(fresh)
        self._known.clear()
        return str(fresh.bot_token)

    async def forget(self, team: str, at: float = 0.0) -> bool:
        """Forget a workspace's installation, and that of an organisation by its id.

        `at` is when it ended, in whole seconds since 1970, 0 if nobody knows. Slack may tell of it late: of one that
        was made in a later second nothing is forgotten, and this is False.
        """
        gone = await self._store.write_with(lambda one: _forgotten(one, self._client_id, team, at))
        self._known.clear()
        return gone

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation; slack_bolt's flow calls this."""
        await self._kept.async_save(installation)
        self._known.clear()

    async def _bot_for(self, team: str) -> Bot | None:
        return await self._bot(team) or await self._bot_of_org(await self._org_of(team) or team)

    async def _bot(self, team: str) -> Bot | None:
        """Look a workspace's bot up by the workspace alone: a wish does not name its organisation."""
        table = SLACK_BOTS.c
        chosen = select(table.enterprise_id).where(table.client_id == self._client_id, table.team_id == team)
        newest = chosen.order_by(desc(table.installed_at)).limit(1)
        row = (await self._store.read_with(lambda one: one.execute(newest))).first()
        return await self._found.async_find_bot(enterprise_id=row[0], team_id=team) if row else None

    async def _bot_of_org(self, enterprise: str) -> Bot | None:
        return await self._found.async_find_bot(enterprise_id=enterprise, team_id=None, is_enterprise_install=True)

    async def _org_of(self, team: str) -> str | None:
        chosen = select(SLACK_ORGS.c.enterprise).where(SLACK_ORGS.c.team == team)
        found: str | None = await self._store.read_with(lambda one: one.scalar(chosen))
        return found


class States(AsyncOAuthStateStore):
    """What tells that somebody who comes back from Slack began to install here: each is good once, and for a while."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def logger(self) -> logging.Logger:
        """Give where the library logs."""
        return log

    async def async_issue(self, *_: Any, **__: Any) -> str:
        """Make a state, and forget those that nobody came back with."""
        state, now = secrets.token_urlsafe(32), self._store.now()

        async def keep(connection: AsyncConnection) -> None:
            await connection.execute(delete(SLACK_STATES).where(SLACK_STATES.c.expires < now))
            row = {"state": state, "expires": now + timedelta(seconds=STATE_S)}
            await connection.execute(SLACK_STATES.insert().values(row))

        await self._store.write_with(keep)
        return state

    async def async_consume(self, state: str) -> bool:
        """Use a state up; False for one that was not made here, was used, or is too old."""
        table = SLACK_STATES.c
        used = delete(SLACK_STATES).where(table.state == state, table.expires >= self._store.now())
        gone = await self._store.write_with(lambda connection: connection.execute(used))
        return bool(gone.rowcount)


async def _keep_org(connection: AsyncConnection, team: str, enterprise: str) -> None:
    await connection.execute(delete(SLACK_ORGS).where(SLACK_ORGS.c.team == team))
    await connection.execute(SLACK_ORGS.insert().values(team=team, enterprise=enterprise))


async def _forgotten(connection: AsyncConnection, client_id: str, team: str, at: float) -> bool:
    later = datetime.fromtimestamp(int(at) + 1, UTC).replace(tzinfo=None)  # slack_sdk keeps times in UTC, and no zone
    ours = {
        table: (table.c.client_id == client_id)
        & ((table.c.team_id == team) | ((table.c.enterprise_id == team) & table.c.team_id.is_(None)))
        for table in (SLACK_BOTS, SLACK_INSTALLATIONS)
    }
    for table, mine in ours.items():
        newer = select(table.c.id).where(mine, table.c.installed_at >= later).limit(1)
        if at and (await connection.execute(newer)).first():
            return False
    for table, mine in ours.items():
        await connection.execute(delete(table).where(mine))
    await connection.execute(delete(SLACK_ORGS).where((SLACK_ORGS.c.team == team) | (SLACK_ORGS.c.enterprise == team)))
    return True
