"""Reads a whole cluster once, several types at a time. What cannot be read is named and never taken for empty."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import StatusError
from tools.kubernetes.records import Event, Resource, ResourceType, read_event, read_resource
from tools.kubernetes.resource_types import SWEEP_TYPES

FROM_CACHE = frozenset({"Pod"})
"""The one kind of which there are thousands. Everything else comes in pages, of which few are in memory at once."""

_AT_ONCE = 6
"""More would only queue in the API server's own fairness limits."""


@dataclass
class Reading:
    """``listed`` holds the kinds that were read completely, as in ``Resource.key``; ``not_checked`` the others, with
    the reason in a few words. ``interrupted`` tells that one of them is missing only for now."""

    resources: list[Resource] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    not_checked: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def read_cluster(client: KubernetesClient, namespaces: Iterable[str] = ("*",)) -> Reading:
    """Everything that checks look at. Raises ``UpstreamError`` only when nothing at all could be read."""
    wanted = tuple(namespaces)
    everywhere = ("",) if "*" in wanted or not wanted else wanted
    reading = Reading()
    with _collector_paused(), ThreadPoolExecutor(_AT_ONCE) as pool:
        discovery = pool.submit(client.custom_types)
        work = [(kind, pool.submit(_read, client, kind, everywhere)) for kind in SWEEP_TYPES]
        try:
            work += [(kind, pool.submit(_read, client, kind, everywhere)) for kind in discovery.result()]
        except UpstreamError as problem:
            reading.not_checked["custom resources"] = reason_of(problem)
            reading.interrupted |= isinstance(problem, TemporaryError)
        first_problem: UpstreamError | None = None
        for kind, future in work:
            try:
                _add(reading, kind, future.result())
            except UpstreamError as problem:
                first_problem = first_problem or problem
                note_unread(reading, kind, problem)
    if first_problem is not None and not reading.listed:
        raise first_problem
    return reading


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Decoding makes a million objects and no cycles; the collector would look at all of them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(client: KubernetesClient, kind: ResourceType, namespaces: tuple[str, ...]) -> list[Resource] | list[Event]:
    """Records are built in the worker, so that each page's JSON can be freed at once."""
    raws = [
        raw
        for namespace in (namespaces if kind.namespaced else ("",))
        for raw in client.list_objects(kind, namespace, from_cache=kind.kind in FROM_CACHE)[0]
    ]
    if kind.kind == "Event":
        return [read_event(raw) for raw in raws]
    return [read_resource(raw, kind.api_version, kind.kind) for raw in raws]


def _add(reading: Reading, kind: ResourceType, found: list[Resource] | list[Event]) -> None:
    for item in found:
        if isinstance(item, Event):
            reading.events.append(item)
        else:
            reading.resources.append(item)
    reading.listed.add(key_kind(kind))


def key_kind(kind: ResourceType) -> str:
    """The kind as in ``Resource.key``."""
    return Resource(kind.api_version, kind.kind, "", "").key[0]


def note_unread(reading: Reading, kind: ResourceType, problem: UpstreamError) -> None:
    """Types that this server does not have are no gap; everything else is."""
    if isinstance(problem, StatusError) and problem.status in (404, 405):
        return
    reading.not_checked[key_kind(kind)] = reason_of(problem)
    reading.interrupted |= isinstance(problem, TemporaryError)


def reason_of(problem: UpstreamError) -> str:
    """A few words for the list of what was not checked."""
    if isinstance(problem, StatusError) and problem.status == 403:
        return "this account may not read it (403)"
    if isinstance(problem, PermanentError):
        return problem.message[:120]
    return f"no answer: {problem.message[:100]}"
