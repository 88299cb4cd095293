"""Finds the one object of a cluster that a wish names, among those that are there now.

Records know what is broken; a wish may be about what is well. And a name may stand in two namespaces, of which records
know one: whoever acts must look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from crews.background import in_background
from crews.collectors.collector import Request
from crews.known_names import owner_of
from opscrew.answer.subjects import spoken_names
from opscrew.model.subject import Subject
from tools.errors import TemporaryError
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.records import Resource, ResourceType, read_resource

LOOK_SECONDS = 5.0
"""For all clusters together; a person waits for it."""
MOST_TOLD = 4


@dataclass(frozen=True)
class Live:
    """An object with the name under which its cluster is configured."""

    cluster: str
    resource: Resource

    @property
    def subject(self) -> Subject:
        found = self.resource
        scope = f"{self.cluster}/{found.namespace}"
        return Subject(system="kubernetes", kind=found.kind, scope=scope, name=found.name)


def named_objects(request: Request, wish: str, kinds: Sequence[ResourceType]) -> list[Live]:
    """Those that the wish names, else those that the conversation is about; narrowed by the kind, the namespace and
    the cluster that it names. Raises ``UpstreamError`` where a cluster does not answer: its objects might be meant."""
    live = _live(request, kinds)
    spoken = _spoken(request, wish, {one.resource.name for one in live})
    found = [one for one in live if one.resource.name in spoken] or _carried(request, live)
    for place in PLACES:
        meant = _spoken(request, wish, {place(one) for one in found})
        found = [one for one in found if place(one) in meant] or found
    return found


PLACES: tuple[Callable[[Live], str], ...] = (
    lambda one: one.resource.kind,
    lambda one: one.resource.namespace,
    lambda one: one.cluster,
)
"""What tells objects of one name apart."""


def _spoken(request: Request, wish: str, names: set[str]) -> set[str]:
    """Those of the question itself; where it holds none, those of the wish that it corrects."""
    return spoken_names(request.question, names) or spoken_names(wish, names)


def told(found: Sequence[Live]) -> str:
    """For a person who must say which: "Deployment prod/shop/cart, Deployment prod/stage/cart"."""
    names = [f"{one.subject.kind} {one.subject.scope}/{one.subject.name}" for one in found]
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _carried(request: Request, live: Sequence[Live]) -> list[Live]:
    """A misspelt name is good enough to read by, never to act on. A pod stands for its workload."""
    guessed = set(dict(request.understood.assumed).values())
    subjects = [one for one in request.understood.subjects if one.system == "kubernetes" and one.name not in guessed]
    places = {(one.scope, one.name) for subject in subjects for one in (subject, owner_of(subject)) if one}
    return [one for one in live if (one.subject.scope, one.subject.name) in places]


def _live(request: Request, kinds: Sequence[ResourceType]) -> list[Live]:
    """Of all clusters, asked at once."""
    asked = []
    for part in request.context.settings.kubernetes:
        client = request.context.systems.kubernetes(part.name)
        if client is None:
            continue
        namespaces = [""] if "*" in part.namespaces else list(part.namespaces)
        for kind in kinds:
            for namespace in namespaces:
                read = partial(_read, client, part.name, kind, namespace)
                asked.append((part.name, in_background(f"names of {kind.name}", read)))
    found: list[Live] = []
    for cluster, answer in asked:
        try:
            found += answer.result(LOOK_SECONDS)
        except TimeoutError as late:
            raise TemporaryError(f"the cluster {cluster} does not answer", system="kubernetes") from late
    return found


def _read(client: KubernetesClient, cluster: str, kind: ResourceType, namespace: str) -> list[Live]:
    raws, _ = client.list_objects(kind, namespace, from_cache=True)
    return [Live(cluster, read_resource(raw, kind.api_version, kind.kind)) for raw in raws]


NAMES_A_BUILD = re.compile(r"#\d+|\b(?:build|pipeline|run|job|ci)s?\b", re.IGNORECASE)
"""Words that say that no object of a cluster is meant."""
