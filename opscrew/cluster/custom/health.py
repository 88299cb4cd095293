"""Decides how a custom resource is, by the standard conventions of status and by no knowledge of any product.

Sources, strongest first: what a person put on hold (``paused.py``); whether the controller has seen the present
spec (observedGeneration); conditions (``condition_signs.py``); what fields say (``status_fields.py``).
"""

from __future__ import annotations

from datetime import datetime

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.custom.condition_signs import condition_signs, conditions_say_working, is_summed_up
from opscrew.cluster.custom.paused import hold_on
from opscrew.cluster.custom.sign import Health, Sign
from opscrew.cluster.custom.status_fields import field_signs, says_working
from opscrew.cluster.custom.tones import Tone, tone_of
from tools.kubernetes.fields import number
from tools.kubernetes.records import Resource

_FINE = Sign(Health.FINE)
_PLAINNESS = {Tone.FAILURE: 2, Tone.ABSENCE: 1}


def judge(resource: Resource) -> Sign:
    """The sign that decides about the resource."""
    if hold := hold_on(resource):
        return hold
    if _is_outdated(resource):
        says = "the controller has not seen the latest change yet"
        return Sign(Health.IN_PROGRESS, "observedGeneration", "", says, _unanswered_since(resource))
    status = resource.status
    working = says_working(status) or conditions_say_working(status)
    signs = condition_signs(status, working) + field_signs(status, working)
    return max(signs, key=_weight, default=_FINE)


def _weight(sign: Sign) -> tuple[Health, int, bool]:
    """Of equal failures the one that says most; of everything else one that tells since when, since without a time
    nobody can say that it takes too long."""
    if sign.health is Health.FAILED:
        return sign.health, _PLAINNESS.get(tone_of(sign.message), 0), " " in sign.message
    return sign.health, sign.since is not None, sign.since_creation


def is_called_good(resource: Resource) -> bool:
    """Whether the resource says outright that it is well, rather than saying nothing bad."""
    return is_summed_up(read_conditions(resource.status)) and judge(resource).health < Health.FAILED


def _unanswered_since(resource: Resource) -> datetime | None:
    """Since when the wish waits, where the controller has written nothing at all since. One that has and leaves
    observedGeneration behind has its own way with it, and nobody can say since when."""
    wished, answered = resource.wished_at, resource.answered_at
    return wished if wished is not None and answered is not None and answered < wished else None


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
