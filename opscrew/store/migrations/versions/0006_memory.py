"""Conversations, what was told to whom, and added knowledge."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0006_memory"
down_revision = "0005_ci"


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_person_last_at", "conversations", ["person", "last_at"])
    op.create_index("ix_conversations_last_at", "conversations", ["last_at"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("intent", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("conversation", "number", name="uq_turns_conversation_number"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_turns_conversation_conversations", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "told_facts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation", sa.String(16), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_told_facts"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_told_facts_conversation_conversations", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_told_facts_person_digest", "told_facts", ["person", "digest"])
    op.create_index("ix_told_facts_conversation", "told_facts", ["conversation"])
    op.create_table(
        "knowledge",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("happened_at", UtcDateTime()),
        sa.Column("proven", sa.Boolean),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge"),
    )


def downgrade() -> None:
    for table in ("knowledge", "told_facts", "turns", "conversations"):
        op.drop_table(table)
