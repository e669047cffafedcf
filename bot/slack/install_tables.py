"""The tables of installations: slack_sdk's own two, and ours for what happens while somebody installs."""

from __future__ import annotations

from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore as _Installs
from sqlalchemy import Column, Table, Text

from bot.tables import METADATA, Utc

SLACK_BOTS = _Installs.build_bots_table(METADATA, _Installs.default_bots_table_name)
SLACK_INSTALLATIONS = _Installs.build_installations_table(METADATA, _Installs.default_installations_table_name)

SLACK_STATES = Table(
    "slack_states",
    METADATA,
    Column("state", Text, primary_key=True),
    Column("expires", Utc, nullable=False, index=True),
)

SLACK_ORGS = Table(
    "slack_orgs",
    METADATA,
    # A workspace of an organisation that installed the app for all of its workspaces at once.
    Column("team", Text, primary_key=True),
    Column("enterprise", Text, nullable=False),
)
