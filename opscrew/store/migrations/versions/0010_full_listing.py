"""When all repositories of a workspace were listed last. Unknown at first, so the next look lists them."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0010_full_listing"
down_revision = "0009_cluster_names"


def upgrade() -> None:
    op.add_column("poller", sa.Column("all_listed_at", UtcDateTime()))


def downgrade() -> None:
    op.drop_column("poller", "all_listed_at")
