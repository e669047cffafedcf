"""Every message that a conversation asks for is one that Slack takes, with and without aliases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack.faces import Faces
from bot.slack.parts import Message
from bot.slack.views import Showing
from rules.diagnose import Expert
from tests.slack.limits import message_problems, refused, view_problems
from tests.slack.moments import LINE, LINK, NEVER, NOT_SEEN, TWO_ENDS, consulted, pasted, settled

HIDDEN = ("192.0.2", "198.51.100", "fw-berlin")


@pytest.mark.parametrize("aliases", [True, False])
@pytest.mark.parametrize("alone", [True, False])
def test_all_of_them_are_taken(expert: Expert, aliases: bool, alone: bool) -> None:
    faces, shown = Faces(expert, "https://whydrop.example"), Showing(LINK, alone=alone, aliases=aliases)
    asking, ended = consulted(expert, pasted(TWO_ENDS)), settled(expert)
    about = (faces.case, faces.why, faces.change, faces.exported)
    messages: list[Message] = [
        *(make(found, shown) for make in about for found in (asking, ended)),
        faces.edit(ended, shown, "timing.worked"),
        faces.said(["198.51.100.7 is the client"], asking, shown),
        faces.unclear(asking, shown, "'198.51.100.7' is no answer", "198.51.100.7"),
        *(faces.help(), faces.fault(), faces.unreadable(), faces.folded(), faces.status([ended.kept.summary])),
    ]
    for message in messages:
        assert message_problems(message.body()) == []
        if aliases:
            assert [one for one in HIDDEN if one in str(message.body()) + message.whole] == []
    assert message_problems(faces.raw(asking).body()) == []
    assert refused(view_problems(faces.home([ended.kept.summary], aliases=aliases), "home")) == []


def test_an_export_that_is_too_long_says_so(expert: Expert) -> None:
    found = consulted(expert, pasted("\n".join([LINE] * 400)), NOT_SEEN, NEVER)
    body = Faces(expert).exported(found, Showing()).body()
    assert message_problems(body) == []
    assert "Cut here: " in str(body["blocks"])


def test_status_counts_what_is_open(expert: Expert) -> None:
    ongoing = consulted(expert, pasted(LINE)).kept.summary
    text = Faces(expert).status([ongoing, ongoing, replace(ongoing, state="closed")]).text
    assert "your open cases: 2" in text
    assert expert.shelf.hash in text
