"""Where the cause of a symptom may lie: every place of ``folding.yaml`` as a search in the snapshot.

A place yields resources that may be the cause, whether they have a problem or not: ``folding.py`` takes the first that
has one. Nothing here needs a problem on the way: a Deployment depends on the node of its pod also in the first minute,
when the pod itself is not told yet.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.custom.vocabulary import words_of
from opscrew.cluster.network.services import is_ready
from opscrew.cluster.problem import Problem
from opscrew.cluster.report.references import references_of
from opscrew.cluster.snapshot import Key, Snapshot
from tools.kubernetes.fields import mapping, mappings, text
from tools.kubernetes.records import Resource

# "untolerated taint {node.kubernetes.io/unreachable: }", "had taint {key: value}, that the pod didn't tolerate".
_TAINT = re.compile(r"taint \{(?P<key>[^:}\s]+)")
_NO_NETWORK = re.compile(r"\bcni\b|network ?plugin", re.IGNORECASE)
# A host name, which a lookup, a scheme, a port or a second label tells from other words.
_HOST = re.compile(
    r"(?:lookup |://)([a-z][\w.-]*)|(?<![\w./-])([a-z][\w-]*(?:\.[\w-]+)*):\d|(?<![\w./-])([a-z][\w-]*(?:\.[\w-]+)+)"
)
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
# By the convention of the network plugins' interface their files lie in /etc/cni/net.d and /opt/cni/bin.
_PLUGIN_FOLDER = "/cni/"


@dataclass(frozen=True)
class Symptom:
    """What suffers, and what was found of it."""

    resource: Resource
    problems: Sequence[Problem]


class Search:
    """The snapshot of one sweep, indexed for the places. ``troubled`` are all resources that have a problem."""

    def __init__(self, snapshot: Snapshot, troubled: Iterable[Resource]) -> None:
        self.snapshot = snapshot
        self.troubled: dict[str, list[Resource]] = defaultdict(list)  # by name
        for resource in troubled:
            self.troubled[resource.name].append(resource)

    @cached_property
    def network_pods(self) -> list[Resource]:
        """Pods that lay hands on the network plugins of their node, and so make the pod network there."""
        return [
            pod for pod in self.snapshot.of("Pod") if any(_PLUGIN_FOLDER in f"{path}/" for path in _host_paths(pod))
        ]

    @cached_property
    def claim_users(self) -> Mapping[tuple[str, str], list[Resource]]:
        """Pods by the namespace and the name of the claims that they use."""
        found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for pod in self.snapshot.of("Pod"):
            for name in claims_of(pod):
                found[(pod.namespace, name)].append(pod)
        return found

    @cached_property
    def attachments(self) -> Mapping[str, set[str]]:
        """Names of the nodes that a volume is attached to, by the volume's name."""
        found: dict[str, set[str]] = defaultdict(set)
        for attachment in self.snapshot.of("VolumeAttachment"):
            found[text(attachment.spec, "source", "persistentVolumeName")].add(text(attachment.spec, "nodeName"))
        return found


def claims_of(pod: Resource) -> list[str]:
    """Names of the volume claims that the pod uses."""
    names = (text(volume, "persistentVolumeClaim", "claimName") for volume in mappings(pod.spec, "volumes"))
    return [name for name in names if name]


def _host_paths(pod: Resource) -> list[str]:
    return [text(volume, "hostPath", "path") for volume in mappings(pod.spec, "volumes")]


def suspects(search: Search, symptom: Symptom, places: Sequence[str]) -> Iterator[Key]:
    """Possible causes, in the order of the places."""
    for place in places:
        yield from PLACES[place](search, symptom)


def _own(search: Search, symptom: Symptom) -> Iterator[Key]:
    del search
    yield symptom.resource.key


def _descendants(search: Search, symptom: Symptom) -> Iterator[Key]:
    for resource in search.snapshot.descendants_of(symptom.resource):
        yield resource.key


def _named(search: Search, symptom: Symptom) -> Iterator[Key]:
    del search
    for problem in symptom.problems:
        yield from problem.caused_by


def _references(search: Search, symptom: Symptom) -> Iterator[Key]:
    """What its fields refer to. An owner is none: it suffers from what it owns."""
    above, said = _owners(search.snapshot, symptom.resource), " ".join(problem.cause for problem in symptom.problems)
    for reference in references_of(symptom.resource):
        for candidate in search.troubled.get(reference.name, ()):
            if candidate.key not in above and reference.fits(candidate, symptom.resource, said):
                yield candidate.key


def _owners(snapshot: Snapshot, resource: Resource) -> set[Key]:
    """The resource itself and everything above it."""
    found = {resource.key}
    while (owner := snapshot.owner_of(resource)) is not None and owner.key not in found:
        found.add(owner.key)
        resource = owner
    return found


def _nodes(search: Search, symptom: Symptom) -> Iterator[Key]:
    """The nodes that its pods were put on."""
    for pod in _pods(search.snapshot, symptom):
        yield ("Node", "", text(pod.spec, "nodeName"))


