from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Table, func, select

from bot.case_events import Answered, Outcome, Pasted
from bot.casebook import Casebook
from bot.cases import Store
from bot.slack.inbox import KEPT, LEASE, MOST_FAULTS, Inbox
from bot.slack.places import Places
from bot.slack.tables import SLACK_INBOX, SLACK_POSTS, SLACK_SETTINGS, SLACK_THREADS
from bot.slack.turns import LONGEST, MOST_AT_ONCE, MOST_LONG, Turns
from bot.slack.web import Later, NoToken, Refused, SharedFile, Uncertain
from bot.slack.wishes import Act, Bring, Ended, Left, Look, Place, Press, Step, Wish
from bot.slack.world import World
from bot.tables import CASES, EVENTS
from bot.threads import Threads
from rules.diagnose import Expert
from tests.clock import Clock
from tests.fake_slack import HOOK, FakeSlack, PlainViews, Seen

pytest_plugins = ["tests.postgres"]

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.1/443 to 192.0.2.9/51000 flags ACK on interface inside"
OTHER = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.7/443 to 192.0.2.9/51007 flags RST on interface inside"
TEAM, ANN, CHANNEL = "T1", "U1", "C1"
BACK = 1e9
"""From then on nobody has left any more: they came back."""
THREAD = Place(channel=CHANNEL, thread="100.1", message="100.1")


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Town:
    """A store, a Slack in memory, and processes that serve them, one after the other."""

    store: Store
    clock: Clock
    expert: Expert
    slack: FakeSlack = field(default_factory=FakeSlack)
    steps: list[str] = field(default_factory=list)
    killed_at: int = -1
    gone: list[str] = field(default_factory=list)
    workspace_of: Callable[[str], str] = str

    def __post_init__(self) -> None:
        self.stepped = asyncio.Event()
        self.inbox = Inbox(self.store)
        self.book = Casebook(self.store, self.expert, Threads(2))
        self.places = Places(self.store)

    async def _step(self, name: str) -> None:
        self.steps.append(name)
        self.stepped.set()
        if len(self.steps) - 1 == self.killed_at:
            raise Killed(name)

    async def _left(self, team: str, at: float) -> bool:
        self.gone.append(team)
        return at < BACK

    def turns(self) -> Turns:
        """Begin a process."""
        return self.turns_of(Inbox(self.store))

    def turns_of(self, inbox: Inbox) -> Turns:
        """Begin the process of an inbox."""
        book = Casebook(self.store, self.expert, Threads(2))
        world = World(
            book,
            Places(self.store),
            self.slack,
            PlainViews(),
            self.workspace_of,
            lambda case: f"https://whydrop.example/cases/{case}",
            self._left,
            self._step,
        )
        return Turns(world, inbox)

    async def hears(self, wish: Wish) -> None:
        """Accept a wish and carry it out; what is put off is carried out when it is due."""
        await self.inbox.accept(wish)
        await self.goes_on()

    async def goes_on(self) -> None:
        for _ in range(20):
            await self.turns().carry_out_due()
            if not await self.waiting():
                return
            self.clock.time += timedelta(seconds=61)
        raise AssertionError("something waits for ever")

    async def reaches(self, so: Callable[[], bool]) -> None:
        """Wait until something is so after a step."""
        async with asyncio.timeout(10):
            while not so():
                self.stepped.clear()
                await self.stepped.wait()

    async def waiting(self) -> int:
        return await self.count(SLACK_INBOX, SLACK_INBOX.c.due.is_not(None))

    async def count(self, table: Table, *where: ColumnElement[bool]) -> int:
        chosen = select(func.count()).select_from(table).where(*where)
        found = await self.store.read_with(lambda connection: connection.scalar(chosen))
        return int(found or 0)

    async def case(self) -> str:
        """Give the only case."""
        (summary,) = (await self.store.list(self.workspace_of(TEAM))).cases
        return summary.id

    async def events(self, kind: type) -> list[object]:
        kept = await self.store.read(self.workspace_of(TEAM), await self.case())
        return [one.event for one in kept.events if isinstance(one.event, kind)]

    @property
    def seen(self) -> list[Seen]:
        return self.slack.messages


