"""What the fields of a status say besides its conditions: state words, errors, and answers of yes or no.

Operators put these where they like, so fields are known by the last word of their name and by their text, on the
object itself and on its parts (``connectorStatus.tasks[].state``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opscrew.cluster import vocabulary
from opscrew.cluster.sign import Health, Sign
from opscrew.cluster.vocabulary import Tone
from tools.kubernetes.fields import mapping, mappings, text

_LONGEST_STATE = 60


def field_signs(status: Mapping[str, Any]) -> list[Sign]:
    """Everything that fields say, in no order."""
    signs = [*_states_in(status, ""), *_plain_failures(status), *_errors(status), *_numbered_state(status)]
    signs += [sign for place, part in _parts(status) for sign in _listed_errors(part, place)]
    if not _has_ended_well(status):
        signs += [sign for place, part in _parts(status) for sign in _states_in(part, place)]
    return signs


def says_working(status: Mapping[str, Any]) -> bool:
    """Whether a state word of the object itself says that work goes on."""
    return any(vocabulary.tone_of(value) is Tone.PROGRESS for _, value in _own_states(status))


def _own_states(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in part.items():
        if isinstance(value, str) and value and len(value) <= _LONGEST_STATE and vocabulary.is_state_field(name):
            yield name, value


def _has_ended_well(status: Mapping[str, Any]) -> bool:
    return any(vocabulary.is_good_end(value) for _, value in _own_states(status))


def _parts(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Mappings on the first two levels, with the name of the field of the status they are in.

    Lists on the second level are left out: they tell of checks and steps that the level above sums up. One below a
    field that is itself called a status is the answer of another system (``connectorStatus.tasks[]``) and counts.
    """
    for name, value in status.items():
        if vocabulary.is_ignored_field(name):
            continue
        for part in _mappings_of(value):
            yield name, part
            for inner, deeper in part.items():
                wanted = isinstance(deeper, dict) or vocabulary.is_state_field(name)
                if wanted and not vocabulary.is_ignored_field(inner):
                    yield from ((name, piece) for piece in _mappings_of(deeper))


def _mappings_of(value: Any) -> list[Mapping[str, Any]]:
    return mappings(value) if isinstance(value, list) else [mapping(value)]


def _states_in(part: Mapping[str, Any], place: str) -> Iterator[Sign]:
    """State words of one part, with the message beside them."""
    for name, value in _own_states(part):
        message = text(part, "message") or text(part, "reason") or text(part, "description")
        tone = vocabulary.tone_of_state(value)
        if tone is Tone.SILENT and vocabulary.is_negated(value):
            tone = vocabulary.tone_of(message)  # "NotReady" alone does not say whether it is on its way
        if tone in (Tone.FAILURE, Tone.ABSENCE):
            health = Health.FAILED
        else:
            health = Health.IN_PROGRESS if tone is Tone.PROGRESS else Health.FINE
        yield Sign(health, f"{place}.{name}".strip("."), value, message)


def _plain_failures(status: Mapping[str, Any]) -> Iterator[Sign]:
    """Fields of any name whose whole text is unmistakable (``robustness: faulted``), and ``valid: false``."""
    for name, value in status.items():
        if isinstance(value, str) and vocabulary.is_plain_failure(name, value):
            yield Sign(Health.FAILED, name, value, text(status, "message"))
    if status.get("valid") is False:
        yield Sign(Health.FAILED, "valid", "", text(status, "message") or "its controller calls it invalid")


def _errors(status: Mapping[str, Any]) -> Iterator[Sign]:
    """Fields such as ``errorMessage`` or ``failureReason`` that hold a text, and ``error: {message: ...}``."""
    for name, value in status.items():
        first = (vocabulary.words_of(name) or [""])[0]
        message = value if isinstance(value, str) else text(value, "message")
        if first in ("error", "failure") and message.strip() and not vocabulary.is_aside_field(name):
            yield Sign(Health.FAILED, name, "", message)


def _listed_errors(part: Mapping[str, Any], place: str) -> Iterator[Sign]:
    """``errors: [{message: ...}]``. A list of plain texts is often a log of the past and says nothing about now."""
    for error in mappings(part, "errors"):
        if message := text(error, "message"):
            yield Sign(Health.FAILED, f"{place}.errors", "", message)


def _numbered_state(status: Mapping[str, Any]) -> Iterator[Sign]:
    """A state that is only a number means nothing to a stranger; a sentence of explanation beside it does."""
    state, reason = status.get("state"), text(status, "reason") or text(status, "message")
    if isinstance(state, int) and not isinstance(state, bool) and " " in reason.strip():
        yield Sign(Health.FAILED, "state", str(state), reason)
