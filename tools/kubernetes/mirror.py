"""Keeps a cluster's objects up to date by watching, so that a check every minute costs no list of everything.

One thread per type of Kubernetes itself lists once and then follows the watch: bookmarks keep its place, a cut line is
taken up where it broke, and only 410 Gone makes it list again. Custom types are listed every few minutes instead: there
may be hundreds, and their states change slowly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Event, Thread
from typing import Any

from tools.errors import UpstreamError
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import ExpiredError
from tools.kubernetes.fields import text
from tools.kubernetes.records import Event as ClusterEvent
from tools.kubernetes.records import Resource, ResourceType, read_event, read_resource
from tools.kubernetes.resource_types import SWEEP_TYPES
from tools.kubernetes.sweep import Reading, key_kind, note_unread
from tools.kubernetes.watches import WatchEvent

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_STALE_SECONDS = 120
"""How long a broken watch may last before its kind counts as not checked."""
_CUSTOM_SECONDS = 300
_END_SECONDS = 5.0
"""How long closing waits for its threads. One that still waits for an answer is left to its own time limit."""


@dataclass
class _Kept:
    """What is known of one type. ``failing_since`` is on the monotonic clock, None while all is well."""

    kind: ResourceType
    objects: dict[str, Resource | ClusterEvent] = field(default_factory=dict)
    version: str = ""
    synced: bool = False
    failing_since: float | None = None
    problem: UpstreamError | None = None

    @property
    def settled(self) -> bool:
        return self.synced or self.problem is not None


class Mirror:
    """Start once, ``read()`` as often as wanted, ``close()`` at the end. The client is the caller's to close."""

    def __init__(self, client: KubernetesClient, *, custom_seconds: float = _CUSTOM_SECONDS) -> None:
        self._client = client
        self._custom_seconds = custom_seconds
        self._stop = Event()
        self._threads: list[Thread] = []
        self._changed = Condition()
        self._kept: dict[ResourceType, _Kept] = {kind: _Kept(kind) for kind in SWEEP_TYPES}
        self._custom_problem: UpstreamError | None = None
        self._custom_read = False
        self.lists = 0
        """How often anything was listed, to show that watching replaces it."""

    def start(self) -> None:
        """Returns at once; ``read`` waits for the first complete picture."""
        for kept in list(self._kept.values()):
            self._start(f"watch {kept.kind.name}", partial(self._follow, kept))
        self._start("poll custom types", self._poll_custom)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def until_closed() -> None:
            try:
                work()
            except RuntimeError:  # httpx says so where its client was closed while a thread was about to ask
                if not self._stop.is_set():
                    raise

        thread = Thread(target=until_closed, daemon=True, name=name)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Ends the client's watches and all threads, so that nothing reads when the client is closed after it."""
        self._stop.set()
        self._client.end_watches()
        ends = time.monotonic() + _END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def read(self, wait_seconds: float = 30) -> Reading:
        """The present picture. Types that never came, or broke down a while ago, are in ``not_checked``."""
        with self._changed:
            self._changed.wait_for(self._is_settled, timeout=wait_seconds)
            reading = Reading()
            for kept in self._kept.values():
                self._add(reading, kept)
            if self._custom_problem is not None:
                note_unread(
                    reading, ResourceType("", "v1", "customresources", "custom resources"), self._custom_problem
                )
        return reading

    def _is_settled(self) -> bool:
        return self._custom_read and all(kept.settled for kept in self._kept.values())

    def _add(self, reading: Reading, kept: _Kept) -> None:
        stale = kept.failing_since is not None and time.monotonic() - kept.failing_since > _STALE_SECONDS
        if not kept.synced or stale:
            problem = kept.problem or ExpiredError("it has not answered yet", system="kubernetes")
            note_unread(reading, kept.kind, problem)
            return
        for item in kept.objects.values():
            if isinstance(item, ClusterEvent):
                reading.events.append(item)
            else:
                reading.resources.append(item)
        reading.listed.add(key_kind(kept.kind))

    def _follow(self, kept: _Kept) -> None:
        wait = _FIRST_WAIT
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if not kept.synced:
                    self._relist(kept)
                for event in self._client.watch(kept.kind, kept.version):
                    self._take(kept, event)
                    wait = _FIRST_WAIT
                    if self._stop.is_set():
                        return
            except ExpiredError:
                kept.synced = False
            except UpstreamError as problem:
                self._note_failure(kept, problem)
                self._stop.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            # A server, or a proxy before it, that ends each watch at once is not asked again without a pause.
            self._stop.wait(max(0.0, began + _FIRST_WAIT - time.monotonic()))

    def _relist(self, kept: _Kept) -> None:
        raws, version = self._client.list_objects(kept.kind)
        fresh = {_identity(raw): _record(kept.kind, raw) for raw in raws}
        with self._changed:
            self.lists += 1
            kept.objects, kept.version, kept.synced = fresh, version, True
            kept.problem = kept.failing_since = None
            self._changed.notify_all()

    def _take(self, kept: _Kept, event: WatchEvent) -> None:
        with self._changed:
            kept.version = event.resource_version or kept.version
            kept.problem = kept.failing_since = None
            if event.type == "DELETED":
                kept.objects.pop(_identity(event.object), None)
            elif event.type in ("ADDED", "MODIFIED"):
                kept.objects[_identity(event.object)] = _record(kept.kind, event.object)

    def _note_failure(self, kept: _Kept, problem: UpstreamError) -> None:
        with self._changed:
            kept.problem = problem
            if kept.failing_since is None:
                kept.failing_since = time.monotonic()
            self._changed.notify_all()

    def _poll_custom(self) -> None:
        while not self._stop.is_set():
            try:
                kinds = self._client.custom_types()
                fresh = {kind: self._read_custom(kind) for kind in kinds}
                problem = None
            except UpstreamError as failed:
                fresh, problem = {}, failed
            with self._changed:
                if problem is None:
                    built_in = {kind: self._kept[kind] for kind in SWEEP_TYPES}
                    self._kept = built_in | fresh
                self._custom_problem, self._custom_read = problem, True
                self._changed.notify_all()
            self._stop.wait(self._custom_seconds if problem is None else _LONGEST_WAIT)

    def _read_custom(self, kind: ResourceType) -> _Kept:
        kept = _Kept(kind)
        try:
            raws, kept.version = self._client.list_objects(kind)
        except UpstreamError as problem:
            kept.problem = problem
            return kept
        kept.objects = {_identity(raw): _record(kind, raw) for raw in raws}
        kept.synced = True
        return kept


def _identity(raw: Mapping[str, Any]) -> str:
    return text(raw, "metadata", "uid") or f"{text(raw, 'metadata', 'namespace')}/{text(raw, 'metadata', 'name')}"


def _record(kind: ResourceType, raw: Mapping[str, Any]) -> Resource | ClusterEvent:
    return read_event(raw) if kind.kind == "Event" else read_resource(raw, kind.api_version, kind.kind)
