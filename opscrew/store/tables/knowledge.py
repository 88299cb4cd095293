"""Knowledge that is not a file of the project: notes that people added, and episodes of our own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, String, Table, Text

from opscrew.store.base import UtcDateTime, metadata

knowledge = Table(
    "knowledge",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("system", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("happened_at", UtcDateTime),
    Column("proven", Boolean),
    Column("source", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)
