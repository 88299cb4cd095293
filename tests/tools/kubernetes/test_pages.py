"""Pages of lists: what is decoded, what is left out, and what oddly shaped answers become."""

from __future__ import annotations

import orjson
import pytest

from tools.kubernetes.pages import read_page
from tools.kubernetes.records import read_resource
from tools.kubernetes.trimming import trim


def items(value: object) -> list[dict[str, object]]:
    return list(read_page(orjson.dumps(value)).items)


def test_everything_but_managed_fields_is_there() -> None:
    pod = {
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "labels": {"x": "y"}, "managedFields": [{"a": 1}]},
        "spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "1"}]}]},
        "status": {"phase": "Running"},
        "data": {"more": [1, 2.5, None, True, "ü"]},
    }
    (found,) = items({"kind": "PodList", "items": [pod]})
    del pod["metadata"]["managedFields"]  # type: ignore[attr-defined]
    assert found == pod


def test_of_custom_resources_it_is_known_when_they_were_written() -> None:
    writers = [
        {"manager": "kubectl", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {}}},
        {"manager": "factory", "time": "2026-01-02T00:00:00Z", "subresource": "status", "fieldsV1": {"f:status": {}}},
    ]
    metadata = {"name": "a", "namespace": "n", "managedFields": writers}
    widget = {"apiVersion": "x.example.org/v1", "kind": "Widget", "metadata": metadata, "status": {}}
    (found,) = items({"kind": "WidgetList", "items": [widget]})
    trimmed = trim("Widget", found)
    assert trimmed["metadata"]["managedFields"] == [
        {"time": "2026-01-01T00:00:00Z"},
        {"time": "2026-01-02T00:00:00Z", "subresource": "status"},
    ]
    read = read_resource(trimmed)
    assert (str(read.wished_at), str(read.answered_at)) == ("2026-01-01 00:00:00+00:00", "2026-01-02 00:00:00+00:00")
    # A watch hands objects over whole.
    assert trim("Widget", widget)["metadata"]["managedFields"] == trimmed["metadata"]["managedFields"]


def test_metadata_of_the_list_is_kept() -> None:
    page = read_page(b'{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"abc"},"items":[]}')
    assert page.metadata == {"resourceVersion": "7", "continue": "abc"}
    assert page.is_list


@pytest.mark.parametrize("value", [{"kind": "PodList"}, {"kind": "PodList", "items": None}, {"items": []}])
def test_an_empty_list_is_a_list(value: object) -> None:
    page = read_page(orjson.dumps(value))
    assert page.is_list
    assert list(page.items) == []


@pytest.mark.parametrize("value", [{"kind": "Status", "code": 200}, {"kind": 7}, {}])
def test_another_object_is_no_list(value: object) -> None:
    assert not read_page(orjson.dumps(value)).is_list


def test_members_that_are_no_objects_are_left_out_and_the_rest_stays() -> None:
    assert items({"kind": "PodList", "items": [1, "x", None, {"metadata": {"name": "a"}}]}) == [
        {"metadata": {"name": "a"}}
    ]
    assert items({"kind": "PodList", "items": "none"}) == []


@pytest.mark.parametrize("metadata", [[], "x", None, 7])
def test_metadata_of_any_type_is_let_through(metadata: object) -> None:
    assert items({"kind": "PodList", "items": [{"metadata": metadata}]}) == [{"metadata": metadata}]


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b'{"items":[{"metadata":', b"<html>", b'{"items":[{"a":\xff}]}'])
def test_what_is_no_whole_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        list(read_page(content).items)
