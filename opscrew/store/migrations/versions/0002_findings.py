"""The findings ledger and its history."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0002_findings"
down_revision = "0001_runs"


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("aspect", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("present", sa.Boolean, nullable=False),
        sa.Column("occurrences", sa.Integer, nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime()),
        sa.Column("suppressed_until", UtcDateTime()),
        sa.Column("suppressed_reason", sa.Text, nullable=False),
        sa.Column("suppressed_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_findings"),
    )
    op.create_index("ix_findings_state_last_seen", "findings", ["state", "last_seen"])
    op.create_table(
        "finding_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_finding_changes"),
    )
    op.create_index("ix_finding_changes_fingerprint_at", "finding_changes", ["fingerprint", "at"])
    op.create_index("ix_finding_changes_at", "finding_changes", ["at"])


def downgrade() -> None:
    op.drop_table("finding_changes")
    op.drop_table("findings")
