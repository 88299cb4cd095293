"""The names that a question may mean: repositories, branches and what there is in the clusters, healthy or not."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TypeVar

from crews.ask.live_objects import Live, list_live
from crews.runtime.background import in_background
from crews.runtime.context import CrewContext
from opscrew.ci.watch.poll_states import load_states
from opscrew.cluster.names import NAMED_KINDS, Place, known_places, subject_of
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from tools.errors import UpstreamError
from tools.kubernetes.resource_types import SWEEP_TYPES

ASK_SECONDS = 1.2
"""For the requests that are made where no crew has looked yet, all at once."""

OWNED = re.compile(r"(?P<owner>[a-z].*?)(?:-(?=[a-z0-9]*\d)[a-z0-9]{6,10})?-(?:\d{1,3}|[a-z0-9]{5})")
"""The name of a pod: its workload's, a hash of the template, and a number or five letters."""


def known_names(context: CrewContext) -> tuple[Subject, ...]:
    """Each once. From records alone; a system of which they know nothing is asked, shortly and all at once."""
    places = {part.name: known_places(context.engine, part.name) for part in context.settings.kubernetes}
    unknown = [cluster for cluster, known in places.items() if not known]
    repositories, objects = _asked_of_bitbucket(context), _asked_of_clusters(context, unknown)
    ends = time.monotonic() + ASK_SECONDS
    found = [*_repositories(context), *_clusters(places), *_of_findings(context)]
    found += _heard(repositories, ends)
    for live in _heard(objects, ends):
        found += _as_said(live.cluster, live.place)
    first: dict[str, Subject] = {}
    for one in found:
        first.setdefault(one.key, one)
    return tuple(first.values())


T = TypeVar("T")


def _heard(asked: Sequence[Future[list[T]]], ends: float) -> list[T]:
    """What came in time. The collectors ask again, and say what is wrong with the rest."""
    heard: list[T] = []
    for answer in asked:
        with suppress(FutureTimeout, UpstreamError):
            heard += answer.result(max(0.0, ends - time.monotonic()))
    return heard


def _repositories(context: CrewContext) -> list[Subject]:
    part = context.settings.bitbucket
    if part is None:
        return []
    return [_repository(part.workspace, slug) for slug in load_states(context.engine, part.workspace)]


def _repository(workspace: str, slug: str) -> Subject:
    return Subject(system="bitbucket", kind="repository", scope=workspace, name=slug)


def _asked_of_bitbucket(context: CrewContext) -> list[Future[list[Subject]]]:
    client = context.systems.bitbucket
    if client is None or load_states(context.engine, client.workspace):
        return []

    def ask() -> list[Subject]:
        return [_repository(client.workspace, one.slug) for one in client.repositories(limit=100)]

    return [in_background("known repositories", ask)]


def _clusters(places: Mapping[str, Collection[Place]]) -> list[Subject]:
    found = []
    for cluster, known in places.items():
        found.append(Subject(system="kubernetes", kind="cluster", name=cluster))
        for place in sorted(known):
            found += _as_said(cluster, place)
    return found


def _asked_of_clusters(context: CrewContext, clusters: Sequence[str]) -> list[Future[list[Live]]]:
    kinds = [kind for kind in SWEEP_TYPES if kind.kind in NAMED_KINDS]
    asked: list[Future[list[Live]]] = []
    for cluster in clusters:
        with suppress(UpstreamError):  # a kubeconfig that is wrong; the collector of clusters says so
            asked += [answer for _, answer in list_live(context, kinds, [cluster])]
    return asked


def _as_said(cluster: str, place: Place) -> list[Subject]:
    """The object, and where it lies: an account that may list no namespaces knows them by what is in them."""
    kind, namespace, name = place
    where = name if kind == "Namespace" else namespace
    found = [] if kind == "Namespace" else [subject_of(cluster, place)]
    return [*found, *([Subject(system="kubernetes", kind="namespace", scope=cluster, name=where)] if where else [])]


def owner_of(subject: Subject) -> Subject | None:
    """People say "cart" and not "cart-7d9f8b6c5-x2x9z". Its kind is not known from the name alone."""
    match = OWNED.fullmatch(subject.name) if subject.kind == "Pod" else None
    if match is None:
        return None
    return Subject(system=subject.system, kind="workload", scope=subject.scope, name=match["owner"])


def _of_findings(context: CrewContext) -> list[Subject]:
    """What findings are about, and the places they name."""
    found: list[Subject] = []
    for subject in Ledger(context.engine, context.clock).subjects():
        if subject.system == "bitbucket":
            workspace, _, slug = subject.scope.partition("/")
            if slug:
                found.append(Subject(system="bitbucket", kind="repository", scope=workspace, name=slug))
            if subject.kind == "branch":
                found.append(Subject(system="bitbucket", kind="branch", scope=subject.scope, name=subject.name))
            continue
        if subject.kind not in ("workspace",):
            found.append(subject)
        if owner := owner_of(subject):
            found.append(owner)
        cluster, _, namespace = subject.scope.partition("/")
        if subject.system == "kubernetes" and namespace:
            found.append(Subject(system="kubernetes", kind="namespace", scope=cluster, name=namespace))
    return found
