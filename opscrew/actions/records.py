"""What the journal hands out: an action with everything that happened to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opscrew.actions.executor import Receipt
from opscrew.actions.uptime import Moment
from opscrew.model.action import Action, ActionState

BY_POLICY = "policy"
"""Who approved an action that nobody had to approve."""

CREW = "crew"
"""Who, in the audit log, when the crew itself took the step."""


class HeldBy(StrEnum):
    """What makes an action wait for a person, or holds back one that was approved."""

    NOTHING = ""
    POLICY = "policy"
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"
    COOLDOWN = "cooldown"
    AUDIT = "audit"  # the audit log is broken, or does not prove what was approved
    PEOPLE = "people"  # the crew cannot carry it out itself


@dataclass(frozen=True)
class ActionRecord:
    """``spent`` is the moment from which budgets count it, ``sender`` the process that is sending it right now.

    ``attempts`` are requests that may have arrived, ``refusals`` those in a row that certainly did not; it is not sent
    before ``again_at``. ``looks`` counts how often it was looked for in vain since its request was given up.
    """

    id: str
    action: Action
    state: ActionState
    note: str
    held_by: HeldBy
    approved_by: str
    commit: str
    cooldown_key: str
    proposed_at: datetime
    expires_at: datetime
    spent: Moment | None
    sender: str
    attempts: int
    receipt: Receipt | None
    finished_at: datetime | None
    version: int
    refusals: int = 0
    looks: int = 0
    again_at: datetime | None = None


def digest_of(idempotency_key: str) -> str:
    """SHA-256 of the key in hex. Its first twelve digits are the action's id."""
    return hashlib.sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(idempotency_key: str) -> str:
    """The id that an action with this key has or will have."""
    return digest_of(idempotency_key)[:12]
