"""Stands for Slack's own tables until they are here."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Do nothing."""
