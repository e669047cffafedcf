"""Cases that the terminal keeps: in the store of the settings, by the casebook, one telling at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg  # type: ignore[import-untyped]
import typer
from rich.console import Console, Group
from rich.text import Text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.calls import fail, our_settings
from bot.case_events import Asked, CaseEvent, Concluded, Pasted
from bot.casebook import Casebook, Consulted
from bot.cases import CaseFull, NoSuchCase, Store
from bot.conversation import Conversation, next_number
from bot.settings import LOCAL
from bot.tables import Busy
from bot.terminal import Shown, drawn, kept_head, so_far, understanding, whole_page
from bot.threads import Threads
from bot.wording import page
from rules.case import Diagnosis
from rules.diagnose import Expert

_SAID: Mapping[type[Exception], str] = {
    NoSuchCase: "there is no such case in this workspace; `cases list` lists them",
    CaseFull: "the case is full: it has as many events as a case may have",
    Busy: "the database is busy; try again",
    asyncpg.InterfaceError: "WHYDROP_DATABASE_URL is no address that can be used",
}


@contextmanager
def told_plainly() -> Iterator[None]:
    """Tell what is wrong with a case or with the database on one line, without what was to be stored or a password."""
    try:
        yield
    except tuple(_SAID) as wrong:
        raise fail(next(text for kind, text in _SAID.items() if isinstance(wrong, kind))) from None
    except (SQLAlchemyError, asyncpg.PostgresError) as wrong:
        # What SQLAlchemy adds to the driver's own words is the statement.
        cause = wrong.orig if isinstance(wrong, DBAPIError) else wrong
        raise fail(f"the database: {_first_line(cause)}") from None
    except OSError as wrong:
        raise fail(f"the database cannot be reached: {wrong.strerror or _first_line(wrong)}") from None


def _first_line(wrong: BaseException | None) -> str:
    return next(iter(str(wrong).splitlines()), type(wrong).__name__)


@contextmanager
def our_store() -> Iterator[tuple[Store, asyncio.Runner]]:
    """Open the store of the settings, and a loop to run it in. Raises typer.Exit, with what is wrong told."""
    with told_plainly(), asyncio.Runner() as runner:
        try:
            store = Store.open(our_settings().database_url.get_secret_value())
        except ValueError as wrong:
            raise fail(f"WHYDROP_DATABASE_URL: {wrong}") from None
        try:
            _migrate(store, runner)
            yield store, runner
        finally:
            runner.run(store.close())


def _migrate(store: Store, runner: asyncio.Runner) -> None:
    try:
        runner.run(store.migrate())
    except ValueError:  # the driver's words about the address may show its password
        raise fail("WHYDROP_DATABASE_URL is no address that can be used") from None


class Kept:
    """The ledger of a case in the casebook: what it is told is on the disk before it says so."""

    def __init__(self, runner: asyncio.Runner, casebook: Casebook, workspace: str, consulted: Consulted) -> None:
        self._runner = runner
        self._casebook = casebook
        self.workspace = workspace
        self.consulted = consulted

    @property
    def events(self) -> Sequence[CaseEvent]:
        """All that happened in the case."""
        return [one.event for one in self.consulted.kept.events]

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of it."""
        return self.consulted.diagnosis

    def tell(self, told: Sequence[CaseEvent]) -> Sequence[CaseEvent]:
        """Keep it, and give what others told since the case was last looked at. Raises as Casebook.tell."""
        before = self.consulted.kept.summary
        self.consulted = self._runner.run(self._casebook.tell(self.workspace, before.id, told))
        since = self.events[before.version :]
        ours = len(told) + isinstance(since[-1], Asked | Concluded)
        return [one for one in since[:-ours] if not isinstance(one, Asked | Concluded)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which case is talked about (None: a new one), whose it is, and what it is told first."""

    case: str | None
    workspace: str
    told: Sequence[CaseEvent]


def talk(expert: Expert, out: Console, wanted: Wanted, shown: Shown) -> Diagnosis:
    """Begin or resume a case and talk about it, or show it; give its diagnosis. Raises typer.Exit, PasteTooLarge."""
    with our_store() as (store, runner):
        casebook = Casebook(store, expert, Threads(1))
        ledger = Kept(runner, casebook, wanted.workspace, _opened(runner, casebook, wanted))
        if shown.as_json:
            typer.echo(ledger.diagnosis.model_dump_json(by_alias=True))
        elif not shown.asks:
            out.print(case_page(ledger.consulted, wanted.workspace, expert, out.width, pictured=shown.pictured))
        else:
            return _talked(expert, out, ledger, since=0 if wanted.case else len(ledger.events), pictured=shown.pictured)
        if wanted.case is None:
            typer.echo(_farewell(ledger), err=True)
        return ledger.diagnosis


def _opened(runner: asyncio.Runner, casebook: Casebook, wanted: Wanted) -> Consulted:
    if wanted.case is None:
        return runner.run(casebook.begin(wanted.workspace, wanted.told))
    consulted = runner.run(casebook.read(wanted.workspace, wanted.case))
    told = [_complete(event, consulted) for event in wanted.told]
    return runner.run(casebook.tell(wanted.workspace, wanted.case, told)) if told else consulted


def _complete(event: CaseEvent, consulted: Consulted) -> CaseEvent:
    """Let a paste that only names the product be the one that is there."""
    if isinstance(event, Pasted) and not event.paste:
        return event.model_copy(update={"paste": consulted.case.paste})
    return event


def _talked(expert: Expert, out: Console, ledger: Kept, *, since: int, pictured: bool) -> Diagnosis:
    read_line = partial(out.input, "> ")
    try:
        return Conversation(expert, out, read_line, ledger, since, _opening(ledger, expert), pictured).run()
    finally:
        out.print(_farewell(ledger), style="dim", soft_wrap=True)


def _opening(ledger: Kept, expert: Expert) -> Group:
    kept, diagnosis = ledger.consulted.kept, ledger.diagnosis
    told = so_far(kept.events, diagnosis.knowledge, expert.shelf)
    parts = [*kept_head(kept.summary, ledger.workspace), understanding(page(diagnosis, expert.shelf))]
    return Group(*parts, *([Text(), *told[:-1]] if told else []))


def _farewell(ledger: Kept) -> str:
    place = "" if ledger.workspace == LOCAL else f" --workspace {ledger.workspace}"
    id_ = ledger.consulted.kept.summary.id
    return f"The case is kept. To go on: python -m bot diagnose --case {id_}{place}"


def case_page(consulted: Consulted, workspace: str, expert: Expert, width: int, *, pictured: bool) -> Group:
    """Lay a kept case out as it stands. `width` is the console's, in columns."""
    words = page(consulted.diagnosis, expert.shelf)
    events = consulted.kept.events
    seen = so_far(events, consulted.diagnosis.knowledge, expert.shelf)
    seen += drawn(consulted.diagnosis, expert.shelf, width) if pictured else []
    number = next_number([one.event for one in events])
    return Group(*kept_head(consulted.kept.summary, workspace), whole_page(words, width, seen, number))
