"""Settings for Slack that do not fit together are told in a sentence, without what is secret."""

from __future__ import annotations

import pytest

from bot.settings import Settings, SettingsError, load_settings

SECRET, APP, BOT = "the-signing-secret", "xapp-1-the-app-token", "xoxb-the-bot-token"
ID, CLIENT = "123.456", "the-client-secret"
NAMES = ("signing_secret", "app_token", "bot_token", "client_id", "client_secret", "workspace")


def load(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name in NAMES:
        monkeypatch.setenv(f"WHYDROP_SLACK_{name.upper()}", given.get(name, ""))
    return load_settings()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"signing_secret": SECRET},
        {"signing_secret": SECRET, "bot_token": BOT},
        {"app_token": APP, "bot_token": BOT, "workspace": "network"},
        {"signing_secret": SECRET, "app_token": APP, "bot_token": BOT},
        {"signing_secret": SECRET, "client_id": ID, "client_secret": CLIENT},
        {"signing_secret": SECRET, "client_id": ID, "client_secret": CLIENT, "app_token": APP},
    ],
)
def test_what_fits_together_is_taken(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    assert load(monkeypatch, **given).slack_workspace == given.get("workspace")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bot_token": BOT}, "needs WHYDROP_SLACK_SIGNING_SECRET .HTTP. or WHYDROP_SLACK_APP_TOKEN"),
        ({"app_token": APP}, "WHYDROP_SLACK_APP_TOKEN needs WHYDROP_SLACK_BOT_TOKEN"),
        ({"signing_secret": SECRET, "client_id": ID}, "go together"),
        ({"signing_secret": SECRET, "client_secret": CLIENT}, "go together"),
        ({"signing_secret": SECRET, "client_id": ID, "client_secret": CLIENT, "bot_token": BOT}, "not both"),
        ({"app_token": APP, "client_id": ID, "client_secret": CLIENT}, "people install over HTTP"),
        ({"app_token": BOT, "bot_token": BOT}, "WHYDROP_SLACK_APP_TOKEN is a bot's token"),
        ({"app_token": APP, "bot_token": APP}, "WHYDROP_SLACK_BOT_TOKEN is an app-level token"),
        ({"app_token": APP, "bot_token": "xoxe.xoxb-1-the-bot-token"}, "ends after twelve hours"),
        (
            {"signing_secret": SECRET, "client_id": ID, "client_secret": CLIENT, "workspace": "network"},
            "WHYDROP_SLACK_WORKSPACE is for one workspace",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as wrong:
        load(monkeypatch, **given)
    assert "the-" not in str(wrong.value)
