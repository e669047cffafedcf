"""What the documents say about names, numbers and settings is what the code does."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from bot.settings import Settings
from knowledge.model import Event, Prior, Strength
from rules.weigh import ESTABLISHED, LIKELY, POSSIBLE, WEIGHTS

ROOT = Path(__file__).parent.parent


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("event", get_args(Event))
def test_every_event_is_in_the_vocabulary(event: str) -> None:
    assert f"`{event}`" in _text("docs/vocabulary.md")


@pytest.mark.parametrize("word", get_args(Strength))
def test_every_strength_is_documented_with_its_factor(word: Strength) -> None:
    log_odds = WEIGHTS.log_odds(word)
    factor = math.exp(abs(log_odds))
    shown = f"{factor:.0f}" if log_odds > 0 else f"1/{factor:.0f}"
    assert f"| `{word}` | {shown} |" in _text("docs/weighing.md")


def test_priors_and_standings_are_documented() -> None:
    text = _text("docs/weighing.md")
    factors = ", ".join(f"1/{math.exp(-value):.0f}" if value else "1" for value in map(WEIGHTS.prior, get_args(Prior)))
    assert factors in text
    for share in (ESTABLISHED, LIKELY, POSSIBLE):
        assert f"{share:.0%}".replace("%", " %") in text


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(WHYDROP_[A-Z_]+)` \| ([^|]*) \|", _text("README.md"), re.MULTILINE))
    wanted = {f"WHYDROP_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert set(rows) == set(wanted)
    for name, field in wanted.items():
        assert rows[name].strip("` ") == _written(field.default)


def _written(default: object) -> str:
    """Write a default as one writes it into the environment."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(int(default))
    return "" if default is None else str(default)


def test_the_readme_says_what_each_scope_is_for() -> None:
    told = set(re.findall(r"^\| `([a-z_]+(?::[a-z]+)?)` \| [^|]+ \|$", _text("README.md"), re.MULTILINE))
    scopes = json.loads(_text("manifest.json"))["oauth_config"]["scopes"]["bot"]
    assert set(scopes) <= told


def test_the_commands_that_make_the_manifest_change_it() -> None:
    manifest = _text("manifest.json")
    for before in re.findall(r"-e 's/([^/]+)/", _text("README.md")):
        assert before in manifest


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/vocabulary.md", "docs/weighing.md"])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", _text(name)):
        assert ((ROOT / name).parent / target).exists(), target
