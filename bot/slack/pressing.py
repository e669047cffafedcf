"""Buttons: what they tell a case, and what they show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.case_events import Answered, CaseEvent, Outcome, Withdrawn
from bot.casebook import Consulted
from bot.cases import NoSuchCase
from bot.slack.replies import Alone, Attached, Home, Message, Post, Reply
from bot.slack.telling import After
from bot.slack.views import Showing
from bot.slack.wishes import Ended, Press
from bot.slack.world import Turn
from knowledge.clause import Value, typed
from knowledge.model import Feature
from rules.answers import asked_again

_SEEN_HERE = "This case is shown in this channel already."
_SHARED = "Shared with the channel. It goes on there."
_OPEN = {"start", "ended", "link", "type"}
"""What these buttons do was done when they were pressed."""
_TELL = {"answer", "withdraw", "solved"}
_SHOW = {"show", "whole", "stop", "why", "change", "edit"}


async def press(turn: Turn, act: Press) -> Reply | None:
    """Do what a button does. Raises NoSuchCase for one that is not ours, and as Casebook.tell."""
    if act.does in _OPEN:
        return None
    if act.does == "aliases":
        await turn.world.places.set_aliases(turn.wish.team, aliases=act.value is True)
        await turn.world.step("told")
        return await home(turn)
    if act.does in _TELL:
        return await _told(turn, act.case, _meant(turn, act))
    consulted = await turn.read(act.case)
    if act.does in _SHOW:
        return await turn.in_place(After(consulted), lambda one, shown: _view(turn, act, one, shown))
    return await _share(turn, consulted) if act.does == "share" else await _alone(turn, act, consulted)


async def _alone(turn: Turn, act: Press, consulted: Consulted) -> Reply:
    """Show the asker what others are not to see, or need not."""
    shown = Showing(turn.world.link_of(act.case), alone=True)
    match act.does:
        case "raw":
            return Alone(await turn.made(lambda: turn.world.views.raw(consulted)))
        case "export":
            message = await turn.made(lambda: turn.world.views.exported(consulted, shown))
            return Alone(message, attached=await _attached(turn, consulted))
        case _:
            raise NoSuchCase


async def _attached(turn: Turn, consulted: Consulted) -> Attached | None:
    """Write the case into a file, as all may see it who see the thread; None where a message holds it, or for one."""
    place, case = turn.wish.place, consulted.kept.summary.id
    if turn.alone or not place.channel or not place.thread:
        return None
    shown, views = await turn.shown(consulted, alone=False), turn.world.views
    text = await turn.world.casebook.in_thread(lambda: views.exported_whole(consulted, shown))
    return Attached(place.channel, place.thread, f"whydrop-case-{case}.md", text) if text else None


async def ended(turn: Turn, act: Ended) -> Reply:
    """Write down how a case ended. Raises as Casebook.tell."""
    outcome = Outcome(solved=act.solved, cause=_cause(turn, act.cause), note=act.note[:2000])
    return await _told(turn, act.case, [outcome])


async def home(turn: Turn) -> Home:
    """Show the app's home to whoever wished."""
    places, wish = turn.world.places, turn.wish
    own, aliases = await places.own(wish.team, wish.user), await places.aliases(wish.team)
    return Home(turn.world.views.home(own, aliases=aliases))


async def _told(turn: Turn, case: str, events: Sequence[CaseEvent]) -> Reply:
    after = await turn.again()
    if after is None:
        before = await turn.read(case)
        after = await turn.tell(before, [_again(event, before) for event in events])
    return await turn.in_place(after)


def _meant(turn: Turn, act: Press) -> list[CaseEvent]:
    """Say what a button tells. Raises NoSuchCase for one that our knowledge has outgrown."""
    if act.does == "solved":
        return [Outcome(solved=True, cause=_cause(turn, act.value))]
    feature = _feature(turn, act)
    if act.does == "withdraw":
        return [Withdrawn(feature=feature.id)]
    return [Answered(feature=feature.id, value=_value(act, feature))]


def _feature(turn: Turn, act: Press) -> Feature:
    """Give the feature that a button is about. Raises NoSuchCase where it has no question (any longer)."""
    feature = turn.world.expert.shelf.features.get(act.feature)
    if feature is None or feature.question is None:
        raise NoSuchCase
    return feature


def _cause(turn: Turn, cause: Value | None) -> str | None:
    return cause if isinstance(cause, str) and cause in turn.world.expert.shelf.causes else None


def _view(turn: Turn, act: Press, consulted: Consulted, shown: Showing) -> Message:
    views = turn.world.views
    match act.does:
        case "why":
            return views.why(consulted, shown)
        case "change":
            return views.change(consulted, shown)
        case "edit":
            _feature(turn, act)
            return views.edit(consulted, shown, act.feature)
        case _:
            return views.case(consulted, replace(shown, stopped=act.does == "stop", whole=act.does == "whole"))


async def _share(turn: Turn, consulted: Consulted) -> Reply:
    world, wish = turn.world, turn.wish
    case, channel = consulted.kept.summary.id, wish.place.channel
    there = await world.places.shown_in(wish.team, channel, case)
    if there and not await world.places.answered(wish.team, wish.key, there.message):
        return Alone(world.views.said([_SEEN_HERE], None, Showing(alone=True)), replace=True)
    shown = replace(await turn.shown(consulted, alone=False), shared_by=wish.user)
    message = await turn.made(lambda: world.views.case(consulted, shown))
    told = Alone(world.views.said([_SHARED], None, Showing(alone=True)), replace=True)
    return Post(channel or wish.user, "", message, case, then=told)


def _value(act: Press, feature: Feature) -> Value | None:
    """Read the value of a button. Raises NoSuchCase."""
    try:
        return None if act.value is None else typed(feature, act.value)
    except ValueError:
        raise NoSuchCase from None


def _again(event: CaseEvent, before: Consulted) -> CaseEvent:
    """Let an answer stand that is given where a contradiction made whydrop ask again."""
    if isinstance(event, Answered) and asked_again(before.diagnosis, event.feature):
        return event.model_copy(update={"again": True})
    return event
