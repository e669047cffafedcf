"""Slack: wishes that came, threads and their cases, what was posted, pictures, and settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; those that are there stay as they are."""
    _inbox()
    _threads()
    op.create_table(
        "slack_posts",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("team", "key", name="pk_slack_posts"),
    )
    op.create_index("ix_slack_posts_at", "slack_posts", ["at"])
    _pictures()
    op.create_table(
        "slack_settings",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_slack_settings"),
    )


def _inbox() -> None:
    op.create_table(
        "slack_inbox",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("came", _TIME, nullable=False),
        sa.Column("due", _TIME),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("done", _TIME),
        sa.PrimaryKeyConstraint("number", name="pk_slack_inbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slack_inbox_key", "slack_inbox", ["team", "key"], unique=True)
    op.create_index("ix_slack_inbox_lane", "slack_inbox", ["lane", "number"])
    op.create_index("ix_slack_inbox_due", "slack_inbox", ["due"])
    op.create_index("ix_slack_inbox_done", "slack_inbox", ["done"])


def _threads() -> None:
    op.create_table(
        "slack_threads",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("case", sa.String(26), nullable=False),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("team", "channel", "thread", name="pk_slack_threads"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_slack_threads_case", ondelete="CASCADE"),
    )
    op.create_index("ix_slack_threads_case", "slack_threads", ["case"])
    op.create_index("ix_slack_threads_asker", "slack_threads", ["team", "asker"])


def _pictures() -> None:
    op.create_table(
        "slack_pictures",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("case", sa.String(26), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("team", "digest", name="pk_slack_pictures"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_slack_pictures_case", ondelete="CASCADE"),
    )
    op.create_index("ix_slack_pictures_case", "slack_pictures", ["case"])
    op.create_index("ix_slack_pictures_at", "slack_pictures", ["at"])
