"""Every Prometheus metric the crew exposes, in one list, so that names and labels stay consistent.

A registry of our own rather than the library's global one: two instances in one test process must not clash.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Built once by the process that serves or runs crews, and passed on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.runs = Counter("crew_runs", "Crew runs by outcome", ["crew", "outcome"], registry=self.registry)
        self.run_seconds = Histogram(
            "crew_run_seconds",
            "Duration of crew runs in seconds",
            ["crew"],
            buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
            registry=self.registry,
        )
        self.findings = Gauge("crew_findings", "Open findings", ["severity"], registry=self.registry)
        self.actions = Gauge("crew_actions", "Recorded actions by state", ["kind", "state"], registry=self.registry)
        self.requests = Counter(
            "crew_upstream_requests", "Requests to outside systems", ["system", "outcome"], registry=self.registry
        )
        self.budget_left = Gauge(
            "crew_upstream_budget_left",
            "Requests left in the outside system's window",
            ["system"],
            registry=self.registry,
        )
        self.webhooks = Counter("crew_webhooks", "Webhooks received", ["source", "outcome"], registry=self.registry)
        self.notifications = Counter(
            "crew_notifications", "Messages to people by outcome", ["channel", "outcome"], registry=self.registry
        )
