"""Alembic's environment: it works on the connection, and in the transaction, that bot/tables.py gives it."""

from __future__ import annotations

from alembic import context

import bot.slack.install_tables
import bot.slack.tables  # noqa: F401  (they are part of the METADATA)
from bot.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
