"""The watched picture: kept up to date without listing again, honest when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.kubernetes_api import Api, cut_in_the_middle, kubernetes_api, refuse, watch_in_silence
from tools.kubernetes.access import Access
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.mirror import Mirror
from tools.kubernetes.resource_types import SWEEP_TYPES

PATH = "/api/v1/pods"
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}


def raw(name: str, version: str, phase: str = "Running") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team", "uid": name, "resourceVersion": version}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "status": {"phase": phase}}


@pytest.fixture
def api() -> Iterator[Api]:
    with kubernetes_api() as running:
        running.objects[PATH] = [raw("a", "1"), raw("b", "2")]
        yield running


@contextmanager
def mirrored(api: Api) -> Iterator[Mirror]:
    with KubernetesClient(Access(api.url, None), timeout_seconds=60) as client:
        mirror = Mirror(client)
        mirror.start()
        yield mirror
        mirror.close()


def until(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not what():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


def phases(mirror: Mirror) -> dict[str, str]:
    return {found.name: found.status["phase"] for found in mirror.read().resources if found.kind == "Pod"}


def test_changes_arrive_without_a_second_list(api: Api) -> None:
    api.watches[PATH] = [
        [
            {"type": "ADDED", "object": raw("c", "101", "Pending")},
            {"type": "MODIFIED", "object": raw("c", "102")},
            {"type": "DELETED", "object": raw("a", "103")},
            {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "150"}}},
        ]
    ]
    with mirrored(api) as mirror:
        until(lambda: phases(mirror) == {"b": "Running", "c": "Running"})
        until(lambda: bool(api.asked(PATH, watch="true", resourceVersion="150")))
        assert len(api.asked(PATH, limit="500")) == 1
        assert mirror.read().listed >= {kind.kind for kind in SWEEP_TYPES}


def test_gone_makes_it_list_again(api: Api) -> None:
    api.watches[PATH] = [[GONE]]
    with mirrored(api) as mirror:
        until(lambda: len(api.asked(PATH, limit="500")) == 2)
        assert set(phases(mirror)) == {"a", "b"}
        assert mirror.read().not_checked == {}


def test_a_client_that_is_closed_while_a_list_is_under_way_ends_the_threads_without_a_word(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda given: died.append(given.exc_value))
    before = set(threading.enumerate())
    api.faults[PATH] = [cut_in_the_middle] * 1_000  # it lists again at once, and meets a closed client in between
    client = KubernetesClient(Access(api.url, None), timeout_seconds=5)
    mirror = Mirror(client)
    mirror.start()
    until(lambda: bool(api.asked(PATH, limit="500")))
    mirror.close()
    client.close()
    with pytest.raises(RuntimeError):
        client.version()
    until(lambda: not any(thread.name.startswith("watch ") for thread in set(threading.enumerate()) - before))
    assert died == []


def test_closing_wakes_threads_whose_watches_are_silent_before_the_client_is_closed(api: Api) -> None:
    before = set(threading.enumerate())
    api.faults = {kind.path(): [watch_in_silence] * 1_000 for kind in SWEEP_TYPES}
    with KubernetesClient(Access(api.url, None), timeout_seconds=60) as client:
        mirror = Mirror(client)
        mirror.start()
        until(lambda: all(api.asked(kind.path(), watch="true") for kind in SWEEP_TYPES))
        mirror.close()
        until(lambda: not any(thread.name.startswith("watch ") for thread in set(threading.enumerate()) - before))
        assert list(client.watch(SWEEP_TYPES[0], "1")) == []  # and a watch that comes too late ends at once


@pytest.mark.parametrize("events", [[GONE], []])
def test_a_server_that_ends_each_watch_at_once_is_asked_again_with_a_pause(
    api: Api, events: list[dict[str, Any]]
) -> None:
    api.watches[PATH] = [events] * 10_000
    began = time.monotonic()
    with mirrored(api) as mirror:
        mirror.read()
        until(lambda: len(api.asked(PATH, watch="true")) >= 3)
        assert len(api.asked(PATH, watch="true")) <= time.monotonic() - began + 2
        assert set(phases(mirror)) == {"a", "b"}


def test_a_cut_watch_is_taken_up_where_it_broke(api: Api) -> None:
    api.watches[PATH] = [[{"type": "ADDED", "object": raw("c", "120")}, {"type": "ODD", "object": 3}], []]
    with mirrored(api) as mirror:
        until(lambda: bool(api.asked(PATH, watch="true", resourceVersion="120")))
        assert len(api.asked(PATH, limit="500")) == 1
        assert set(phases(mirror)) == {"a", "b", "c"}


def test_a_kind_that_never_came_is_not_checked(api: Api) -> None:
    api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")] * 100
    api.faults["/apis/batch/v1/jobs"] = [cut_in_the_middle] * 100
    with mirrored(api) as mirror:
        reading = mirror.read(wait_seconds=60)
        assert set(reading.not_checked) == {"Node", "Job"}
        assert reading.interrupted
        assert set(phases(mirror)) == {"a", "b"}
