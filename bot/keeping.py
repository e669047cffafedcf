"""Cases that the terminal keeps: in the store of the settings, by the casebook, one telling at a time."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import typer
from rich.console import Console, Group
from rich.text import Text

from bot.case_events import Answered, Asked, CaseEvent, Concluded, Pasted
from bot.casebook import Casebook, Consulted
from bot.cases import NoSuchCase
from bot.conversation import Conversation, next_number
from bot.explaining import moved_words
from bot.history import value_said
from bot.reaching import TROUBLE, PlainRunner, our_store
from bot.settings import LOCAL
from bot.terminal import Shown, drawn, kept_head, lines_said, show, so_far, understanding, whole_page
from bot.threads import Threads
from bot.wording import page
from knowledge.shelf import Shelf
from rules.case import Diagnosis
from rules.diagnose import Expert
from rules.explain import moved


class Kept:
    """The ledger of a case in the casebook: what it is told is on the disk before it says so."""

    def __init__(self, runner: PlainRunner, casebook: Casebook, workspace: str, consulted: Consulted) -> None:
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
        """Keep it, and give what others told since the case was last looked at. Raises typer.Exit, PasteTooLarge."""
        before = self.consulted.kept.summary
        self.consulted = self._runner.run(self._casebook.tell(self.workspace, before.id, told))
        since = self.events[before.version :]
        ours = len(told) + isinstance(since[-1], Asked | Concluded)
        return [one for one in since[:-ours] if not isinstance(one, Asked | Concluded)]

    def is_gone(self) -> bool:
        """Tell whether the case was deleted since. Where that cannot be seen, it counts as kept."""
        return self._runner.run(self._is_gone())

    async def _is_gone(self) -> bool:
        try:
            await self._casebook.store.read(self.workspace, self.consulted.kept.summary.id)
        except NoSuchCase:
            return True
        except TROUBLE:  # told already, or not asked for: the case is not gone by that
            return False
        return False


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
        consulted, news = _opened(runner, casebook, wanted)
        ledger = Kept(runner, casebook, wanted.workspace, consulted)
        if shown.asks:
            since = 0 if wanted.case else len(ledger.events)
            return _talked(expert, out, ledger, since=since, news=news, pictured=shown.pictured)
        try:
            _show(expert, out, ledger, shown)
        finally:  # also if the output cannot be written: else nobody would know which case it is
            if wanted.case is None:
                typer.echo(_farewell(ledger), err=True)
        return ledger.diagnosis


def _show(expert: Expert, out: Console, ledger: Kept, shown: Shown) -> None:
    if shown.as_json:
        typer.echo(ledger.diagnosis.model_dump_json(by_alias=True))
    else:
        show(out, case_page(ledger.consulted, ledger.workspace, expert, out.width, pictured=shown.pictured))


def _opened(runner: PlainRunner, casebook: Casebook, wanted: Wanted) -> tuple[Consulted, Sequence[str]]:
    """Begin the case or go on with it; gives it, and what it was told with what that changed, in words."""
    if wanted.case is None:
        return runner.run(casebook.begin(wanted.workspace, wanted.told)), []
    before = runner.run(casebook.read(wanted.workspace, wanted.case))
    told = [_complete(event, before) for event in wanted.told]
    if not told:
        return before, []
    after = runner.run(casebook.tell(wanted.workspace, wanted.case, told))
    return after, list(_news(before.diagnosis, after.diagnosis, told, casebook.expert.shelf))


def _news(before: Diagnosis, after: Diagnosis, told: Sequence[CaseEvent], shelf: Shelf) -> Iterator[str]:
    yield from (f"→ {value_said(event, shelf)}" for event in told if isinstance(event, Answered))
    if before.symptom == after.symptom:
        yield moved_words(moved(before, after))


def _complete(event: CaseEvent, consulted: Consulted) -> CaseEvent:
    """Let a paste that only names the product be the one that is there."""
    if isinstance(event, Pasted) and not event.paste:
        return event.model_copy(update={"paste": consulted.case.paste})
    return event


def _talked(
    expert: Expert, out: Console, ledger: Kept, *, since: int, news: Sequence[str], pictured: bool
) -> Diagnosis:
    read_line = partial(out.input, "> ")
    try:
        return Conversation(expert, out, read_line, ledger, since, _opening(ledger, expert, news), pictured).run()
    finally:
        out.print(_farewell(ledger), style="dim", soft_wrap=True)


def _opening(ledger: Kept, expert: Expert, news: Sequence[str]) -> Group:
    kept, diagnosis = ledger.consulted.kept, ledger.diagnosis
    told = so_far(kept.events, diagnosis.knowledge, expert.shelf)
    parts = [*kept_head(kept.summary, ledger.workspace), understanding(page(diagnosis, expert.shelf))]
    return Group(*parts, *([Text(), *told[:-1]] if told else []), *([Text(), lines_said(news)] if news else []))


def _farewell(ledger: Kept) -> str:
    if ledger.is_gone():
        return "The case was deleted meanwhile; nothing of it is kept."
    place = "" if ledger.workspace == LOCAL else f" --workspace {shlex.quote(ledger.workspace)}"
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
