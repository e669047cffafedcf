"""Everything that can be set, from the environment (WHYDROP_*) or a .env file."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL = "local"
"""The workspace of whoever names none: on this machine, and of keys that are made for no other."""


_WORKSPACE = re.compile(r"[!-~]{1,100}")


def workspace_name(text: str) -> str:
    """Give the name of a workspace as it was told. Raises ValueError for what is none."""
    if not _WORKSPACE.fullmatch(text):
        raise ValueError("a workspace's name has 1 to 100 printable ASCII characters and no blank")
    return text


class Settings(BaseSettings):
    """The settings; docs in README.md, compared with this model by a test."""

    model_config = SettingsConfigDict(
        env_prefix="WHYDROP_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address the service listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port the service listens on; 0 takes a free one")
    knowledge: Path | None = Field(None, description="Folder with entries of your own, beside ours")
    threads: int = Field(2, ge=1, le=64, description="Pages and answers that may be made at the same time")
    processes: int = Field(
        2, ge=0, le=64, description="Processes that diagnose, one of them long pastes; 0: the threads do it"
    )
    database_url: SecretStr = Field(
        SecretStr("sqlite:///whydrop.sqlite3"), description="Where cases are kept: sqlite:///FILE or postgresql://..."
    )
    retention_days: int | None = Field(None, ge=1, le=36500, description="Days after which a silent case is deleted")
    dev: bool = Field(False, description="1: no keys are asked for; only if the service listens on loopback")
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/]+$", description="The service's address in links")
    rate: int = Field(600, ge=1, description="Requests a minute of one key, or of one address without a key")
    slack_signing_secret: SecretStr | None = Field(None, description="Slack's signing secret; lets Slack in over HTTP")
    slack_app_token: SecretStr | None = Field(None, description="Slack's app-level token (xapp-), for Socket Mode")
    slack_bot_token: SecretStr | None = Field(None, description="The bot's token (xoxb-) in the one workspace it is in")
    slack_client_id: str | None = Field(None, min_length=1, description="Slack's client id: many workspaces, by OAuth")
    slack_client_secret: SecretStr | None = Field(None, description="Slack's client secret, with the client id")
    slack_workspace: str | None = Field(
        None, min_length=1, max_length=200, description="Whose cases Slack's are, with one bot token; else Slack's own"
    )
    slack_api_url: str = Field(
        "https://slack.com/api/",
        pattern=r"^https?://[^\s/]+/([^\s]+/)?$",
        description="Slack's Web API, or an emulator's",
    )

    @model_validator(mode="after")
    def _slack_is_whole(self) -> Settings:
        if problem := slack_problem(self):
            raise ValueError(problem)
        return self

    @property
    def open(self) -> bool:
        """Tell whether everybody on this machine, and nobody else, may use the service without a key."""
        return self.dev and is_loopback(self.host)


def slack_problem(settings: Settings) -> str | None:
    """Say what is wrong with the settings for Slack taken together; None if nothing is."""
    bot, app = told(settings.slack_bot_token), told(settings.slack_app_token)
    secret = told(settings.slack_client_secret)
    checks = {
        "WHYDROP_SLACK_CLIENT_ID and WHYDROP_SLACK_CLIENT_SECRET go together": bool(settings.slack_client_id)
        != bool(secret),
        "set WHYDROP_SLACK_BOT_TOKEN for one workspace, or WHYDROP_SLACK_CLIENT_ID for many, not both": bool(
            bot and settings.slack_client_id
        ),
        "WHYDROP_SLACK_BOT_TOKEN is an app-level token; it begins with xoxb-": bot.startswith("xapp-"),
        "WHYDROP_SLACK_BOT_TOKEN ends after twelve hours: turn token rotation off in the manifest, or use OAuth": (
            bot.startswith("xoxe")
        ),
        "WHYDROP_SLACK_APP_TOKEN is a bot's token; it begins with xapp-": app.startswith("xoxb-"),
        "WHYDROP_SLACK_BOT_TOKEN needs WHYDROP_SLACK_SIGNING_SECRET (HTTP) or WHYDROP_SLACK_APP_TOKEN (Socket Mode)": (
            bool(bot) and not told(settings.slack_signing_secret) and not app
        ),
        "WHYDROP_SLACK_CLIENT_ID needs WHYDROP_SLACK_SIGNING_SECRET: people install over HTTP": (
            bool(settings.slack_client_id) and not told(settings.slack_signing_secret)
        ),
        "WHYDROP_SLACK_APP_TOKEN needs WHYDROP_SLACK_BOT_TOKEN or WHYDROP_SLACK_CLIENT_ID, to answer with": (
            bool(app) and not bot and not settings.slack_client_id
        ),
        "WHYDROP_SLACK_WORKSPACE is for one workspace, with WHYDROP_SLACK_BOT_TOKEN": bool(
            settings.slack_workspace and settings.slack_client_id
        ),
    }
    return next((problem for problem, wrong in checks.items() if wrong), None)


def told(secret: SecretStr | None) -> str:
    """Give a secret, "" if it is not set."""
    return secret.get_secret_value() if secret else ""


class SettingsError(Exception):
    """A setting that is wrong; the message names it, its value and what is allowed."""


def load_settings() -> Settings:
    """Read the settings. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as wrong:
        found = [
            f"WHYDROP_{'_'.join(map(str, one['loc'])).upper()}={one['input']!r}: {one['msg']}"
            if one["loc"]
            else one["msg"].removeprefix("Value error, ")  # of several together; the input would be all settings
            for one in wrong.errors()
        ]
        raise SettingsError("; ".join(found)) from None
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"the file .env cannot be read: {wrong}") from None


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
