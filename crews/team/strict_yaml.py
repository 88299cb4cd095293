"""Loads a YAML file into a pydantic model and names file and line of whatever is wrong."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from opscrew.errors import UsageError

M = TypeVar("M", bound=BaseModel)


def load_strictly(path: Path, kind: type[M]) -> M:
    """The file's content as ``kind``. Raises ``UsageError`` with one line for an unknown, missing or wrong field."""
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise UsageError(f"{path} line {line}: not valid YAML: {problem.problem}", "Mend that line.") from problem
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} cannot be read: {problem}", "Restore the file from the release.") from problem
    if not isinstance(values, dict):
        raise UsageError(f"{path} line 1: expected fields by name", f"It has: {', '.join(kind.model_fields)}.")
    try:
        return kind.model_validate(values)
    except ValidationError as problem:
        first = problem.errors()[0]
        line = line_of(tree, tuple(first["loc"]))
        raise UsageError(f"{path} line {line}: {_words(first, kind)}", "Mend that line.") from problem


def line_of(tree: Any, place: tuple[int | str, ...]) -> int:
    """The line, from 1, of the deepest part of ``place`` that the file has."""
    line = 1
    for step in place:
        if isinstance(tree, yaml.MappingNode):
            found = next(((key, value) for key, value in tree.value if key.value == step), None)
            if found is None:
                return line
            line, tree = found[0].start_mark.line + 1, found[1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(step, int) and step < len(tree.value):
            tree = tree.value[step]
            line = tree.start_mark.line + 1
        else:
            return line
    return line


def _words(problem: Any, kind: type[BaseModel]) -> str:
    place = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), list(kind.model_fields), n=1)
        return f"unknown field {place}" + (f" (did you mean {near[0]}?)" if near else "")
    if problem["type"] == "missing":
        return f"the field {place} is missing"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"