def wish(key: str, act: Act, place: Place = THREAD, user: str = ANN, team: str = TEAM) -> Wish:
    return Wish(key=key, team=team, user=user, place=place, act=act)


def alone(ts: str = "", channel: str = CHANNEL) -> Place:
    """Give the place of a command, or of a button in its answer."""
    return Place(channel=channel, message=ts, response_url=f"{HOOK}{channel}/{ANN}/{ts or 'new'}")


@pytest.fixture
async def town(url: str, expert: Expert) -> AsyncIterator[Town]:
    clock = Clock()
    async with Store.open(url, clock) as store:
        await store.migrate()
        yield Town(store, clock, expert)


async def begun(town: Town) -> str:
    """Begin a case in the thread; give its id."""
    await town.hears(wish("begin", Bring(text=LINE)))
    return await town.case()


async def test_lines_in_a_thread_are_answered_there(town: Town) -> None:
    case = await begun(town)
    (said,) = town.seen
    assert said.text.startswith(f"case {case} asks ")
    assert (said.channel, said.thread, said.only) == (CHANNEL, "100.1", "")


async def test_a_command_is_answered_to_the_asker_alone(town: Town) -> None:
    await town.hears(wish("c", Bring(text=LINE), alone()))
    (said,) = town.seen
    assert said.only == ANN
    assert "alone" in said.text
    assert [one.id for one in await town.places.own(TEAM, ANN)] == [await town.case()]


async def test_a_delivery_that_comes_again_changes_nothing(town: Town) -> None:
    again = wish("begin", Bring(text=LINE))
    assert await town.inbox.accept(again)
    assert not await town.inbox.accept(again)
    await town.goes_on()
    assert not await town.inbox.accept(again)
    await town.goes_on()
    assert len(town.seen) == 1
    assert len(await town.events(Pasted)) == 1


async def test_what_was_pasted_does_not_stay_in_the_inbox(town: Town) -> None:
    await begun(town)
    chosen = select(SLACK_INBOX.c.wish)
    assert (await town.store.read_with(lambda one: one.scalars(chosen))).all() == [""]


async def test_keys_are_forgotten_after_two_days(town: Town) -> None:
    await begun(town)
    town.clock.time += KEPT / 2
    await town.inbox.expire()
    assert await town.count(SLACK_INBOX) == 1
    town.clock.time += KEPT
    await town.inbox.expire()
    assert await town.count(SLACK_INBOX) == 0
    assert await town.count(SLACK_POSTS) == 0


async def test_a_button_changes_its_message_in_place(town: Town) -> None:
    case = await begun(town)
    place = THREAD.model_copy(update={"message": town.seen[0].ts})
    await town.hears(
        wish("p", Press(does="answer", case=case, version=2, feature="timing.worked", value="never"), place)
    )
    (said,) = town.seen
    assert said.changed == 1
    assert "asks timing.worked" not in said.text
    assert await town.events(Answered) == [Answered(feature="timing.worked", value="never")]


@pytest.mark.parametrize("value", ["never", None])
async def test_what_was_typed_into_a_modal_comes_as_an_answer(town: Town, value: str | None) -> None:
    case = await begun(town)
    place = THREAD.model_copy(update={"message": town.seen[0].ts, "response_url": alone("1.0").response_url})
    act = Press(does="answer", case=case, feature="timing.worked", value=value)
    await town.hears(wish("typed", act, place))
    assert await town.events(Answered) == [Answered(feature="timing.worked", value=value)]


async def test_a_second_click_is_no_second_answer(town: Town) -> None:
    case = await begun(town)
    act = Press(does="answer", case=case, version=2, feature="timing.worked", value="never")
    place = THREAD.model_copy(update={"message": town.seen[0].ts})
    for key in ("one", "two"):
        await town.hears(wish(key, act, place))
    assert len(await town.events(Answered)) == 1


