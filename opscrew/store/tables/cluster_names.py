"""What there is in each cluster by name, so that a question about what is well is understood too."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from opscrew.store.base import metadata

cluster_names = Table(
    "cluster_names",
    metadata,
    Column("cluster", String(128), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("namespace", String(253), primary_key=True),
    Column("name", String(253), primary_key=True),
)
