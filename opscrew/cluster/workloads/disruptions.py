"""PodDisruptionBudgets that let no pod go: a node drain or an upgrade waits for them for ever."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, number


def check_disruption_budgets(snapshot: Snapshot) -> Iterator[Problem]:
    """Blocked although all pods are healthy is a wrong budget; blocked because pods are ill is a symptom of those."""
    for budget in snapshot.of("PodDisruptionBudget"):
        status = budget.status
        expected, healthy = number(status, "expectedPods") or 0, number(status, "currentHealthy") or 0
        desired = number(status, "desiredHealthy") or 0
        allowed = find_condition(read_conditions(status), "DisruptionAllowed")
        if allowed is not None and allowed.status is False and allowed.reason == "SyncFailed":
            cause = f"It cannot be evaluated: {allowed.message}"
            yield Problem("DISRUPTION_BUDGET_BLOCKS", budget, "SyncFailed", cause)
            continue
        if expected == 0 or (number(status, "disruptionsAllowed") or 0) > 0 or not status:
            continue
        since = allowed.since if allowed else budget.created_at
        if snapshot.age(since) <= seconds(thresholds().settle_seconds) and healthy < desired:
            continue  # a rollout in progress
        pods = tuple(pod.key for pod in snapshot.selected_pods(budget.namespace, mapping(budget.spec, "selector")))
        facts = (f"{healthy} of {expected} pods healthy, {desired} must be",)
        if healthy < desired:
            cause = f"It lets no pod go because only {healthy} of {desired} required pods are healthy."
        else:
            cause = f"It demands all {desired} healthy pods, so no node under them can ever be drained."
            pods = ()
        yield Problem("DISRUPTION_BUDGET_BLOCKS", budget, "InsufficientPods", cause, facts=facts, caused_by=pods)
