"""Keys: who may call the service, for which workspace, and what with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Row, func, insert, or_, select, update

from bot.cases import Store
from bot.settings import workspace_name
from bot.tables import KEYS, Busy

Scope = Literal["read", "write"]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))

CACHED_S = 5
"""Seconds that a key is believed without looking: so long may one go on that another process has revoked."""
MOST_CACHED = 1000
"""Keys that are believed at the same time."""
NOTED = timedelta(hours=1)
"""How exact it is kept when a key was last used, so that reading stays reading."""

_TOKEN = re.compile(r"whydrop_([a-z2-7]{10})_([a-z2-7]{52})")
_LONGEST_NAME = 100
_NOBODY = ("", "")
"""Stands for what is no token: it is looked up and compared as others are, and is nobody's."""
_NO_DIGEST = bytes(32)


class WrongKey(Exception):
    """The key is none, or not valid any more; it is not told which."""

    def __init__(self) -> None:
        super().__init__("the key is not valid")


class NoSuchKey(LookupError):
    """There is no key with this id."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; its secret is not. Times are in UTC, `used` is exact to an hour."""

    id: str
    name: str
    workspace: str
    scopes: frozenset[Scope]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None

    def valid(self, at: datetime) -> bool:
        """Tell whether it may be used at a time."""
        return self.revoked is None and (self.expires is None or at < self.expires)


class Keys:
    """The keys of all workspaces. One per process: a key that is revoked here is refused at once.

    Other processes believe it for CACHED_S seconds more. `clock` gives seconds that only go on.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._believed: dict[bytes, tuple[float, Key]] = {}
        self._revoked = 0

    async def create(
        self, name: str, workspace: str, scopes: Iterable[str], expires: datetime | None = None
    ) -> tuple[Key, str]:
        """Make a key; gives its token too, which cannot be had again. Raises ValueError, Busy."""
        now = self._store.now()
        key = Key(_random(10), _named(name), workspace_name(workspace), _scopes(scopes), now, _later(expires, now))
        secret = _random(52)
        await self._store.write_with(
            lambda connection: connection.execute(
                insert(KEYS).values(
                    id=key.id,
                    digest=_digest(secret),
                    name=key.name,
                    workspace=key.workspace,
                    scopes=" ".join(sorted(key.scopes)),
                    created=key.created,
                    expires=key.expires,
                )
            )
        )
        return key, f"whydrop_{key.id}_{secret}"

    async def revoke(self, key: str) -> None:
        """Refuse a key from now on; again changes nothing. Raises NoSuchKey, Busy."""
        revoked = func.coalesce(KEYS.c.revoked, self._store.now())
        change = update(KEYS).where(KEYS.c.id == _sound(key)).values(revoked=revoked)
        done = await self._store.write_with(lambda connection: connection.execute(change))
        # Whoever looked the key up before this and has not believed it yet does not any more.
        self._revoked += 1
        self._believed.clear()
        if not done.rowcount:
            raise NoSuchKey

    async def list(self, workspace: str | None = None) -> tuple[Key, ...]:
        """List the keys of one workspace, or all, oldest first; those that are not valid any more too."""
        chosen = select(KEYS).order_by(KEYS.c.created, KEYS.c.id)
        if workspace is not None:
            chosen = chosen.where(KEYS.c.workspace == workspace_name(workspace))
        found = await self._store.read_with(lambda connection: connection.execute(chosen))
        return tuple(_key(row) for row in found.all())

    async def check(self, token: str) -> Key:
        """Give the key whose token this is. Raises WrongKey."""
        mark = _digest(token)
        until, believed = self._believed.get(mark, (0.0, None))
        if believed and self._clock() < until and believed.valid(self._store.now()):
            return believed
        began, revoked = self._clock(), self._revoked
        key = await self._looked_up(token)
        if revoked == self._revoked:
            self._believe(mark, began + CACHED_S, key)
        return key

    def _believe(self, mark: bytes, until: float, key: Key) -> None:
        self._believed.pop(mark, None)
        while len(self._believed) >= MOST_CACHED:
            del self._believed[next(iter(self._believed))]
        self._believed[mark] = until, key

    async def _looked_up(self, token: str) -> Key:
        """Look a token up, in the same steps whatever is wrong with it: how long it takes tells nothing."""
        parts = _TOKEN.fullmatch(token)
        public, secret = parts.groups() if parts else _NOBODY
        chosen = select(KEYS).where(KEYS.c.id == public)
        row = (await self._store.read_with(lambda connection: connection.execute(chosen))).first()
        right = hmac.compare_digest(_digest(secret), row.digest if row else _NO_DIGEST)
        key = _key(row) if row else None
        now = self._store.now()
        if not (right and key and key.valid(now)):
            raise WrongKey
        await self._note(key, now)
        return key

    async def _note(self, key: Key, now: datetime) -> None:
        """Write down that a key was used, unless that was done lately."""
        if key.used and now - key.used < NOTED:
            return
        lately = or_(KEYS.c.used.is_(None), KEYS.c.used <= now - NOTED)
        change = update(KEYS).where(KEYS.c.id == key.id, lately).values(used=now)
        with suppress(Busy):  # the key is right all the same; the next look notes it
            await self._store.write_with(lambda connection: connection.execute(change))


def _random(characters: int) -> str:
    """Give random letters and digits, five bits each."""
    return base64.b32encode(secrets.token_bytes(characters * 5 // 8 + 1)).decode().lower()[:characters]


def _digest(text: str) -> bytes:
    # A fast hash will do: nobody finds 256 random bits by trying, however fast. Slow ones are for words people choose.
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _key(row: Row[Any]) -> Key:
    scopes = row.scopes.split()
    return Key(row.id, row.name, row.workspace, _known(scopes), row.created, row.expires, row.revoked, row.used)


def _named(name: str) -> str:
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or not name.strip():
        raise ValueError(f"a key's name has 1 to {_LONGEST_NAME} printable characters")
    return name


def _scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    wanted = frozenset(scopes)
    if not wanted or wanted - SCOPES:
        raise ValueError(f"a key has one or more of the scopes {', '.join(sorted(SCOPES))}")
    return _known(wanted)


def _known(scopes: Collection[str]) -> frozenset[Scope]:
    return frozenset(one for one in SCOPES if one in scopes)


def _later(expires: datetime | None, now: datetime) -> datetime | None:
    if expires is not None and (expires.tzinfo is None or expires <= now):
        raise ValueError("a key expires at a time to come, with its time zone")
    return expires


def _sound(key: str) -> str:
    """Give an id as the database can look for it. Raises NoSuchKey for what is none."""
    if not re.fullmatch(r"[a-z2-7]{10}", key):
        raise NoSuchKey
    return key
