"""Every pipeline and step that was read, as facts to count: what the measures are worked out from.

Times are whole seconds since 1970 (UTC), so that both databases can cut them into days of any zone by arithmetic.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from opscrew.store.base import metadata


class UnixSeconds(TypeDecorator[datetime]):
    """Timezone-aware in Python, whole seconds since 1970 in the database. A fraction is cut."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was about to be stored")
        return int(value.timestamp())

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)


# One row per pipeline. Several pipelines of one repository, target, commit and selector are attempts at one build.
ci_pipelines = Table(
    "ci_pipelines",
    metadata,
    Column("id", Integer, primary_key=True),
    # "workspace/slug"
    Column("repository", String(256), nullable=False),
    Column("uuid", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    # Grows when steps are run again in place: the pipeline stays the same.
    Column("run_number", Integer, nullable=False),
    # Digests: the same branch, tag or pull request with the same definition; and that with the same commit.
    Column("target", String(16), nullable=False),
    Column("build", String(16), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("pull_request", String(32), nullable=False),
    # Which definition ran: "branches: main", "custom: nightly", "default".
    Column("selector", String(255), nullable=False),
    Column("commit_id", String(64), nullable=False),
    # Bitbucket's word in lower case: push, manual, schedule, pull_request, …; "" where it says nothing.
    Column("trigger", String(32), nullable=False),
    Column("author", String(128), nullable=False),
    # running, waiting (for a person), passed, failed, stopped or other
    Column("state", String(16), nullable=False),
    Column("created_at", UnixSeconds, nullable=False),
    Column("ended_at", UnixSeconds),
    # Time at work as Bitbucket states it: the waits between steps are not in it.
    Column("duration_seconds", Float),
    Column("build_seconds", Float),
    # A run in place that failed and was then run again; what it had been is gone from Bitbucket.
    Column("failed_in_place", Boolean, nullable=False),
    # What follows from the other pipelines of the build, worked out anew whenever one of them is stored.
    # When the build's first attempt was created: the time at which the build counts.
    Column("build_at", UnixSeconds, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("is_last", Boolean, nullable=False),
    Column("failed_before", Boolean, nullable=False),
    Column("passed_before", Boolean, nullable=False),
    # On the first pass after failures of the same target: seconds since the first of them ended.
    Column("green_after_seconds", Float),
    # When it was last read, and whether its steps were: wanted, read or refused.
    Column("read_at", UnixSeconds, nullable=False),
    Column("steps", String(8), nullable=False),
    UniqueConstraint("repository", "uuid"),
    Index("ix_ci_pipelines_created_at", "created_at", "repository"),
    Index("ix_ci_pipelines_build_at", "build_at", "repository"),
    Index("ix_ci_pipelines_build", "repository", "build"),
    Index("ix_ci_pipelines_target", "repository", "target", "ended_at"),
    Index("ix_ci_pipelines_steps", "steps", "created_at"),
)

ci_steps = Table(
    "ci_steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pipeline", Integer, ForeignKey("ci_pipelines.id", ondelete="CASCADE"), nullable=False),
    # In the order of the definition, from 0. Names are not unique, and some answers have no UUIDs.
    Column("position", Integer, nullable=False),
    Column("run_number", Integer, nullable=False),
    Column("repository", String(256), nullable=False),
    Column("name", String(255), nullable=False),
    # When it started; of one that did not, when its pipeline was created.
    Column("at", UnixSeconds, nullable=False),
    # running, waiting, passed, failed, stopped, not_run or other
    Column("state", String(16), nullable=False),
    Column("ended_at", UnixSeconds),
    Column("duration_seconds", Float),
    # Bitbucket gives no time of queueing: see opscrew/ci_history/waiting.py. Empty where it cannot be told.
    Column("queue_seconds", Float),
    Column("queue_derived", Boolean, nullable=False),
    # Labels of our own runners; "bitbucket" for its own.
    Column("runner", String(255), nullable=False),
    # Test cases that the step reported; empty where it reported none, or nobody asked.
    Column("tests", Integer),
    Column("tests_failed", Integer),
    Column("tests_skipped", Integer),
    UniqueConstraint("pipeline", "position", "run_number"),
    # Holds all that most questions about steps need, so that the table itself is not read.
    Index("ix_ci_steps_at", "at", "name", "state", "duration_seconds", "repository", "queue_seconds"),
)

# What was read of each repository: everything that was created from complete_since to seen_until is in ci_pipelines.
ci_coverage = Table(
    "ci_coverage",
    metadata,
    Column("repository", String(256), primary_key=True),
    Column("complete_since", UnixSeconds),
    Column("seen_until", UnixSeconds),
    # Nothing older is wanted: the first pipeline there is, or the end of the time that is kept, was reached.
    Column("is_whole", Boolean, nullable=False),
    # Why it cannot be read; empty when it can.
    Column("refused", Text, nullable=False),
    Column("tried_at", UnixSeconds),
)
