"""Asked right before an action is sent: does the audit log prove that this is what was proposed and approved?

The whole log is read once a day (``verification.py``). Here only the entries from the action's proposal on are looked
at: they must be linked without a gap up to the newest, the anchor must still find the entry that it names, and the
record must say what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from opscrew.actions.account import Account
from opscrew.actions.anchor import AnchorDamagedError, is_held, read_anchor
from opscrew.actions.audit import Head, details_of, entries_from, entries_of, faults
from opscrew.actions.records import ActionRecord


@dataclass(frozen=True)
class Doubt:
    """Why an action must not be sent. ``altered``: this very record was changed, so it never may be."""

    text: str
    altered: bool = False


def doubt_about(connection: Connection, record: ActionRecord, anchor_path: Path) -> Doubt | None:
    """``None`` when everything is proven. Reads inside the caller's transaction."""
    stated = [row.number for row in entries_of(connection, record.id) if "parameters" in details_of(row)]
    if not stated:
        return Doubt("the audit log does not say what was proposed", altered=True)
    account, before = Account(), None
    for row in entries_from(connection, stated[-1]):
        problem = next(faults(row, before or Head(row.number - 1, row.previous_hash)), None)
        if problem:
            return Doubt(problem)
        before = Head(row.number, row.hash)
        if row.action == record.id:
            account.add(row.event, row.who, details_of(row))
    if differing := account.differs_from(record) or account.altered:
        return Doubt(f"its {' and '.join(differing)} differ from what the audit log says", altered=True)
    return _doubt_about_anchor(connection, anchor_path)


def _doubt_about_anchor(connection: Connection, path: Path) -> Doubt | None:
    try:
        anchor = read_anchor(path)
    except (AnchorDamagedError, OSError):
        return Doubt("the anchor of the audit log cannot be read")
    if anchor is None:
        return Doubt("the anchor of the audit log is missing")
    if not is_held(anchor.head, connection):
        return Doubt(f"the audit log no longer has entry {anchor.head.number} that its anchor names")
    return None
