"""Which branch, tag or pull request fails at present, so that one failed build is fetched and judged once."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from opscrew.store.base import UtcDateTime, metadata

standing_failures = Table(
    "standing_failures",
    metadata,
    Column("repository", String(256), primary_key=True),
    Column("target_digest", String(64), primary_key=True),
    Column("pipeline_uuid", String(64), nullable=False),
    Column("rerun", String(16), nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("finding", JSON, nullable=False),
    # Findings of earlier failures in steps that the newest pipeline did not get to.
    Column("behind", JSON, nullable=False),
    Index(None, "repository"),
)
