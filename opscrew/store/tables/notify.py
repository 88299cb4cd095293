"""What people are told: a row for each event and channel, how each channel fares, how far the history was read."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from opscrew.store.base import UtcDateTime, metadata

notify_outbox = Table(
    "notify_outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(32), nullable=False),
    # What happened, named so that the same is never written twice for one channel.
    Column("event", String(160), nullable=False),
    # What it is about (a finding's fingerprint, an action's id): of one thing, the last word is told.
    Column("about", String(64), nullable=False),
    Column("what", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    # The words that the message is made of, fit to be shown.
    Column("facts", JSON, nullable=False),
    # See opscrew/notify/outbox.py.
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    # The message that it went out with; several rows may share one.
    Column("message", String(32), nullable=False),
    Column("problem", Text, nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("channel", "event"),
    Index(None, "state", "channel"),
    Index(None, "about"),
)

notify_channels = Table(
    "notify_channels",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    # Failures in a row, since when, why, and when it is tried again.
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("again_at", UtcDateTime),
    # Whether only a person can end it.
    Column("permanent", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
)

notify_cursors = Table(
    "notify_cursors",
    metadata,
    # The table that is read.
    Column("name", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
