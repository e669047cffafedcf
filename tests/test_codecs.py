"""Codecs take lines apart as their formats say, keep what is there of broken ones, and never fail."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.model import Dialect
from rules.clean import clean
from rules.codecs import Raw, decode
from rules.read import read
from tests.shipped import shipped_shelf

SHELF = shipped_shelf()
SAMPLES = [sample.line for dialect in SHELF.dialects.values() for sample in dialect.samples]


def _dialect(codec: str, **more: object) -> Dialect:
    sources = [{"line": "x", "event": "irrelevant"}]
    stated = {"title": "t", "product": "p", "recognise": ".*", "lines": [{"event": "other"}], "sources": ["house"]}
    return Dialect.model_validate({"codec": codec, "samples": sources, **stated, **more})


def _read(codec: str, line: str, **more: object) -> Raw:
    found = decode(_dialect(codec, **more), line)
    assert found is not None
    return found


def test_cef_values_may_hold_spaces_and_escaped_signs() -> None:
    found = _read("cef", r"CEF:0|A\|B|P|1|7|name with \| bar|3|src=192.0.2.1 msg=a\=b c\\d  e spt=1 rule=")
    assert found["cef.vendor"] == "A|B"
    assert found["cef.name"] == "name with | bar"
    assert found["msg"] == r"a=b c\d  e"
    assert (found["spt"], found["rule"]) == ("1", "")


def test_cef_custom_fields_are_known_by_their_labels_in_either_order() -> None:
    found = _read("cef", "CEF: 0|V|P|1|7|n|3|cs1Label=Rule Name cs1=out cn1=7 cn1Label=SessionID")
    assert (found["Rule Name"], found["SessionID"]) == ("out", "7")


def test_cef_without_an_extension_still_has_its_header() -> None:
    assert _read("cef", "host CEF:0|V|P|1|7|n|3")["cef.signature"] == "7"


@pytest.mark.parametrize("line", ["CEF:0|V|P|1|7", "CEF:", "CEF:0", "no cef", "CEF:x|||||||"])
def test_cef_that_breaks_off_in_its_header_is_not_read(line: str) -> None:
    assert decode(_dialect("cef"), line) is None


@pytest.mark.parametrize(
    "line",
    [
        "LEEF:1.0|V|P|1|7|src=192.0.2.1\tmsg=a b\tspt=1",
        "LEEF:1.0|V|P|1|7|src=192.0.2.1|msg=a b|spt=1",
        "LEEF:1.0|V|P|1|7|src=192.0.2.1\\tmsg=a b\\tspt=1",
        "LEEF:1.0|V|P|1|7|src=192.0.2.1 msg=a b spt=1",
        "LEEF:2.0|V|P|1|7|^|src=192.0.2.1^msg=a b^spt=1",
        "LEEF:2.0|V|P|1|7|x7C|src=192.0.2.1|msg=a b|spt=1",
        "LEEF:2.0|V|P|1|7|0x09|src=192.0.2.1\tmsg=a b\tspt=1",
        "LEEF:2.0|V|P|1|7|x09|src=192.0.2.1 msg=a b spt=1",
        "LEEF:2.0|V|P|1|7| |src=192.0.2.1 msg=a b spt=1",
        "LEEF:2.0|V|P|1|7|||src=192.0.2.1|msg=a b|spt=1",
        "LEEF:2.0|V|P|1|7|src=192.0.2.1\tmsg=a b\tspt=1",
        "LEEF:2.0|V|P|1|7|zz|src=192.0.2.1\tmsg=a b\tspt=1",
    ],
)
def test_leef_is_read_whatever_divides_it(line: str) -> None:
    found = _read("leef", line)
    assert (found["leef.event"], found["src"], found["msg"], found["spt"]) == ("7", "192.0.2.1", "a b", "1")


@pytest.mark.parametrize("line", ["LEEF:1.0|V|P|1", "LEEF:", "no leef"])
def test_leef_that_breaks_off_in_its_header_is_not_read(line: str) -> None:
    assert decode(_dialect("leef"), line) is None


def test_csv_keeps_commas_inside_quotes_and_lacks_what_is_not_there() -> None:
    columns = {"first": 0, "second": 1, "ninth": 9}
    assert _read("csv", 'a,"b, ""c""", d', columns=columns) == {"first": "a", "second": 'b, "c"'}


