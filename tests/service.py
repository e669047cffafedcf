"""The whole service for tests: the real application with a store of its own, called without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from bot.rest import create_app
from bot.settings import Settings
from rules.diagnose import Expert

HOST = "http://localhost"
LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
    "flags SYN ACK on interface outside"
)


def set_up(database: Path | str, **other: object) -> Settings:
    """Give settings of a service without keys, whose store is that file or address."""
    url = f"sqlite:///{database}" if isinstance(database, Path) else database
    return Settings.model_validate({"dev": True, "database_url": SecretStr(url), **other})


@asynccontextmanager
async def client_of(expert: Expert, how: Settings, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application, and call it."""
    app = create_app(how, expert)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
            yield client
