"""What the rest of the program knows of Kubernetes: resources, events, and the types they belong to.

Plain classes with slots rather than validated models: a sweep builds ten thousand of them, and what is inside
``spec`` and ``status`` belongs to strangers anyway (see ``fields.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.kubernetes.fields import mapping, mappings, moment, number, text, texts

BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)
"""API groups of Kubernetes itself. Kinds of any other group are custom resources, even when they are called Service."""


def group_of(api_version: str) -> str:
    """ "apps" of "apps/v1"; empty for "v1"."""
    head, slash, _ = api_version.partition("/")
    return head if slash else ""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One listable type: ``ResourceType("apps", "v1", "deployments", "Deployment", namespaced=True)``."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def name(self) -> str:
        """ "deployments.apps", as `kubectl api-resources` and RBAC write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path under the API server's address."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        middle = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{middle}/{self.plural}" + (f"/{name}" if name else "")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something points: an owner, the subject of an event. ``uid`` is empty where the source left it out."""

    kind: str
    namespace: str
    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One object. ``body`` holds its other top-level fields (``data``, ``rules``, ``webhooks`` ...).

    Of custom resources, ``wished_at`` is when anything but the status was last written, and ``answered_at`` when the
    status was, both by managedFields.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    generation: int | None = None
    created_at: datetime | None = None
    deleting_since: datetime | None = None
    wished_at: datetime | None = None
    answered_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[Reference, ...] = ()
    finalizers: tuple[str, ...] = ()
    spec: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return group_of(self.api_version)

    @property
    def is_custom(self) -> bool:
        return self.group not in BUILT_IN_GROUPS

    @property
    def key(self) -> tuple[str, str, str]:
        """(kind, namespace, name); a custom kind carries its group, since two operators may use one word."""
        kind = f"{self.kind}.{self.group}" if self.is_custom else self.kind
        return (kind, self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """One v1 Event. ``count`` is how often it happened; times may be missing in hand-made files. ``container`` is that
    of a pod which it speaks of, where it names one."""

    subject: Reference
    type: str
    reason: str
    message: str
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    container: str = ""


def _writings(metadata: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """When the wish and when the status were last written; None where nobody has."""
    times: dict[bool, list[datetime]] = {True: [], False: []}
    for manager in mappings(metadata, "managedFields"):
        if (at := moment(manager, "time")) is not None:
            times[text(manager, "subresource") == "status"].append(at)
    return max(times[False], default=None), max(times[True], default=None)


_METADATA = ("apiVersion", "kind", "metadata", "spec", "status")


def read_resource(raw: Mapping[str, Any], api_version: str = "", kind: str = "") -> Resource:
    """Builds a ``Resource`` from decoded JSON. Items of a list answer carry no kind: pass the list's."""
    metadata = mapping(raw, "metadata")
    namespace = text(metadata, "namespace")
    version = text(raw, "apiVersion") or api_version
    wished_at, answered_at = _writings(metadata) if group_of(version) not in BUILT_IN_GROUPS else (None, None)
    return Resource(
        api_version=version,
        kind=text(raw, "kind") or kind,
        namespace=namespace,
        name=text(metadata, "name"),
        uid=text(metadata, "uid"),
        resource_version=text(metadata, "resourceVersion"),
        generation=number(metadata, "generation"),
        created_at=moment(metadata, "creationTimestamp"),
        deleting_since=moment(metadata, "deletionTimestamp"),
        wished_at=wished_at,
        answered_at=answered_at,
        labels=mapping(metadata, "labels"),
        annotations={
            name: value
            for name, value in mapping(metadata, "annotations").items()
            if isinstance(value, str) and not name.startswith("kubectl.kubernetes.io/last-applied")
        },
        owners=tuple(
            Reference(text(owner, "kind"), namespace, text(owner, "name"), text(owner, "uid"))
            for owner in mappings(metadata, "ownerReferences")
        ),
        finalizers=tuple(texts(metadata, "finalizers")),
        spec=mapping(raw, "spec"),
        status=mapping(raw, "status"),
        body={name: value for name, value in raw.items() if name not in _METADATA},
    )


def read_event(raw: Mapping[str, Any]) -> Event:
    """Builds an ``Event`` from v1 or events.k8s.io/v1 JSON."""
    subject = mapping(raw, "involvedObject") or mapping(raw, "regarding")
    series = mapping(raw, "series")
    first = moment(raw, "firstTimestamp") or moment(raw, "eventTime") or moment(raw, "metadata", "creationTimestamp")
    last = moment(raw, "lastTimestamp") or moment(series, "lastObservedTime") or moment(raw, "deprecatedLastTimestamp")
    return Event(
        subject=Reference(
            text(subject, "kind"), text(subject, "namespace"), text(subject, "name"), text(subject, "uid")
        ),
        type=text(raw, "type"),
        reason=text(raw, "reason"),
        message=text(raw, "message") or text(raw, "note"),
        count=number(raw, "count") or number(series, "count") or number(raw, "deprecatedCount") or 1,
        first_seen=first,
        last_seen=last or first,
        container=text(subject, "fieldPath").partition("{")[2].rstrip("}"),  # "spec.containers{app}"
    )
