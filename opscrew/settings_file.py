"""Reads the settings once, from ``crew.yaml`` and the environment. Nothing else reads either.

Every mistake is one line that names the place and what to write, because a daemon that starts with half of what was
meant is worse than one that does not start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.settings_environment import refuse_misspelt
from opscrew.settings_mistakes import one_line, refuse_secrets
from opscrew.strict_yaml import read_strictly

OTHER_VARIABLES = ("CREW_CONFIG",)
"""Read by us and no setting."""


def find_file(option: Path | None, environment: Mapping[str, str]) -> Path | None:
    """``--config``, then ``CREW_CONFIG``, then ``crew.yaml`` in the working folder, then none."""
    named = option or (Path(environment["CREW_CONFIG"]) if environment.get("CREW_CONFIG") else None)
    path = named or Path("crew.yaml")
    try:
        found = path.is_file()
    except OSError as problem:  # a folder on the way that may not be entered, a name that is too long
        raise UsageError(
            f"the configuration file {path} cannot be read: {problem.strerror}", "Name another one with --config."
        ) from problem
    if named is not None and not found:
        raise UsageError(f"there is no configuration file {named}", "`crew init` writes a commented one.")
    return path if found else None


def load(option: Path | None = None) -> Settings:
    """Reads file and environment. Raises ``UsageError`` with one line that names the key and what to write."""
    path = find_file(option, os.environ)
    values = _read_yaml(path) if path else {}
    where = str(path) if path else "environment"
    refuse_secrets(values, Settings, where)
    refuse_misspelt(os.environ, Settings, OTHER_VARIABLES)
    try:
        return Settings(**values)
    except ValidationError as problem:
        mistake = one_line(problem, where, Settings, os.environ)
        raise UsageError(mistake, "`crew init --print` shows every setting.") from problem
    except ValueError as problem:  # pydantic-settings wraps our own error and unreadable JSON alike
        cause = problem.__cause__
        raise (cause if isinstance(cause, UsageError) else _unreadable_variable(problem)) from problem


def _unreadable_variable(problem: ValueError) -> UsageError:
    """pydantic-settings names the field only: 'error parsing value for field "kubernetes" from source ...'."""
    words = str(problem).split('"')
    name = f"CREW_{words[1].upper()}" if len(words) > 1 else "the environment"
    return UsageError(f"{name}: not valid JSON", "Lists and maps in the environment are written as JSON.")


def _read_yaml(path: Path) -> dict[str, Any]:
    """Strictly: of two ``policy`` parts, YAML itself would keep the last without a word."""
    values, _ = read_strictly(path, hint="Mend that line; `crew init --print` shows every setting.")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UsageError(f"{path}: expected settings by name at the top", "`crew init --print` shows an example.")
    return values
