"""What Slack tells becomes what was meant, and a line arrives as it was pasted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import hearing
from bot.slack.buttons import ButtonValue
from bot.slack.heard_words import as_pasted, words_of
from bot.slack.modals import CAUSE, FILES, NOTE, OUTCOME, PASTE, PRODUCT, SOLVED, TEXT, TYPE
from bot.slack.wishes import Bring, Ended, Left, Look, Place, Press, Step
from tests.slack.our_app import CASE_ID, parse
from tests.slack.payloads import as_message, escaped
from tests.slack.shapes import Fields

ASA = (
    "<166>Nov 21 03:12:44 fw.example.com %ASA-6-106015: Deny TCP (no connection) from 192.0.2.1/443 to 192.0.2.7/51515"
)
FORTIGATE = (
    'date=2026-11-21 time=03:12:44 devname="FG-1" msg="no session matched" srcip=192.0.2.10 srcport=443 '
    'hostname="shop.example.com" url="https://shop.example.com/a?b=1&c=<2>" action="deny"'
)
CSV = '1,2026/11/21 03:12:44,0011C1,TRAFFIC,drop,"Doe, <jane@example.com>",192.0.2.10,192.0.2.7,"a ""b"" & c",non-syn'
PASTES = {"ASA": ASA, "FortiGate": FORTIGATE, "CSV": CSV, "escaped twice": "x &lt;134&gt; &amp;amp; y"}


@pytest.mark.parametrize("name", PASTES)
@pytest.mark.parametrize("around", ["{}", "look at this:\n{}\nwhat is it?", "```{}```", "```\n{}\n```", "`{}`"])
def test_a_line_arrives_as_it_was_pasted(name: str, around: str) -> None:
    line = PASTES[name]
    heard = as_pasted(as_message(around.format(line)))
    assert line in heard.splitlines()
    assert "`" not in heard


@given(st.text(st.sampled_from("<>&;:/|@#!=, \nabltgmp.com"), max_size=60))
def test_whatever_is_only_escaped_arrives_as_it_was_typed(text: str) -> None:
    quoted = any(line.startswith("> ") for line in text.splitlines())  # so Slack writes a quotation
    assert quoted or as_pasted(escaped(text)) == text


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("<http://fw.example.com|fw.example.com>/24", "fw.example.com/24"),
        ("<https://a.example/x?y=1&amp;z=2>", "https://a.example/x?y=1&z=2"),
        ("<mailto:jane@example.com|jane@example.com>", "jane@example.com"),
        ("<mailto:jane@example.com>", "jane@example.com"),
        ("<tel:5551234567|555-123-4567>", "555-123-4567"),
        ("port <tel:4915112345678>", "port 4915112345678"),
        ("<@U1> <@U2> <@U3|joe>", " @U2 @joe"),
        (
            "<#C1|ops> <!here> <!channel> <!subteam^S1|@net> <!date^1392734382^{date}|21 Nov>",
            "#ops @here @channel @net 21 Nov",
        ),
        ("<134>1 2026 <ns:tag> <Nov 21> &lt;b&gt;", "<134>1 2026 <ns:tag> <Nov 21> <b>"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),
        ("&gt; one\n&gt; two", "one\ntwo"),
        ("a\n```x\ny```\nb", "a\nx\ny\nb"),
        ("a ```x``` b ```y```", "a \nx\n b \ny"),
        ("srcip=“192.0.2.1” msg=”x”,“y” he said “no”", 'srcip="192.0.2.1" msg="x","y" he said “no”'),
        ("```srcip=“x”```", "srcip=“x”"),
        ("a \u202e b 🔥 :fire:", "a \u202e b 🔥 :fire:"),
    ],
)
def test_what_slack_made_of_it_is_undone(told: str, meant: str) -> None:
    assert as_pasted(told, "U1") == meant


def test_an_alert_of_another_program_is_read_wherever_it_keeps_its_words() -> None:
    line = "a &lt;b&gt; &amp; c"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": line}, "fields": [{"type": "mrkdwn", "text": "d"}]}
    rich = [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a <b> & c"}]}]
    assert words_of({"text": line, "blocks": [section]}) == "a <b> & c"
    assert words_of({"text": "", "blocks": [section, {"type": "divider"}]}) == "a <b> & c\nd"
    assert words_of({"text": "", "blocks": [{"type": "rich_text", "elements": rich}]}) == "a <b> & c"
    assert words_of({"text": "", "attachments": [{"text": line, "fallback": "other"}]}) == "a <b> & c"
    assert (
        words_of({"text": "see", "attachments": [{"fallback": line, "fields": [{"value": "d"}]}]})
        == "see\na <b> & c\nd"
    )


def body(event: Fields, **more: Any) -> Fields:
    authorized = {"team_id": "T1", "enterprise_id": None, "user_id": "U0BOT", "is_bot": True}
    return {
        "type": "event_callback",
        "team_id": "T9",
        "event_id": "Ev1",
        "authorizations": [authorized],
        "event": event,
        **more,
    }


def message(text: str, **more: Any) -> Fields:
    return {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": "1.1", "text": text, **more}


def mention(text: str, **more: Any) -> Fields:
    return {"type": "app_mention", "channel": "C1", "user": "U1", "ts": "1.1", "text": text, **more}


def test_a_mention_is_answered_in_its_thread() -> None:
    wish = hearing.event(body(mention("<@U0BOT> Deny TCP")))
    assert wish
    assert (wish.key, wish.team, wish.user) == ("Ev1", "T1", "U1")
    assert wish.place == Place(channel="C1", thread="1.1", message="1.1")
    assert wish.act == Bring(text=" Deny TCP")
    further = hearing.event(body(mention("<@U0BOT> yes", thread_ts="0.9")))
    assert further
    assert (further.place.thread, further.place.message) == ("0.9", "1.1")
    assert further.lane == "T1 C1 0.9"


def test_our_own_name_is_known_where_the_event_does_not_tell_it() -> None:
    event = {name: told for name, told in body(mention("<@U0BOT> Deny TCP")).items() if name != "authorizations"}
    wish, own = hearing.event(event, "U0BOT"), hearing.event({**event, "event": mention("x", user="U0BOT")}, "U0BOT")
    assert wish
    assert wish.act == Bring(text=" Deny TCP")
    assert own is None


def test_a_direct_message_is_known_by_its_channel_where_its_kind_is_not_told() -> None:
    told = {name: value for name, value in message("x").items() if name != "channel_type"}
    assert hearing.event(body(told))
    assert hearing.event(body({**told, "channel": "C1"})) is None


def test_a_direct_message_with_a_file_is_heard() -> None:
    wish = hearing.event(body(message("", subtype="file_share", files=[{"id": "F1"}, {"id": "F2"}])))
    assert wish
    assert wish.place == Place(channel="D1", thread="1.1", message="1.1", direct=True)
    assert wish.act == Bring(text="", files=("F1", "F2"))


@pytest.mark.parametrize(
    "event",
    [
        message("x", bot_id="B1"),
        message("x", bot_id="B2", user="U2"),
        message("x", user="U0BOT"),
        message("x", subtype="message_changed", message={"user": "U1", "text": "x"}),
        message("x", subtype="message_deleted"),
        message("x", subtype="bot_message"),
        message("x", subtype="channel_join"),
        message("x", hidden=True),
        message("  "),
        message("x", channel_type="channel", channel="C1"),
        {**message("x"), "user": None},
        mention("<@U0BOT> x", bot_id="B1"),
        mention("<@U0BOT> x", edited={"user": "U1", "ts": "2.0"}),
        mention("<@U0BOT> x", channel="D1"),
        {"type": "app_home_opened", "user": "U1", "tab": "messages"},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}},
        {"type": "function_executed", "function": {"callback_id": "another"}, "function_execution_id": "Fx1"},
        {"type": "reaction_added"},
    ],
)
def test_what_is_not_for_us_is_nothing(event: Fields) -> None:
    assert hearing.event(body(event)) is None


def test_a_mention_alone_asks_for_help() -> None:
    wish = hearing.event(body(mention("<@U0BOT>")))
    assert wish
    assert wish.act == Look(at="help")


@pytest.mark.parametrize("text", ["help", " Help ", "?", "--help"])
def test_help_is_heard_at_every_door(text: str) -> None:
    command = hearing.command({"trigger_id": "1.2.a", "team_id": "T1", "user_id": "U1", "text": text})
    written = hearing.event(body(message(text)))
    assert command
    assert written
    assert command.act == written.act == Look(at="help")


def test_a_case_is_asked_for_by_its_id_and_by_nothing_else() -> None:
    def act(text: str) -> object:
        wish = hearing.command({"trigger_id": "1", "team_id": "T1", "user_id": "U1", "text": text})
        assert wish
        return wish.act

    name = "abcdefghijklmnopqrstuvwxy2"
    assert act(f"case {name}") == Look(at="case", case=name)
    assert act(f"CASE {name.upper()}") == Look(at="case", case=name)
    assert act("status") == Look(at="status")
    for other in ("case closed by the server", f"case {name} x", "case ../../etc", "status of 192.0.2.1"):
        assert act(other) == Bring(text=other)


def test_the_command_is_answered_to_its_asker() -> None:
    fields = {"trigger_id": "1.2.a", "team_id": "T1", "user_id": "U1", "channel_id": "C1"}
    wish = hearing.command({**fields, "text": "a &lt;b", "response_url": "https://hooks.example/1"})
    assert wish
    assert (wish.key, wish.team, wish.user) == ("command:1.2.a", "T1", "U1")
    assert wish.place == Place(channel="C1", response_url="https://hooks.example/1")
    assert wish.act == Bring(text="a <b")
    assert hearing.command({**fields, "text": " \n"}) is None


def interaction(**more: Any) -> Fields:
    return {"team": {"id": "T1"}, "user": {"id": "U1", "team_id": "T1"}, "trigger_id": "1", **more}


def pressing(value: str, **more: Any) -> tuple[Fields, Fields]:
    container = {"type": "message", "message_ts": "2.2", "channel_id": "C1", "is_ephemeral": False}
    action = {"type": "button", "action_id": "whydrop:answer:1", "action_ts": "3.3", "value": value}
    return interaction(container={**container, **more}, response_url="https://hooks.example/1"), action


def test_a_button_is_heard_with_its_place() -> None:
    told = ButtonValue(does="answer", case=CASE_ID, version=3, feature="f", value=True)
    for more, thread in (({"thread_ts": "1.1"}, "1.1"), ({}, "2.2"), ({"is_ephemeral": True, "thread_ts": "1.1"}, "")):
        wish = hearing.press(*pressing(told.text, **more))
        assert wish.key == "T1:U1:3.3:whydrop:answer:1"
        assert (wish.place.channel, wish.place.thread, wish.place.message) == ("C1", thread, "2.2")
        assert wish.act == told.press()


def test_a_choice_in_a_menu_is_heard_as_a_button_is() -> None:
    where, action = pressing("")
    chosen = {**action, "value": None, "selected_option": {"value": ButtonValue(does="why").text}}
    assert hearing.press(where, chosen).act == Press(does="why")


@pytest.mark.parametrize("value", ["", "x", "[]", "null", '{"does": 1}', "{" * 5000, "\ud800"])
def test_a_button_that_is_not_ours_says_so(value: str) -> None:
    assert hearing.press(*pressing(value)).act == Press(does=hearing.UNREADABLE)


def test_a_button_of_the_home_is_answered_directly() -> None:
    where = interaction(container={"type": "view", "view_id": "V1"}, view={"id": "V1"})
    assert hearing.place_of_action(where) == Place(channel="U1", direct=True)


def submitted(callback: str, private: hearing.Private, values: Fields) -> Fields:
    view = {"id": "V1", "hash": "h", "callback_id": callback, "private_metadata": private.model_dump_json()}
    return interaction(type="view_submission", view={**view, "state": {"values": values}})


def test_a_modal_gives_its_lines_as_they_are() -> None:
    private = hearing.Private(place=Place(channel="C1", response_url="https://hooks.example/1"))
    product = {PRODUCT: {"type": "static_select", "selected_option": {"value": "cisco-asa"}}}
    values = {TEXT: {TEXT: {"type": "plain_text_input", "value": "a &lt;b&gt; <c>"}}, PRODUCT: product}
    wish = hearing.submission(submitted(PASTE, private, values), parse)
    assert not isinstance(wish, dict)
    assert (wish.key, wish.place) == ("T1:U1:V1:h", private.place)  # type: ignore[union-attr]
    assert wish.act == Bring(text="a &lt;b&gt; <c>", product="cisco-asa")  # type: ignore[union-attr]


def test_an_empty_modal_is_told_what_is_missing_and_files_alone_are_enough() -> None:
    private = hearing.Private(place=Place())
    empty = {TEXT: {TEXT: {"value": " "}}, FILES: {FILES: {"type": "file_input", "files": []}}}
    assert hearing.submission(submitted(PASTE, private, empty), parse) == {TEXT: hearing.EMPTY}
    added = {**empty, FILES: {FILES: {"type": "file_input", "files": [{"id": "F1"}]}}}
    wish = hearing.submission(submitted(PASTE, private, added), parse)
    assert wish.act == Bring(text=" ", files=("F1",))  # type: ignore[union-attr]


def test_the_end_of_a_case_is_heard() -> None:
    private = hearing.Private(place=Place(channel="C1"), press=Press(does="ended", case="c"))
    values = {CAUSE: {CAUSE: {"selected_option": {"value": "idle-timeout"}}}, NOTE: {NOTE: {"value": "x"}}}
    wish = hearing.submission(submitted(OUTCOME, private, values), parse)
    assert wish.act == Ended(case="c", solved=True, cause="idle-timeout", note="x")  # type: ignore[union-attr]
    unsolved = {**values, SOLVED: {SOLVED: {"selected_option": {"value": "unsolved"}}}}
    wish = hearing.submission(submitted(OUTCOME, private, unsolved), parse)
    assert wish.act == Ended(case="c", solved=False, note="x")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("feature", "chosen", "text", "value"),
    [
        ("timing.idle_s", False, " about an hour ", 3600.0),
        ("timing.idle_s", False, "3605s", 3605.0),
        ("timing.idle_s", False, "I don’t know", None),
        ("packet.flags", True, "SA", "SA"),
        ("packet.flags", True, "unknown", None),
    ],
)
def test_an_answer_in_a_modal_is_read(feature: str, chosen: bool, text: str, value: object) -> None:
    opened = Press(does="type", case="c", version=2, feature=feature)
    entry = {"selected_option": {"value": text}} if chosen else {"value": text}
    told = submitted(TYPE, hearing.Private(place=Place(), press=opened), {TEXT: {TEXT: entry}})
    wish = hearing.submission(told, parse)
    assert wish.act == opened.model_copy(update={"does": "answer", "value": value})  # type: ignore[union-attr]


@pytest.mark.parametrize("private", ["", "x", "[]", '{"place": 1}'])
def test_a_modal_that_is_not_ours_is_refused(private: str) -> None:
    view = {"id": "V1", "hash": "h", "callback_id": PASTE, "private_metadata": private}
    with pytest.raises(ValueError, match="Private"):
        hearing.submission(interaction(view=view), parse)


def test_the_shortcut_takes_the_message_and_its_thread() -> None:
    told = {"user": "U2", "bot_id": "B1", "ts": "1.5", "thread_ts": "1.1", "text": "a &gt; b", "files": [{"id": "F1"}]}
    used = interaction(
        channel={"id": "C1"}, message_ts="1.5", action_ts="3.3", callback_id="diagnose_message", message=told
    )
    wish = hearing.shortcut(used)
    assert wish
    assert (wish.key, wish.user) == ("T1:U1:3.3:diagnose_message", "U1")
    assert wish.place == Place(channel="C1", thread="1.1", message="1.5")
    assert wish.act == Bring(text="a > b", files=("F1",))


def test_the_home_the_end_and_a_workflow_are_heard() -> None:
    home = hearing.event(body({"type": "app_home_opened", "user": "U1", "tab": "home"}))
    assert home
    assert (home.user, home.act) == ("U1", Look(at="home"))
    for event in ({"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}):
        left = hearing.event(body(event))
        assert left
        assert (left.team, left.act) == ("T1", Left())
        late = hearing.event({**body(event), "event_time": 1_700_000_000})
        assert late
        assert late.act == Left(at=1_700_000_000)
    function = {"callback_id": hearing.FUNCTION}
    inputs = {"log": "a", "product": ""}
    step = hearing.event(
        body({"type": "function_executed", "function": function, "inputs": inputs, "function_execution_id": "Fx1"})
    )
    assert step
    assert step.act == Step(execution="Fx1", text="a")


def test_a_key_is_one_that_every_table_takes() -> None:
    strange = hearing.event(body(message("x"), event_id="Ev 1\n" + "x" * 500))
    assert strange
    assert strange.key.isascii()
    assert len(strange.key) == 64
