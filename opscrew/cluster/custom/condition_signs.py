"""What the conditions of a status say, by KEP-1623 and the API conventions.

True is good unless the type names a fault, and Unknown means undecided. Conditions are read from the object itself and
from its parts (``parents[]``, ``listeners[]``, ``diskStatus.default``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from opscrew.cluster.conditions import Condition, read_conditions
from opscrew.cluster.custom import condition_types, field_names, tones
from opscrew.cluster.custom.condition_types import words_of_type
from opscrew.cluster.custom.sign import Health, Sign
from opscrew.cluster.custom.status_fields import has_ended_well, own_states
from opscrew.cluster.custom.tones import Tone
from opscrew.cluster.custom.vocabulary import words_of
from tools.kubernetes.fields import mapping, mappings

_FINE = Sign(Health.FINE)
_DEEPEST_PART = 2


def condition_signs(status: Mapping[str, Any], working: bool) -> list[Sign]:
    """One sign for each condition. ``working`` is whether the status says that work goes on."""
    own = _without_past(read_conditions(status), [value for _, value in own_states(status)])
    own = [condition for condition in own if not _is_old_news(condition, own)]
    found = [("", condition) for condition in own] + _of_this_generation(
        list(_conditions_of_parts(status, "", _DEEPEST_PART))
    )
    signs = [_sign_of(place, condition, working) for place, condition in found]
    if any(_is_at_it(condition) for condition in own):
        signs = [_excused(sign) for sign in signs]
    is_settled = is_summed_up(own) or has_ended_well(status)
    return [_FINE if _is_open(sign) else sign for sign in signs] if is_settled else signs


def conditions_say_working(status: Mapping[str, Any]) -> bool:
    """Whether a condition of the object or of a part says that work goes on."""
    own = [("", condition) for condition in read_conditions(status)]
    return any(_is_working(c) for _, c in (*own, *_conditions_of_parts(status, "", _DEEPEST_PART)))


def is_summed_up(conditions: list[Condition]) -> bool:
    """Whether "Ready" or its like is True, so that what the other conditions leave open does not matter. A controller
    that knows of a failure and calls the whole ready all the same is still believed about the failure."""
    return any(condition_types.is_summary_type(condition.type) and condition.status is True for condition in conditions)


def _of_this_generation(found: list[tuple[str, Condition]]) -> list[tuple[str, Condition]]:
    """Without what a part said of an older spec than the others speak of: a parent that the object has left, say."""
    newest = max((condition.observed_generation or 0 for _, condition in found), default=0)
    return [(place, one) for place, one in found if one.observed_generation in (None, newest)]


def _is_at_it(condition: Condition) -> bool:
    """Whether its controller says outright that it works on the object ("Reconciling"), and not with how little luck.
    "Progressing" is none of these: it stays True for good once a rollout is over."""
    named = condition_types.is_activity_type(condition.type) and condition.type != "Progressing"
    return named and condition.status is True and tones.tone_of_reason(condition.reason) is not Tone.FAILURE


def _excused(sign: Sign) -> Sign:
    """By kstatus, "Ready" and its like may tell of the last attempt while the next one is under way; a failure that has
    a condition of its own stays one."""
    failed = sign.health is Health.FAILED and condition_types.is_summary_type(sign.where)
    return replace(sign, health=Health.IN_PROGRESS) if failed else sign


def _is_open(sign: Sign) -> bool:
    return sign.health in (Health.IN_PROGRESS, Health.UNCLEAR)


def _without_past(conditions: list[Condition], states: list[str]) -> list[Condition]:
    """Some operators append a condition, always True, for each state they pass through. Of those the one that the state
    names counts, unless another is newer than it: then they are no log."""
    latest = list({condition.type: condition for condition in conditions}.values())
    now = {state.lower() for state in states}
    current = [condition for condition in latest if condition.type.lower() in now]
    if not current or any(condition.status is not True for condition in conditions):
        return latest
    return current if _newest(latest) <= _newest(current) else latest


def _is_old_news(condition: Condition, all_of_them: list[Condition]) -> bool:
    """Whether it tells how something ended last ("LastBackupSucceeded"), and the whole became well only after that."""
    if condition.since is None or not condition_types.is_past_type(condition.type):
        return False
    sums = [one for one in all_of_them if condition_types.is_summary_type(one.type) and one.status is True]
    return any(one.since is not None and one.since > condition.since for one in sums)


def _newest(conditions: list[Condition]) -> float:
    return max(condition.since.timestamp() if condition.since else 0 for condition in conditions)


def _conditions_of_parts(status: Mapping[str, Any], place: str, depth: int) -> Iterator[tuple[str, Condition]]:
    for name, value in status.items():
        if not isinstance(value, dict | list) or field_names.is_ignored_field(name):
            continue
        for part in mappings(value) if isinstance(value, list) else [mapping(value)]:
            for condition in read_conditions(part):
                yield place or name, condition
            if depth > 1:
                yield from _conditions_of_parts(part, place or name, depth - 1)


def _is_working(condition: Condition) -> bool:
    """Whether the condition says that work goes on and does not add that it goes badly."""
    tone = tones.tone_of_reason(condition.reason)
    if condition.status is None:
        return tone is Tone.PROGRESS and not condition.word_is_odd
    return condition.status is True and condition_types.is_activity_type(condition.type) and tone is not Tone.FAILURE


def _sign_of(place: str, condition: Condition, working: bool) -> Sign:
    kind = condition.type
    negative = condition_types.is_negative_type(kind)
    promising = not negative and condition_types.is_promising_type(kind)
    activity = not negative and condition_types.is_activity_type(kind)
    if condition.status is None:
        if _is_bad_without_status(condition):
            return _sign(Health.FAILED, place, condition)
        return _sign(Health.IN_PROGRESS if promising and not activity else Health.FINE, place, condition)
    if condition.status is True and condition_types.is_end_type(kind):
        failed = tones.tone_of_reason(condition.reason) is Tone.FAILURE
        return _sign(Health.FAILED if failed else Health.FINE, place, condition)
    if condition.status is not negative:
        return _sign(Health.FINE, place, condition)  # True of a good type and False of a bad one: as it should be
    if activity:
        failed = tones.tone_of_reason(condition.reason) is Tone.FAILURE
        return _sign(Health.FAILED if failed else Health.FINE, place, condition)
    if not negative and condition_types.is_choice_type(kind):
        return _FINE
    return _sign(_health_of_unmet(condition, negative, promising, working), place, condition)


def _is_bad_without_status(condition: Condition) -> bool:
    """Some operators write a state word for the status ("Degraded"), others list errors by type and leave it out."""
    if condition.word:
        return tones.tone_of(condition.word) is Tone.FAILURE
    return condition_types.is_error_type(condition.type) and bool(condition.message)


def _health_of_unmet(condition: Condition, negative: bool, promising: bool, working: bool) -> Health:
    tone = Tone.SILENT if _is_echo(condition) else tones.tone_of_reason(condition.reason)
    harmless = condition.severity.lower() == "info"  # the word of its controller that nothing is wrong
    if not negative and not promising:  # "Active", "Fallback": only a reason that is plainly bad counts
        return Health.FAILED if tone is Tone.FAILURE and not harmless else Health.FINE
    if tone is Tone.SILENT:
        tone = tones.tone_of(condition.message)
    if harmless:
        return Health.ON_HOLD if tone is Tone.REST else Health.IN_PROGRESS
    grave = condition.severity.lower() == "error"
    grave = grave or (negative and condition_types.is_error_type(condition.type))
    if tone is Tone.FAILURE or (tone is Tone.ABSENCE and (grave or not working)):
        return Health.FAILED
    if tone is Tone.REST and not negative:
        return Health.ON_HOLD
    if tone in (Tone.PROGRESS, Tone.ABSENCE):
        return Health.IN_PROGRESS
    if negative or grave:
        return Health.FAILED
    if condition_types.is_verdict_type(condition.type) and tone is Tone.SILENT and not working:
        return Health.FAILED
    if working or not (condition.reason or condition.message):
        return Health.IN_PROGRESS
    return Health.UNCLEAR


def _is_echo(condition: Condition) -> bool:
    """Whether the reason only repeats the type with a negation ("ServiceNotAvailable" of "ServiceAvailable")."""
    words = words_of(condition.reason)
    return words.count("not") == 1 and set(words) - {"is", "not", "reason"} == set(words_of_type(condition.type))


def _sign(health: Health, place: str, condition: Condition) -> Sign:
    where = f"{place} {condition.type}".strip()
    timeless = condition.since is None and not place and condition_types.is_summary_type(condition.type)
    return Sign(health, where, condition.reason, condition.message, condition.since, since_creation=timeless)
