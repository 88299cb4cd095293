"""More findings and actions than any list shows, written in bulk."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from opscrew.actions.audit import BEGINNING, hash_of
from opscrew.actions.records import digest_of
from opscrew.store.tables.actions import actions
from opscrew.store.tables.audit import audit_entries
from opscrew.store.tables.findings import findings
from tests.support.actions import rerun

INFO, WARNING, CRITICAL = "info", "warning", "critical"


def write_findings(engine: Engine, count: int, now: datetime, **columns: Any) -> None:
    """``count`` findings; the last three, seen the longest ago, are the gravest."""
    rows = []
    for number in range(count):
        severity = CRITICAL if number >= count - 3 else WARNING if number % 10 == 0 else INFO
        seen = now - timedelta(seconds=number)
        rows.append(
            {
                "fingerprint": f"{number:016x}",
                "code": "CI_FAILED",
                "severity": severity,
                "system": "bitbucket",
                "kind": "branch",
                "scope": f"acme/repo{number % 4000}",
                "name": f"feature-{number}",
                "url": "",
                "aspect": "",
                "cause": f"build {number} failed",
                "next_step": "",
                "reason": "",
                "evidence": [],
                "details": {"build_number": number, "signature": f"signature-{number}"},
                "sources": [f"ci_watch/repo{number % 4000}"],
                "state": "ongoing",
                "present": True,
                "occurrences": 1,
                "first_seen": seen,
                "last_seen": seen,
                "changed_at": seen,
                "resolved_at": None,
                "suppressed_until": None,
                "suppressed_reason": "",
                "suppressed_by": "",
            }
            | columns
        )
    with engine.begin() as connection:
        connection.execute(insert(findings), rows)


def write_actions(engine: Engine, count: int, now: datetime, state: str = "waiting", **columns: Any) -> list[str]:
    """``count`` re-runs in one state, the first proposed the longest ago, with entries in the log. Returns the ids."""
    rows, entries = [], []
    previous = BEGINNING
    for number in range(1, count + 1):
        action = rerun(number, f"acme/repo{number}")
        at = now - timedelta(seconds=count - number)
        row = {
            "id": digest_of(action.idempotency_key)[:12],
            "key_digest": digest_of(action.idempotency_key),
            "idempotency_key": action.idempotency_key,
            "kind": action.kind,
            "system": action.target.system,
            "target_kind": action.target.kind,
            "scope": action.target.scope,
            "name": action.target.name,
            "url": "",
            "parameters": action.parameters,
            "reason": action.reason,
            "evidence": [],
            "finding": f"{number:016x}",
            "state": state,
            "note": "policy says approve for rerun_pipeline",
            "held_by": "policy" if state == "waiting" else "",
            "approved_by": "" if state == "waiting" else "policy",
            "commit_id": action.parameters["commit"],
            "cooldown_key": str(number),
            "proposed_at": at,
            "expires_at": now + timedelta(hours=12),
            "spent_at": None if state == "waiting" else at,
            "spent_boot": "",
            "spent_seconds": 0.0,
            "sender": "",
            "attempts": 0,
            "receipt_id": f"run-of-{action.target.name}" if state == "sent" else "",
            "receipt_url": "",
            "receipt_detail": "",
            "finished_at": at if state in ("failed", "succeeded") else None,
            "version": 1,
        } | columns
        entry = _entry(number, row, previous)
        previous = entry["hash"]
        rows.append(row)
        entries.append(entry)
    with engine.begin() as connection:
        connection.execute(insert(actions), rows)
        connection.execute(insert(audit_entries), entries)
    return [row["id"] for row in rows]


def _entry(number: int, row: dict[str, Any], previous: str) -> dict[str, Any]:
    details = {
        "kind": row["kind"],
        "target": "/".join(row[name] for name in ("system", "target_kind", "scope", "name")),
        "parameters": row["parameters"],
        "reason": row["reason"],
        "key": row["idempotency_key"],
        "note": row["note"],
        "approved_by": row["approved_by"],
    }
    entry = {
        "number": number,
        "at": row["proposed_at"].isoformat(timespec="microseconds"),
        "action": row["id"],
        "event": row["state"],
        "who": "crew",
        "details": json.dumps(details, sort_keys=True, separators=(",", ":")),
        "previous_hash": previous,
    }
    return entry | {"hash": hash_of(entry)}
