"""Things that work today and are worth tidying up: all of severity info, and capped in number (``noise.yaml``)."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import thresholds
from opscrew.model.finding import Severity
from tools.kubernetes.fields import mapping, mappings, number, text, texts
from tools.kubernetes.records import Resource
from tools.kubernetes.trimming import config_maps_of

# Kubernetes writes this one into every namespace.
_ROOT_CA = "kube-root-ca.crt"
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def check_config_maps(snapshot: Snapshot) -> Iterator[Problem]:
    """Near the 1 MiB limit is a problem to come; empty or unused ones only clutter."""
    used = _used_config_maps(snapshot)
    for config_map in snapshot.of("ConfigMap"):
        size, keys = _size(config_map)
        if size >= thresholds().config_map_warning_bytes:
            cause = f"It holds {size} bytes; the limit is 1048576, and the next change may be refused."
            yield Problem("CONFIG_MAP_NEAR_LIMIT", config_map, "TooLarge", cause, severity=Severity.WARNING)
        elif keys == 0 and not config_map.owners and not config_map.annotations:
            yield Problem("CONFIG_MAP_UNUSED", config_map, "Empty", "It is empty.")
        elif (
            snapshot.listed is not None
            and snapshot.knows("Pod")
            and config_map.name != _ROOT_CA
            and not config_map.owners
            and (config_map.namespace, config_map.name) not in used
        ):
            yield Problem("CONFIG_MAP_UNUSED", config_map, "Unused", "No pod mounts it or reads it.")


def _size(config_map: Resource) -> tuple[int, int]:
    """(bytes, keys), whether the data was kept (a file) or only counted while reading (a cluster)."""
    counted = number(config_map.body, "dataBytes")
    if counted is not None:
        return counted, number(config_map.body, "dataKeys") or 0
    parts = [mapping(config_map.body, part) for part in ("data", "binaryData")]
    return sum(len(str(value)) for part in parts for value in part.values()), sum(len(part) for part in parts)


def _used_config_maps(snapshot: Snapshot) -> set[tuple[str, str]]:
    used = {(pod.namespace, name) for pod in snapshot.of("Pod") for name in config_maps_of(pod.spec)}
    for kind in (*_WORKLOADS, "ReplicaSet"):
        for workload in snapshot.of(kind):
            template = mapping(workload.spec, "template", "spec")
            used.update((workload.namespace, name) for name in config_maps_of(template))
    for job in snapshot.of("CronJob"):
        template = mapping(job.spec, "jobTemplate", "spec", "template", "spec")
        used.update((job.namespace, name) for name in config_maps_of(template))
    return used


def check_network_policies(snapshot: Snapshot) -> Iterator[Problem]:
    """A policy that selects no pod. One that selects all pods and allows nothing is a default deny, and meant so."""
    for policy in snapshot.of("NetworkPolicy"):
        selector = mapping(policy.spec, "podSelector")
        if not selector or not snapshot.knows("Pod", policy.namespace):
            continue
        if not snapshot.selected_pods(policy.namespace, selector):
            yield Problem(
                "NETWORK_POLICY_UNUSED", policy, "NoPodsSelected", "It selects no pod, so it protects nothing."
            )


def check_roles(snapshot: Snapshot) -> Iterator[Problem]:
    """Rules that allow everything. Kubernetes' own roles are left out."""
    for kind in ("Role", "ClusterRole"):
        for role in snapshot.of(kind):
            if role.labels.get("kubernetes.io/bootstrapping") or role.name.startswith("system:"):
                continue
            rules = mappings(role.body, "rules")
            if any("*" in texts(rule, "verbs") and "*" in texts(rule, "resources") for rule in rules):
                yield Problem("ROLE_ALLOWS_EVERYTHING", role, "Wildcard", "It allows every verb on every resource.")


def check_security(snapshot: Snapshot) -> Iterator[Problem]:
    """Privileged containers of workloads, outside the namespaces where the cluster's own parts need it."""
    for kind in _WORKLOADS:
        for workload in snapshot.of(kind):
            if workload.namespace.startswith("kube-"):
                continue
            for container in mappings(workload.spec, "template", "spec", "containers"):
                if mapping(container, "securityContext").get("privileged") is True:
                    name = text(container, "name")
                    cause = f"Container {name} runs privileged and can do anything on its node."
                    yield Problem("CONTAINER_PRIVILEGED", workload, "Privileged", cause, aspect=name)
