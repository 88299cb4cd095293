"""Reads the commented YAML files that hold wording, strictly: a mistake is one line that names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from opscrew.errors import CrewError

Data = TypeVar("Data")


def read_data(file: Path, kind: type[Data]) -> Data:
    """The whole file as ``kind``. ``CrewError`` for a file that was edited wrongly."""
    try:
        raw: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        return TypeAdapter(kind).validate_python(raw)
    except yaml.YAMLError as problem:
        raise CrewError(f"{file} is no YAML: {' '.join(str(problem).split())}", HINT) from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise CrewError(f"{file}: {place}: {first['msg']}{more}", HINT) from problem


HINT = "Mend the file, or restore it from the version that was installed."
