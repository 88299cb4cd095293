"""What deployments and sets have in common: replicas wanted and ready, and pods that cannot be created."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.model.finding import Severity
from tools.kubernetes.fields import mappings, number, text
from tools.kubernetes.records import Resource

_QUOTA = re.compile(r"exceeded quota: (?P<quota>[\w.-]+)")
# 'failed calling webhook "NAME"', and the denial that a working webhook answers with.
_WEBHOOK = re.compile(r'failed calling webhook "(?P<webhook>[^"]+)"')
_DENIED = re.compile(r'admission webhook "(?P<webhook>[^"]+)" denied the request')


def wanted_replicas(workload: Resource) -> int:
    """``spec.replicas``, where nothing means one."""
    wanted = number(workload.spec, "replicas")
    return 1 if wanted is None else wanted


def is_outdated(workload: Resource) -> bool:
    """Whether its controller has not seen the present spec yet."""
    seen = number(workload.status, "observedGeneration")
    return seen is not None and workload.generation is not None and seen < workload.generation


def shortage_severity(ready: int) -> Severity | None:
    """No replica left is critical, whatever the code's default."""
    return Severity.CRITICAL if ready == 0 else None


def has_lasted(snapshot: Snapshot, owner: Resource) -> bool:
    """Whether neither the workload nor its newest pod is young enough to be on its way still. A file without a date and
    without the pods cannot tell."""
    if not snapshot.dated and not snapshot.children_of(owner):
        return False
    born = [resource.created_at for resource in (owner, *snapshot.children_of(owner)) if resource.created_at]
    return bool(born) and snapshot.age(max(born)) > seconds(thresholds().rollout_seconds)


def check_creation(snapshot: Snapshot, workload: Resource) -> Iterator[Problem]:
    """Pods that the API server refuses to create: quota, webhook, policy, missing account."""
    refused = find_condition(read_conditions(workload.status), "ReplicaFailure")
    message = refused.message if refused and refused.status and refused.reason == "FailedCreate" else ""
    events = recent_warnings(snapshot, workload, ("FailedCreate",))
    if not message and (not events or _has_recovered(workload)):
        return
    message = message or events[0].message
    facts = tuple(event_line(event) for event in events[:2])
    code, cause, caused_by = _creation_cause(snapshot, workload, message)
    yield Problem(code, workload, "FailedCreate", cause, facts=facts, caused_by=caused_by)


def _has_recovered(workload: Resource) -> bool:
    """Whether all wanted pods exist by now, so that an old event tells of the past."""
    status = workload.status
    present = number(status, "replicas") or number(status, "currentNumberScheduled") or number(status, "active") or 0
    wanted = number(status, "desiredNumberScheduled") or (
        (number(workload.spec, "parallelism") or 1) if workload.kind == "Job" else wanted_replicas(workload)
    )
    return present >= wanted or bool(number(status, "succeeded"))


def _creation_cause(snapshot: Snapshot, workload: Resource, message: str) -> tuple[str, str, tuple[Key, ...]]:
    if match := _QUOTA.search(message):
        quota = match["quota"]
        cause = f"Pods cannot be created: quota {quota} is used up. {message}"
        return "QUOTA_EXCEEDED", cause, (("ResourceQuota", workload.namespace, quota),)
    if match := _WEBHOOK.search(message):
        owners = tuple(
            configuration.key
            for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
            for configuration in snapshot.of(kind)
            if match["webhook"] in {text(hook, "name") for hook in mappings(configuration.body, "webhooks")}
        )
        cause = f"Pods cannot be created: the admission webhook {match['webhook']} does not answer. {message}"
        return "POD_CREATION_FAILED", cause, owners
    if match := _DENIED.search(message):
        cause = f"Pods cannot be created: the admission webhook {match['webhook']} refuses them. {message}"
        return "POD_CREATION_FAILED", cause, ()
    return "POD_CREATION_FAILED", f"Pods cannot be created: {message}", ()
