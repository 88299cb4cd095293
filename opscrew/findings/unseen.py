"""Tells of findings that a look no longer sees which of them it would have shown, were they still there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from opscrew.findings import rows
from opscrew.model.coverage import REST, Gap, is_hidden
from opscrew.store.database import chunks
from opscrew.store.tables.findings import findings


def not_hidden(
    connection: Connection, unseen: Mapping[str, Row[Any]], source: str, gaps: Collection[Gap]
) -> Collection[str]:
    """Fingerprints of those that are of ``source`` and that no gap hides. Without gaps: all of them."""
    if not gaps:
        return unseen.keys()
    own = {fingerprint: row for fingerprint, row in unseen.items() if source in row.sources}
    rests_on: dict[str, Collection[str]] = {}
    if any(gap.kinds for gap in gaps):
        for chunk in chunks(list(own)):
            query = select(findings.c.fingerprint, findings.c.details).where(findings.c.fingerprint.in_(chunk))
            rests_on |= {row.fingerprint: _rests_on(row.details) for row in connection.execute(query)}
    return [
        fingerprint
        for fingerprint, row in own.items()
        if not is_hidden(rows.subject_of(row), gaps, rests_on.get(fingerprint, ()))
    ]


def _rests_on(details: Mapping[str, Any]) -> Collection[str]:
    """The kinds that it was judged by, as its details say; else those of the objects that it affects."""
    if REST in details:
        return [str(kind) for kind in details[REST]]
    return [str(one.get("kind")) for one in details.get("affected", []) if isinstance(one, dict)]
