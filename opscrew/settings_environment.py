"""The environment as a source of settings: secrets from files, and what stands there that no setting comes from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource

from opscrew.errors import UsageError
from opscrew.settings_mistakes import Mistake, part_of

PREFIX = "CREW_"
OF_A_FILE = "_FILE"

SERVICE_LINK = ("tcp://", "udp://", "sctp://")
"""Kubernetes gives every pod such addresses of the services beside it. One called "crew" makes ``CREW_PORT`` of it."""

NEAR = 0.8
"""Likeness from which a variable is taken for a misspelt setting. Others may be somebody else's business."""


class Environment(EnvSettingsSource):
    """The environment, where ``NAME_FILE`` stands for a file that holds the value of ``NAME``.

    Docker and Kubernetes mount secrets as files; this keeps them out of ``docker inspect`` and ``/proc``.
    ``named`` are the parts that the settings file has. Secrets of a part that is not there switch nothing on: a token
    is often put in place before anything else. ``spare`` holds what was left out for that reason.
    """

    def __init__(self, settings: type[BaseSettings], named: Iterable[str] = ()) -> None:
        super().__init__(settings)
        self._named = frozenset(named)
        self.spare: dict[str, Mapping[str, Any]] = {}

    def __call__(self) -> dict[str, Any]:
        found = super().__call__()
        self.spare = {name: value for name, value in found.items() if self._is_spare(name, value)}
        return {name: value for name, value in found.items() if name not in self.spare}

    def _is_spare(self, name: str, value: Any) -> bool:
        field = self.settings_cls.model_fields.get(name)
        part = part_of(field.annotation) if field is not None and field.default is None else None
        if part is None or name in self._named or not isinstance(value, Mapping):
            return False
        return all(key in part.model_fields and _is_secret(part, key) for key in value)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = dict(super()._load_env_vars())
        for name, path in list(found.items()):
            if name.startswith("crew_") and name.endswith("_file") and path:
                del found[name]
                secret = self._content(name, path)
                if secret:  # an empty file, like an empty variable, sets nothing
                    found[name.removesuffix("_file")] = secret
        return found

    def _content(self, name: str, path: str) -> str:
        try:
            return _read(path)
        except ValueError as problem:
            mistake = _unreadable(name, path, problem)
            raise UsageError(mistake.text, mistake.hint) from problem


class ReadableEnvironment(Environment):
    """The same without the files that cannot be read, to find what else is wrong beside them."""

    def _content(self, name: str, path: str) -> str:
        try:
            return super()._content(name, path)
        except UsageError:
            return ""


def unreadable_files(environment: Mapping[str, str]) -> Iterator[Mistake]:
    """A mistake for each variable that names a file of a secret which cannot be read."""
    for name, path in environment.items():
        if name.upper().startswith(PREFIX) and name.upper().endswith(OF_A_FILE) and path:
            try:
                _read(path)
            except ValueError as problem:
                yield _unreadable(name, path, problem)


def _read(path: str) -> str:
    """Raises ``ValueError`` with the reason."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as problem:
        raise ValueError("it is no text") from problem
    except (OSError, RuntimeError) as problem:  # RuntimeError: a home folder that nobody has
        raise ValueError(getattr(problem, "strerror", None) or str(problem)) from problem


def _unreadable(name: str, path: str, problem: ValueError) -> Mistake:
    return Mistake(
        f"{name.upper()} names {path}, which cannot be read: {problem}",
        "Give the path of a file that holds the secret alone.",
    )


def misspelt(environment: Mapping[str, str], model: type[BaseModel], others: Iterable[str]) -> Iterator[Mistake]:
    """A mistake for each variable that was meant for a setting and is none. ``others`` are read elsewhere.

    pydantic-settings refuses an unknown name below a part, but passes over a part, or a setting at the top, that it
    does not know.
    """
    known = {f"{PREFIX}{name.upper()}": part_of(field.annotation) for name, field in model.model_fields.items()}
    full = [*known, *(f"{top}__{name.upper()}" for top, part in known.items() if part for name in part.model_fields)]
    for variable in environment:
        name = variable.upper().removesuffix(OF_A_FILE)
        if not name.startswith(PREFIX) or name in others or environment[variable].startswith(SERVICE_LINK):
            continue
        top, _, inner = name.partition("__")
        if top in known:
            continue
        near = _near(name, full)
        if inner or near:
            hint = f"Did you mean {near}?" if near else "docs/SETTINGS.md lists the variables."
            yield Mistake(f"environment: no setting is called {variable}", hint)


def _is_secret(part: type[BaseModel], name: str) -> bool:
    return "SecretStr" in str(part.model_fields[name].annotation)


def _near(name: str, known: list[str]) -> str:
    """The known variable that looks like ``name``; one underscore for two is the commonest mistake."""
    flat = {one.removeprefix(PREFIX).replace("__", "_"): one for one in known}
    found = difflib.get_close_matches(name.removeprefix(PREFIX).replace("__", "_"), flat, n=1, cutoff=NEAR)
    return flat[found[0]] if found else ""
