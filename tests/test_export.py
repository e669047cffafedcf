"""A case in a ticket: complete, in order, and nothing in it but text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.case_events import Answered, CaseEvent, Concluded, KeptCase, Numbered, Outcome, Pasted, Summary, Withdrawn
from bot.casebook import Consulted
from bot.export import as_json, markdown
from bot.wording import page
from rules.case import KnowledgeStamp
from rules.diagnose import Expert
from tests.test_markdown import PAYLOADS, REFERS, tokens

LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK "
    "on interface outside"
)
BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASTED = Pasted(paste=LINE)
SETTLED: Sequence[CaseEvent] = [
    PASTED,
    Answered(feature="handshake.syn_seen", value=False),
    Answered(feature="timing.worked", value="never"),
]


def consulted(expert: Expert, *events: CaseEvent) -> Consulted:
    numbered = tuple(Numbered(n, BEGUN + timedelta(minutes=n), event) for n, event in enumerate(events, start=1))
    summary = Summary("a" * 26, 0, BEGUN, BEGUN).after(events, None, numbered[-1].at)
    kept = KeptCase(summary, numbered)
    return Consulted(kept, expert.diagnose(kept.case))


def written(expert: Expert, *events: CaseEvent, link: str | None = None) -> str:
    return markdown(consulted(expert, *events), expert.shelf, link)


def fences(text: str) -> list[str]:
    return [one.content for one in tokens(text) if one.type == "fence"]


def test_a_concluded_case_has_every_part_in_order(expert: Expert) -> None:
    text = written(expert, *SETTLED)
    parts = [
        "# Asymmetric routing (established, over 99 %)",
        "## What was pasted",
        "## What was understood",
        "## What happened",
        "## What is known",
        "## Answers",
        "## Reasoning",
        "### Causes",
        "### What it means",
        "### For “Asymmetric routing”",
        "### What would refute it",
        "### Disputed",
        "## Next steps",
        "### 1. ",
        "Undo: ",
        "## Sources",
    ]
    places = [text.index(f"\n{part}" if part != "Undo: " else part) if part[0:2] != "# " else 0 for part in parts]
    assert places == sorted(places)
    assert "(seen in the log, line 1)" in text
    assert "(you said)" in text


def test_all_that_the_page_says_is_in_it(expert: Expert) -> None:
    case = consulted(expert, *SETTLED)
    words, text = page(case.diagnosis, expert.shelf), markdown(case, expert.shelf)
    said = "".join(one.content for one in tokens(text) if one.type in ("text", "code_inline", "fence"))
    squeezed = "".join(said.split()).replace("`", "")
    for line in (*words.facts, *words.reasons_for, *words.disputed, words.refuted_by, *words.understood):
        assert "".join(line.split()) in squeezed
    for step in words.steps:
        for line in (step.title, *step.notes, step.command or "", step.reading):
            assert "".join(line.split()).replace("`", "") in squeezed


def test_commands_and_the_picture_stand_in_code_blocks(expert: Expert) -> None:
    blocks = fences(written(expert, *SETTLED))
    assert blocks[0] == LINE + "\n"
    assert "SYN+ACK: dropped here" in blocks[1]
    assert any(block.startswith("capture whydrop") for block in blocks[2:])


def test_our_own_commands_stay_code_and_pasted_ones_do_not(expert: Expert) -> None:
    text = written(expert, *SETTLED)
    reading = next(line for line in text.splitlines() if line.startswith("Reading it: "))
    assert "read with `show capture whydrop`, remove with `no capture whydrop`." in reading
    assert "“\\`show conn\\`" in written(expert, Pasted(paste="x"), Outcome(cause=None, note="“`show conn` 1"))


def test_what_happened_is_said_once(expert: Expert) -> None:
    assert written(expert, *SETTLED).count("What happened") == 1


def test_the_head_says_which_case_when_and_by_which_knowledge(expert: Expert) -> None:
    text = written(expert, *SETTLED, link="https://why.example/cases/aa")
    assert f"- Case `{'a' * 26}`, open, <https://why.example/cases/aa>\n" in text
    assert "- Begun 2026-03-01 12:00:00 UTC, last change 2026-03-01 12:03:00 UTC\n" in text
    assert expert.shelf.hash in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x> <script>", "https://x y"])
def test_what_is_no_address_becomes_no_link(expert: Expert, link: str) -> None:
    text = written(expert, PASTED, link=link)
    assert "script" not in text


def test_what_other_knowledge_concluded_is_said(expert: Expert) -> None:
    then = KnowledgeStamp(version="0.0.9", hash="0123abcd")
    text = written(expert, *SETTLED, Concluded(cause="port-closed", confidence=0.82, knowledge=then))
    title = expert.shelf.causes["port-closed"].title
    assert f"Concluded on 2026-03-01 12:04:00 UTC with knowledge 0.0.9 `0123abcd`: {title} (82 %)." in text
    now = KnowledgeStamp(version=consulted(expert, PASTED).diagnosis.knowledge.version, hash=expert.shelf.hash)
    assert "Concluded on" not in written(
        expert, *SETTLED, Concluded(cause="port-closed", confidence=0.8, knowledge=now)
    )


def test_changed_answers_are_visible_with_their_times(expert: Expert) -> None:
    text = written(
        expert,
        PASTED,
        Answered(feature="timing.worked", value="never"),
        Answered(feature="timing.worked", value=None),
        Withdrawn(feature="timing.worked"),
        Answered(feature="handshake.syn_seen", value=False),
    )
    assert "- Did this connection work before it broke? taken back (2026-03-01 12:04:00 UTC)\n" in text
    never, declined = "never, every attempt fails (2026-03-01 12:02:00 UTC)", "I don't know (2026-03-01 12:03:00 UTC)"
    assert f"  - before: {never}; {declined}\n" in text
    assert "**no** (2026-03-01 12:05:00 UTC)" in text


def test_a_long_paste_shows_the_lines_that_were_read_and_counts_the_rest(expert: Expert) -> None:
    text = written(expert, Pasted(paste="\n".join(["noise", LINE, *["more noise"] * 500])))
    assert fences(text)[0] == LINE + "\n"
    assert "Of 502 lines those are shown of which a record was made; 501 are left out." in text
    text = written(expert, Pasted(paste=f"{LINE}\n" * 500))
    assert fences(text)[0].count("\n") == 40
    assert len(written(expert, Pasted(paste="x" * 100_000))) < 10_000


def test_an_earlier_paste_is_told(expert: Expert) -> None:
    assert "Lines were pasted before, on 2026-03-01 12:01:00 UTC" in written(expert, PASTED, PASTED)


def test_how_it_ended_is_told_with_the_note(expert: Expert) -> None:
    text = written(expert, *SETTLED, Outcome(cause="asymmetric-routing", note="a second router\n# as it said"))
    assert "Told on 2026-03-01 12:04:00 UTC: solved; it was “Asymmetric routing”." in text
    assert "> a second router # as it said" in text
    assert "solved; it was none of the known causes" in written(expert, PASTED, Outcome(cause=None))
    assert "not solved." in written(expert, PASTED, Outcome(solved=False, cause=None))


def test_an_open_case_tells_its_next_question(expert: Expert) -> None:
    case = consulted(expert, PASTED)
    assert case.diagnosis.question is not None
    assert f"## Next question\n\n{case.diagnosis.question.text}" in markdown(case, expert.shelf)


def test_an_answer_about_what_knowledge_has_forgotten_is_told_all_the_same(expert: Expert) -> None:
    assert "- gone.feature **5** (" in written(expert, PASTED, Answered(feature="gone.feature", value=5.0))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_was_pasted_or_told_becomes_more_than_text(expert: Expert, payload: str) -> None:
    lines = f"{LINE} {payload}\n{payload}\nclient {payload} sends reset\n```\n{payload}"
    wild: Sequence[CaseEvent] = [
        Pasted(paste=lines, product=None),
        Answered(feature=f"gone.{payload}"[:200], value=payload),
        Concluded(cause=payload[:200] or None, confidence=0.5, knowledge=KnowledgeStamp(version=payload, hash=payload)),
        Outcome(cause=payload[:200], note=f"{payload}\n{payload}"),
    ]
    found = list(tokens(written(expert, *wild)))
    kinds = {one.type for one in found}
    assert not kinds & {"html_block", "html_inline", "image", "table_open", "hr", "code_block", "s_open", "em_open"}
    plain = list(tokens(written(expert, PASTED, Answered(feature="gone", value="x"), Outcome(cause="x", note="x"))))
    assert {one.tag for one in found if one.type == "heading_open"} == {
        one.tag for one in plain if one.type == "heading_open"
    }
    ours = {source.address for source in expert.shelf.sources.values()}
    assert {one.attrGet("href") for one in found if one.type == "link_open"} <= ours
    inside, texts = False, ""
    for one in found:
        inside = one.type == "link_open" or (inside and one.type != "link_close")
        texts += one.content if one.type == "text" and not inside else "\n"
    assert not REFERS.search(texts)


def test_the_json_is_the_whole_case_and_comes_back_the_same(expert: Expert) -> None:
    case = consulted(expert, *SETTLED, Answered(feature="route.second_path", value=None))
    found = as_json(case, expert.shelf)
    assert json.loads(json.dumps(found)) == found
    assert list(found) == ["summary", "events", "answers", "case", "diagnosis"]
    assert json.dumps(found) == json.dumps(
        as_json(consulted(expert, *(one.event for one in case.kept.events)), expert.shelf)
    )
    assert found["diagnosis"] == json.loads(case.diagnosis.model_dump_json(by_alias=True))
    events = found["events"]
    assert isinstance(events, list)
    assert events[0] == {
        "number": 1,
        "at": "2026-03-01T12:01:00+00:00",
        "kind": "pasted",
        "paste": LINE,
        "product": None,
    }
