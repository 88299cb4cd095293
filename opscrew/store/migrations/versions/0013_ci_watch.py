"""What the CI watch keeps more of: the hour's requests, one life per failure, looks after a lost request, passes."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0013_ci_watch"
down_revision = "0011_rescue_host"


def upgrade() -> None:
    op.add_column("poller", sa.Column("recent", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("findings", sa.Column("family", sa.String(64), nullable=False, server_default=""))
    op.add_column("findings", sa.Column("occasion", sa.String(64), nullable=False, server_default=""))
    op.add_column("standing_failures", sa.Column("behind", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("actions", sa.Column("looks", sa.Integer, nullable=False, server_default="0"))
    op.add_column("actions", sa.Column("refusals", sa.Integer, nullable=False, server_default="0"))
    op.add_column("actions", sa.Column("again_at", UtcDateTime()))
    op.create_table(
        "ci_passes",
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("pipeline", sa.String(256), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("signature", "pipeline", name="pk_ci_passes"),
    )
    op.create_index("ix_ci_passes_started_at", "ci_passes", ["started_at"])
    # Until now looks were counted. What people read is how often it appeared.
    op.execute(
        "UPDATE findings SET occurrences = (SELECT CASE WHEN COUNT(*) > 0 THEN COUNT(*) ELSE 1 END FROM finding_changes"
        " WHERE finding_changes.fingerprint = findings.fingerprint AND finding_changes.change = 'appeared')"
    )


def downgrade() -> None:
    op.drop_table("ci_passes")
    for table, column in (
        ("actions", "again_at"),
        ("actions", "refusals"),
        ("actions", "looks"),
        ("standing_failures", "behind"),
        ("findings", "occasion"),
        ("findings", "family"),
        ("poller", "recent"),
    ):
        op.drop_column(table, column)
