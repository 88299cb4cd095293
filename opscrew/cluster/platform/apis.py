"""Aggregated APIs that do not answer, and custom resource definitions the API server does not accept."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, text
from tools.kubernetes.records import Resource


def check_apis(snapshot: Snapshot) -> Iterator[Problem]:
    """An API that just lost its pods may be rolling out, so it gets a few minutes."""
    for service in snapshot.of("APIService"):
        available = find_condition(read_conditions(service.status), "Available")
        if (
            available
            and available.status is False
            and snapshot.age(available.since) > seconds(thresholds().settle_seconds)
        ):
            cause = f"The API {service.name} does not answer: {available.message or available.reason}"
            reason = available.reason or "Unavailable"
            yield Problem("API_UNAVAILABLE", service, reason, cause, caused_by=_pods_behind(snapshot, service))
    for definition in snapshot.of("CustomResourceDefinition"):
        for condition in read_conditions(definition.status):
            bad = condition.status is False and condition.type == "NamesAccepted"
            bad = bad or (condition.status is True and condition.type == "NonStructuralSchema")
            if bad:
                cause = f"The definition is not accepted: {condition.message or condition.reason}"
                yield Problem("API_DEFINITION_REFUSED", definition, condition.reason or condition.type, cause)


def _pods_behind(snapshot: Snapshot, api: Resource) -> tuple[Key, ...]:
    namespace, name = text(api.spec, "service", "namespace"), text(api.spec, "service", "name")
    service = snapshot.find("Service", namespace, name)
    if service is None:
        return ()
    pods = snapshot.selected_pods(namespace, mapping(service.spec, "selector"))
    return (service.key, *(pod.key for pod in pods))
