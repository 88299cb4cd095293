"""What there is in each cluster by name."""

import sqlalchemy as sa
from alembic import op

revision = "0009_cluster_names"
down_revision = "0008_alerts"


def upgrade() -> None:
    op.create_table(
        "cluster_names",
        sa.Column("cluster", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("namespace", sa.String(253), nullable=False),
        sa.Column("name", sa.String(253), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "kind", "namespace", "name", name="pk_cluster_names"),
    )


def downgrade() -> None:
    op.drop_table("cluster_names")