def test_csv_begins_where_the_recogniser_says() -> None:
    found = _read("csv", "Mar 3 fw 1,x,y", recognise=r"(?P<row>\d,.*)", columns={"zero": 0, "two": 2})
    assert (found["zero"], found["two"]) == ("1", "y")


def test_pairs_take_quoted_values_whole_and_the_first_of_two() -> None:
    found = _read("pairs", r'<189>a=1 b="x y" c="say \"no\"" d= e=2 a=3 "f"=4 g="open')
    assert (found["a"], found["b"], found["c"], found["d"], found["e"]) == ("1", "x y", 'say "no"', "", "2")
    assert found["g"] == ""


def test_pairs_may_be_written_in_a_way_of_their_own() -> None:
    own = r'(?P<key>\w+):"(?P<value>[^"]*)"'
    assert _read("pairs", 'x [a:"1"; b:"2 3"]', pair=own) == {"a": "1", "b": "2 3"}


def test_json_is_flattened_to_paths() -> None:
    found = _read("json", 'prefix {"a": {"b": 1, "c": true}, "d": null, "e": [1], "f": 1.5, "g": "x"} rest')
    assert found == {"a.b": "1", "a.c": "true", "e.0": "1", "f": "1.5", "g": "x"}


@pytest.mark.parametrize("line", ["{", "{}", "[1]", "no json", '{"a": }', "{" * 5000, "[" * 5000, '{"a":' * 5000])
def test_json_that_is_none_is_not_read(line: str) -> None:
    assert decode(_dialect("json"), line) is None


def test_groups_of_the_recogniser_are_raw_names_too() -> None:
    found = _read("pairs", "fw7 a=1", recognise=r"(?P<device>\w+) a=")
    assert found == {"device": "fw7", "a": "1"}


def test_a_pattern_list_gives_the_first_that_matches() -> None:
    patterns = [r"x (?P<one>\d+)", r"(?P<two>\d+)"]
    assert _read("regex", "a 5 x 7", patterns=patterns) == {"one": "7"}
    assert _read("regex", "a 5", patterns=patterns) == {"two": "5"}
    assert decode(_dialect("regex", patterns=patterns), "a") is None


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("on 443 after an hour", "port", "443"),
        ("port 1433", "port", "1433"),
        ("tcp/8443", "port", "8443"),
        ("8443/tcp", "port", "8443"),
        ("192.0.2.1:1000 -> 198.51.100.2:443", "dst_port", "443"),
        ("from [2001:db8::1] to 2001:db8::2", "dst", "2001:db8::2"),
        ("idle for 30 minutes", "idle_s", "30 minutes"),
        ("after about an hour", "duration", "an hour"),
        ("[SA]", "flags", "SA"),
        ("tcp_flags: FIN-ACK", "flags", "FIN-ACK"),
        ("flags PSH ACK", "flags", "PSH ACK"),
        ("TCP:SA", "flags", "SA"),
        ("every 5 minutes", "period", "5 minutes"),
        ("from 192.0.2.1 port 49152 to 198.51.100.2 port 443", "src_port", "49152"),
        ("from 192.0.2.1 port 49152 to 198.51.100.2 port 443", "dst_port", "443"),
        ("198.51.100.2:443 from 192.0.2.1:49152", "dst_port", "443"),
        ("198.51.100.2:443 <- 192.0.2.1:49152", "src_port", "49152"),
        ("Source Port: 49152; Destination Port: 443", "src_port", "49152"),
        ("sport=49152 dport=443", "dst_port", "443"),
        ("s_port 49152 service 1521", "dst_port", "1521"),
        ("2001:db8::1.49152 > 2001:db8::2.443:", "src_port", "49152"),
        ("2001:db8::1:49152 to [2001:db8::2]:443", "src", "2001:db8::1"),
        ("2001:db8:10:15:54::1", "src", "2001:db8:10:15:54::1"),
        ("db1.example.com:1521", "src", "db1.example.com"),
        ("[SYN ACK] on port 443", "src_port", "443"),
        ("up for 2 hours, idle for 5 minutes", "idle_s", "5 minutes"),
        ("up for 2 hours, idle for 5 minutes", "duration", "2 hours"),
        ("after 30 minutes idle", "idle_s", "30 minutes"),
        ("RST on 443 every time", "port", "443"),
        ("after a failover", "failover", "after a failover"),
        ("behind an F5", "load_balancer", "behind an F5"),
    ],
)
def test_words_give_up_what_they_hold(text: str, name: str, value: str) -> None:
    assert _read("words", text)[name] == value


