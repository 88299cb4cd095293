"""Admission webhooks whose Service or pods are missing: with failurePolicy Fail they block every matching change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opscrew.cluster.network.services import is_being_replaced, is_ready
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.model.finding import Severity
from tools.kubernetes.fields import mapping, mappings, text
from tools.kubernetes.records import Resource

_KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def check_webhooks(snapshot: Snapshot) -> Iterator[Problem]:
    """One problem per configuration and Service. A webhook at a URL outside the cluster cannot be judged from here."""
    for kind in _KINDS:
        for configuration in snapshot.of(kind):
            seen = set()
            for webhook in mappings(configuration.body, "webhooks"):
                service = mapping(webhook, "clientConfig", "service")
                where = (text(service, "namespace"), text(service, "name"))
                if service and where not in seen:
                    seen.add(where)
                    found = list(_backend(snapshot, configuration, webhook, where))
                    yield from found or _failed_calls(snapshot, configuration, webhook, where)


def _failed_calls(
    snapshot: Snapshot, configuration: Resource, webhook: Mapping[str, Any], where: tuple[str, str]
) -> Iterator[Problem]:
    """Its pods are ready, and the API server says that calls fail all the same: a wrong certificate, a firewall."""
    call = f'failed calling webhook "{text(webhook, "name")}"'
    window = seconds(thresholds().event_window_seconds)
    for event in snapshot.events:
        if event.type == "Warning" and call in event.message and snapshot.age(event.last_seen) <= window:
            why = event.message.partition(call)[2].strip(": ")
            cause = f"Calls to the webhook {text(webhook, 'name')} fail, and every change it watches is refused: {why}"
            yield Problem("WEBHOOK_UNREACHABLE", configuration, "CallFailed", cause, "/".join(where))
            return


def _backend(
    snapshot: Snapshot, configuration: Resource, webhook: Mapping[str, Any], where: tuple[str, str]
) -> Iterator[Problem]:
    namespace, name = where
    blocks = (text(webhook, "failurePolicy") or "Fail") == "Fail"
    effect = "every change it watches is refused" if blocks else "its rules are silently not applied"
    severity = None if blocks else Severity.WARNING
    aspect, label = f"{namespace}/{name}", text(webhook, "name")
    if not snapshot.knows("Service", namespace):
        return
    service = snapshot.find("Service", namespace, name)
    if service is None:
        cause = f"The webhook {label} calls the Service {aspect}, which does not exist; {effect}."
        yield Problem("WEBHOOK_UNREACHABLE", configuration, "ServiceNotFound", cause, aspect, severity=severity)
        return
    selector = mapping(service.spec, "selector")
    if not selector or not snapshot.knows("Pod", namespace):
        return
    pods = snapshot.selected_pods(namespace, selector)
    if not any(is_ready(pod) for pod in pods) and not is_being_replaced(snapshot, pods):
        cause = f"No pod behind the webhook {label} (Service {aspect}) is ready; {effect}."
        keys = tuple(pod.key for pod in pods)
        yield Problem(
            "WEBHOOK_UNREACHABLE", configuration, "NoReadyEndpoints", cause, aspect, severity=severity, caused_by=keys
        )
