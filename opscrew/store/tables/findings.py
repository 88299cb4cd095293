"""What is wrong now, what was wrong before, and each change between the two."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from opscrew.store.base import UtcDateTime, metadata

findings = Table(
    "findings",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("system", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("aspect", Text, nullable=False),
    # See opscrew/model/finding.py. ``occasion`` is that of the latest look.
    Column("family", String(64), nullable=False),
    Column("occasion", String(64), nullable=False),
    Column("cause", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("details", JSON, nullable=False),
    # Names of the sources that see it at present. It is resolved when the last of them no longer does.
    Column("sources", JSON, nullable=False),
    # new, ongoing, flapping or resolved. "suppressed" is not stored: it follows from suppressed_until and the time.
    Column("state", String(16), nullable=False),
    Column("present", Boolean, nullable=False),
    # How often it appeared: came (back), or happened once more. Looks that see the same again do not count.
    Column("occurrences", Integer, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("suppressed_until", UtcDateTime),
    Column("suppressed_reason", Text, nullable=False),
    Column("suppressed_by", String(128), nullable=False),
    Index(None, "state", "last_seen"),
)

finding_changes = Table(
    "finding_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("change", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "fingerprint", "at"),
    Index(None, "at"),
)
