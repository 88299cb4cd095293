"""Alerts, their groups and deliveries, and incident drafts."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0008_alerts"
down_revision = "0007_standing_failures"


def upgrade() -> None:
    create_alerts()
    create_alert_groups()
    create_alert_deliveries()
    create_incidents()


def create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("annotations", sa.JSON, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("silenced", sa.Boolean, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime()),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("group_id", sa.String(12), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_alerts"),
    )
    op.create_index("ix_alerts_state", "alerts", ["state"])
    op.create_index("ix_alerts_group_id", "alerts", ["group_id"])


def create_alert_groups() -> None:
    op.create_table(
        "alert_groups",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("quiet_since", UtcDateTime()),
        sa.Column("triage", sa.JSON, nullable=False),
        sa.Column("triaged_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_alert_groups"),
    )
    op.create_index("ix_alert_groups_state", "alert_groups", ["state"])


def create_alert_deliveries() -> None:
    op.create_table(
        "alert_deliveries",
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("last_at", UtcDateTime()),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("refused_at", UtcDateTime()),
        sa.Column("refused_why", sa.Text, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("missed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("source", name="pk_alert_deliveries"),
    )


def create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("written_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_started_at", "incidents", ["started_at"])


def downgrade() -> None:
    for name in ("incidents", "alert_deliveries", "alert_groups", "alerts"):
        op.drop_table(name)