def _lost_nodes(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Nodes that are not ready, under pods of it that are not ready either."""
    for pod in _pods(search.snapshot, symptom):
        node = search.snapshot.find("Node", "", text(pod.spec, "nodeName"))
        if node is not None and is_lost(node) and not is_ready(pod):
            yield node.key


def is_lost(node: Resource) -> bool:
    """Whether the node says that it is not ready, or says nothing any more."""
    ready = [condition.status for condition in read_conditions(node.status) if condition.type == "Ready"]
    return not any(ready)


def _pods(snapshot: Snapshot, symptom: Symptom) -> Iterator[Resource]:
    """Pods that it is, owns, or leads to."""
    named = (snapshot.resources.get(key) for problem in symptom.problems for key in problem.caused_by)
    members = (problem.resource for problem in symptom.problems)
    for resource in (symptom.resource, *members, *snapshot.descendants_of(symptom.resource), *named):
        if resource is not None and resource.kind == "Pod":
            yield resource


def _tainted_nodes(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Nodes in trouble whose taint keeps the pod out, where that began before the pod was made: an older pod waits for
    something else."""
    keys = {match["key"] for problem in symptom.problems for match in _TAINT.finditer(problem.cause)}
    born = min((p.resource.created_at for p in symptom.problems if p.resource.created_at), default=None)
    for node in search.snapshot.of("Node") if keys else ():
        for key, since in _troubles_of(node):
            if key in keys and (born is None or since is None or since <= born):
                yield node.key


def _troubles_of(node: Resource) -> Iterator[tuple[str, datetime | None]]:
    """Taints that Kubernetes puts on a node for what its conditions say, and since when ("DiskPressure" is
    node.kubernetes.io/disk-pressure)."""
    for condition in read_conditions(node.status):
        if condition.type == "Ready" and condition.status is not True:
            for word in ("not-ready", "unreachable"):
                yield f"node.kubernetes.io/{word}", condition.since
        elif condition.type != "Ready" and condition.status:
            yield f"node.kubernetes.io/{'-'.join(words_of(condition.type))}", condition.since


def _volume_holders(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Lost nodes that still hold a volume of the pod: it is attached there, or another pod there uses its claim."""
    snapshot = search.snapshot
    for pod in _pods(snapshot, symptom):
        holders: set[str] = set()
        for name in claims_of(pod):
            claim = snapshot.find("PersistentVolumeClaim", pod.namespace, name)
            holders |= search.attachments.get(text(claim.spec, "volumeName"), set()) if claim is not None else set()
            holders |= {text(user.spec, "nodeName") for user in search.claim_users.get((pod.namespace, name), ())}
        for holder in sorted(holders - {text(pod.spec, "nodeName")}):
            node = snapshot.find("Node", "", holder)
            if node is not None and is_lost(node):
                yield node.key


def _network_pods(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Pods on the same node that install the pod network there."""
    nodes = {text(pod.spec, "nodeName") for pod in _pods(search.snapshot, symptom)}
    for pod in search.network_pods:
        if text(pod.spec, "nodeName") in nodes:
            yield pod.key


def _node_network(search: Search, symptom: Symptom) -> Iterator[Key]:
    """The same, of a node that says its network plugin is missing."""
    said = " ".join(f"{problem.reason} {problem.cause}" for problem in symptom.problems)
    if _NO_NETWORK.search(said):
        for pod in search.network_pods:
            if text(pod.spec, "nodeName") == symptom.resource.name:
                yield pod.key


def _mentioned_services(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Services in trouble whose host name its message calls: "lookup NAME" from the same namespace,
    "NAME.NAMESPACE.svc" from anywhere."""
    said = " ".join(problem.cause for problem in symptom.problems)
    for name in {"".join(found.groups("")) for found in _HOST.finditer(said)}:
        service, _, rest = name.partition(".")
        namespace = rest.partition(".")[0] or symptom.resource.namespace
        for candidate in search.troubled.get(service, ()):
            if candidate.kind == "Service" and not candidate.is_custom and candidate.namespace == namespace:
                yield candidate.key


def _apis(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Aggregated APIs of which its message speaks: "(get pods.metrics.k8s.io)", "metrics.k8s.io/v1beta1"."""
    said = " ".join(problem.cause for problem in symptom.problems)
    for service in search.snapshot.of("APIService"):
        group = text(service.spec, "group") or service.name.partition(".")[2]
        # One label before the group is a resource of it; before a version it would be part of another group's name.
        if group and re.search(
            rf"(?<![\w.-])(?:(?:[\w-]+\.)?{re.escape(group)}(?![\w./-])|{re.escape(group)}/v\d)", said
        ):
            yield service.key


def _makers(search: Search, symptom: Symptom) -> Iterator[Key]:
    """Workloads that would make the pods that a Service selects."""
    selector = mapping(symptom.resource.spec, "selector").items()
    for kind in _WORKLOADS:
        for workload in search.snapshot.of(kind):
            labels = mapping(workload.spec, "template", "metadata", "labels").items()
            if workload.namespace == symptom.resource.namespace and selector and selector <= labels:
                yield workload.key


PLACES: Mapping[str, Callable[[Search, Symptom], Iterator[Key]]] = {
    "own": _own,
    "itself": _own,
    "descendants": _descendants,
    "named": _named,
    "references": _references,
    "nodes": _nodes,
    "lost_nodes": _lost_nodes,
    "tainted_nodes": _tainted_nodes,
    "volume_holders": _volume_holders,
    "network_pods": _network_pods,
    "node_network": _node_network,
    "mentioned_services": _mentioned_services,
    "apis": _apis,
    "makers": _makers,
}
"""Every place that ``folding.yaml`` may name; it tells what they mean."""
