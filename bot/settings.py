"""Everything that can be set, from the environment (WHYDROP_*) or a .env file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings; docs in README.md, compared with this model by a test."""

    model_config = SettingsConfigDict(env_prefix="WHYDROP_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address the service listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port the service listens on; 0 takes a free one")
    knowledge: Path | None = Field(None, description="Folder with entries of your own, beside ours")
    threads: int = Field(4, ge=1, le=64, description="Diagnoses that may run at the same time")
    slack_signing_secret: SecretStr | None = Field(None, description="Slack's signing secret; without it Slack is off")
