"""Telling a case what a wish says: once, however often the wish is carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.case_events import Answered, CaseEvent, Outcome, Pasted, Withdrawn
from bot.casebook import Casebook, Consulted, Told
from bot.cases import Change, Reply
from bot.explaining import moved_words
from bot.history import told_words
from bot.slack.inbox import is_wanted
from bot.slack.places import Lost, Thread, keep_thread
from bot.slack.wishes import Wish
from knowledge.shelf import Shelf
from rules.explain import moved

_KEPT = 200


@dataclass(frozen=True, slots=True)
class After:
    """A case after it was told something, and what that changed, in words."""

    consulted: Consulted
    moved: str = ""


class Telling:
    """Tells cases what wishes say."""

    def __init__(self, casebook: Casebook) -> None:
        self._casebook = casebook

    async def before(self, workspace: str, wish: Wish) -> After | None:
        """Give the case as it is now, if it was told this wish before. Raises NoSuchCase if it was deleted since."""
        kept = await self._casebook.store.reply(workspace, _key(wish), _fingerprint(wish))
        return None if kept is None else await self._again(workspace, kept)

    async def begin(
        self, workspace: str, wish: Wish, events: Sequence[CaseEvent], thread: Thread | None = None
    ) -> After:
        """Begin a case, and let the thread be its thread. Raises as Casebook.begin."""
        telling = _Once(self._casebook, workspace, wish, thread)
        reply = await self._casebook.begin_with(events, telling.keep)
        return After(telling.kept) if telling.kept else await self._again(workspace, reply)

    async def tell(self, workspace: str, wish: Wish, before: Consulted, events: Sequence[CaseEvent]) -> After:
        """Tell a case something. What it knows already it is not told. Raises as Casebook.tell."""
        news = [event for event in events if not _is_known(event, before)]
        if not news:
            return After(before)
        telling = _Once(self._casebook, workspace, wish, None, before)
        reply = await self._casebook.tell_with(workspace, before.kept.summary.id, news, None, telling.keep)
        if telling.kept is None:
            return await self._again(workspace, reply)
        return After(telling.kept, str(json.loads(reply.body)["moved"]))

    async def _again(self, workspace: str, reply: Reply) -> After:
        told = json.loads(reply.body)
        return After(await self._casebook.read(workspace, told["case"]), told["moved"])


@dataclass(slots=True)
class _Once:
    """Keeps what was told together with what has to be known if the wish is carried out again."""

    casebook: Casebook
    workspace: str
    wish: Wish
    thread: Thread | None
    before: Consulted | None = None
    kept: Consulted | None = None

    async def keep(self, told: Told) -> Reply:
        """Keep it, unless that was done before. Raises Lost."""

        async def work(change: Change) -> Reply:
            if not await is_wanted(change.connection, self.wish):
                raise Lost  # its workspace has left: nothing of it is to be kept any more
            consulted = await told.keep(change)
            if self.thread:
                await keep_thread(change.connection, _of(self.thread, consulted))
            words = _moved(self.before, consulted, told, self.casebook.expert.shelf)
            self.kept = consulted
            body = json.dumps({"case": consulted.kept.summary.id, "moved": words})
            return Reply(_KEPT, {}, body.encode())

        self.kept = None  # it may be another process that keeps it
        return await self.casebook.store.once(self.workspace, _key(self.wish), _fingerprint(self.wish), work)


def _of(thread: Thread, consulted: Consulted) -> Thread:
    case = consulted.kept.summary.id
    return Thread(thread.team, thread.channel, thread.thread or case, case, thread.asker)


def _key(wish: Wish) -> str:
    return "slack-" + hashlib.sha256(f"{wish.team}\n{wish.key}".encode("utf-8", "replace")).hexdigest()


def _fingerprint(wish: Wish) -> str:
    """Slack repeats wishes as they were; its keys are unique."""
    return wish.act.kind


def _is_known(event: CaseEvent, before: Consulted) -> bool:
    """Tell whether an event says nothing new: a second click, or what came by two ways."""
    case, question = before.case, before.diagnosis.question
    match event:
        case Answered(feature=feature, value=value):
            asked = question is not None and question.feature == feature
            known = feature in case.declined if value is None else case.answers.get(feature) == value
            return known and not asked
        case Withdrawn(feature=feature):
            return feature not in case.answers and feature not in case.declined
        case Pasted():
            return (event.paste, event.product) == (case.paste, case.product)
        case Outcome():
            return before.kept.events[-1].event == event
        case _:
            return False


def _moved(before: Consulted | None, after: Consulted, told: Told, shelf: Shelf) -> str:
    """Say what was told, and what it changed."""
    if before is None:
        return ""
    said = [_said(event, shelf) for event in told.events]
    if before.diagnosis.symptom == after.diagnosis.symptom and not any(isinstance(e, Outcome) for e in told.events):
        said.append(moved_words(moved(before.diagnosis, after.diagnosis)))
    return "\n".join(one for one in said if one)


def _said(event: CaseEvent, shelf: Shelf) -> str:
    if isinstance(event, Pasted):
        return "Your further lines were added."
    return "" if isinstance(event, Outcome) else " ".join(told_words([event], shelf))
