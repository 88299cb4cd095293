"""How mistakes in the settings are reported: all of them in one run, a line each, with the key as a person wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from opscrew.errors import UsageError

HINT = "`crew init --print` shows every setting."

MISPLACED = " is a secret and does not belong in this file"

WORDS = {
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "date_from_datetime_parsing": "should be a day, such as 2026-12-31",
    "datetime_from_date_parsing": "should be a time with its zone, such as 2026-12-31T22:00:00+01:00",
    "datetime_object_invalid": "should be a time with its zone, such as 2026-12-31T22:00:00+01:00",
    "datetime_parsing": "should be a time with its zone, such as 2026-12-31T22:00:00+01:00",
    "datetime_type": "should be a time with its zone, such as 2026-12-31T22:00:00+01:00",
    "dict_type": "should hold settings by name",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "greater_than": "should be more than {gt:g}",
    "greater_than_equal": "should be at least {ge:g}",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number of ordinary size",
    "int_type": "should be a whole number",
    "less_than": "should be less than {lt:g}",
    "less_than_equal": "should be at most {le:g}",
    "literal_error": "should be {expected}",
    "model_type": "should hold settings by name",
    "path_type": "should be a path",
    "string_pattern_mismatch": "does not have the form that `crew init --print` shows",
    "string_type": "should be text; put it in quotes",
    "timezone_aware": "should be a time with its zone, such as 2026-12-31T22:00:00+01:00",
    "tuple_type": "should be a list",
}
"""Our words for what pydantic finds, by the name of its error; ``{name}`` is filled from the error's context."""

MARKS_OF_TYPES = ("[", "(")
"""Where a value may have several shapes, pydantic adds the name of the shape to the place; people did not write it."""


@dataclass(frozen=True)
class Mistake:
    """``text`` names the place and what is wrong there; ``hint`` says what to do about it."""

    text: str
    hint: str = HINT


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raises ``UsageError`` with every one of ``mistakes``; a single one is a single line."""
    misplaced = tuple(one.text.replace(MISPLACED, ":") for one in mistakes if one.text.endswith(MISPLACED))
    # What else is wrong with a secret that has to go elsewhere is no matter.
    different = [one for one in dict.fromkeys(mistakes) if not one.text.startswith(misplaced)]
    if not different:
        return
    if len(different) == 1:
        raise UsageError(different[0].text, different[0].hint)
    lines = [one.text if one.hint == HINT else f"{one.text} ({one.hint.rstrip('.')})" for one in different]
    raise UsageError("\n      ".join([f"{len(lines)} mistakes in the settings:", *lines]), HINT)


def mistakes_in(
    problem: ValidationError, file: str, model: type[BaseModel], environment: Iterable[str]
) -> list[Mistake]:
    """Every mistake in values for ``model``, which came from ``file`` or from variables of ``environment``.

    One for each place: where a value may have several shapes, pydantic complains once for each of them.
    """
    names = list(environment)
    found: dict[str, Mistake] = {}
    # A key that is missing often stands there misspelt, and that is what a person has to mend.
    errors = sorted(problem.errors(), key=lambda one: one["type"] != "extra_forbidden")
    unknown = [tuple(one["loc"]) for one in errors if one["type"] == "extra_forbidden"]
    misspelt = {place[:-1] for place in unknown if _near(place, model)}
    for error in errors:
        if error["type"] == "missing" and tuple(error["loc"][:-1]) in misspelt:
            continue
        steps = tuple(step for step in error["loc"] if not _is_a_type(step))
        variable, length = _variable(steps, names)
        place = ".".join([variable, *map(str, steps[length:])]) if variable else ".".join(map(str, steps))
        where = "environment" if variable else file
        found.setdefault(place, Mistake(f"{where}: {_words(error, place, model, steps if variable else (), length)}"))
    return list(found.values())


def _words(error: Any, place: str, model: type[BaseModel], of_variable: tuple[int | str, ...], length: int) -> str:
    """``of_variable`` are the steps to a value that a variable gave, of which the first ``length`` name it."""
    if error["type"] == "extra_forbidden":
        near = _near(error["loc"], model)
        if of_variable and length == len(of_variable):
            near = [_name((*of_variable[:-1], key)) for key in near]
        return f"unknown key {place if place.isprintable() else repr(place)}{did_you_mean(near)}"
    if error["type"] == "missing":
        return f"{place} is missing"
    context = {name: value for name, value in error.get("ctx", {}).items() if name != "error"}
    if "expected" in context:
        context["expected"] = str(context["expected"]).replace("'", "")
    ours = WORDS.get(error["type"])
    return f"{place}: {ours.format(**context) if ours else error['msg'].removeprefix('Value error, ')}"


def secrets_in_file(
    values: Mapping[str, Any], model: type[BaseModel], where: str, prefix: str = ""
) -> Iterator[Mistake]:
    """A mistake for each secret in the file: files get committed, shown and backed up."""
    for name, field in model.model_fields.items():
        value = values.get(name)
        if value is None:
            continue
        label = f"{prefix}{name}"
        if "SecretStr" in str(field.annotation):
            variable = "CREW_" + label.upper().replace(".", "__")
            yield Mistake(
                f"{where}: {label}{MISPLACED}",
                f"Put it in the environment as {variable}, or its file's path as {variable}_FILE.",
            )
        part = part_of(field.annotation)
        for inner in value if isinstance(value, list) else [value]:
            if part and isinstance(inner, dict):
                yield from secrets_in_file(inner, part, where, f"{label}.")


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
