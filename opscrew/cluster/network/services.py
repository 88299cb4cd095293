"""Services that lead to no ready pod, and load balancers that get no address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, mappings, number, text, truth
from tools.kubernetes.records import Resource

_BALANCER_EVENTS = (
    "SyncLoadBalancerFailed",
    "AllocationFailed",
    "UpdateLoadBalancerFailed",
    "CreatingLoadBalancerFailed",
)


def check_services(snapshot: Snapshot) -> Iterator[Problem]:
    """Only Services with a selector: without one somebody else fills in the endpoints."""
    for service in snapshot.of("Service"):
        if service.deleting_since or text(service.spec, "type") == "ExternalName":
            continue
        selector = mapping(service.spec, "selector")
        if selector and snapshot.knows("Pod", service.namespace):
            yield from _endpoints(snapshot, service)
        if text(service.spec, "type") == "LoadBalancer":
            yield from _address(snapshot, service)


def _endpoints(snapshot: Snapshot, service: Resource) -> Iterator[Problem]:
    pods = snapshot.selected_pods(service.namespace, mapping(service.spec, "selector"))
    # Some Services lead to pods that are not ready on purpose, so that these find each other while they start.
    any_will_do = truth(service.spec, "publishNotReadyAddresses") is True
    served = [pod for pod in pods if any_will_do or is_ready(pod)]
    if served and text(service.spec, "clusterIP") != "None":  # a headless one leads to the pods, whatever port is asked
        yield from _missing_ports(service, served)
    if served or snapshot.age(service.created_at) <= seconds(thresholds().settle_seconds):
        return
    if pods and all(text(pod.status, "phase") == "Succeeded" for pod in pods):
        return  # the pods of a job find each other through it, and have done their work
    # What is left of pods that have ended serves nothing, and nobody waits for it.
    living = [pod for pod in pods if text(pod.status, "phase") not in ("Failed", "Succeeded")]
    if not living and _is_scaled_to_zero(snapshot, service):
        return
    if not pods:
        cause = "No pod matches its selector, so every connection to it fails."
        yield Problem("SERVICE_WITHOUT_PODS", service, "NoEndpoints", cause)
        return
    pods = living or pods
    if is_being_replaced(snapshot, pods):
        return
    cause = f"None of its {len(pods)} pods is ready, so every connection to it fails."
    keys = tuple(pod.key for pod in pods)
    yield Problem("SERVICE_WITHOUT_READY_PODS", service, "NoReadyEndpoints", cause, caused_by=keys)


def _missing_ports(service: Resource, pods: Sequence[Resource]) -> Iterator[Problem]:
    """A target port that is a name leads to the container port of that name, and nowhere where no pod has one."""
    offered = {port for pod in pods for port in _named_ports(pod)}
    for port in mappings(service.spec, "ports"):
        target, protocol = text(port, "targetPort"), text(port, "protocol") or "TCP"
        if not target or target.isdigit() or (target, protocol) in offered:
            continue
        names = ", ".join(sorted({f'"{name}"' for name, _ in offered}))
        title = f"Port {text(port, 'port')}" + (f" ({text(port, 'name')})" if text(port, "name") else "")
        cause = (
            f'{title} leads to the {protocol} port "{target}", which no container of its pods has '
            f"({f'they name {names}' if names else 'they name none'}), so every connection to it fails."
        )
        yield Problem("SERVICE_PORT_MISSING", service, "TargetPortMissing", cause, aspect=target)


def _named_ports(pod: Resource) -> Iterator[tuple[str, str]]:
    for part in ("initContainers", "containers"):
        for container in mappings(pod.spec, part):
            if part == "containers" or text(container, "restartPolicy") == "Always":
                for port in mappings(container, "ports"):
                    yield text(port, "name"), text(port, "protocol") or "TCP"


def is_being_replaced(snapshot: Snapshot, pods: Iterable[Resource]) -> bool:
    """Whether the newest of the pods was made a moment ago."""
    newest = max((pod.created_at for pod in pods if pod.created_at), default=None)
    return newest is not None and snapshot.age(newest) <= seconds(thresholds().settle_seconds)


def _is_scaled_to_zero(snapshot: Snapshot, service: Resource) -> bool:
    """Whether workloads of that namespace make such pods, and all of them are meant to have none right now."""
    selector = mapping(service.spec, "selector")
    makers = [
        workload
        for workload in _workloads(snapshot)
        if workload.namespace == service.namespace
        and selector.items() <= mapping(workload.spec, "template", "metadata", "labels").items()
    ]
    return bool(makers) and all(_wants_no_pod(workload) for workload in makers)


def _workloads(snapshot: Snapshot) -> Iterator[Resource]:
    """Everything that makes pods from a template; ReplicaSets of a Deployment are judged as the Deployment."""
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        yield from (workload for workload in snapshot.of(kind) if not workload.owners)
    yield from snapshot.custom()


def _wants_no_pod(workload: Resource) -> bool:
    if workload.kind == "DaemonSet":
        return number(workload.status, "desiredNumberScheduled") == 0
    return workload.spec.get("replicas") == 0


def _address(snapshot: Snapshot, service: Resource) -> Iterator[Problem]:
    if mappings(service.status, "loadBalancer", "ingress"):
        return
    events = recent_warnings(snapshot, service, _BALANCER_EVENTS)
    if events:
        facts = tuple(event_line(event) for event in events[:2])
        cause = f"Its load balancer could not be made: {events[0].message.strip()}"
        yield Problem("LOAD_BALANCER_FAILED", service, events[0].reason, cause, facts=facts)
    elif snapshot.age(service.created_at) > seconds(thresholds().address_seconds):
        cause = "Its load balancer has no address yet; perhaps nothing in this cluster makes load balancers."
        yield Problem("LOAD_BALANCER_PENDING", service, "NoAddress", cause)


def is_ready(pod: Resource) -> bool:
    """Whether traffic is sent to the pod."""
    if pod.deleting_since is not None:
        return False
    conditions = mappings(pod.status, "conditions")
    return any(text(condition, "type") == "Ready" and truth(condition, "status") for condition in conditions)
