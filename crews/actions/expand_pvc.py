"""Makes a volume larger: asks once more whether it may, sends one patch, and waits until the file system has grown.

A claim's request is only a wish. The work is done when the file system itself has the new size, which the kubelet
measures; a larger claim alone proves nothing.
"""

from __future__ import annotations

from datetime import datetime

from crews.runtime.systems import Systems
from crews.runtime.volume_figures import read_present
from crews.runtime.volumes import read_claim, read_class
from opscrew.actions.executor import Outcome, Receipt, SendRefusedError
from opscrew.actions.records import id_of
from opscrew.cluster.conditions import read_conditions
from opscrew.model.action import Action
from opscrew.storage.expansion import KIND, why_not_expand
from opscrew.storage.volume import GIB, Claim, least_of
from tools.errors import PermanentError, TemporaryError
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import StatusError
from tools.kubernetes.fields import mapping, text
from tools.kubernetes.records import Resource, ResourceType

CLAIMS = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
CLASSES = ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
MARK = "crew.io/enlarged-by"
"""Annotation that carries the action's id: how a patch whose answer was lost is found again."""


class ExpandPvc:
    """Executor of ``expand_pvc``. Targets have the scope "cluster/namespace"."""

    kind = KIND

    def __init__(self, systems: Systems) -> None:
        self._systems = systems

    def precondition(self, action: Action) -> str | None:
        client, (_, namespace, name) = self._client(action), _place(action)
        resource = client.get(CLAIMS, namespace, name)
        claim = _claim(client, resource, action) if resource else None
        return why_not_expand(claim, action.parameters["from_gib"], action.parameters["to_gib"])

    def send(self, action: Action) -> Receipt:
        client, (_, namespace, name) = self._client(action), _place(action)
        present = client.get(CLAIMS, namespace, name)
        if present is None:
            raise SendRefusedError("the claim is gone")
        change = {
            # Refused by the server when somebody was faster.
            "metadata": {
                "resourceVersion": present.resource_version,
                "annotations": {MARK: id_of(action.idempotency_key)},
            },
            "spec": {"resources": {"requests": {"storage": f"{action.parameters['to_gib']}Gi"}}},
        }
        try:
            changed = client.patch(CLAIMS, namespace, name, change)
        except StatusError as refused:
            if refused.status == 409:  # nothing was done, and trying again with the newer version may work
                raise TemporaryError("somebody else changed the claim", system="kubernetes") from refused
            raise SendRefusedError(str(refused)) from refused
        return _receipt(changed, action)

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since  # the annotation tells more than two clocks
        _, namespace, name = _place(action)
        present = self._client(action).get(CLAIMS, namespace, name)
        if present is None or present.annotations.get(MARK) != id_of(action.idempotency_key):
            return None
        return _receipt(present, action)

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        client, (cluster, namespace, name) = self._client(action), _place(action)
        present = client.get(CLAIMS, namespace, name)
        if present is None or (receipt.external_id and present.uid != receipt.external_id):
            return Outcome(False, "the claim was deleted meanwhile")
        if failed := _failure(present):
            return Outcome(False, f"it could not be enlarged: {failed}")
        wanted = action.parameters["to_gib"]
        claim = _claim(client, present, action)
        if claim.capacity < wanted * GIB:
            return None
        if self._systems.victoriametrics is None:
            # Claims of file systems get their new capacity from the kubelet, after it has grown the file system.
            return Outcome(True, f"the kubelet reports {wanted} GiB; nothing measures the file system itself")
        size = self._file_system(cluster, claim)
        if size is None or size < least_of(wanted * GIB):
            return None
        return Outcome(True, f"the file system has {size / GIB:.1f} GiB now")

    def _file_system(self, cluster: str, claim: Claim) -> float | None:
        """Its size in bytes as measured, or None where there are no recent figures that can be trusted."""
        part = next(part for part in self._systems.settings.kubernetes if part.name == cluster)
        metrics = self._systems.metrics_of(cluster)
        if metrics is None:
            return None
        figures = read_present(metrics, part.metrics_labels, self._systems.clock()).of(claim)
        return None if isinstance(figures, str) else figures.capacity

    def _client(self, action: Action) -> KubernetesClient:
        cluster = _place(action)[0]
        client = self._systems.kubernetes(cluster)
        if client is None:
            hint = "Name it in crew.yaml, or deny the action."
            raise PermanentError(f"the cluster {cluster} is not configured", system="kubernetes", hint=hint)
        return client


def _place(action: Action) -> tuple[str, str, str]:
    """Cluster, namespace and name."""
    cluster, _, namespace = action.target.scope.partition("/")
    return cluster, namespace, action.target.name


def _claim(client: KubernetesClient, resource: Resource, action: Action) -> Claim:
    name = text(resource.spec, "storageClassName")
    found = client.get(CLASSES, "", name) if name else None
    classes = {name: read_class(found)} if found else {}
    return read_claim(resource, _place(action)[0], classes)


def _failure(claim: Resource) -> str:
    """What the driver says where it gives up; empty while it works."""
    errors = [one for one in read_conditions(claim.status) if one.type.endswith("ResizeError") and one.status]
    if errors:
        return errors[0].message[:300] or errors[0].type
    states = mapping(claim.status, "allocatedResourceStatuses").values()
    return next((str(state) for state in states if str(state).endswith("Infeasible")), "")


def _receipt(claim: Resource, action: Action) -> Receipt:
    return Receipt(claim.uid, "", f"{claim.name} asks for {action.parameters['to_gib']} GiB")