async def test_a_button_of_a_message_that_was_left_behind_changes_the_newest(town: Town) -> None:
    """One types an answer while another presses a button above it."""
    case = await begun(town)
    await town.hears(wish("typed", Bring(text="never")))
    press = Press(does="answer", case=case, feature="timing.worked", value="then-broke")
    await town.hears(wish("pressed", press, THREAD.model_copy(update={"message": town.seen[0].ts}), "U2"))
    first, second = town.seen
    assert first.text == "folded"
    assert "then broke" in second.text
    assert second.changed == 1
    assert [one.value for one in await town.events(Answered) if isinstance(one, Answered)] == ["never", "then-broke"]


async def test_a_case_goes_on_where_it_was_asked_about_last(town: Town) -> None:
    case = await begun(town)
    await town.hears(wish("why", Bring(text="why")))
    place = THREAD.model_copy(update={"message": town.seen[1].ts})
    await town.hears(wish("p", Press(does="answer", case=case, feature="timing.worked", value="never"), place))
    first, second = town.seen
    assert first.text == "folded"
    assert second.text.startswith("case ")
    await town.hears(wish("typed", Bring(text="unknown")))
    assert [one.text.split()[0] for one in town.seen] == ["folded", "folded", "case"]


async def test_an_answer_to_an_older_question_changes_it(town: Town) -> None:
    case = await begun(town)
    place = THREAD.model_copy(update={"message": town.seen[0].ts})
    for key, value in (("one", "never"), ("two", "then-broke")):
        await town.hears(wish(key, Press(does="answer", case=case, feature="timing.worked", value=value), place))
    kept = await town.store.read(TEAM, case)
    assert kept.case.answers["timing.worked"] == "then-broke"


@pytest.mark.parametrize("text", ["2", "then-broke", "I don't know", "THEN-BROKE"])
async def test_a_typed_answer_is_heard(town: Town, text: str) -> None:
    await begun(town)
    await town.hears(wish("typed", Bring(text=text)))
    value = None if text.startswith("I") else "then-broke"
    assert await town.events(Answered) == [Answered(feature="timing.worked", value=value)]
    first, second = town.seen
    assert first.text == "folded"
    assert "asks timing.worked" not in second.text
    assert "→" in second.text


async def test_typed_words_that_mean_nothing_are_told_so(town: Town) -> None:
    case = await begun(town)
    await town.hears(wish("typed", Bring(text="purple")))
    assert town.seen[-1].text.startswith("unclear 'purple': ")
    assert case in town.seen[-1].text
    assert await town.events(Answered) == []


async def test_an_answer_that_comes_before_its_question_is_kept(town: Town) -> None:
    """Deliveries come out of order: what is typed second may come first."""
    case = await begun(town)
    await town.hears(wish("early", Bring(text="SA")))
    assert (await town.store.read(TEAM, case)).case.answers == {"packet.flags": "SA"}


async def test_further_lines_go_to_the_case_of_the_thread(town: Town) -> None:
    await begun(town)
    await town.hears(wish("more", Bring(text=OTHER)))
    assert await town.events(Pasted) == [Pasted(paste=LINE), Pasted(paste=f"{LINE}\n{OTHER}")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("help", "help"),
        ("why?", "why of"),
        ("why not idle timeout", "said\n“"),
        ("why not", "said\nWhy not which cause?"),
        ("facts", "said\n"),
        ("back", "said\nThere is no answer"),
        ("status", "case "),
    ],
)
async def test_commands_are_answered_in_the_thread(town: Town, text: str, says: str) -> None:
    await begun(town)
    await town.hears(wish("typed", Bring(text=text)))
    assert town.seen[-1].text.startswith(says)
    assert town.seen[-1].thread == "100.1"
    assert len(town.seen) == 2


async def test_the_state_that_is_asked_for_in_a_thread_is_that_of_its_case(town: Town) -> None:
    case = await begun(town)
    await town.hears(wish("s", Look(at="status"), THREAD))
    await town.hears(wish("o", Look(at="status"), Place(channel=CHANNEL, thread="5.5", message="5.5")))
    assert [one.text.split()[0] for one in town.seen] == ["folded", "case", "status,"]
    assert case in town.seen[1].text


