"""Rolls a workload back to an earlier revision that the cluster still remembers."""

from __future__ import annotations

from datetime import datetime

from crews.actions.workloads import (
    Clients,
    change_workload,
    client_of,
    existing,
    mark_of,
    marked,
    receipt_of,
    rollout_outcome,
    target_of,
)
from opscrew.actions.executor import Outcome, Receipt, SendRefusedError
from opscrew.model.action import Action
from tools.kubernetes.changes import Revision, revisions, roll_back
from tools.kubernetes.records import Resource


class RollBackWorkload:
    """Executor of ``roll_back_workload``. ``to_revision`` is the cluster's own number."""

    kind = "roll_back_workload"

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def precondition(self, action: Action) -> str | None:
        found = target_of(self._clients, action)
        if found is None:
            return f"{action.target} does not exist"
        if found.deleting_since:
            return f"{action.target} is being deleted"
        if found.spec.get("paused") is True:
            return f"{action.target} is paused"
        to = self._wanted(action, found)
        if to is None:
            return f"the cluster no longer remembers revision {action.parameters['to_revision']}"
        newest = revisions(client_of(self._clients, action), found)[0]
        if to.number == newest.number or to.template == newest.template:
            return f"revision {to.number} is what runs already"
        return None

    def send(self, action: Action) -> Receipt:
        client, mark = client_of(self._clients, action), mark_of(action)
        to = self._wanted(action, existing(self._clients, action))
        if to is None:
            raise SendRefusedError(f"revision {action.parameters['to_revision']} is gone")
        _, after = change_workload(self._clients, action, lambda found: roll_back(client, found, to, mark))
        return receipt_of(after, f"going back to revision {to.number} ({to.name})")

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since
        return marked(self._clients, action)

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        del receipt
        return rollout_outcome(self._clients, action)

    def _wanted(self, action: Action, found: Resource) -> Revision | None:
        number = action.parameters["to_revision"]
        remembered = revisions(client_of(self._clients, action), found)
        return next((one for one in remembered if one.number == number), None)
