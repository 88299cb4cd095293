"""Decides how a custom resource is, by the standard conventions of status and by no knowledge of any product.

Sources, strongest first: what a person put on hold; whether the controller has seen the present spec
(observedGeneration); conditions (KEP-1623 and the API conventions: True is good unless the type names a fault, Unknown
means undecided); state words (phase, state, health ...) down to the second level; fields named error or failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from opscrew.cluster import vocabulary
from opscrew.cluster.conditions import Condition, read_conditions
from opscrew.cluster.vocabulary import Tone
from tools.kubernetes.fields import mapping, mappings, number, text, truth
from tools.kubernetes.records import Resource


class Health(IntEnum):
    """Sorted by how much it matters."""

    FINE = 0
    ON_HOLD = 1
    IN_PROGRESS = 2
    UNCLEAR = 3  # not ready, and nothing says why
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing a status says. ``where`` is the condition type or the field it was read from."""

    health: Health
    where: str = ""
    reason: str = ""
    message: str = ""
    since: datetime | None = None


_FINE = Sign(Health.FINE)


def judge(resource: Resource) -> Sign:
    """The sign that decides about the resource."""
    if hold := _hold(resource):
        return hold
    if _is_outdated(resource):
        return Sign(Health.IN_PROGRESS, "observedGeneration", "", "the controller has not seen the latest change yet")
    conditions = [(place, condition) for place, condition in _all_conditions(resource.status)]
    working = any(_is_working(condition) for _, condition in conditions) or _says_working(resource.status)
    signs = [_sign_of_condition(place, condition, working) for place, condition in conditions]
    signs += _state_signs(resource.status)
    signs += _error_field_signs(resource.status)
    signs += _numbered_state_signs(resource.status)
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


def _says_working(status: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, str) and vocabulary.is_state_field(name) and vocabulary.tone_of(value) is Tone.PROGRESS
        for name, value in status.items()
    )


def _sign_of_condition(place: str, condition: Condition, working: bool) -> Sign:
    negative = vocabulary.is_negative_type(condition.type)
    if condition.status is None or condition.status is not negative:
        # Unknown is undecided. True of a good type and False of a bad one are what they should be.
        undecided = condition.status is None and not negative
        return _sign(Health.IN_PROGRESS if undecided else Health.FINE, place, condition)
    if not negative and vocabulary.is_activity_type(condition.type):
        return _FINE
    return _sign(_health_of_unmet(condition, negative, working), place, condition)


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


def _state_signs(status: Mapping[str, Any]) -> list[Sign]:
    """State words of the first two levels, with the message beside them."""
    signs = _states_in(status, "")
    for name, value in status.items():
        if not vocabulary.is_ignored_field(name):
            for part in mappings(value) if isinstance(value, list) else [mapping(value)]:
                signs += _states_in(part, name)
                for inner, deeper in part.items():
                    if isinstance(deeper, Mapping) and not vocabulary.is_ignored_field(inner):
                        signs += _states_in(deeper, name)
    return signs


def _states_in(part: Mapping[str, Any], place: str) -> list[Sign]:
    signs = []
    for name, value in part.items():
        if isinstance(value, str) and value and len(value) <= 60 and vocabulary.is_state_field(name):
            tone = vocabulary.tone_of_state(value)
            if tone in (Tone.FAILURE, Tone.ABSENCE):
                health = Health.FAILED
            else:
                health = Health.IN_PROGRESS if tone is Tone.PROGRESS else Health.FINE
            message = text(part, "message") or text(part, "reason") or text(part, "description")
            signs.append(Sign(health, f"{place}.{name}".strip("."), value, message))
    return signs


def _error_field_signs(status: Mapping[str, Any]) -> list[Sign]:
    """Fields such as ``errorMessage`` or ``failureReason`` that hold a text."""
    signs = []
    for name, value in status.items():
        first = (vocabulary.words_of(name) or [""])[0]
        if first in ("error", "failure") and isinstance(value, str) and value.strip():
            signs.append(Sign(Health.FAILED, name, "", value))
    return signs


def _numbered_state_signs(status: Mapping[str, Any]) -> list[Sign]:
    """A state that is only a number means nothing to a stranger; a sentence of explanation beside it does."""
    state, reason = status.get("state"), text(status, "reason") or text(status, "message")
    if isinstance(state, int) and not isinstance(state, bool) and " " in reason.strip():
        return [Sign(Health.FAILED, "state", str(state), reason)]
    return []
