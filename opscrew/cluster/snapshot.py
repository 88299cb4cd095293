"""All objects of one cluster at one moment, indexed the way checks ask for them.

``knows(kind)`` tells a check whether absence means anything: "no such Service" is only true where Services were read.
What could not be read is listed in ``not_checked`` and shown to people; it is never taken for healthy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property

from tools.kubernetes.fields import mapping, mappings, text, texts
from tools.kubernetes.records import Event, Resource

Key = tuple[str, str, str]

# Kinds that some operators use too ("StatefulSet" of another group). A finding's subject names no group, and no repair
# of the built-in object of that name must follow from it.
_LOOK_ALIKES = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


class Snapshot:
    """``listed`` holds the kinds that were read completely; None for files, where each kind that occurs in a
    namespace counts as complete there. ``dated`` is False where ``now`` was inferred from the objects."""

    def __init__(
        self,
        resources: Iterable[Resource],
        now: datetime,
        *,
        events: Iterable[Event] = (),
        listed: frozenset[str] | None = None,
        dated: bool = True,
        not_checked: Mapping[str, str] | None = None,
    ) -> None:
        self.now = now
        self.dated = dated
        self.listed = listed
        self.not_checked = dict(not_checked or {})
        # Files may hold several versions of one object (a recorded watch): the last one counts.
        self.resources: dict[Key, Resource] = {resource.key: resource for resource in resources}
        self.events = list(events)
        self.asked_for: set[str] = set()
        """Kinds that were asked for since somebody emptied it: what a check rests on."""

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for (kind, _, _), resource in self.resources.items():
            found[kind].append(resource)
        return found

    @cached_property
    def _by_uid(self) -> Mapping[str, Resource]:
        return {resource.uid: resource for resource in self.resources.values() if resource.uid}

    @cached_property
    def _children(self) -> Mapping[Key, list[Resource]]:
        found: dict[Key, list[Resource]] = defaultdict(list)
        for resource in self.resources.values():
            if (owner := self.owner_of(resource)) is not None:
                found[owner.key].append(resource)
        return found

    @cached_property
    def _events_by_subject(self) -> Mapping[Key, list[Event]]:
        found: dict[Key, list[Event]] = defaultdict(list)
        for event in self.events:
            found[(event.subject.kind, event.subject.namespace, event.subject.name)].append(event)
        return found

    @cached_property
    def _warned(self) -> set[Key]:
        warnings = (event.subject for event in self.events if event.type == "Warning")
        return {(subject.kind, subject.namespace, subject.name) for subject in warnings}

    @cached_property
    def _pods_by_label(self) -> Mapping[tuple[str, str, str], set[Key]]:
        found: dict[tuple[str, str, str], set[Key]] = defaultdict(set)
        for pod in self.of("Pod"):
            for name, value in pod.labels.items():
                found[(pod.namespace, name, str(value))].add(pod.key)
        return found

    @cached_property
    def _pods_by_node(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for pod in self.of("Pod"):
            found[text(pod.spec, "nodeName")].append(pod)
        return found

    @cached_property
    def _places(self) -> set[tuple[str, str]]:
        return {(kind, namespace) for kind, namespace, _ in self.resources}

    def of(self, kind: str) -> list[Resource]:
        """All objects of a kind of Kubernetes itself ("Pod"), or of a custom one ("Gateway.example.org")."""
        self.asked_for.add(kind)
        return self._by_kind.get(kind, [])

    def custom(self) -> Iterator[Resource]:
        """All custom resources."""
        return (resource for resource in self.resources.values() if resource.is_custom)

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """The object, or None."""
        self.asked_for.add(kind)
        return self.resources.get((kind, namespace, name))

    def knows(self, kind: str, namespace: str = "") -> bool:
        """Whether a missing object of that kind is really missing."""
        self.asked_for.add(kind)
        if self.listed is not None:
            return kind in self.listed
        return (kind, namespace) in self._places

    def age(self, since: datetime | None) -> timedelta:
        """Time since then; zero where it is not known or lies ahead (a clock that is skewed)."""
        return max(self.now - since, timedelta()) if since else timedelta()

    def owner_of(self, resource: Resource) -> Resource | None:
        """The first owner that is in the snapshot. A reused name with another uid is not the owner."""
        for owner in resource.owners:
            found = self._by_uid.get(owner.uid) if owner.uid else None
            if found is None:
                found = self.find(owner.kind, resource.namespace, owner.name)
                if found is not None and owner.uid and found.uid and owner.uid != found.uid:
                    found = None
            if found is not None and found is not resource:
                return found
        return None

    def top_owner_of(self, resource: Resource) -> Resource:
        """The end of the owner chain; the object itself where it has none. Stops in a circle."""
        seen = {resource.key}
        while (owner := self.owner_of(resource)) is not None and owner.key not in seen:
            seen.add(owner.key)
            resource = owner
        return resource

    def children_of(self, resource: Resource) -> list[Resource]:
        """The objects that it owns directly."""
        return self._children.get(resource.key, [])

    def descendants_of(self, resource: Resource) -> list[Resource]:
        """Everything below it in the owner chain."""
        found, waiting, seen = [], [resource], {resource.key}
        while waiting:
            for child in self.children_of(waiting.pop()):
                if child.key not in seen:
                    seen.add(child.key)
                    found.append(child)
                    waiting.append(child)
        return found

    def has_warnings(self, resource: Resource) -> bool:
        """Whether any warning speaks of it: cheaper than its events, for those that are plainly healthy."""
        return (resource.kind, resource.namespace, resource.name) in self._warned

    def events_of(self, resource: Resource) -> list[Event]:
        """Its events, joined by kind and name and, where both sides have one, by uid. Newest last."""
        self.asked_for.add("Event")
        found = [
            event
            for event in self._events_by_subject.get((resource.kind, resource.namespace, resource.name), [])
            if not event.subject.uid or not resource.uid or event.subject.uid == resource.uid
        ]
        return sorted(found, key=lambda event: event.last_seen.timestamp() if event.last_seen else 0)

    def pods_on(self, node: str) -> list[Resource]:
        """The pods that were put on the node of that name."""
        return self._pods_by_node.get(node, [])

    def workload_of(self, resource: Resource) -> Resource:
        """What a pod or a ReplicaSet belongs to: the first owner that is neither, be it a Deployment or the custom
        resource of an operator. Static pods are owned by their node and stay themselves; a run of a CronJob is its
        Job."""
        if resource.kind not in ("Pod", "ReplicaSet") or resource.is_custom:
            return resource
        owner = self.owner_of(resource)
        if owner is None or owner.kind == "Node":
            return resource
        if owner.is_custom and owner.kind in _LOOK_ALIKES:
            return resource
        return self.workload_of(owner)

    def selected_pods(self, namespace: str, selector: Mapping[str, object]) -> list[Resource]:
        """Pods of the namespace that a plain or a ``matchLabels``/``matchExpressions`` selector picks."""
        wanted = mapping(selector, "matchLabels") if _is_structured(selector) else selector
        candidates: set[Key] | None = None
        for name, value in wanted.items():
            here = self._pods_by_label.get((namespace, name, str(value)), set())
            candidates = here if candidates is None else candidates & here
        if candidates is None:
            candidates = {pod.key for pod in self.of("Pod") if pod.namespace == namespace}
        pods = [self.resources[key] for key in sorted(candidates)]
        expressions = mappings(selector, "matchExpressions")
        return [pod for pod in pods if all(_matches(pod.labels, expression) for expression in expressions)]


def _is_structured(selector: Mapping[str, object]) -> bool:
    return isinstance(selector.get("matchLabels"), Mapping) or isinstance(selector.get("matchExpressions"), list)


def _matches(labels: Mapping[str, str], expression: Mapping[str, object]) -> bool:
    name, operator, values = text(expression, "key"), text(expression, "operator"), texts(expression, "values")
    if operator == "In":
        return labels.get(name) in values
    if operator == "NotIn":
        return labels.get(name) not in values
    return (name in labels) == (operator == "Exists")
