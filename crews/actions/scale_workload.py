"""Changes the number of replicas, unless an autoscaler does that already."""

from __future__ import annotations

from datetime import datetime

from crews.actions.workloads import Clients, change_workload, client_of, namespace_of, receipt_of, target_of
from opscrew.actions.executor import Outcome, Receipt
from opscrew.model.action import Action
from tools.kubernetes.changes import rollout_is_done, scale
from tools.kubernetes.fields import text
from tools.kubernetes.records import ResourceType

AUTOSCALERS = ResourceType("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")


class ScaleWorkload:
    """Executor of ``scale_workload``. Setting a number twice is the same as setting it once."""

    kind = "scale_workload"

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def precondition(self, action: Action) -> str | None:
        found = target_of(self._clients, action)
        if found is None:
            return f"{action.target} does not exist"
        if found.deleting_since:
            return f"{action.target} is being deleted"
        if found.spec.get("replicas") == action.parameters["replicas"]:
            return f"{action.target} has {action.parameters['replicas']} replicas already"
        for scaler in client_of(self._clients, action).resources(AUTOSCALERS, namespace_of(action)):
            target = scaler.spec.get("scaleTargetRef")
            if text(target, "kind") == action.target.kind and text(target, "name") == action.target.name:
                return f"the autoscaler {scaler.name} decides about its replicas; change its bounds instead"
        return None

    def send(self, action: Action) -> Receipt:
        client, replicas = client_of(self._clients, action), action.parameters["replicas"]
        found, _ = change_workload(self._clients, action, lambda now: scale(client, now, replicas))
        return receipt_of(found, f"scaled from {found.spec.get('replicas')} to {action.parameters['replicas']}")

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since
        found = target_of(self._clients, action)
        if found is None or found.spec.get("replicas") != action.parameters["replicas"]:
            return None
        return receipt_of(found, f"it has {action.parameters['replicas']} replicas")

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        del receipt
        found = target_of(self._clients, action)
        if found is None:
            return Outcome(False, f"{action.target} is gone")
        wanted = action.parameters["replicas"]
        if found.spec.get("replicas") != wanted:
            return Outcome(False, f"somebody set it to {found.spec.get('replicas')} replicas meanwhile")
        return Outcome(True, f"{wanted} replicas are ready") if rollout_is_done(found) else None
