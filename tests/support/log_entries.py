"""Log entries as the usual collectors write them, and pods whose logs have a trouble of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

SHIPPERS: Mapping[str, tuple[str, str]] = {
    # Each with its fields for namespace and pod.
    "vector": ("kubernetes.pod_namespace", "kubernetes.pod_name"),
    "fluentbit": ("kubernetes.namespace_name", "kubernetes.pod_name"),
    "lifted": ("kubernetes_namespace_name", "kubernetes_pod_name"),
    "otel": ("k8s.namespace.name", "k8s.pod.name"),
    "otelattributes": ("resource.attributes.k8s.namespace.name", "resource.attributes.k8s.pod.name"),
    "filebeat": ("kubernetes.namespace", "kubernetes.pod.name"),
    "datadog": ("kube_namespace", "pod_name"),
    "promtail": ("namespace", "pod"),
    "remapped": ("namespace", "pod_name"),
    "gcp": ("resource.labels.namespace_name", "resource.labels.pod_name"),
}  # fmt: skip


def log_entries(now: datetime) -> list[dict[str, Any]]:
    """Ten errors and twenty other lines of each collector, in the ten minutes before ``now``. kilo's and mike's traces
    came line by line, sierra's in one entry; lima's text is in another field than the store was told, oscar's in one
    that nobody knows; papa is named by a field of its own; quebec is quiet."""
    entries: list[dict[str, Any]] = []

    def write(second: float, text: str, more: Mapping[str, Any]) -> None:
        entries.append(
            {"_time": (now - timedelta(minutes=10) + timedelta(seconds=second)).isoformat(), "_msg": text, **more}
        )

    for name, (namespace, pod) in SHIPPERS.items():
        source = {namespace: f"{name}-ns", pod: f"{name}-7f9c6d5b4d-x2k4q"}
        for i in range(10):
            write(i, f"ERROR {name} payment {i} declined", source)
            write(i, f"INFO request {i} done", source)
            write(i, f"request {i} done, errors: 0", source)
    for i in range(5):
        rows = [
            "Traceback (most recent call last):",
            '  File "/app/pay.py", line 12, in charge',
            "    order = orders[key]",
            "            ~~~~~~^^^^^",
        ]
        for place, row in enumerate([*rows, "KeyError: 'user_id'"]):
            write(20 * i + place / 1000, row, {"namespace": "kilo-ns", "pod": "kilo-7f9c6d5b4d-x2k4q"})
        for place, row in enumerate([*rows, "shop.declined.CardDeclined: card 7"]):
            write(20 * i + place / 1000, row, {"namespace": "mike-ns", "pod": "mike-7f9c6d5b4d-x2k4q"})
        write(
            i, "\n".join([*rows, "shop.declined.CardDeclined: card 7"]), {"namespace": "sierra-ns", "pod": "sierra-0"}
        )
        write(i, "", {"message": f"payment {i} declined: card expired", "level": "error", "pod": "lima-0"})
        write(i, "", {"text.of.it": f"payment {i} declined", "level": "error", "pod": "oscar-0"})
        write(i, f"payment {i} declined", {"level": "error", "host.unit": "papa"})
        write(i, "GET /cart 200", {"namespace": "quebec-ns", "pod": "quebec-0"})
    return [{key: value for key, value in one.items() if value} for one in entries]
