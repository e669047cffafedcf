"""What Slack is told at typical moments stands in payloads/; `python -m tests.slack.test_payloads` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from rules.diagnose import Expert
from tests.shipped import shipped_expert
from tests.slack.limits import message_problems, refused, view_problems
from tests.slack.moments import MESSAGES, VIEWS

FOLDER = Path(__file__).parent / "payloads"


def payload(name: str, expert: Expert) -> dict[str, Any]:
    return MESSAGES[name](expert).body() if name in MESSAGES else VIEWS[name](expert)


def written(name: str, expert: Expert) -> str:
    hidden = expert.shelf.hash  # it changes with every entry of the knowledge
    return json.dumps(payload(name, expert), indent=1, ensure_ascii=False).replace(hidden, "0" * len(hidden)) + "\n"


@pytest.mark.parametrize("name", [*MESSAGES, *VIEWS])
def test_a_payload_is_the_one_that_was_looked_at(name: str, expert: Expert) -> None:
    assert written(name, expert) == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_each_message(name: str, expert: Expert) -> None:
    assert message_problems(payload(name, expert), ["<@U0ASKER>"]) == []


@pytest.mark.parametrize("name", VIEWS)
def test_slack_takes_each_view(name: str, expert: Expert) -> None:
    surface: Literal["home", "modal"] = "home" if name == "home" else "modal"
    assert refused(view_problems(payload(name, expert), surface)) == []


@pytest.mark.parametrize("name", ["first-reply", "first-reply-alone", "after-an-answer", "a-duration-is-asked"])
def test_while_asking_a_message_is_short(name: str, expert: Expert) -> None:
    assert len(payload(name, expert)["blocks"]) <= 12


def test_no_payload_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*MESSAGES, *VIEWS}


def main() -> None:
    """Write all payloads anew, to be looked at before they are committed."""
    expert = shipped_expert()
    FOLDER.mkdir(exist_ok=True)
    for name in (*MESSAGES, *VIEWS):
        (FOLDER / f"{name}.json").write_text(written(name, expert), encoding="utf-8")


if __name__ == "__main__":
    main()
