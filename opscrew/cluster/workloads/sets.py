"""StatefulSets and DaemonSets: pods short, rollouts that do not move on, and what they refer to and is missing."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.workloads.replicas import (
    check_creation,
    has_lasted,
    is_outdated,
    shortage_severity,
    wanted_replicas,
)
from tools.kubernetes.fields import mappings, number, text
from tools.kubernetes.records import Resource


def check_stateful_sets(snapshot: Snapshot) -> Iterator[Problem]:
    """Pods start one after the other, so only a shortage that lasts counts."""
    for stateful_set in snapshot.of("StatefulSet"):
        if stateful_set.deleting_since or is_outdated(stateful_set):
            continue
        yield from check_creation(snapshot, stateful_set)
        yield from _missing_parts(snapshot, stateful_set)
        wanted = wanted_replicas(stateful_set)
        ready = number(stateful_set.status, "readyReplicas") or 0
        if ready < wanted and has_lasted(snapshot, stateful_set):
            cause = f"Only {ready} of {wanted} replicas are ready."
            yield Problem(
                "STATEFUL_SET_UNAVAILABLE",
                stateful_set,
                "ReplicasNotReady",
                cause,
                severity=shortage_severity(ready),
                caused_by=_claims(snapshot, stateful_set),
            )


def _missing_parts(snapshot: Snapshot, stateful_set: Resource) -> Iterator[Problem]:
    service = text(stateful_set.spec, "serviceName")
    namespace = stateful_set.namespace
    if service and snapshot.knows("Service", namespace) and not snapshot.find("Service", namespace, service):
        cause = f"Its governing Service {service} does not exist, so its pods have no stable names."
        yield Problem("STATEFUL_SET_SERVICE_MISSING", stateful_set, "ServiceNotFound", cause)
    if _claims(snapshot, stateful_set):
        return  # the claims speak for themselves
    for template in mappings(stateful_set.spec, "volumeClaimTemplates"):
        name = text(template, "spec", "storageClassName")
        if name and snapshot.knows("StorageClass") and not snapshot.find("StorageClass", "", name):
            cause = f"The StorageClass {name} of its volume claims does not exist."
            yield Problem("STORAGE_CLASS_MISSING", stateful_set, "StorageClassNotFound", cause, aspect=name)


def _claims(snapshot: Snapshot, stateful_set: Resource) -> tuple[Key, ...]:
    """Its claims are named TEMPLATE-SET-NUMBER."""
    names = [
        f"{text(template, 'metadata', 'name')}-{stateful_set.name}-{number_}"
        for template in mappings(stateful_set.spec, "volumeClaimTemplates")
        for number_ in range(min(wanted_replicas(stateful_set), 50))
    ]
    keys = (("PersistentVolumeClaim", stateful_set.namespace, name) for name in names)
    return tuple(key for key in keys if key in snapshot.resources)


def check_daemon_sets(snapshot: Snapshot) -> Iterator[Problem]:
    """Compared with the nodes it should run on. Nodes that are gone or not ready take their share with them."""
    for daemon_set in snapshot.of("DaemonSet"):
        if daemon_set.deleting_since or is_outdated(daemon_set):
            continue
        yield from check_creation(snapshot, daemon_set)
        wanted = number(daemon_set.status, "desiredNumberScheduled") or 0
        ready = number(daemon_set.status, "numberReady") or 0
        if ready < wanted and has_lasted(snapshot, daemon_set):
            nodes = tuple(
                ("Node", "", text(pod.spec, "nodeName"))
                for pod in snapshot.children_of(daemon_set)
                if text(pod.spec, "nodeName")
            )
            cause = f"Its pod is ready on {ready} of {wanted} nodes."
            yield Problem("DAEMON_SET_UNAVAILABLE", daemon_set, "PodsNotReady", cause, caused_by=nodes)
