"""Whether somebody has put a custom resource on hold: by its spec, an annotation, a condition or a state.

What is on hold is no problem whatever else its status says, since nothing works on it.
"""

from __future__ import annotations

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.custom import condition_types, field_names
from opscrew.cluster.custom.sign import Health, Sign
from tools.kubernetes.fields import truth
from tools.kubernetes.records import Resource


def hold_on(resource: Resource) -> Sign | None:
    """What says so, or None."""
    return _by_person(resource) or _by_status(resource)


def _by_person(resource: Resource) -> Sign | None:
    for name in ("paused", "suspend", "suspended", "pause"):
        if truth(resource.spec, name):
            return Sign(Health.ON_HOLD, f"spec.{name}")
    for name, value in resource.annotations.items():
        own = name.rpartition("/")[2]
        # "paused: 2026-01-01" names a time; "pause-reconciliation: 0s" says nothing, its "true" does.
        paused = condition_types.is_hold_type(own) and value.lower() != "false"
        if paused or (field_names.asks_for_hold(own) and value.lower() == "true"):
            return Sign(Health.ON_HOLD, f"annotation {name}")
    return None


def _by_status(resource: Resource) -> Sign | None:
    for condition in read_conditions(resource.status):
        if condition_types.is_hold_type(condition.type) and condition.status:
            return Sign(Health.ON_HOLD, condition.type, condition.reason, condition.message, condition.since)
    for name, value in resource.status.items():
        if isinstance(value, str) and field_names.is_state_field(name) and condition_types.is_hold_type(value):
            return Sign(Health.ON_HOLD, name, value)
    return None
