"""Lists objects of the configured clusters as they are now, in threads that a person need not wait for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from crews.runtime.background import in_background
from crews.runtime.context import CrewContext
from opscrew.cluster.names import Place, subject_of
from opscrew.model.subject import Subject
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.records import Resource, ResourceType, read_resource


@dataclass(frozen=True)
class Live:
    """An object with the name under which its cluster is configured."""

    cluster: str
    resource: Resource

    @property
    def place(self) -> Place:
        return (self.resource.kind, self.resource.namespace, self.resource.name)

    @property
    def subject(self) -> Subject:
        return subject_of(self.cluster, self.place)


def list_live(
    context: CrewContext, kinds: Sequence[ResourceType], clusters: Sequence[str] | None = None
) -> list[tuple[str, Future[list[Live]]]]:
    """One answer to wait for, with its cluster's name, for each kind and namespace that may be read. ``clusters`` None
    means all that are configured. Raises ``UpstreamError`` where a kubeconfig is wrong."""
    asked = []
    for part in context.settings.kubernetes:
        if clusters is not None and part.name not in clusters:
            continue
        client = context.systems.cluster(part.name).client
        namespaces = [""] if "*" in part.namespaces else list(part.namespaces)
        for kind in kinds:
            for namespace in namespaces if kind.namespaced else [""]:
                read = partial(_read, client, part.name, kind, namespace)
                asked.append((part.name, in_background(f"list {kind.name}", read)))
    return asked


def _read(client: KubernetesClient, cluster: str, kind: ResourceType, namespace: str) -> list[Live]:
    raws, _ = client.list_objects(kind, namespace, from_cache=True)
    return [Live(cluster, read_resource(raw, kind.api_version, kind.kind)) for raw in raws]
