"""Keys that may call the service, the webhooks that it calls, and what is to be delivered to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; those that are there stay as they are."""
    _keys()
    _webhooks()
    _deliveries()


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME),
        sa.Column("revoked", _TIME),
        sa.Column("used", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_index("ix_keys_workspace", "keys", ["workspace"])


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("former", sa.Text()),
        sa.Column("former_until", _TIME),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("failing", _TIME),
        sa.Column("disabled", _TIME),
        sa.Column("why", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_workspace", "webhooks", ["workspace"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("webhook", sa.String(26), nullable=False),
        sa.Column("case", sa.String(26)),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("due", _TIME),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried", _TIME),
        sa.Column("status", sa.Integer()),
        sa.Column("outcome", sa.Text()),
        sa.Column("delivered", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.id"], name="fk_deliveries_webhook", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_deliveries_case", ondelete="CASCADE"),
    )
    op.create_index("ix_deliveries_case", "deliveries", ["case"])
    op.create_index("ix_deliveries_created", "deliveries", ["created"])
    op.create_index("ix_deliveries_due", "deliveries", ["due"])
    op.create_index("ix_deliveries_listed", "deliveries", ["webhook", sa.text("created DESC"), "id"])
