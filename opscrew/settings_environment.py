"""The environment as a source of settings: secrets from files, and misspelt variables that would pass unnoticed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource

from opscrew.errors import UsageError
from opscrew.settings_mistakes import part_of

PREFIX = "CREW_"
OF_A_FILE = "_FILE"

SERVICE_LINK = ("tcp://", "udp://", "sctp://")
"""Kubernetes gives every pod such addresses of the services beside it. One called "crew" makes ``CREW_PORT`` of it."""

NEAR = 0.8
"""Likeness from which a variable is taken for a misspelt setting. Others may be somebody else's business."""


class Environment(EnvSettingsSource):
    """The environment, where ``NAME_FILE`` stands for a file that holds the value of ``NAME``.

    Docker and Kubernetes mount secrets as files; this keeps them out of ``docker inspect`` and ``/proc``.
    """

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = dict(super()._load_env_vars())
        for name, path in list(found.items()):
            if name.startswith("crew_") and name.endswith("_file") and path:
                try:
                    secret = Path(path).expanduser().read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as problem:
                    why = problem.strerror if isinstance(problem, OSError) else "it is no text"
                    raise UsageError(
                        f"{name.upper()} names {path}, which cannot be read: {why}",
                        "Give the path of a file that holds the secret alone.",
                    ) from problem
                del found[name]
                if secret:  # an empty file, like an empty variable, sets nothing
                    found[name.removesuffix("_file")] = secret
        return found


def refuse_misspelt(environment: Mapping[str, str], model: type[BaseModel], others: Iterable[str]) -> None:
    """Raises ``UsageError`` for a variable that was meant for a setting and is none. ``others`` are read elsewhere.

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
            raise UsageError(f"environment: no setting is called {variable}", hint)


def _near(name: str, known: list[str]) -> str:
    """The known variable that looks like ``name``; one underscore for two is the commonest mistake."""
    flat = {one.removeprefix(PREFIX).replace("__", "_"): one for one in known}
    found = difflib.get_close_matches(name.removeprefix(PREFIX).replace("__", "_"), flat, n=1, cutoff=NEAR)
    return flat[found[0]] if found else ""
