"""Everything that can be set, from the environment (WHYDROP_*) or a .env file."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
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
    threads: int = Field(2, ge=1, le=64, description="Diagnoses that may run at the same time")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///whydrop.sqlite3"), description="Where cases are kept: sqlite:///FILE or postgresql://..."
    )
    retention_days: int | None = Field(None, ge=1, le=36500, description="Days after which a silent case is deleted")
    dev: bool = Field(False, description="1: no keys are asked for; only if the service listens on loopback")
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/]+$", description="The service's address in links")
    rate: int = Field(600, ge=1, description="Requests a minute of one key, or of one address without a key")
    slack_signing_secret: SecretStr | None = Field(None, description="Slack's signing secret; without it Slack is off")

    @property
    def open(self) -> bool:
        """Tell whether everybody on this machine, and nobody else, may use the service without a key."""
        return self.dev and is_loopback(self.host)


class SettingsError(Exception):
    """A setting that is wrong; the message names it, its value and what is allowed."""


def load_settings() -> Settings:
    """Read the settings. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as wrong:
        found = [
            f"WHYDROP_{'_'.join(map(str, one['loc'])).upper()}={one['input']!r}: {one['msg']}" for one in wrong.errors()
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
