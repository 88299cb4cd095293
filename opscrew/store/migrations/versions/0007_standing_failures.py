"""Which branch, tag or pull request fails at present."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0007_standing_failures"
down_revision = "0006_memory"


def upgrade() -> None:
    op.create_table(
        "standing_failures",
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("target_digest", sa.String(64), nullable=False),
        sa.Column("pipeline_uuid", sa.String(64), nullable=False),
        sa.Column("rerun", sa.String(16), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.Column("finding", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("repository", "target_digest", name="pk_standing_failures"),
    )
    op.create_index("ix_standing_failures_repository", "standing_failures", ["repository"])


def downgrade() -> None:
    op.drop_table("standing_failures")
