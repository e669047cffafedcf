"""Whole conversations: each goes the same way, in the same words, in Slack, over REST, on the page, in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.diagnose import Expert
from tests.conversations.page_face import on_the_page
from tests.conversations.rest_face import over_rest
from tests.conversations.slack_face import in_slack
from tests.conversations.terminal_face import TerminalFace, in_the_terminal
from tests.conversations.transcript import Transcript, differences, names

__all__ = ["in_the_terminal"]
ALL = [Transcript.read(name) for name in names()]
THROUGH = [(one, door) for one in ALL for door in one.doors]


def hold(transcript: Transcript, now: str, where: str) -> None:
    """Hold that a conversation went as it is written down."""
    if told := differences(transcript.text, now, where):
        pytest.fail(f"{transcript.name}\n{told}\n(python -m tests.conversations.transcript --write)", pytrace=False)


@pytest.mark.parametrize(("transcript", "door"), THROUGH, ids=[f"{one.name}-{door}" for one, door in THROUGH])
async def test_a_conversation_in_slack(transcript: Transcript, door: str, tmp_path: Path, expert: Expert) -> None:
    async with in_slack(tmp_path, expert, door) as face:
        hold(transcript, await transcript.held(face), f"Slack ({door})")


@pytest.mark.parametrize("transcript", ALL, ids=names())
async def test_a_conversation_over_rest(transcript: Transcript, tmp_path: Path, expert: Expert) -> None:
    async with over_rest(tmp_path, expert) as face:
        hold(transcript, await transcript.held(face), "REST")


@pytest.mark.parametrize("transcript", ALL, ids=names())
async def test_a_conversation_on_the_page(transcript: Transcript, tmp_path: Path, expert: Expert) -> None:
    async with on_the_page(tmp_path, expert) as face:
        hold(transcript, await transcript.held(face), "the page")


@pytest.mark.parametrize("transcript", ALL, ids=names())
async def test_a_conversation_in_the_terminal(transcript: Transcript, in_the_terminal: TerminalFace) -> None:
    hold(transcript, await transcript.held(in_the_terminal), "the terminal")
