"""Reads the settings once, from ``crew.yaml`` and the environment. Nothing else reads either.

Every mistake is one line that names the place and what to write, and all of them are reported in one run, because a
daemon that starts with half of what was meant is worse than one that does not start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.settings_environment import Environment, ReadableEnvironment, misspelt, unreadable_files
from opscrew.settings_mistakes import Mistake, mistakes_in, refuse, secrets_in_file
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
    """Reads file and environment. Raises ``UsageError`` that names each wrong key and what to write."""
    path = find_file(option, os.environ)
    values = _read_yaml(path) if path else {}
    where = str(path) if path else "environment"
    mistakes = [*secrets_in_file(values, Settings, where), *misspelt(os.environ, Settings, OTHER_VARIABLES)]
    try:
        settings = Settings(**values)
    except (ValueError, UsageError) as problem:  # pydantic's own, an unreadable variable, an unreadable file
        refuse([*mistakes, *unreadable_files(os.environ), *_mistakes(problem, values, where)])
        raise  # not reached: there was at least one mistake
    refuse(mistakes)
    environment = settings.environment_source(Settings, values)
    environment()
    return settings.with_spare_secrets(environment.spare)


def _mistakes(problem: ValueError | UsageError, values: Mapping[str, Any], where: str) -> list[Mistake]:
    if isinstance(problem, ValidationError):
        wrong = {str(error["loc"][0]) for error in problem.errors() if error["loc"]}
        found = mistakes_in(problem, where, Settings, os.environ)
        return [*found, *_in_rules({name: value for name, value in values.items() if name not in wrong})]
    if not isinstance(problem, UsageError):
        return [_unreadable_variable(problem)]
    try:  # a file that cannot be read hid the rest
        _WithoutUnreadableFiles(**values)
    except ValidationError as rest:
        return mistakes_in(rest, where, Settings, os.environ)
    return []


class _WithoutUnreadableFiles(Settings):
    """Never handed on: only what is wrong beside files that cannot be read is of interest."""

    environment_source: ClassVar[type[Environment]] = ReadableEnvironment


def _in_rules(values: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong with policy and quiet hours, which are looked at once everything else fits its place.

    Without the parts that are wrong otherwise; where one of those is needed to tell, there is nothing to add yet.
    """
    from opscrew.actions.policy import mistakes_in_rules

    try:
        return mistakes_in_rules(Settings(**values))
    except ValidationError:
        return []


def _unreadable_variable(problem: ValueError) -> Mistake:
    """pydantic-settings names the field only: 'error parsing value for field "kubernetes" from source ...'."""
    words = str(problem).split('"')
    name = f"CREW_{words[1].upper()}" if len(words) > 1 else "the environment"
    return Mistake(f"{name}: not valid JSON", "Lists and maps in the environment are written as JSON.")


def _read_yaml(path: Path) -> dict[str, Any]:
    """Strictly: of two ``policy`` parts, YAML itself would keep the last without a word."""
    values, _ = read_strictly(path, hint="Mend that line; `crew init --print` shows every setting.")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UsageError(f"{path}: expected settings by name at the top", "`crew init --print` shows an example.")
    return values
