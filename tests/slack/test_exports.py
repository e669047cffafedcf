"""Export: what a message holds of a case, and the whole of it as a file."""

from __future__ import annotations

import pytest

from bot.case_events import Answered
from bot.casebook import Consulted
from bot.export import markdown
from bot.slack.faces import Faces
from bot.slack.views import Showing
from rules.diagnose import Expert
from tests.slack.faults import refusing
from tests.slack.limits import message_problems
from tests.slack.moments import LINE, LINK, consulted, pasted, settled
from tests.slack.seen import Seen, unescaped, written
from tests.slack.test_pictures import PATIENCE_S, Whole, whole  # noqa: F401  (a fixture)

MANY = 2000
PASTE = "\n".join(LINE.replace("51515", str(1024 + number)) for number in range(MANY))


@pytest.fixture(scope="module")
def long(expert: Expert) -> Consulted:
    """Give a long case: many lines, and an answer to thirty questions."""
    asked = [one.id for one in expert.shelf.features.values() if one.question][:30]
    return consulted(expert, pasted(PASTE), *(Answered(feature=one, value=None) for one in asked))


@pytest.mark.parametrize("link", [LINK, None])
def test_nothing_of_a_long_case_is_cut_in_silence(expert: Expert, long: Consulted, link: str | None) -> None:
    faces, shown = Faces(expert), Showing(link, alone=True)
    message = faces.exported(long, shown)
    assert message_problems(message.body()) == []
    said = "\n".join(written(message.blocks))
    lines = markdown(long, expert.shelf, link).splitlines()
    assert f" of {len(lines):,} lines, more does not fit into a message." in said
    assert ("The whole is on the page" in said) == bool(link)
    assert ("python -m bot cases export" in said) == (not link)
    assert "shortened" not in said
    assert lines[_cut_at(said) - 1] in said
    assert lines[_cut_at(said)] not in said
    assert faces.exported_whole(long, shown) == markdown(long, expert.shelf, link)
    assert message.text.endswith("(shortened)")


def _cut_at(said: str) -> int:
    return int(said.partition("Cut here: ")[2].partition(" of ")[0].replace(",", ""))


def test_what_fits_is_whole_and_no_file(expert: Expert) -> None:
    faces, shown = Faces(expert), Showing(LINK, alone=True)
    case = settled(expert)
    said = unescaped("\n".join(written(faces.exported(case, shown).blocks)))
    assert "Cut here" not in said
    last = markdown(case, expert.shelf, LINK).splitlines()[-1]
    assert last.partition(", <")[0] in said
    assert faces.exported_whole(case, shown) == ""


async def exportable(there: Whole) -> tuple[Seen, Seen]:
    """Give a message with a long file, and the answer to it, which may be exported."""
    alice, ops = there.alice, there.ops
    await alice.mentions(ops, "see the file", files=[("a.log", PASTE.encode())])
    asked = alice.sees(ops)[-1]
    answer = await alice.reads("Stop here", ops, asked, PATIENCE_S)
    await alice.presses("Stop here", answer)
    await there.town.until(lambda: "Export" in answer.buttons(), PATIENCE_S)
    return asked, answer


async def test_a_long_case_follows_as_a_file_in_its_thread(whole: Whole) -> None:  # noqa: F811
    alice, ops = whole.alice, whole.ops
    asked, answer = await exportable(whole)
    await alice.presses("Export", answer)
    mine = await alice.reads("For a ticket", ops, asked, PATIENCE_S)
    assert mine.private
    file = await whole.town.until(
        lambda: next((one for one in alice.sees(ops, asked)[1:] if one.message.files), None), PATIENCE_S
    )
    assert file
    assert not file.private
    (name,) = file.message.files
    kept = whole.town.team.files[name]
    assert kept.name.startswith("whydrop-case-")
    assert kept.name.endswith(".md")
    assert kept.content.decode().startswith("# ")
    assert kept.content.decode().count("198.51.100.7") > MANY


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found"])
async def test_where_no_file_may_be_written_the_message_stays(whole: Whole, error: str) -> None:  # noqa: F811
    alice, ops = whole.alice, whole.ops
    asked, answer = await exportable(whole)
    method = "files.getUploadURLExternal" if error == "missing_scope" else "files.completeUploadExternal"
    whole.town.faults.plan(method, refusing(error), refusing(error))
    await alice.presses("Export", answer)
    await alice.reads("For a ticket", ops, asked, PATIENCE_S)
    await whole.town.until(lambda: whole.town.faults.of(method), PATIENCE_S)
    assert not [one for one in alice.sees(ops, asked)[1:] if one.message.files]
