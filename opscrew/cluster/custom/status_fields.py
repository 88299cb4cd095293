"""What the fields of a status say besides its conditions: state words, errors, and answers of yes or no.

Operators put these where they like, so fields are known by the last word of their name and by their text, on the
object itself and on its parts (``connectorStatus.tasks[].state``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from opscrew.cluster.custom import condition_types, field_names, tones
from opscrew.cluster.custom.sign import Health, Sign
from opscrew.cluster.custom.tones import Tone
from opscrew.cluster.custom.vocabulary import words_of
from tools.kubernetes.fields import mapping, mappings, text

_LONGEST_STATE = 100
_HEALTH_OF_STATE = {
    Tone.FAILURE: Health.FAILED,
    Tone.ABSENCE: Health.FAILED,
    Tone.REST: Health.ON_HOLD,
    Tone.PROGRESS: Health.IN_PROGRESS,
    Tone.SILENT: Health.FINE,
}


def field_signs(status: Mapping[str, Any], working: bool) -> list[Sign]:
    """Everything that fields say, in no order. ``working`` is whether the status says that work goes on."""
    parts = list(_parts(status))
    own = [*_states_in(status, ""), *_plain_failures(status), *_usability(status), *_numbered_state(status)]
    of_parts = [sign for place, part in parts for sign in _errors_of_part(part, place)]
    if not has_ended_well(status):
        still_going = says_working(status, running=True)
        # A step that has ended inside a whole that still goes on may have been tried again since.
        current = [(place, part) for place, part in parts if not (still_going and _has_ended(part))]
        of_parts += [sign for place, part in current for sign in _states_in(part, place)]
    at_work = working or any(sign.health is Health.IN_PROGRESS for sign in of_parts)
    return [_excused(sign, at_work) for sign in own + of_parts]


def _excused(sign: Sign, working: bool) -> Sign:
    """What is about to be made is missing until it is there."""
    absent = sign.health is Health.FAILED and tones.tone_of_state(sign.reason) is Tone.ABSENCE
    return replace(sign, health=Health.IN_PROGRESS) if absent and working else sign


def says_working(status: Mapping[str, Any], running: bool = False) -> bool:
    """Whether a state word of the object itself says that work goes on. "Running" is that of a job only; what runs for
    ever says so when it is well, so it counts only where the caller asks for it."""
    return any(
        tones.tone_of(value) is Tone.PROGRESS and (running or value.lower() != "running")
        for _, value in own_states(status)
    )


def own_states(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields with a state word of this mapping alone, and the word."""
    for name, value in part.items():
        if isinstance(value, str) and value and len(value) <= _LONGEST_STATE and field_names.is_state_field(name):
            yield name, value


def has_ended_well(status: Mapping[str, Any]) -> bool:
    """Whether a state word of the object itself says that its work is done, and went well."""
    return any(tones.is_good_end(value) for _, value in own_states(status))


def _has_ended(part: Mapping[str, Any]) -> bool:
    return any(field_names.is_end_time(name) and bool(value) for name, value in part.items())


