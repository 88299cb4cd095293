"""Webhooks that were accepted lately, so that one that comes again does nothing."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from opscrew.store.base import UtcDateTime, metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("source", String(32), primary_key=True),
    # A hash: of the sender's own name for the delivery, or of what it holds.
    Column("delivery", String(64), primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
)
