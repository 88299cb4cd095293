"""Something the crew may do to an outside system, and how far it has got."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject


class ActionState(StrEnum):
    """Where an action stands. Only the transitions listed in ``opscrew/actions/lifecycle.py`` happen."""

    WAITING = "waiting"  # a person must approve
    APPROVED = "approved"  # may be sent, was not yet
    SENDING = "sending"  # recorded as about to be sent: after a crash, ask the system whether it arrived
    SENT = "sent"  # the system accepted it; the outcome is not known yet
    SUCCEEDED = "succeeded"  # verified
    FAILED = "failed"  # sent, and the outcome was not the wanted one, or the system refused it
    DENIED = "denied"  # a person said no
    EXPIRED = "expired"  # nobody said anything in time
    REFUSED = "refused"  # policy, budget or a precondition said no
    DRY_RUN = "dry_run"  # would have been sent

    @property
    def final(self) -> bool:
        """Nothing more will happen to it."""
        return self not in (self.WAITING, self.APPROVED, self.SENDING, self.SENT)


class Action(BaseModel):
    """A proposal from the catalog (``opscrew/actions/catalog.yaml``).

    ``target`` is taken from known records, never from free text. ``parameters`` are checked against the bounds of
    the catalog. ``idempotency_key`` is the same for the same intent (kind, target, and what made it necessary),
    so proposing twice gives one action.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    target: Subject
    parameters: dict[str, Any] = Field(default_factory=dict)
    reason: str
    evidence: tuple[Evidence, ...] = ()
    finding: str = ""
    """Fingerprint of the finding it answers, if any."""
    idempotency_key: str
