"""The audit log: append-only, each entry bound to the one before by its hash.

Triggers refuse changes and deletions. They guard against accidents; the chain proves what they cannot prevent.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from opscrew.store.base import metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    # Given by us, without gaps: 1, 2, 3, …
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Text rather than a time type: the hash covers exactly these characters.
    Column("at", String(40), nullable=False),
    Column("action", String(12), nullable=False),
    Column("event", String(16), nullable=False),
    Column("who", String(128), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "action"),
)
