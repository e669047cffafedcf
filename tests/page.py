"""The page in a small service of its own: a real store, one workspace, and exports that only name the case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, HTTPException, Request
from starlette.responses import Response

from bot.case_events import CaseEvent
from bot.casebook import Casebook, Consulted
from bot.cases import Store
from bot.limits import Shield
from bot.origins import Origins
from bot.settings import Settings
from bot.threads import Threads
from bot.web.doors import COOKIE, Doors, Exports
from bot.web.pages import pages
from knowledge.shelf import Shelf
from rules.diagnose import Expert

LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
    "flags SYN ACK on interface outside"
)
KEY = "a-key-of-the-tests"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    workspace: str = "local"
    name: str = "tests"
    scopes: frozenset[str] = frozenset({"read", "write"})


@dataclass
class House:
    """A service with the page in it. `caller` is who is let in; None sends everybody to sign in."""

    app: FastAPI
    casebook: Casebook
    caller: Caller | None = field(default_factory=Caller)

    async def begin(self, *events: CaseEvent) -> Consulted:
        """Begin a case without the page."""
        return await self.casebook.begin("local", events)

    async def events(self, case: str) -> Sequence[CaseEvent]:
        """Give what happened in a case."""
        return [one.event for one in (await self.casebook.store.read("local", case)).events]


def house(expert: Expert, folder: Path, public_url: str | None = None) -> House:
    """Build the service; its tables are made when it starts, or by `migrate`."""
    store = Store.open(f"sqlite:///{folder / 'cases.sqlite3'}")
    casebook = Casebook(store, expert, Threads(4))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.migrate()
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(Shield)
    own = urlsplit(public_url).netloc if public_url else None
    app.add_middleware(Origins, open_to_all=False, cookie=COOKIE, own=own)
    built = House(app, casebook)

    def viewer(request: Request) -> Caller:
        if built.caller is None:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise HTTPException(303, headers={"Location": f"/signin?next={quote(asked)}"})
        return built.caller

    settings = Settings(public_url=public_url)
    app.include_router(pages(settings, casebook, Doors(viewer, _enter, _leave), Exports(_markdown, _as_json)))
    return built


async def _enter(_: Request, answer: Response, key: str) -> bool:
    if key == KEY:
        answer.set_cookie("whydrop_key", key, httponly=True, samesite="lax")
    return key == KEY


def _leave(answer: Response) -> None:
    answer.delete_cookie("whydrop_key")


def _markdown(found: Consulted, _: Shelf, link: str | None) -> str:
    return f"# Case {found.kept.summary.id}\n\n{link}\n"


def _as_json(found: Consulted) -> dict[str, str]:
    return {"id": found.kept.summary.id}
