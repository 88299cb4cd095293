"""Alerts that were received or polled, the groups that they came in, and what each source has delivered."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from opscrew.store.base import UtcDateTime, metadata

alerts = Table(
    "alerts",
    metadata,
    # A hash of the labels, so that one alert told by three systems is one row.
    Column("fingerprint", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("url", Text, nullable=False),
    # source -> the source's own fingerprint, of those that hold it as firing.
    Column("sources", JSON, nullable=False),
    # firing or resolved
    Column("state", String(16), nullable=False),
    Column("silenced", Boolean, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    # Times of the latest changes between firing and resolved, for flapping.
    Column("changes", JSON, nullable=False),
    Column("group_id", String(12), nullable=False),
    Index(None, "state"),
    Index(None, "group_id"),
)

alert_groups = Table(
    "alert_groups",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    # open or closed
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    # When its last alert resolved; empty while one fires.
    Column("quiet_since", UtcDateTime),
    # What triage found: causes, evidence, proposed actions. Empty before.
    Column("triage", JSON, nullable=False),
    Column("triaged_at", UtcDateTime),
    Index(None, "state"),
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("last_at", UtcDateTime),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("refused_at", UtcDateTime),
    Column("refused_why", Text, nullable=False),
    # Polled alerts that no webhook had told of in time.
    Column("missed", Integer, nullable=False),
    Column("missed_at", UtcDateTime),
)
