"""How one object stands, told in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.cluster.report.status_line import standing
from opscrew.cluster.snapshot import Snapshot
from tests.support.kubernetes_objects import NOW, container, pod, ready, thing
from tools.kubernetes.records import read_resource

TEMPLATE = {"spec": {"containers": [{"name": "app", "image": "cart:1.4"}]}}


def told(raw: dict[str, Any], *others: dict[str, Any]) -> str:
    resources = [read_resource(one, one["apiVersion"], one["kind"]) for one in (raw, *others)]
    return standing(resources[0], Snapshot(resources, NOW))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (thing("Deployment", spec={"replicas": 3, "template": TEMPLATE}, status={"readyReplicas": 2}),
         "2 of 3 replicas ready, image cart:1.4"),
        (thing("Deployment", spec={"paused": True, "template": TEMPLATE}),
         "0 of 1 replicas ready, paused, image cart:1.4"),
        (thing("StatefulSet", spec={"replicas": 0, "template": TEMPLATE}), "0 of 0 replicas ready, image cart:1.4"),
        (thing("DaemonSet", spec={"template": TEMPLATE}, status={"desiredNumberScheduled": 5, "numberReady": 5}),
         "5 of 5 pods ready, image cart:1.4"),
        (pod(containerStatuses=container(3)), "Running, 3 restarts, on node-1"),
        (thing("CronJob", spec={"schedule": "0 3 * * *", "suspend": True}),
         "schedule 0 3 * * *, suspended, never run"),
        (thing("PersistentVolumeClaim", spec={"storageClassName": "fast"},
               status={"phase": "Bound", "capacity": {"storage": "10Gi"}}), "Bound, 10Gi, class fast"),
        (thing("Service"), ""),
        (thing("Deployment", spec=None, status="odd"), "0 of 1 replicas ready"),
    ],
)  # fmt: skip
def test_what_is_told(raw: dict[str, Any], words: str) -> None:
    assert told(raw) == words


def test_places_count_what_lies_in_them() -> None:
    node = thing("Node", "node-1", spec={"unschedulable": True}, status={"conditions": ready()})
    assert told(node, pod("a"), pod("b")) == "ready, cordoned, 2 pods"
    space = thing("Namespace", "team", namespace="", status={"phase": "Active"})
    assert told(space, pod("a")) == "Active, 1 pods, 0 deployments, 0 stateful sets"
