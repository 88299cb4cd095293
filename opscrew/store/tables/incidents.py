"""Drafts of incident reports, made when an alert group is over."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from opscrew.store.base import UtcDateTime, metadata

incidents = Table(
    "incidents",
    metadata,
    # The id of the alert group that it tells of.
    Column("id", String(12), primary_key=True),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("system", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    # proven, disproven or open: whether what was done helped.
    Column("outcome", String(16), nullable=False),
    Column("text", Text, nullable=False),
    # draft or written
    Column("state", String(16), nullable=False),
    Column("written_by", String(128), nullable=False),
    Index(None, "started_at"),
)
