"""How a mistake in the settings is told: one line with the key as a person wrote it, and the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from opscrew.errors import UsageError

PLAIN_WORDS = {"tuple_type": "should be a list", "model_type": "should hold settings by name"}
"""For what pydantic words in terms of our code."""

MARKS_OF_TYPES = ("[", "(")
"""Where a value may have several shapes, pydantic adds the name of the shape to the place; people did not write it."""


def one_line(problem: ValidationError, file: str, model: type[BaseModel], environment: Iterable[str]) -> str:
    """The first mistake in values for ``model``, which came from ``file`` or from variables of ``environment``."""
    mistakes = problem.errors()
    # A key that is missing often stands there misspelt, and that is what a person has to mend.
    first = next((one for one in mistakes if one["type"] == "extra_forbidden"), mistakes[0])
    steps = tuple(step for step in first["loc"] if not _is_a_type(step))
    variable, length = _variable(steps, environment)
    place = ".".join([variable, *map(str, steps[length:])]) if variable else ".".join(map(str, steps))
    where = "environment" if variable else file
    if first["type"] == "extra_forbidden":
        near = _near(first["loc"], model)
        if variable and length == len(steps):
            near = [_name((*steps[:-1], key)) for key in near]
        return f"{where}: unknown key {place if place.isprintable() else repr(place)}{did_you_mean(near)}"
    if first["type"] == "missing":
        return f"{where}: {place} is missing"
    return f"{where}: {place}: {PLAIN_WORDS.get(first['type'], first['msg'].removeprefix('Value error, '))}"


def refuse_secrets(values: Mapping[str, Any], model: type[BaseModel], where: str, prefix: str = "") -> None:
    """Raises ``UsageError`` for a secret in the file: files get committed, shown and backed up."""
    for name, field in model.model_fields.items():
        value = values.get(name)
        if value is None:
            continue
        label = f"{prefix}{name}"
        if "SecretStr" in str(field.annotation):
            variable = "CREW_" + label.upper().replace(".", "__")
            raise UsageError(
                f"{where}: {label} is a secret and does not belong in this file",
                f"Put it in the environment as {variable}, or its file's path as {variable}_FILE.",
            )
        part = part_of(field.annotation)
        for inner in value if isinstance(value, list) else [value]:
            if part and isinstance(inner, dict):
                refuse_secrets(inner, part, where, f"{label}.")


def did_you_mean(near: list[str]) -> str:
    """Text for the first of ``near``, or nothing."""
    return f" (did you mean {near[0]}?)" if near else ""


def part_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for inner in getattr(annotation, "__args__", ()) if (part := part_of(inner))), None)


def _variable(steps: tuple[int | str, ...], environment: Iterable[str]) -> tuple[str, int]:
    """The variable that gave the value at ``steps``, which beats the file, and how many of the steps it stands for."""
    there = {name.upper() for name in environment}
    for length in (2, 1):
        name = _name(steps[:length])
        given = next((variable for variable in (name, f"{name}_FILE") if variable in there), "")
        if given and len(steps) >= length:
            return given, length
    return "", 0


def _name(steps: tuple[int | str, ...]) -> str:
    return "CREW_" + "__".join(str(step).upper() for step in steps)


def _is_a_type(step: int | str) -> bool:
    return isinstance(step, str) and any(mark in step for mark in MARKS_OF_TYPES)


def _near(place: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Known keys that look like the last step of ``place``."""
    inner: type[BaseModel] | None = model
    for step in place[:-1]:
        if isinstance(step, str) and inner is not None and step in inner.model_fields:
            inner = part_of(inner.model_fields[step].annotation)
    known = list(inner.model_fields) if inner else []
    return difflib.get_close_matches(str(place[-1]), known, n=1)
