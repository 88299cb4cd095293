"""Conversations as they were, and which facts each person has been told."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from opscrew.store.base import UtcDateTime, metadata

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", String(128), nullable=False),
    Column("title", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("turns", Integer, nullable=False),
    Index(None, "person", "last_at"),
    Index(None, "last_at"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", String(16), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("intent", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    UniqueConstraint("conversation", "number"),
)

told_facts = Table(
    "told_facts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", String(16), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("person", String(128), nullable=False),
    # SHA-256 of the fact's text: a fact with a new number is a new fact.
    Column("digest", String(64), nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    Index(None, "person", "digest"),
    Index(None, "conversation"),
)
