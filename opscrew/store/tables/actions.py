"""Every action that was ever proposed, and how far it got."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, String, Table, Text

from opscrew.store.base import UtcDateTime, metadata

actions = Table(
    "actions",
    metadata,
    # First characters of the digest: short enough to type.
    Column("id", String(12), primary_key=True),
    # SHA-256 of the idempotency key, unique: proposing the same twice gives one action.
    Column("key_digest", String(64), nullable=False, unique=True),
    Column("idempotency_key", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("system", String(64), nullable=False),
    Column("target_kind", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("finding", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    # Why it is in this state, for people.
    Column("note", Text, nullable=False),
    # What keeps it waiting: policy, quiet_hours, budget, cooldown, people; empty when nothing does.
    Column("held_by", String(16), nullable=False),
    # "policy" or the person.
    Column("approved_by", String(128), nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("cooldown_key", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # The moment it counts from in budgets: approval, then sending. With the uptime, see opscrew/actions/uptime.py.
    Column("spent_at", UtcDateTime),
    Column("spent_boot", String(64), nullable=False),
    Column("spent_seconds", Float, nullable=False),
    # Who is sending it right now; empty when nobody is any more.
    Column("sender", String(64), nullable=False),
    # Requests that may have arrived. What was refused for the moment is counted beside it, in a row.
    Column("attempts", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    # How often an action of unknown fate was looked for and not seen, since its request was given up.
    Column("looks", Integer, nullable=False),
    # Not sent before this time: the system asked for a pause.
    Column("again_at", UtcDateTime),
    Column("receipt_id", Text, nullable=False),
    Column("receipt_url", Text, nullable=False),
    Column("receipt_detail", Text, nullable=False),
    Column("finished_at", UtcDateTime),
    # Grows with each change: two processes cannot both change the same version.
    Column("version", Integer, nullable=False),
    Index(None, "state"),
    Index(None, "spent_at"),
)