@pytest.mark.parametrize(
    "text", ["on 192.0.2.1", "on 3 firewalls", "to 5 servers", "at 10:15:54", "flags are odd", "5 months"]
)
def test_words_are_not_taken_for_what_they_are_not(text: str) -> None:
    found = _read("words", text)
    assert not {"port", "flags", "spoken"} & set(found)


@pytest.mark.parametrize(
    "text",
    [
        "ports 443 and 8443",
        "port 49152 -> 443",
        "ports 443, 8443",
        "from 192.0.2.1 on port 443",
        "at 10:15, rule:443, 192.0.2.0/24",
        "192.0.2.9/24",
        "the service 30 times",
        "the server's port changed",
    ],
)
def test_a_port_in_doubt_is_none(text: str) -> None:
    found = _read("words", text)
    assert not {"port", "src_port", "dst_port"} & set(found)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("immediately after the login", "at_once"),
        ("right after the SYN/ACK", "syn"),
        ("after the server reboot", "restart"),
        ("after the reboot of the server", "restart"),
        ("after the restart on the database host", "restart"),
        ("after an hour every time", "never_works"),
        ("every time after a failover", "never_works"),
        ("not always", "never_works"),
        ("from a fortigate to a sophos", "product.fortigate"),
        ("slow under load", "under_load"),
        ("every time we send a file", "never_works"),
        ("not behind a load balancer", "load_balancer"),
        ("it doesn't come after a failover", "failover"),
        ("after the commit of a transaction", "commit"),
    ],
)
def test_circumstances_are_not_taken_for_what_they_are_not(text: str, name: str) -> None:
    assert name not in _read("words", text)


def test_circumstances_that_a_dialect_makes_nothing_of_are_given_back() -> None:
    assert _read("words", "out of state, right after the SYN")["not understood"] == "out state, right after the SYN"
    facts = [{"when": {"syn": ".+"}, "facts": {"reset.phase": "answer-to-syn"}, "because": "b"}]
    assert _read("words", "out of state, right after the SYN", facts=facts)["not understood"] == "out state,"


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if "LEEF" not in one and "  " not in one and "\t" not in one]
)
def test_blanks_may_have_become_tabs(sample: str) -> None:
    for dialect in SHELF.dialects.values():
        if dialect.codec not in ("leef", "table", "words"):
            assert decode(dialect, sample.replace(" ", "\t")) == decode(dialect, sample)


def test_words_left_over_are_given_back() -> None:
    assert _read("words", "RST on 443 every day, strange")["not understood"] == "RST strange every day"


def test_what_chats_did_to_a_line_is_undone() -> None:
    assert clean("a &lt;b&gt; &amp; \u201cc\u201d \u2019d") == 'a <b> & "c" \'d'
    assert clean("x?a=1&copy=2&reg") == "x?a=1&copy=2&reg"
    assert clean("a&#10;b\x01c\ud800\x00") == "a b\ufffdc?"


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_or_reported(text: str) -> None:
    reading = read(text, SHELF)
    assert len(reading.lines) + len(reading.unread) >= len(
        [one for one in io.StringIO(text, newline=None) if clean(one).strip("`> \t")]
    )


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_line_cut_anywhere_is_read_or_reported(line: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(line)))
    read(line[:cut], SHELF)
    read(line[cut:], SHELF)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SAMPLES), st.text(max_size=20), st.data())
def test_a_line_with_anything_in_the_middle_is_read_or_reported(line: str, put: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(line)))
    read(line[:place] + put + line[place:], SHELF)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*"|=,;\"'\\[]{}<>:. \tA1", "CEF:0|", "LEEF:2.0|", "%ASA-6-302014: "]), max_size=200))
def test_a_heap_of_signs_is_read_or_reported(signs: list[str]) -> None:
    for dialect in SHELF.dialects.values():
        decode(dialect, "".join(signs))


@pytest.mark.parametrize(
    "unit", ["a=", 'a="', "|", "\\|", "a b=", "1,", "x: y; ", "192.0.2.1 ", "SYN ", "[", '{"a":', "\t="]
)
def test_the_longest_line_of_one_sign_is_read_or_reported(unit: str) -> None:
    line = (unit * 65_536)[:65_536]
    for dialect in SHELF.dialects.values():
        decode(dialect, line)
