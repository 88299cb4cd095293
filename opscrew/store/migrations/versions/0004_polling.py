"""When to look at each Bitbucket repository."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0004_polling"
down_revision = "0003_actions"


def upgrade() -> None:
    op.create_table(
        "poll_state",
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("repository", sa.String(128), nullable=False),
        sa.Column("polled_at", UtcDateTime()),
        sa.Column("active_at", UtcDateTime()),
        sa.Column("is_running", sa.Boolean, nullable=False),
        sa.Column("hinted_at", UtcDateTime()),
        sa.Column("updated_on", UtcDateTime()),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "repository", name="pk_poll_state"),
    )
    op.create_table(
        "poller",
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.Column("listed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("workspace", name="pk_poller"),
    )


def downgrade() -> None:
    op.drop_table("poller")
    op.drop_table("poll_state")
