"""Which host the failure named that a re-run was to rescue. Earlier re-runs named none."""

import sqlalchemy as sa
from alembic import op

revision = "0011_rescue_host"
down_revision = "0010_full_listing"


def upgrade() -> None:
    op.add_column("ci_rescues", sa.Column("host", sa.String(253), nullable=False, server_default=""))
    op.create_index("ix_ci_rescues_host", "ci_rescues", ["host"])


def downgrade() -> None:
    op.drop_index("ix_ci_rescues_host", "ci_rescues")
    op.drop_column("ci_rescues", "host")