async def test_back_takes_the_last_answer_back(town: Town) -> None:
    case = await begun(town)
    for number, text in enumerate(("never", "back")):
        await town.hears(wish(str(number), Bring(text=text)))
    assert (await town.store.read(TEAM, case)).case.answers == {}
    assert "asks timing.worked" in town.seen[-1].text


async def test_another_workspace_cannot_read_the_case(town: Town) -> None:
    case = await begun(town)
    press = Press(does="answer", case=case, feature="timing.worked", value="never")
    for act in (press, Press(does="show", case=case), Ended(case=case, solved=True), Look(at="case", case=case)):
        place = Place(channel="C9", thread="9.9", message="9.9", response_url=f"{HOOK}C9/U9/9.9")
        await town.hears(wish(f"k{act.kind}{act.case}{act}", act, place, "U9", "T2"))
    assert {one.text.split(".")[0] for one in town.seen[1:]} == {"unreadable", "said\nThere is no such case here"}
    assert await town.events(Answered) == []


@pytest.mark.parametrize("case", ["", "x", "a" * 26, "../../etc"])
async def test_a_forged_case_cannot_be_read(town: Town, case: str) -> None:
    await town.hears(wish("k", Press(does="answer", case=case, feature="timing.worked", value="never")))
    assert [one.text for one in town.seen] == ["unreadable"]


@pytest.mark.parametrize(
    "act", [Press(does="answer", feature="no.such", value=1), Press(does="answer", feature="timing.worked", value=7)]
)
async def test_a_button_that_our_knowledge_has_outgrown_is_told_so(town: Town, act: Press) -> None:
    case = await begun(town)
    await town.hears(wish("k", act.model_copy(update={"case": case})))
    assert town.seen[-1].text == "unreadable"


async def test_slack_can_share_the_cases_of_another_workspace(town: Town) -> None:
    town.workspace_of = lambda _: "local"
    await begun(town)
    assert (await town.store.list("local")).cases
    assert not (await town.store.list(TEAM)).cases


async def test_an_answer_is_shared_with_the_channel_once(town: Town) -> None:
    await town.hears(wish("c", Bring(text=LINE), alone()))
    case, mine = await town.case(), town.seen[0]
    for key in ("share", "twice"):
        await town.hears(wish(key, Press(does="share", case=case), alone(mine.ts)))
    shared = [one for one in town.seen if not one.only]
    assert len(shared) == 1
    assert "shared_by" in shared[0].text
    await town.hears(wish("typed", Bring(text="never"), Place(channel=CHANNEL, thread=shared[0].ts, message="7.7")))
    assert len(await town.events(Answered)) == 1


async def test_where_the_app_is_not_the_asker_is_told_alone(town: Town) -> None:
    town.slack.outside = {CHANNEL}
    place = THREAD.model_copy(update={"response_url": f"{HOOK}{CHANNEL}/{ANN}/new"})
    await town.hears(wish("short", Bring(text=LINE), place))
    (said,) = town.seen
    assert said.only == ANN
    assert "/invite" in said.text
    await town.hears(wish("mention", Bring(text=LINE), Place(channel=CHANNEL, thread="5.5", message="5.5")))
    assert town.seen[-1].channel == f"D{ANN}"


async def test_aliases_are_for_threads_that_others_read(town: Town) -> None:
    await town.hears(wish("s", Press(does="aliases", value=True), Place(channel=ANN, direct=True)))
    assert town.slack.homes[ANN]["aliases"] is True
    await town.hears(wish("t", Bring(text=LINE)))
    await town.hears(wish("d", Bring(text=LINE), Place(channel="D1", thread="1.1", message="1.1", direct=True)))
    await town.hears(wish("c", Bring(text=LINE), alone()))
    assert ["aliases" in one.text for one in town.seen] == [True, False, False]


async def test_the_home_shows_ones_own_open_cases(town: Town) -> None:
    case = await begun(town)
    await town.hears(wish("h", Look(at="home"), Place(direct=True)))
    await town.hears(wish("o", Look(at="home"), Place(direct=True), "U2"))
    assert town.slack.homes[ANN]["own"] == [case]
    assert town.slack.homes["U2"]["own"] == []


