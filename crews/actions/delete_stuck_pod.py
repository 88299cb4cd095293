"""Deletes a pod that its node does not finish terminating, so that its owner can make a new one.

The pod is removed from the API without its node's word. Where each member has an identity of its own that could make
two of it at once, so pods of a StatefulSet are left to people.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crews.actions.workloads import Clients, client_of, namespace_of, refusals
from opscrew.actions.executor import Outcome, Receipt
from opscrew.clock import Clock
from opscrew.model.action import Action
from tools.kubernetes.changes import REPLICA_SETS, WORKLOADS, delete_pod, rollout_is_done
from tools.kubernetes.fields import number
from tools.kubernetes.records import Resource
from tools.kubernetes.resource_types import PODS

PATIENCE = timedelta(minutes=5)
"""After its own grace period is over. Volumes are usually detached within two minutes."""
OWNERS = {**WORKLOADS, "ReplicaSet": REPLICA_SETS}


class DeleteStuckPod:
    """Executor of ``delete_stuck_pod``."""

    kind = "delete_stuck_pod"

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def precondition(self, action: Action) -> str | None:
        pod = self._pod(action)
        if pod is None or pod.uid != action.parameters["uid"]:
            return "this very pod is gone already"
        if pod.deleting_since is None:
            return "it is not terminating"
        # The time of deletion already includes the grace period.
        if self._clock() < pod.deleting_since + PATIENCE:
            return "it has not been terminating for long enough"
        if pod.finalizers:
            return f"it waits for {', '.join(pod.finalizers)}, which deleting does not help"
        if any(owner.kind == "StatefulSet" for owner in pod.owners):
            return "a StatefulSet's pod may still run on its node; a person has to make sure that it does not"
        return None

    def send(self, action: Action) -> Receipt:
        uid = action.parameters["uid"]
        with refusals():
            delete_pod(client_of(self._clients, action), namespace_of(action), action.target.name, uid)
        return Receipt(uid, detail="deleted")

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since
        pod = self._pod(action)
        uid = action.parameters["uid"]
        return Receipt(uid, detail="it is gone") if pod is None or pod.uid != uid else None

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        pod = self._pod(action)
        if pod is not None and pod.uid == receipt.external_id:
            return None
        kind, _, name = action.parameters.get("owner", "").partition("/")
        if kind not in OWNERS:
            return Outcome(True, "the pod is gone")
        found = client_of(self._clients, action).get(OWNERS[kind], namespace_of(action), name)
        if found is not None and not _is_well(found):
            return None
        return Outcome(True, "the pod is gone and its owner has all its pods")

    def _pod(self, action: Action) -> Resource | None:
        return client_of(self._clients, action).get(PODS, namespace_of(action), action.target.name)


def _is_well(owner: Resource) -> bool:
    if owner.kind == "ReplicaSet":
        wanted = number(owner.spec, "replicas")
        return (number(owner.status, "readyReplicas") or 0) >= (1 if wanted is None else wanted)
    return rollout_is_done(owner)