def _parts(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Mappings on the first two levels, with the name of the field of the status they are in.

    Lists on the second level are left out: they tell of checks and steps that the level above sums up. One below a
    field that is itself called a status is the answer of another system (``connectorStatus.tasks[]``) and counts, and
    so do the members of a mapping called statuses (``activeServiceStatus.applicationStatuses.web``).
    """
    for name, value in status.items():
        if field_names.is_ignored_field(name):
            continue
        for part in _mappings_of(value):
            yield name, part
            for inner, deeper in part.items():
                if field_names.is_ignored_field(inner) or not (isinstance(deeper, dict) or _is_answer(name)):
                    continue
                yield from ((name, piece) for piece in _mappings_of(deeper))
                if isinstance(deeper, dict) and inner.endswith("Statuses"):
                    yield from ((inner, piece) for piece in deeper.values() if isinstance(piece, dict))


def _is_answer(name: str) -> bool:
    return field_names.is_state_field(name)


def _mappings_of(value: Any) -> list[Mapping[str, Any]]:
    return mappings(value) if isinstance(value, list) else [mapping(value)]


def _states_in(part: Mapping[str, Any], place: str) -> Iterator[Sign]:
    """State words of one part, with the message beside them."""
    for name, value in own_states(part):
        message = _message_beside(part, name) or _details(part, value)
        tone = tones.tone_of_state(value)
        if tone is Tone.SILENT and tones.is_negated(value):
            tone = tones.tone_of(message)  # "NotReady" alone does not say whether it is on its way
        # What is at work and says that it goes badly, and not since when, has gone badly from the beginning.
        badly = tone is Tone.PROGRESS and tones.tone_of(message) is Tone.FAILURE
        yield Sign(_HEALTH_OF_STATE[tone], f"{place}.{name}".strip("."), value, message, since_creation=badly)


def _message_beside(part: Mapping[str, Any], name: str) -> str:
    """The text that explains a state word: ``message``, or one named after the field (``phaseReason``)."""
    names = ("message", f"{name}Message", f"{name}Reason", "reason", "description")
    return next((found for one in names if (found := text(part, one))), "")


def _details(part: Mapping[str, Any], state: str) -> str:
    """Checks that stand by their names with a message each (``details: {OSD_FULL: {message, severity}}``); those of the
    severity that the state names come first."""
    found = [
        (text(check, "severity") != state, f"{name}: {text(check, 'message')}")
        for checks in part.values()
        for name, check in mapping(checks).items()
        if text(check, "message")
    ]
    return "; ".join(line for _, line in sorted(found, key=lambda pair: pair[0]))


def _plain_failures(status: Mapping[str, Any]) -> Iterator[Sign]:
    """Fields of any name whose whole text is unmistakable (``robustness: faulted``), ``valid: false``, and another
    broken promise (``applied: false``) where the message tells of a failure."""
    message = text(status, "message")
    failing = tones.tone_of(message) is Tone.FAILURE
    for name, value in status.items():
        if isinstance(value, str) and field_names.is_plain_failure(name, value):
            yield Sign(Health.FAILED, name, value, message)
        outright = name in ("valid", "healthy")
        if value is False and (outright or (failing and condition_types.is_promising_type(name))):
            yield Sign(Health.FAILED, name, "", message or f"{name} is false")


def _usability(status: Mapping[str, Any]) -> Iterator[Sign]:
    """Its errors, unless it can be used by now all the same; and that it cannot be used yet."""
    usable = [(name, value) for name, value in status.items() if field_names.is_ready_field(name)]
    if any(value is True for _, value in usable):
        return
    yield from _errors(status, "")
    for name, value in usable:
        if value is False:
            yield Sign(Health.IN_PROGRESS, name, "", f"{name} is false, and no error is told", since_creation=True)


def _errors(status: Mapping[str, Any], place: str) -> Iterator[Sign]:
    """Fields such as ``errorMessage``, ``failureReason`` or ``syncError`` that hold a text, and
    ``error: {message: ...}``."""
    for name, value in status.items():
        words = words_of(name) or [""]
        message = value if isinstance(value, str) else text(value, "message")
        told = message.strip() and not tones.is_nothing(message)
        of_error = words[0] in ("error", "failure") or words[-1] == "error"
        if of_error and told and not field_names.is_aside_field(name):
            yield Sign(Health.FAILED, f"{place}.{name}".strip("."), "", message)


def _errors_of_part(part: Mapping[str, Any], place: str) -> Iterator[Sign]:
    """``errors: [{message: ...}]``, and ``error: ...`` of a part without a state that would say whether it still
    matters. A list of plain texts is often a log of the past and says nothing about now."""
    for error in mappings(part, "errors"):
        if message := text(error, "message"):
            yield Sign(Health.FAILED, f"{place}.errors", "", message)
    if isinstance(part.get("error"), str) and not any(own_states(part)) and not field_names.is_aside_field(place):
        yield from _errors({"error": part["error"]}, place)


def _numbered_state(status: Mapping[str, Any]) -> Iterator[Sign]:
    """A state that is only a number means nothing to a stranger; a sentence of explanation beside it does."""
    state, reason = status.get("state"), text(status, "reason") or text(status, "message")
    if isinstance(state, int) and not isinstance(state, bool) and " " in reason.strip():
        yield Sign(Health.FAILED, "state", str(state), reason)