async def test_lines_from_the_home_are_answered_directly_and_go_on_there(town: Town) -> None:
    await town.hears(wish("m", Bring(text=LINE), Place(channel=ANN, direct=True)))
    (said,) = town.seen
    assert said.channel == f"D{ANN}"
    await town.hears(wish("t", Bring(text="never"), Place(channel=said.channel, thread=said.ts, message="8.8")))
    assert len(await town.events(Answered)) == 1


async def test_an_outcome_is_written_down_once(town: Town) -> None:
    case = await begun(town)
    place = THREAD.model_copy(update={"message": town.seen[0].ts})
    for key in ("one", "two"):
        await town.hears(wish(key, Ended(case=case, solved=True, cause="no-such-cause", note="n"), place))
    assert await town.events(Outcome) == [Outcome(solved=True, cause=None, note="n")]


async def test_a_workspace_that_came_back_since_loses_nothing(town: Town) -> None:
    case = await begun(town)
    await town.hears(wish("late", Left(at=BACK), Place()))
    assert await town.case() == case
    assert await town.count(SLACK_THREADS) == 1
    await town.hears(wish("now", Left(at=BACK - 1), Place()))
    assert await town.count(SLACK_THREADS) == 0


async def test_a_step_of_a_workflow_gets_its_outputs(town: Town) -> None:
    await town.hears(wish("s", Step(execution="Fx1", text=LINE), Place()))
    ((execution, outputs),) = town.slack.steps
    assert execution == "Fx1"
    assert not isinstance(outputs, str)
    assert outputs["case"] == await town.case()
    assert outputs["cause"] == "unknown"
    assert outputs["link"].endswith(outputs["case"])


def shared(name: str, content: bytes, **more: object) -> tuple[SharedFile, bytes]:
    told = {"name": name, "mimetype": "text/plain", "mode": "hosted", "size": len(content), "url": name}
    return SharedFile(**{**told, **more}), content  # type: ignore[arg-type]


