"""Restarts a workload pod by pod, in the way that its own strategy says."""

from __future__ import annotations

from datetime import datetime

from crews.actions.workloads import (
    Clients,
    change_workload,
    client_of,
    mark_of,
    marked,
    receipt_of,
    rollout_outcome,
    target_of,
)
from opscrew.actions.executor import Outcome, Receipt
from opscrew.clock import Clock
from opscrew.model.action import Action
from tools.kubernetes.changes import restart
from tools.kubernetes.fields import text


class RestartWorkload:
    """Executor of ``restart_workload``."""

    kind = "restart_workload"

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def precondition(self, action: Action) -> str | None:
        found = target_of(self._clients, action)
        if found is None:
            return f"{action.target} does not exist"
        if found.deleting_since:
            return f"{action.target} is being deleted"
        if found.spec.get("paused") is True:
            return f"{action.target} is paused, so nothing would happen"
        if found.spec.get("replicas") == 0:
            return f"{action.target} is scaled to zero"
        if text(found.spec, "updateStrategy", "type") == "OnDelete":
            return f"{action.target} only replaces pods that somebody deletes"
        return None

    def send(self, action: Action) -> Receipt:
        client, mark = client_of(self._clients, action), mark_of(action)
        _, after = change_workload(self._clients, action, lambda found: restart(client, found, mark, self._clock()))
        return receipt_of(after, "restart requested")

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since  # the mark tells more than two clocks
        return marked(self._clients, action)

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        del receipt
        return rollout_outcome(self._clients, action)
