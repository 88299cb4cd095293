"""Brings Bitbucket's nested JSON into the flat shape of the records.

Kept apart from the records so that they read like a list of facts. Everything here accepts nulls, missing keys and
values nobody has seen before: Bitbucket adds states and fields without notice, and one odd pipeline must not hide
two hundred others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

_TYPES_AROUND = (
    *("deployment_", "pipeline_", "step_", "state_"),
    *("in_progress_", "completed_", "pending_", "undeployed_", "status_"),
)


class Answer(BaseModel):
    """Base of every record: frozen, ignores fields we do not know, and reads null as "not given"."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_means_absent(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    @field_validator("*", mode="wrap")
    @classmethod
    def _default_where_odd(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """With a list named ``odd`` in the context, a field that cannot be read is named there, for ``reading``."""
        try:
            return read(value)
        except ValidationError:
            odd = (info.context or {}).get("odd")
            field = cls.model_fields[str(info.field_name)]
            if odd is None or field.is_required():
                raise
            odd.append(str(info.field_name))
            return field.get_default(call_default_factory=True)


def inner(data: Any, *path: str) -> Any:
    """``data[a][b]…``, or None where any part of the way is missing or not an object."""
    for step in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(step)
    return data


def text_at(data: Any, *path: str) -> str:
    """The string at that place, "" where there is none."""
    value = inner(data, *path)
    return value if isinstance(value, str) else ""


def items_at(data: Any, name: str) -> tuple[Any, ...]:
    """The entries of the list at that place; none where something else stands there."""
    value = inner(data, name)
    return tuple(value) if isinstance(value, list | tuple) else ()


def flat_state(data: Any) -> Any:
    """``{"name", "stage": {"name"}, "result": {"name", "error"}}`` → name, stage, result, error, stopped_by.

    Where an object has no name, its type holds the same word: ``pipeline_state_in_progress_paused``.
    """
    if not isinstance(data, Mapping) or isinstance(data.get("result"), str):
        return data
    result, terminator = _word(inner(data, "result")), inner(data, "result", "terminator")
    return {
        "name": _word(data) or ("COMPLETED" if result else ""),
        "stage": _word(inner(data, "stage")),
        "result": result,
        "error": error_in(data),
        "stopped_by": terminator if isinstance(terminator, Mapping) else None,
    }


def error_in(data: Any) -> Any:
    """Bitbucket's own word on a failure, wherever in a state or a pipeline it stands.

    Answers of different age hold it in the result, beside it, or in the stage; where that of a definition which does
    not parse stands is not recorded, only the object itself: a type that ends in "_error", a key and a message.
    """
    for place in ((), ("result",), ("stage",), ("state",), ("state", "result"), ("target",)):
        around = inner(data, *place) if place else data
        for found in (inner(around, "error"), *items_at(around, "errors")):
            if isinstance(found, Mapping) and found:
                return found
        if text_at(around, "type").endswith("_error") and text_at(around, "message"):
            return around
    return None


def _word(data: Any) -> str:
    """The name of a state, stage or result, or else the end of its type, which begins with the types around it."""
    kind = text_at(data, "type")
    for prefix in _TYPES_AROUND:
        kind = kind.removeprefix(prefix)
    return (text_at(data, "name") or kind).upper()


def flat_trigger(data: Any) -> Any:
    """``{"type": "pipeline_trigger_push", "name": "PUSH"}``; either may be missing."""
    if not isinstance(data, Mapping):
        return data
    kind = text_at(data, "type").removeprefix("pipeline_step_trigger_").removeprefix("pipeline_trigger_")
    return {"name": (text_at(data, "name") or kind).upper()}


def flat_pull_request(data: Any) -> Any:
    """Branches and commits of both ends, which the API nests three levels deep."""
    if not isinstance(data, Mapping) or "source" not in data or isinstance(data["source"], str):
        return data
    return {
        **data,
        "source": text_at(data, "source", "branch", "name"),
        "destination": text_at(data, "destination", "branch", "name"),
        "source_commit": text_at(data, "source", "commit", "hash"),
        "destination_commit": text_at(data, "destination", "commit", "hash"),
        "url": text_at(data, "links", "html", "href"),
    }


def flat_deployment(data: Any) -> Any:
    """``state``: COMPLETED, IN_PROGRESS or UNDEPLOYED; ``status`` (SUCCESSFUL, FAILED, STOPPED) when completed."""
    if not isinstance(data, Mapping) or isinstance(data.get("state"), str):
        return data
    return {
        "uuid": text_at(data, "uuid"),
        "state": _word(inner(data, "state")),
        "status": _word(inner(data, "state", "status")),
        "environment": text_at(data, "environment", "name"),
        "environment_uuid": text_at(data, "environment", "uuid"),
        "pipeline_uuid": text_at(data, "release", "pipeline", "uuid") or text_at(data, "pipeline", "uuid"),
        "step_uuid": text_at(data, "step", "uuid"),
        "commit": text_at(data, "release", "commit", "hash"),
        # The API's definition has other names for its times than the recorded answers.
        "started_on": inner(data, "state", "started_on") or inner(data, "state", "start_date"),
        "completed_on": inner(data, "state", "completed_on") or inner(data, "state", "completion_date"),
    }


def flat_runner(data: Any) -> Any:
    """``state`` is ONLINE, OFFLINE, DISABLED, UNREGISTERED or UNHEALTHY; ``step`` is there while it works."""
    if not isinstance(data, Mapping) or isinstance(data.get("state"), str):
        return data
    return {
        **data,
        "state": text_at(data, "state", "status").upper(),
        "step_uuid": text_at(data, "state", "step", "uuid"),
        "seen_on": inner(data, "state", "updated_on"),
    }
