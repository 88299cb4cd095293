"""Decides how a custom resource is, by the standard conventions of status and by no knowledge of any product.

Sources, strongest first: what a person put on hold; whether the controller has seen the present spec
(observedGeneration); conditions (KEP-1623 and the API conventions: True is good unless the type names a fault, Unknown
means undecided); what fields say (``status_fields.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opscrew.cluster import vocabulary
from opscrew.cluster.conditions import Condition, read_conditions
from opscrew.cluster.sign import Health, Sign
from opscrew.cluster.status_fields import field_signs, says_working
from opscrew.cluster.vocabulary import Tone
from tools.kubernetes.fields import mapping, mappings, number, truth
from tools.kubernetes.records import Resource

_FINE = Sign(Health.FINE)


def judge(resource: Resource) -> Sign:
    """The sign that decides about the resource."""
    if hold := _hold(resource):
        return hold
    if _is_outdated(resource):
        return Sign(Health.IN_PROGRESS, "observedGeneration", "", "the controller has not seen the latest change yet")
    conditions = [(place, condition) for place, condition in _all_conditions(resource.status)]
    working = any(_is_working(condition) for _, condition in conditions) or says_working(resource.status)
    signs = [_sign_of_condition(place, condition, working) for place, condition in conditions]
    signs += field_signs(resource.status)
    return max(signs, key=lambda sign: sign.health, default=_FINE)


def _hold(resource: Resource) -> Sign | None:
    """A pause or a suspension by spec, annotation, condition or state."""
    for name in ("paused", "suspend", "suspended", "pause"):
        if truth(resource.spec, name):
            return Sign(Health.ON_HOLD, f"spec.{name}")
    for name, value in resource.annotations.items():
        if vocabulary.is_hold_type(name.rpartition("/")[2]) and value.lower() != "false":
            return Sign(Health.ON_HOLD, f"annotation {name}")
    for condition in read_conditions(resource.status):
        if vocabulary.is_hold_type(condition.type) and condition.status:
            return Sign(Health.ON_HOLD, condition.type, condition.reason, condition.message, condition.since)
    for name, value in resource.status.items():
        if isinstance(value, str) and vocabulary.is_state_field(name) and vocabulary.is_hold_type(value):
            return Sign(Health.ON_HOLD, name, value)
    return None


def _is_outdated(resource: Resource) -> bool:
    """Whether the status speaks of an older spec than the present one. A request to delete also counts as a change of
    the spec, and controllers seldom acknowledge that one."""
    if resource.generation is None or resource.deleting_since is not None:
        return False
    seen = number(resource.status, "observedGeneration")
    if seen is None:
        observed = [c.observed_generation for c in read_conditions(resource.status) if c.observed_generation]
        seen = max(observed, default=None)
    return seen is not None and seen < resource.generation


def _all_conditions(status: Mapping[str, Any]) -> Iterator[tuple[str, Condition]]:
    """Conditions of the object itself and of its parts (``parents[]``, ``listeners[]``, ``podStatus``)."""
    for condition in read_conditions(status):
        yield "", condition
    for name, value in status.items():
        parts = mappings(value) if isinstance(value, list) else [mapping(value)]
        for part in parts:
            for condition in read_conditions(part):
                yield name, condition


def _is_working(condition: Condition) -> bool:
    """Whether the condition says that work goes on and does not add that it goes badly."""
    if not vocabulary.is_activity_type(condition.type) or condition.status is not True:
        return False
    return vocabulary.tone_of_reason(condition.reason) is not Tone.FAILURE


def _sign_of_condition(place: str, condition: Condition, working: bool) -> Sign:
    negative = vocabulary.is_negative_type(condition.type)
    if condition.status is None and _is_bad_without_status(condition):
        return _sign(Health.FAILED, place, condition)
    if condition.status is None or condition.status is not negative:
        # Unknown is undecided. True of a good type and False of a bad one are what they should be.
        undecided = condition.status is None and not negative
        return _sign(Health.IN_PROGRESS if undecided else Health.FINE, place, condition)
    if not negative and vocabulary.is_activity_type(condition.type):
        failed = vocabulary.tone_of_reason(condition.reason) is Tone.FAILURE
        return _sign(Health.FAILED if failed else Health.FINE, place, condition)
    if not negative and vocabulary.is_capability_type(condition.type):
        return _FINE
    return _sign(_health_of_unmet(condition, negative, working), place, condition)


def _is_bad_without_status(condition: Condition) -> bool:
    """Some operators write a state word for the status ("Degraded"), others list errors by type and leave it out."""
    if condition.word:
        return vocabulary.tone_of(condition.word) is Tone.FAILURE
    return vocabulary.is_error_type(condition.type) and bool(condition.message)


def _health_of_unmet(condition: Condition, negative: bool, working: bool) -> Health:
    tone = vocabulary.tone_of_reason(condition.reason)
    if tone is Tone.SILENT:
        tone = vocabulary.tone_of(condition.message)
    if tone is Tone.FAILURE:
        return Health.FAILED
    if not negative and not vocabulary.is_promising_type(condition.type):
        return Health.FINE
    if tone is Tone.ABSENCE and not working:
        return Health.FAILED
    if tone in (Tone.PROGRESS, Tone.ABSENCE):
        return Health.IN_PROGRESS
    if negative or condition.severity.lower() == "error":
        return Health.FAILED
    if working or condition.severity.lower() == "info" or not (condition.reason or condition.message):
        return Health.IN_PROGRESS
    return Health.UNCLEAR


def _sign(health: Health, place: str, condition: Condition) -> Sign:
    where = f"{place} {condition.type}".strip()
    return Sign(health, where, condition.reason, condition.message, condition.since)
