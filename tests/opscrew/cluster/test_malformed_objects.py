"""Whatever stands where in an object, judging it ends, and the other objects of the snapshot are judged too."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.kubernetes_objects import ago, codes_of, condition, container, event, pod, ready, thing
from tests.support.operator_objects import operator_objects

ODD: tuple[Any, ...] = (
    *(None, [], {}, "", 7, -1, True, 1e308, 10**30, "-5", "x" * 500, [None], [[]], ["x"], {"a": None}, {"": {}}),
    *("2024-99-99T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59"),
)
CRASHING = pod("crashing", containerStatuses=container(9, waiting="CrashLoopBackOff"))


OPERATORS = operator_objects(Path(__file__).with_name("data") / "operators")


def objects(chance: random.Random) -> list[dict[str, Any]]:
    """One of many kinds, so that a strange value has many places to land in."""
    refused = 'failed calling webhook "check.example.org"'
    deployment = thing("Deployment", version="apps/v1", spec={"replicas": 2}, metadata={"finalizers": ["a/b"]})
    deployment["status"] = {"conditions": [condition("ReplicaFailure", True, "FailedCreate", refused)]}
    service = {"namespace": "team", "name": "check"}
    hooks = [{"name": "check.example.org", "clientConfig": {"service": service}}]
    crashed = pod(conditions=ready(False), containerStatuses=container(5, lastState={"terminated": {"exitCode": 1}}))
    return [
        deployment,
        crashed,
        event(crashed, "Unhealthy", "the probe failed"),
        thing("ValidatingWebhookConfiguration", "check", namespace="", webhooks=hooks),
        thing("Service", "check", spec={"selector": {"app": "shop"}}),
        thing("CronJob", version="batch/v1", spec={"schedule": "0 * * * *"}, status={}),
        thing("ResourceQuota", status={"hard": {"pods": "3"}, "used": {"pods": "3"}}),
        thing("Node", "node-1", namespace="", status={"conditions": [condition("Ready", True)]}),
        thing("Widget", version="x.example.org/v1", status={"phase": "Failed", "parts": [{"state": "down"}]}),
        *(one.built(ago(hours=3)) for one in chance.sample(OPERATORS, 3)),
    ]


def spoil(whole: list[dict[str, Any]], chance: random.Random) -> None:
    """Puts one odd value somewhere; kinds stay, since they decide who looks at all."""
    holder: Any = chance.choice(whole)
    for _ in range(chance.randint(0, 6)):
        below = list(holder.values()) if isinstance(holder, dict) else holder
        below = [value for value in below if isinstance(value, dict | list) and value]
        if not below:
            break
        holder = chance.choice(below)
    key = chance.choice([name for name in holder if name != "kind"]) if isinstance(holder, dict) else 0
    holder[key] = copy.deepcopy(chance.choice(ODD))


@pytest.mark.parametrize("seed", range(40))
def test_odd_values_stop_nothing(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        spoilt = objects(chance)
        spoil(spoilt, chance)
        assert "POD_CRASH_LOOPING" in codes_of(*spoilt, CRASHING, dated=chance.random() < 0.5)
