"""What the audit log says of one action, told from its entries, and where a record says otherwise.

The journal's row is what will be acted upon, and anybody who may write the database can edit it. The log is chained, so
it tells what was proposed, who approved it and where it stands; both must agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from opscrew.actions.audit import canonical, details_of, entries_of
from opscrew.actions.records import BY_POLICY, ActionRecord
from opscrew.model.action import ActionState

GONE = "gone"
"""Event of an action whose row is lost, when a person accepted that."""


def content(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an action is, from the columns of its row: what must never change after it was proposed."""
    return {
        "kind": values["kind"],
        "target": "/".join(values[name] for name in ("system", "target_kind", "scope", "name")),
        "parameters": values["parameters"],
        "reason": values["reason"],
        "key": values["idempotency_key"],
    }


def content_of(record: ActionRecord) -> dict[str, Any]:
    """The same of a record in memory, exactly as it would be sent."""
    action = record.action
    return {
        "kind": action.kind,
        "target": action.target.key,
        "parameters": action.parameters,
        "reason": action.reason,
        "key": action.idempotency_key,
    }


def standing(state: str, approved_by: str, expires_at: datetime) -> dict[str, str]:
    """What each step may change and the log states every time: where it stands, on whose word, and until when."""
    at = expires_at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"state": state, "approved_by": approved_by, "expires_at": at}


def account_of(connection: Connection, action: str) -> Account:
    """All that the log says of one action."""
    account = Account()
    for row in entries_of(connection, action):
        account.add(row.event, row.who, details_of(row))
    return account


def is_lost(connection: Connection, action: str) -> bool:
    """Whether the log knows an action that has no row, and nobody accepted that: it may have been done already."""
    return account_of(connection, action).state not in ("", GONE)


class Account:
    """Built by adding an action's entries in order."""

    def __init__(self) -> None:
        self.state = ""
        self._content: Mapping[str, Any] = {}
        # None where entries of an earlier version do not tell.
        self._approved_by: str | None = ""
        self._expires_at: str | None = None
        self._is_loose = False
        self.altered: tuple[str, ...] = ()
        """What a step found to differ when it was taken; later steps would hide it otherwise."""

    def add(self, event: str, who: str, details: Mapping[str, Any]) -> None:
        """One more entry. One that states the action in full (the first, or a later one after a break) begins anew."""
        found = tuple(details.get("altered", ()))
        self.altered = found if "parameters" in details else self.altered + found
        if "parameters" in details:
            self._content = details
            self._approved_by = BY_POLICY if event == ActionState.APPROVED else ""
            # What an earlier version refused may stand in the row and in the log in two abridged forms.
            self._is_loose = event == ActionState.REFUSED and "approved_by" not in details
        self._approved_by = details.get("approved_by", self._approver(event, who))
        self._expires_at = details.get("expires_at")
        self.state = event

    def differences(self, content: Mapping[str, Any], standing: Mapping[str, str]) -> tuple[str, ...]:
        """Names of what a record says otherwise; empty when it agrees."""
        if self._is_loose and self.state == standing["state"]:
            return ()
        found = [name for name, value in content.items() if canonical(self._content.get(name)) != canonical(value)]
        logged = {"state": self.state, "approved_by": self._approved_by, "expires_at": self._expires_at}
        found += [name for name, value in standing.items() if logged[name] is not None and logged[name] != value]
        return tuple(found)

    def differs_from(self, record: ActionRecord) -> tuple[str, ...]:
        """``differences`` for a record in memory."""
        told = standing(record.state.value, record.approved_by, record.expires_at)
        return self.differences(content_of(record), told)

    def _approver(self, event: str, who: str) -> str | None:
        """Who approved it, from an entry that does not say so itself."""
        if event == ActionState.WAITING:
            return ""
        if event == ActionState.REFUSED:
            return None
        approved_now = event == ActionState.APPROVED and self.state == ActionState.WAITING
        return who if approved_now else self._approved_by
