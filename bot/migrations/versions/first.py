"""The first tables: cases, their events, and the replies to requests that may be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _cases()
    _events()
    _replies()


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.Column("symptom", sa.Text()),
        sa.Column("cause", sa.Text()),
        sa.Column("standing", sa.Text()),
        sa.Column("product", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
    )
    op.create_index("ix_cases_listed", "cases", ["workspace", sa.text("created DESC"), "id"])
    op.create_index("ix_cases_updated", "cases", ["updated"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("case", sa.String(26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case", "number", name="pk_events"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_events_case", ondelete="CASCADE"),
    )


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("case", sa.String(26)),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_replies"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_replies_case", ondelete="CASCADE"),
    )
    op.create_index("ix_replies_case", "replies", ["case"])
    op.create_index("ix_replies_created", "replies", ["created"])
