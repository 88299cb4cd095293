"""What is remembered about CI failures: where each signature was seen, and whether a re-run rescued it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint

from opscrew.store.base import UtcDateTime, metadata

LONGEST_HOST = 253
"""Characters of a name in the domain name system."""

ci_sightings = Table(
    "ci_sightings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signature", String(64), nullable=False),
    Column("pipeline", String(256), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("signature", "pipeline"),
    Index(None, "seen_at"),
)

ci_rescues = Table(
    "ci_rescues",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signature", String(64), nullable=False),
    Column("repository", String(256), nullable=False),
    Column("pipeline", String(256), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("host", String(LONGEST_HOST), nullable=False, server_default=""),
    UniqueConstraint("signature", "pipeline"),
    Index(None, "signature", "repository"),
    Index(None, "host"),
)

# Pipelines that began after an outage's last failure and passed the step that it had failed: each ends that outage.
ci_passes = Table(
    "ci_passes",
    metadata,
    Column("signature", String(64), primary_key=True),
    Column("pipeline", String(256), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Index(None, "started_at"),
)
