"""The client against an API that pages, expires, stops in the middle and answers nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_answers import nobody_listens
from tests.support.kubernetes_api import Api, cut_in_the_middle, kubernetes_api, let_pass, refuse, say
from tools.errors import PermanentError, TemporaryError
from tools.kubernetes.access import Access
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import ExpiredError, StatusError
from tools.kubernetes.resource_types import PODS, SWEEP_TYPES
from tools.kubernetes.sweep import read_cluster

PATH = "/api/v1/pods"


def pods(count: int) -> list[dict[str, Any]]:
    return [{"metadata": {"name": f"pod-{n}", "namespace": "team", "uid": f"u{n}"}, "spec": {}} for n in range(count)]


@pytest.fixture
def api() -> Iterator[Api]:
    with kubernetes_api() as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[KubernetesClient]:
    with KubernetesClient(Access(api.url, None), page_size=10, timeout_seconds=60) as made:
        yield made


def test_a_list_is_read_page_by_page(api: Api, client: KubernetesClient) -> None:
    api.objects[PATH] = pods(35)
    found, version = client.list_objects(PODS)
    assert [raw["metadata"]["name"] for raw in found] == [f"pod-{n}" for n in range(35)]
    assert version == "100"
    assert [query.get("continue") for query in api.asked(PATH)] == [None, "10", "20", "30"]
    assert all(query["limit"] == "10" for query in api.asked(PATH))


def test_an_expired_continuation_begins_again(api: Api, client: KubernetesClient) -> None:
    api.objects[PATH] = pods(25)
    api.faults[PATH] = [let_pass, refuse(410, "too old resource version")]
    assert len(client.list_objects(PODS)[0]) == 25
    assert [query.get("continue") for query in api.asked(PATH)] == [None, "10", None, "10", "20"]


def test_a_server_that_stops_in_the_middle_is_asked_once_more(api: Api, client: KubernetesClient) -> None:
    api.objects[PATH] = pods(25)
    api.faults[PATH] = [let_pass, cut_in_the_middle]
    assert len(client.list_objects(PODS)[0]) == 25
    api.faults[PATH] = [let_pass, cut_in_the_middle, let_pass, cut_in_the_middle]
    with pytest.raises(TemporaryError):
        client.list_objects(PODS)


@pytest.mark.parametrize("answer", ["", "<html>busy</html>", "[]", '{"kind": "Status"}', "null"])
def test_an_answer_that_is_no_list_is_an_error_and_never_an_empty_cluster(
    api: Api, client: KubernetesClient, answer: str
) -> None:
    api.faults[PATH] = [say(answer)] * 5
    with pytest.raises(TemporaryError):
        client.list_objects(PODS)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, StatusError), (403, StatusError), (410, ExpiredError), (429, TemporaryError), (503, TemporaryError)],
)
def test_refusals_are_sorted_into_later_and_never(
    api: Api, client: KubernetesClient, status: int, kind: type[Exception]
) -> None:
    api.faults[PATH] = [refuse(status, "no")] * 5
    with pytest.raises(kind):
        client.list_objects(PODS)
    assert issubclass(StatusError, PermanentError)


def test_one_object_or_none(api: Api, client: KubernetesClient) -> None:
    path = "/api/v1/namespaces/team/pods/a"
    api.faults[path] = [say('{"metadata": {"name": "a"}}'), refuse(404, "gone")]
    found = client.get(PODS, "team", "a")
    assert found is not None
    assert (found.kind, found.name) == ("Pod", "a")
    assert client.get(PODS, "team", "a") is None


def test_environment_values_are_never_kept(api: Api, client: KubernetesClient) -> None:
    container = {
        "name": "app",
        "env": [{"name": "PASSWORD", "value": "hunter2"}],
        "command": ["run", "--token=hunter2"],
    }
    api.objects[PATH] = [{"metadata": {"name": "a"}, "spec": {"containers": [container]}}]
    assert "hunter2" not in str(client.resources(PODS))


def test_a_sweep_reads_what_it_may_and_names_the_rest(api: Api, client: KubernetesClient) -> None:
    api.objects[PATH] = pods(3)
    api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")]
    api.faults["/apis/batch/v1/jobs"] = [refuse(503, "overloaded")] * 3
    api.faults["/apis/policy/v1/poddisruptionbudgets"] = [refuse(404, "no such type")]
    reading = read_cluster(client)
    assert len(reading.resources) == 3
    assert reading.not_checked == {"Node": "this account may not read it (403)", "Job": "no answer: overloaded"}
    assert "Pod" in reading.listed
    assert not {"Node", "Job"} & reading.listed
    assert reading.interrupted


def test_a_sweep_that_reads_nothing_is_an_error(api: Api, client: KubernetesClient) -> None:
    for kind in SWEEP_TYPES:
        api.faults[kind.path()] = [refuse(403, "forbidden")]
    with pytest.raises(StatusError):
        read_cluster(client)


def test_custom_types_are_discovered_and_read(api: Api, client: KubernetesClient) -> None:
    resource = {
        "resource": "widgets",
        "responseKind": {"kind": "Widget"},
        "scope": "Namespaced",
        "verbs": ["get", "list"],
    }
    review = resource | {"resource": "reviews", "verbs": ["create"]}
    groups = [
        {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [resource]}]},
        {"metadata": {"name": "factory.example.org"}, "versions": [{"version": "v2", "resources": [resource, review]}]},
    ]
    api.objects["/apis"] = groups
    api.objects["/apis/factory.example.org/v2/widgets"] = [{"metadata": {"name": "w", "namespace": "team"}}]
    reading = read_cluster(client)
    (widget,) = [found for found in reading.resources if found.is_custom]
    assert widget.key == ("Widget.factory.example.org", "team", "w")


def test_only_the_wanted_namespaces_are_listed(api: Api, client: KubernetesClient) -> None:
    read_cluster(client, ("team", "shop"))
    asked = {path for _, path, _ in api.requests}
    assert {"/api/v1/namespaces/team/pods", "/api/v1/namespaces/shop/pods", "/api/v1/nodes"} <= asked
    assert PATH not in asked


def test_secrets_are_never_asked_for(api: Api, client: KubernetesClient) -> None:
    read_cluster(client)
    assert [path for _, path, _ in api.requests if "secret" in path.lower()] == []


def test_a_server_that_is_not_there_is_a_temporary_error() -> None:
    with nobody_listens() as url, KubernetesClient(Access(url, None), timeout_seconds=60) as client:  # noqa: SIM117
        with pytest.raises(TemporaryError) as problem:
            client.version()
    assert problem.value.system == "kubernetes"


def test_a_list_from_the_servers_memory_comes_in_one_answer(api: Api, client: KubernetesClient) -> None:
    api.objects[PATH] = pods(35)
    found, version = client.list_objects(PODS, from_cache=True)
    assert (len(found), version) == (35, "100")
    assert api.asked(PATH) == [{"resourceVersion": "0"}]


def test_bytes_that_are_no_text_inside_an_item_are_a_broken_answer(api: Api, client: KubernetesClient) -> None:
    broken = b'{"kind":"PodList","items":[{"metadata":{"name":"a"},"spec":{"x":"\xff"}}]}'
    api.faults[PATH] = [say(broken), say(broken)]
    with pytest.raises(TemporaryError, match="cut off or no JSON"):
        client.list_objects(PODS)
