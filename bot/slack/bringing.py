"""Lines and words that are brought: they begin a case, or go to the case of the thread that they are said in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from bot.case_events import Answered, Pasted
from bot.casebook import Consulted
from bot.cases import NoSuchCase
from bot.explaining import why_not_words, why_words
from bot.phrases import capital
from bot.slack.places import Thread
from bot.slack.replies import Reply
from bot.slack.shared_files import LARGEST, UnreadableFile, checked, text_of
from bot.slack.telling import After
from bot.slack.typed import Order, Unclear, further, last_taken_back, order, says_something, told_by
from bot.slack.web import Refused
from bot.slack.wishes import Bring
from bot.slack.world import Turn
from bot.wording import page
from rules.diagnose import Expert
from rules.explain import cause_named, grounds, not_a_cause, why_not

_CHAT = 80
"""Characters of what may be a greeting rather than a line."""
_SHORT_NUMBER = 3
"""Digits of what is an answer to a list, and where no case is no line."""
_LATELY = timedelta(hours=12)
"""How long a question that was asked in a direct message may be answered outside of its thread."""
_NO_FILE = "The file could not be read: it is gone, or whydrop may not see it. Paste the lines instead."
_NOTHING_TO_TAKE_BACK = "There is no answer to take back."
_WHICH_CAUSE = "Why not which cause? Name one of the ranking, such as: why not idle timeout."


async def bring(turn: Turn, act: Bring) -> Reply:
    """Take what was brought. Raises UnreadableFile, and as Casebook.tell."""
    place = turn.wish.place
    kept = await turn.again()
    text, notes = (act.text, []) if kept else await _with_files(turn, act)
    row = await turn.world.places.thread(turn.wish.team, place.channel, place.thread) if place.thread else None
    await turn.world.step("looked")
    if kept:
        return await turn.new(_noted(kept, notes), row)
    if row is None:
        return await _answered_beside(turn, act) or await _begun(turn, act, text, notes)
    if not act.files and (meant := order(text)):
        return await _ordered(turn, meant, row)
    return await _continued(turn, act, row, text, notes)


async def _with_files(turn: Turn, act: Bring) -> tuple[str, list[str]]:
    """Give the text with that of the files, and why some were not read. Raises UnreadableFile if none was."""
    texts, notes = [act.text] if act.text.strip() else [], []
    slack, team = turn.world.slack, turn.wish.team
    for one in act.files:
        try:
            file = checked(await slack.file(team, one))
            content = await slack.download(team, file.url, LARGEST)
            texts.append(await turn.world.casebook.in_thread(partial(text_of, content)))
        except UnreadableFile as wrong:
            notes.append(str(wrong))
        except Refused:
            notes.append(_NO_FILE)
    notes = list(dict.fromkeys(notes))
    if notes and not texts:
        raise UnreadableFile("\n".join(notes))
    return "\n".join(texts), notes


async def _begun(turn: Turn, act: Bring, text: str, notes: Sequence[str]) -> Reply:
    meant = order(text)
    if notes and await _is_chat(turn, text, of_a_file=True):
        return turn.said(*notes)
    if (meant and meant.command == "help") or await _is_chat(turn, text):
        return turn.told(turn.world.views.help())
    place, wish = turn.wish.place, turn.wish
    # Where there is no thread yet, its asker finds the case again until there is one.
    thread = Thread(wish.team, place.channel if place.thread else "", place.thread, "", wish.user)
    after = await turn.telling.begin(turn.workspace, wish, [Pasted(paste=text, product=act.product)], thread)
    await turn.world.step("told")
    return await turn.new(_noted(after, notes))


async def _answered_beside(turn: Turn, act: Bring) -> Reply | None:
    """Take an answer that was typed below the thread of a direct message, as on a phone; None if it is none.

    The case goes on in the thread of what was typed.
    """
    place, world = turn.wish.place, turn.world
    if not place.direct or act.files or act.product or place.thread != place.message:
        return None
    row = await world.places.newest(turn.wish.team, place.channel)
    if row is None:
        return None
    try:
        before = await turn.read(row.case)
    except NoSuchCase:
        return None
    question, age = before.diagnosis.question, world.casebook.store.now() - before.kept.summary.updated
    if question is None or age > _LATELY or before.kept.summary.state != "open":
        return None
    told = await world.casebook.in_thread(lambda: told_by(act.text, before, world.expert))
    if isinstance(told, Unclear) or not all(isinstance(e, Answered) and e.feature == question.feature for e in told):
        return None
    return await turn.new(await turn.tell(before, told), row)


async def _is_chat(turn: Turn, text: str, *, of_a_file: bool = False) -> bool:
    """Tell a greeting from lines: nothing in it can be read, and it does not look like a log.

    What comes with a file may have a number, such as that of a ticket.
    """
    if not text.strip() or (text.strip().isdecimal() and len(text.strip()) <= _SHORT_NUMBER):
        return True
    if len(text) > _CHAT or "\n" in text.strip() or (not of_a_file and any(one.isdecimal() for one in text)):
        return False
    return not await turn.world.casebook.in_thread(lambda: says_something(text, turn.world.expert))


async def _continued(turn: Turn, act: Bring, row: Thread, text: str, notes: Sequence[str]) -> Reply:
    world = turn.world
    before = await turn.read(row.case)
    if act.files or act.product:
        return await turn.new(_noted(await turn.tell(before, [further(text, before, act.product)]), notes), row)
    told = await world.casebook.in_thread(lambda: told_by(text, before, world.expert))
    if isinstance(told, Unclear):
        shown = await turn.shown(before, alone=turn.alone)
        return turn.told(await turn.made(lambda: world.views.unclear(before, shown, told.why, text)))
    return await turn.new(_noted(await turn.tell(before, told), notes), row)


async def _ordered(turn: Turn, meant: Order, row: Thread) -> Reply:
    views = turn.world.views
    if meant.command == "help":
        return turn.told(views.help())
    before = await turn.read(row.case)
    shown = await turn.shown(before, alone=turn.alone)
    match meant.command:
        case "status":
            return await turn.new(After(before), row)
        case "why":
            return turn.told(await turn.made(lambda: views.why(before, shown)))
        case "back" if events := last_taken_back(before):
            return await turn.new(await turn.tell(before, events), row)
        case "back":
            return turn.said(_NOTHING_TO_TAKE_BACK)
        case _:
            lines = await turn.world.casebook.in_thread(lambda: looked_up(meant, before, turn.world.expert))
            return turn.told(await turn.made(lambda: views.said(lines, before, shown)))


def _noted(after: After, notes: Sequence[str]) -> After:
    return After(after.consulted, "\n".join([*notes, after.moved]).strip()) if notes else after


def looked_up(meant: Order, consulted: Consulted, expert: Expert) -> Sequence[str]:
    """Say what is known, why a cause stands where it does, or why another does not lead."""
    diagnosis = consulted.diagnosis
    facts = {fact.feature: fact for fact in diagnosis.facts}
    if meant.command == "facts":
        return page(diagnosis, expert.shelf).facts or ["Nothing is known yet."]
    try:
        if meant.command == "why cause":
            one, follows = grounds(expert, consulted.case, cause_named(expert, meant.cause))
            return why_words(one, follows, facts, expert.shelf)
        if not meant.cause:
            return [_WHICH_CAUSE]
        if dispute := not_a_cause(expert, meant.cause):
            return [f"It is never offered as a cause. Claimed: {dispute.claim} But: {dispute.better}"]
        return why_not_words(why_not(expert, consulted.case, cause_named(expert, meant.cause)), facts, expert.shelf)
    except (ValueError, LookupError) as wrong:
        return [capital(f"{wrong}.")]
