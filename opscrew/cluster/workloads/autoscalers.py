"""HorizontalPodAutoscalers that cannot scale: no metric, no target, no request to take a share of."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from opscrew.cluster.conditions import Condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mappings, number, text
from tools.kubernetes.records import Resource

# autoscaling/v1 has no field for conditions and carries them in this annotation.
_CONDITIONS_ANNOTATION = "autoscaling.alpha.kubernetes.io/conditions"


def check_autoscalers(snapshot: Snapshot) -> Iterator[Problem]:
    """ScalingLimited at the maximum is worth knowing; the other conditions are problems when False."""
    for autoscaler in snapshot.of("HorizontalPodAutoscaler"):
        target = (text(autoscaler.spec, "scaleTargetRef", "kind"), text(autoscaler.spec, "scaleTargetRef", "name"))
        if snapshot.knows(target[0], autoscaler.namespace) and not snapshot.find(
            target[0], autoscaler.namespace, target[1]
        ):
            cause = f"Its target {target[0]} {target[1]} does not exist."
            yield Problem("AUTOSCALER_TARGET_MISSING", autoscaler, "FailedGetScale", cause)
            continue
        for condition in _conditions(autoscaler):
            problem = _judge(snapshot, autoscaler, condition)
            if problem is not None:
                yield problem


def _conditions(autoscaler: Resource) -> list[Condition]:
    written = autoscaler.annotations.get(_CONDITIONS_ANNOTATION)
    if not written:
        return read_conditions(autoscaler.status)
    try:
        return read_conditions({"conditions": orjson.loads(written)})
    except orjson.JSONDecodeError:
        return []


def _judge(snapshot: Snapshot, autoscaler: Resource, condition: Condition) -> Problem | None:
    says = condition.message or condition.reason or "no reason given"
    if condition.type in ("AbleToScale", "ScalingActive") and condition.status is False:
        # Scaling off at zero replicas is how people switch an autoscaler off.
        if condition.reason == "ScalingDisabled" or (snapshot.dated and _is_passing(snapshot, autoscaler, condition)):
            return None
        cause = f"It cannot scale: {says}"
        kind, name = text(autoscaler.spec, "scaleTargetRef", "kind"), text(autoscaler.spec, "scaleTargetRef", "name")
        # Pods that do not run deliver no metrics.
        target = ((kind, autoscaler.namespace, name),)
        return Problem("AUTOSCALER_CANNOT_SCALE", autoscaler, condition.reason, cause, condition.type, caused_by=target)
    if condition.type == "ScalingLimited" and condition.status is True and condition.reason == "TooManyReplicas":
        maximum = number(autoscaler.spec, "maxReplicas")
        metrics = "; ".join(text(metric, "type") for metric in mappings(autoscaler.spec, "metrics"))
        facts = (f"metrics: {metrics}",) if metrics else ()
        cause = f"It wants more than its maximum of {maximum} replicas."
        return Problem("AUTOSCALER_AT_MAXIMUM", autoscaler, condition.reason, cause, facts=facts)
    return None


def _is_passing(snapshot: Snapshot, autoscaler: Resource, condition: Condition) -> bool:
    """Whether it may be over in a moment: young pods have no metrics yet, and the metrics server restarts too."""
    moments = [moment for moment in (autoscaler.created_at, condition.since) if moment is not None]
    return bool(moments) and snapshot.age(max(moments)) <= seconds(thresholds().settle_seconds)