async def test_files_are_read_and_others_are_refused_in_words(town: Town) -> None:
    town.slack.files = {
        "text": shared("a.log", LINE.encode()),
        "gzip": shared("b.gz", gzip.compress(LINE.encode())),
        "bomb": shared("c.gz", gzip.compress(b"0" * 50_000_000)),
        "large": shared("d.log", b"", size=5_000_000),
        "picture": shared("e.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10),
        "torn": shared("f.gz", b"\x1f\x8bxxxx"),
        "far": shared("g.log", b"", mode="external"),
    }
    expected = {
        "text": "case ",
        "gzip": "case ",
        "bomb": "said\nUnpacked, the file is larger",
        "large": "said\nThe file has 5,000,000 bytes",
        "picture": "said\nThe file is no text",
        "torn": "said\nThe .gz file is damaged",
        "far": "said\nThe file is not kept in Slack itself",
        "gone": "said\nThe file could not be read",
    }
    for number, (name, says) in enumerate(expected.items()):
        place = Place(channel=CHANNEL, thread=f"{number}.5", message=f"{number}.5")
        await town.hears(wish(name, Bring(text="", files=(name,)), place))
        assert town.seen[-1].text.startswith(says), name
    place = Place(channel=CHANNEL, thread="99.5", message="99.5")
    await town.hears(wish("with words", Bring(text="ticket 4711, please look", files=("large",)), place))
    assert town.seen[-1].text.startswith(expected["large"])  # and no case is begun with a word of courtesy


async def test_a_greeting_is_answered_by_help(town: Town) -> None:
    await town.hears(wish("hi", Bring(text="hello there")))
    assert [one.text for one in town.seen] == ["help"]
    assert await town.count(CASES) == 0


async def test_too_large_a_paste_is_told_so(town: Town) -> None:
    await town.hears(wish("big", Bring(text="x 1\n" * 25_000)))
    assert "20,000" in town.seen[-1].text


async def test_a_workspace_that_leaves_is_forgotten(town: Town) -> None:
    await begun(town)
    await town.hears(wish("o", Bring(text=LINE), THREAD, "U7", "T2"))
    await town.hears(wish("left", Left(), Place()))
    assert town.gone == [TEAM]
    left = await town.store.read_with(lambda one: one.scalars(select(CASES.c.workspace)))
    assert left.all() == ["T2"]
    for table in (SLACK_INBOX, SLACK_THREADS, SLACK_POSTS, SLACK_SETTINGS):
        assert await town.count(table, table.c.team == TEAM) == 0


async def test_of_a_shared_workspace_only_what_slack_began_is_forgotten(town: Town) -> None:
    town.workspace_of = lambda _: "local"
    await begun(town)
    elsewhere = await town.book.begin("local", [Pasted(paste=LINE)])
    await town.hears(wish("look", Look(at="case", case=elsewhere.kept.summary.id), alone()))
    await town.hears(wish("left", Left(), Place()))
    assert [one.id for one in (await town.store.list("local")).cases] == [elsewhere.kept.summary.id]


# What goes wrong on the way


async def test_a_message_whose_blocks_are_refused_is_posted_in_words(town: Town) -> None:
    town.slack.plan = {"post": [(True, Refused("invalid_blocks"))]}
    await begun(town)
    (said,) = town.seen
    assert not said.blocks


@pytest.mark.parametrize("wrong", [Later(5), Uncertain(answered=True), Uncertain(answered=False)])
@pytest.mark.parametrize("before", [True, False])
async def test_a_post_that_fails_is_made_once(town: Town, before: bool, wrong: Exception) -> None:
    if isinstance(wrong, Later) and not before:
        before = True  # it says that nothing was done
    town.slack.plan = {"post": [(before, wrong)]}
    await begun(town)
    assert len(town.seen) == 1


async def test_a_server_error_where_nobody_can_look_is_tried_again(town: Town) -> None:
    town.slack.readable = False
    town.slack.plan = {"post": [(True, Uncertain(answered=True))]}
    await begun(town)
    assert len(town.seen) == 1


@pytest.mark.parametrize("before", [True, False])
async def test_an_answer_for_one_of_which_nothing_is_known_is_not_sent_again(town: Town, before: bool) -> None:
    town.slack.plan = {"respond": [(before, Uncertain(answered=False))]}
    await town.hears(wish("c", Bring(text=LINE), alone()))
    assert len(town.seen) == (0 if before else 1)
    await town.hears(wish("h", Look(at="home"), Place(direct=True)))
    assert town.slack.homes[ANN]["own"] == [await town.case()]


async def test_an_address_that_is_used_up_is_not_the_end(town: Town) -> None:
    town.slack.plan = {"respond": [(True, Refused("expired_url"))]}
    await town.hears(wish("c", Bring(text=LINE), alone()))
    (said,) = town.seen
    assert said.only == ANN


async def test_without_a_token_it_is_answered_where_the_request_said(town: Town) -> None:
    case = await begun(town)
    town.slack.plan = {"post": [(True, NoToken())], "update": [(True, NoToken())]}
    place = Place(channel="C5", thread="5.5", message="5.5", response_url=f"{HOOK}C5/{ANN}/{town.seen[0].ts}")
    await town.hears(wish("shortcut", Bring(text=OTHER), place))
    assert town.seen[-1].only == ANN
    await town.hears(wish("press", Press(does="why", case=case), place))
    assert town.seen[0].text.startswith("why")
    assert len(town.seen) == 2


async def test_a_message_that_is_gone_is_posted_anew(town: Town) -> None:
    case = await begun(town)
    town.seen.clear()
    await town.hears(wish("p", Press(does="show", case=case)))
    (said,) = town.seen
    assert said.thread == "100.1"


async def test_slack_that_never_answers_is_given_up(town: Town) -> None:
    town.slack.plan = {"post": [(True, Later(1)) for _ in range(500)]}
    await town.inbox.accept(wish("begin", Bring(text=LINE)))
    began = town.clock.time
    while await town.waiting():
        await town.turns().carry_out_due()
        town.clock.time += timedelta(seconds=61)
        assert town.clock.time - began < 2 * LONGEST
    assert town.seen == []
    assert await town.case()


async def test_a_wish_that_always_fails_is_answered_as_our_fault(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def broken(*_: object) -> None:
        tried.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(PlainViews, "case", broken)
    await begun(town)
    assert len(tried) == MOST_FAULTS
    assert [one.text for one in town.seen] == ["fault"]
    assert len(await town.events(Pasted)) == 1


async def test_a_wish_of_another_version_does_not_stop_those_behind_it(town: Town) -> None:
    await town.inbox.accept(wish("old", Bring(text=LINE)))
    broken = SLACK_INBOX.update().values(wish='{"key": "old"}')
    await town.store.write_with(lambda one: one.execute(broken))
    await town.hears(wish("begin", Bring(text=LINE)))
    assert len(town.seen) == 1


# Crashes: at every step of every kind of wish


def _setting(name: str, case: str, ts: str) -> Wish:
    """Give a wish of a kind, in a town where a case was begun whose message is `ts`."""
    button = THREAD.model_copy(update={"message": ts})
    answer = Press(does="answer", case=case, feature="timing.worked", value="never")
    kinds: dict[str, tuple[Act, Place]] = {
        "begin": (Bring(text=OTHER), Place(channel="C2", thread="9.9", message="9.9")),
        "typed": (Bring(text="never"), THREAD),
        "further": (Bring(text=OTHER), THREAD),
        "unclear": (Bring(text="purple"), THREAD),
        "facts": (Bring(text="facts"), THREAD),
        "answer": (answer, button),
        "gone": (answer, THREAD.model_copy(update={"message": "0.0"})),
        "why": (Press(does="why", case=case), button),
        "ended": (Ended(case=case, solved=False), button),
        "home": (Look(at="home"), Place(direct=True)),
        "step": (Step(execution="Fx1", text=OTHER), Place()),
        "command": (Bring(text=OTHER), alone()),
        "export": (Press(does="export", case=case), button.model_copy(update={"response_url": alone(ts).response_url})),
        "share": (Press(does="share", case=case), alone(ts, "C3")),
        "left": (Left(), Place()),
    }
    act, place = kinds[name]
    return wish("the wish", act, place)


KINDS = [
    *("begin", "typed", "further", "unclear", "facts", "answer", "gone", "why", "ended"),
    *("home", "step", "command", "export", "share", "left"),
]
FOR_ONE = {"command", "export"}
"""What nobody can look up: it comes once or, if the process ends just then, not at all."""


async def picture_of(town: Town) -> tuple[object, ...]:
    """Give what is there at the end, without ids and times."""
    rows = await town.store.read_with(lambda one: one.execute(select(EVENTS.c.kind, EVENTS.c.number)))
    events = sorted((row.kind, row.number) for row in rows)
    shown = [(one.channel, one.thread, one.only, one.text.split()[0]) for one in town.seen]
    home = {user: len(view["own"]) for user, view in town.slack.homes.items()}
    kept = [await town.count(table) > 0 for table in (SLACK_INBOX, SLACK_THREADS, SLACK_POSTS)]
    return events, shown, home, [execution for execution, _ in town.slack.steps], kept, set(town.gone)


async def begin_again(town: Town, name: str) -> Wish:
    case = await begun(town)
    found = _setting(name, case, town.seen[0].ts)
    if name == "share":
        found = found.model_copy(update={"place": alone(town.seen[0].ts, "C3")})
    return found


@pytest.mark.parametrize("name", KINDS)
async def test_a_process_killed_between_any_two_steps_leaves_nothing_undone_or_done_twice(
    name: str, tmp_path: Path, expert: Expert
) -> None:
    expected, at, ends = None, -1, False
    while not ends:
        clock = Clock()
        async with Store.open(f"sqlite:///{tmp_path / f'{at}.sqlite3'}", clock) as store:
            await store.migrate()
            town = Town(store, clock, expert)
            the_wish = await begin_again(town, name)
            town.steps.clear()
            town.killed_at = at
            await town.inbox.accept(the_wish)
            try:
                await town.turns().carry_out_due()
                ends = at >= 0
                assert not ends or at == len(town.steps), "each step was killed once"
            except Killed:
                clock.time += LEASE + timedelta(seconds=1)
                if name != "left":  # nothing is known any longer of what came before
                    await town.inbox.accept(the_wish)
                await town.goes_on()
            found = await picture_of(town)
            if expected is None:
                expected = found
            elif name in FOR_ONE and at < len(town.steps) and town.steps[at] == "marked":
                assert found[0] == expected[0], "no answer is lost, and none is doubled"
                assert len(town.seen) <= 2
            else:
                assert found == expected, f"killed at {town.steps[at : at + 1]}"
            assert not await town.waiting()
        at += 1


# Several processes, and deliveries that come again and in any order


async def working(town: Town, turns: list[Turns]) -> None:
    """Let processes work at the same time until nothing waits."""
    async with asyncio.timeout(60):
        while await town.waiting():
            await asyncio.gather(*(one.carry_out_due() for one in turns))


@pytest.mark.parametrize("seed", range(3))
async def test_deliveries_thrice_in_any_order_to_several_processes_are_answered_once(town: Town, seed: int) -> None:
    places = [Place(channel=f"C{n}", thread=f"{n}.1", message=f"{n}.1") for n in range(6)]
    begin = [wish(f"begin {n}", Bring(text=LINE), place) for n, place in enumerate(places)]
    typed = [wish(f"typed {n}", Bring(text="never"), place) for n, place in enumerate(places)]
    for one in begin:
        await town.inbox.accept(one)
    again = [*begin, *typed] * 3
    random.Random(seed).shuffle(again)  # noqa: S311
    processes = [town.turns() for _ in range(3)]
    at_work = asyncio.create_task(working(town, processes))
    await asyncio.gather(*(town.inbox.accept(one) for one in again))
    await at_work
    await working(town, processes)
    assert sorted(one.channel for one in town.seen) == sorted(place.channel for place in places for _ in range(2))
    assert await town.count(CASES) == len(places)
    assert await town.count(EVENTS, EVENTS.c.kind == "answered") == len(places)


async def test_what_came_is_begun_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.turns.POLL_S", 3600.0)
    running = asyncio.create_task(town.turns_of(town.inbox).run())
    await town.inbox.accept(wish("wakes it", Look(at="home"), Place(direct=True)))
    async with asyncio.timeout(10):
        await town.stepped.wait()
    town.stepped.clear()
    await town.inbox.accept(wish("begin", Bring(text=LINE)))
    async with asyncio.timeout(10):
        await town.stepped.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(town.seen) == 1, "what is under way is finished"


async def test_what_is_under_way_when_a_process_ends_is_left_to_others_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.turns._LEAVING_S", 0.01)
    reached, hold = asyncio.Event(), asyncio.Event()
    post = town.slack.post

    async def slow(*told: Any) -> tuple[str, str]:
        reached.set()
        await hold.wait()
        return await post(*told)

    monkeypatch.setattr(town.slack, "post", slow)
    await town.inbox.accept(wish("begin", Bring(text=LINE)))
    running = asyncio.create_task(town.turns().run())
    async with asyncio.timeout(10):
        await reached.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    hold.set()
    await town.turns().carry_out_due()  # the clock stands still: no lease ran out
    assert len(town.seen) == 1


async def test_short_lines_do_not_wait_for_the_files_of_others(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    hold = asyncio.Event()

    async def slow(_: str, file: str) -> Any:
        begun.append(file)
        await hold.wait()
        raise Refused("file_not_found")

    monkeypatch.setattr(town.slack, "file", slow)
    files = MOST_AT_ONCE + 2
    for number in range(files):
        place = Place(channel=f"C{number}", thread="1.1")
        await town.inbox.accept(wish(f"file {number}", Bring(text="", files=(f"F{number}",)), place))
    await town.inbox.accept(wish("line", Bring(text=LINE)))
    running = asyncio.create_task(town.turns_of(town.inbox).run())
    await town.reaches(lambda: len(town.seen) == 1)
    assert len(begun) == MOST_LONG, "not all of them at once either"
    hold.set()
    await town.reaches(lambda: len(town.seen) == files + 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(begun) == files
