"""The journal of actions and the append-only audit log."""

import sqlalchemy as sa
from alembic import op

from opscrew.store.base import UtcDateTime

revision = "0003_actions"
down_revision = "0002_findings"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("key_digest", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("target_kind", sa.String(64), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("finding", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("held_by", sa.String(16), nullable=False),
        sa.Column("approved_by", sa.String(128), nullable=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("cooldown_key", sa.Text, nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime()),
        sa.Column("spent_boot", sa.String(64), nullable=False),
        sa.Column("spent_seconds", sa.Float, nullable=False),
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("receipt_id", sa.Text, nullable=False),
        sa.Column("receipt_url", sa.Text, nullable=False),
        sa.Column("receipt_detail", sa.Text, nullable=False),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_actions"),
        sa.UniqueConstraint("key_digest", name="uq_actions_key_digest"),
    )
    op.create_index("ix_actions_state", "actions", ["state"])
    op.create_index("ix_actions_spent_at", "actions", ["spent_at"])
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("action", sa.String(12), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_action", "audit_entries", ["action"])
    for statement in _SQLITE_GUARD if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARD:
        op.execute(statement)


_SQLITE_GUARD = tuple(
    f"CREATE TRIGGER audit_entries_no_{event} BEFORE {event} ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for event in ("update", "delete")
)

_POSTGRESQL_GUARD = (
    "CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_append_only()",
)


def downgrade() -> None:
    op.drop_table("audit_entries")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entries_append_only")
    op.drop_table("actions")
