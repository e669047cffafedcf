"""What a wish does: it finds its case, tells it something, and says what is to be answered."""

from __future__ import annotations

from bot.case_events import Pasted
from bot.cases import CaseFull, NoSuchCase
from bot.slack.bringing import bring
from bot.slack.outputs import outputs, unread
from bot.slack.places import Thread
from bot.slack.pressing import ended, home, press
from bot.slack.replies import Finished, Reply
from bot.slack.shared_files import UnreadableFile
from bot.slack.telling import After
from bot.slack.views import seen_as
from bot.slack.wishes import Bring, Ended, Left, Look, Press, Step
from bot.slack.world import Turn
from rules.read import PasteTooLarge

_NO_CASE = "There is no such case here. It may have been deleted, or it belongs to another workspace."
_FULL = "This case is full: it has as many events as a case may have. Start a new one with the lines that matter."


async def reply_to(turn: Turn) -> Reply | None:
    """Do what is wished, and say what is to be answered; None is nothing. May be repeated.

    Raises what the casebook and Slack raise where it could not be done now.
    """
    try:
        return await _done(turn)
    except NoSuchCase:
        if isinstance(turn.wish.act, Press):
            return turn.told(turn.world.views.unreadable())
        return turn.said(_NO_CASE)
    except CaseFull:
        return turn.said(_FULL)
    except (PasteTooLarge, UnreadableFile) as wrong:
        if isinstance(turn.wish.act, Step):
            return Finished(turn.wish.act.execution, unread(str(wrong)))
        return turn.said(str(wrong))


async def _done(turn: Turn) -> Reply | None:
    match turn.wish.act:
        case Bring() as act:
            return await bring(turn, act)
        case Press() as act:
            return await press(turn, act)
        case Ended() as act:
            return await ended(turn, act)
        case Look() as act:
            return await _look(turn, act)
        case Step() as act:
            return await _step(turn, act)
        case Left() as act:
            # Last what is kept here, and in it this wish: until then it is carried out again.
            if await turn.world.uninstalled(turn.wish.team, act.at):
                await turn.world.step("uninstalled")
                await turn.world.places.forget(turn.wish, turn.workspace)
            return None


async def _look(turn: Turn, act: Look) -> Reply:
    views, wish = turn.world.views, turn.wish
    match act.at:
        case "home":
            return await home(turn)
        case "help":
            return turn.told(views.help())
        case "status" if row := await turn.world.places.thread(wish.team, wish.place.channel, wish.place.thread):
            return await turn.new(After(await turn.read(row.case)), row)
        case "status":
            own = await turn.world.places.own(wish.team, wish.user)
            return turn.told(await turn.made(lambda: views.status(own)))
        case "case":
            return await turn.new(After(await turn.read(act.case)), begun=False)


async def _step(turn: Turn, act: Step) -> Reply:
    after = await turn.again()
    if after is None:
        thread = Thread(turn.wish.team, "", "", "", turn.wish.user)
        pasted = Pasted(paste=act.text, product=act.product)
        after = await turn.telling.begin(turn.workspace, turn.wish, [pasted], thread)
        await turn.world.step("told")
    # Nobody knows who will see it.
    shown, shelf = await turn.shown(after.consulted, alone=False), turn.world.expert.shelf
    given = await turn.world.casebook.in_thread(lambda: outputs(seen_as(after.consulted, shown), shelf, shown.link))
    return Finished(act.execution, given)
