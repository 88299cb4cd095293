"""Where each CI signature was seen, and whether a re-run rescued it."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0005_ci"
down_revision = "0004_polling"


def upgrade() -> None:
    op.create_table(
        "ci_sightings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("pipeline", sa.String(256), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ci_sightings"),
        sa.UniqueConstraint("signature", "pipeline", name="uq_ci_sightings_signature_pipeline"),
    )
    op.create_index("ix_ci_sightings_seen_at", "ci_sightings", ["seen_at"])
    op.create_table(
        "ci_rescues",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("pipeline", sa.String(256), nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ci_rescues"),
        sa.UniqueConstraint("signature", "pipeline", name="uq_ci_rescues_signature_pipeline"),
    )
    op.create_index("ix_ci_rescues_signature_repository", "ci_rescues", ["signature", "repository"])


def downgrade() -> None:
    op.drop_table("ci_rescues")
    op.drop_table("ci_sightings")
