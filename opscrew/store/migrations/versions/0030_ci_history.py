"""Pipelines and steps as facts to count, and what was read of each repository. Nothing is known at first."""

import sqlalchemy as sa
from alembic import op

revision = "0030_ci_history"
down_revision = "0014_webhook_deliveries"


def upgrade() -> None:
    pipelines()
    steps()
    op.create_table(
        "ci_coverage",
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("complete_since", sa.BigInteger),
        sa.Column("seen_until", sa.BigInteger),
        sa.Column("is_whole", sa.Boolean, nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("tried_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("repository", name="pk_ci_coverage"),
    )


def pipelines() -> None:
    op.create_table(
        "ci_pipelines",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("uuid", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("build", sa.String(16), nullable=False),
        sa.Column("branch", sa.String(255), nullable=False),
        sa.Column("tag", sa.String(255), nullable=False),
        sa.Column("pull_request", sa.String(32), nullable=False),
        sa.Column("selector", sa.String(255), nullable=False),
        sa.Column("commit_id", sa.String(64), nullable=False),
        sa.Column("trigger", sa.String(32), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("duration_seconds", sa.Float),
        sa.Column("build_seconds", sa.Float),
        sa.Column("failed_in_place", sa.Boolean, nullable=False),
        sa.Column("build_at", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("is_last", sa.Boolean, nullable=False),
        sa.Column("failed_before", sa.Boolean, nullable=False),
        sa.Column("passed_before", sa.Boolean, nullable=False),
        sa.Column("green_after_seconds", sa.Float),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ci_pipelines"),
        sa.UniqueConstraint("repository", "uuid", name="uq_ci_pipelines_repository_uuid"),
    )
    op.create_index("ix_ci_pipelines_created_at", "ci_pipelines", ["created_at", "repository"])
    op.create_index("ix_ci_pipelines_build_at", "ci_pipelines", ["build_at", "repository"])
    op.create_index("ix_ci_pipelines_build", "ci_pipelines", ["repository", "build"])
    op.create_index("ix_ci_pipelines_target", "ci_pipelines", ["repository", "target", "ended_at"])
    op.create_index("ix_ci_pipelines_steps", "ci_pipelines", ["steps", "created_at"])


def steps() -> None:
    op.create_table(
        "ci_steps",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pipeline", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("duration_seconds", sa.Float),
        sa.Column("queue_seconds", sa.Float),
        sa.Column("queue_derived", sa.Boolean, nullable=False),
        sa.Column("runner", sa.String(255), nullable=False),
        sa.Column("tests", sa.Integer),
        sa.Column("tests_failed", sa.Integer),
        sa.Column("tests_skipped", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_ci_steps"),
        sa.ForeignKeyConstraint(["pipeline"], ["ci_pipelines.id"], name="fk_ci_steps_pipeline", ondelete="CASCADE"),
        sa.UniqueConstraint("pipeline", "position", "run_number", name="uq_ci_steps_pipeline_position_run_number"),
    )
    wide = ["at", "name", "state", "duration_seconds", "repository", "queue_seconds"]
    op.create_index("ix_ci_steps_at", "ci_steps", wide)


def downgrade() -> None:
    op.drop_table("ci_coverage")
    op.drop_table("ci_steps")
    op.drop_table("ci_pipelines")
