"""What is known about when to look at each Bitbucket repository, so that a restart does not look at all of them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, String, Table

from opscrew.store.base import UtcDateTime, metadata

poll_state = Table(
    "poll_state",
    metadata,
    Column("workspace", String(128), primary_key=True),
    Column("repository", String(128), primary_key=True),
    Column("polled_at", UtcDateTime),
    Column("active_at", UtcDateTime),
    Column("is_running", Boolean, nullable=False),
    Column("hinted_at", UtcDateTime),
    Column("updated_on", UtcDateTime),
    Column("failures", Integer, nullable=False),
)

poller = Table(
    "poller",
    metadata,
    Column("workspace", String(128), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
    Column("listed_at", UtcDateTime),
    Column("all_listed_at", UtcDateTime),
    # Planned requests of the last hour, as [[moment, count], …] by the minute.
    Column("recent", JSON, nullable=False),
)
