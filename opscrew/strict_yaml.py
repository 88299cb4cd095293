"""Reads the commented YAML files that people change, strictly: a mistake is one line that names the file and the line.

The one reader for all of them, so that each tells a mistake in the same way, and a key given twice in none is lost.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError

from opscrew.errors import UsageError

Data = TypeVar("Data")
MERGE = "tag:yaml.org,2002:merge"
"""The key ``<<``, which may stand several times."""
HINT = "Mend that line, or restore the file from the version that was installed."
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Libyaml's takes 2 ms for the finding codes where Python's takes 20, and every `crew findings` pays for it."""


def _compiles(written: str) -> str:
    import re2  # most commands read no file that holds expressions

    try:
        re2.compile(written, _quiet(re2.Options()))
    except re2.error as problem:
        raise ValueError(f"not a regular expression of RE2: {written}") from problem
    return written


def _quiet(options: Any) -> Any:
    options.log_errors = False
    return options


Expression = Annotated[str, AfterValidator(_compiles)]
"""A field that holds a regular expression: one that is none is a mistake like any other, with its line."""


def load_strictly(path: Path, kind: type[Data]) -> Data:
    """The file's content as ``kind``. Raises ``UsageError`` with one line for an unknown, missing or wrong field."""
    values, tree = read_strictly(path)
    fields = _fields_of(kind)
    if fields and not isinstance(values, dict):
        raise UsageError(f"{path} line 1: expected fields by name", f"It has: {', '.join(fields)}.")
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as problem:
        first = problem.errors()[0]
        line = line_of(tree, tuple(first["loc"]))
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise UsageError(f"{path} line {line}: {_words(first, fields)}{more}", HINT) from problem


def read_strictly(path: Path, *, hint: str = HINT) -> tuple[Any, Any]:
    """The file's content, and its tree for ``line_of``. Raises ``UsageError`` for what is no YAML and for a key that
    stands twice in one place: YAML keeps the last without a word, and a tool would lose its mark.

    ``hint`` is what to do about it, where the file is none of those that come with the program.
    """
    try:
        loader = _LOADER(path.read_text(encoding="utf-8"))
        tree = loader.get_single_node()
        for key in _repeated_keys(tree):
            line = key.start_mark.line + 1
            raise UsageError(f"{path} line {line}: {key.value} stands there twice", "Keep one of the two.")
        return (loader.construct_document(tree) if tree is not None else None), tree
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise UsageError(f"{path} line {line}: not valid YAML: {problem.problem}", hint) from problem
    except (yaml.YAMLError, RecursionError) as problem:
        reason = "nested too deeply" if isinstance(problem, RecursionError) else " ".join(str(problem).split())
        raise UsageError(f"{path} is not valid YAML: {reason}", hint) from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} cannot be read: it is no UTF-8 text", hint) from problem
    except OSError as problem:
        # Nothing may be wrong with the file itself: advice to replace it would lose what is in it.
        reason = problem.strerror or str(problem)
        raise UsageError(f"{path} cannot be read: {reason}", "Let the user that runs crew read it.") from problem


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


def _repeated_keys(tree: Any) -> Iterator[yaml.ScalarNode]:
    waiting, looked_at = [tree], set()
    while waiting:
        node = waiting.pop()
        if id(node) in looked_at:  # an alias may point back at what holds it
            continue
        looked_at.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE]
            yield from (key for index, key in enumerate(keys) if key.value in {one.value for one in keys[:index]})
            waiting += [value for _, value in node.value]


def _fields_of(kind: Any) -> list[str]:
    """The names that the whole may have; none where it is no model."""
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _words(problem: Any, fields: list[str]) -> str:
    place = ".".join(str(step) for step in problem["loc"]) or "the whole"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), fields, n=1)
        return f"unknown field {place}" + (f" (did you mean {near[0]}?)" if near else "")
    if problem["type"] == "missing":
        return f"the field {place} is missing"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"
