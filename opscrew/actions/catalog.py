"""The closed list of what may be done: loads ``catalog.yaml``, and checks a proposal against it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opscrew.model.action import Action
from opscrew.strict_yaml import read_strictly

CATALOG_FILE = Path(__file__).with_name("catalog.yaml")

LONGEST_TEXT = 300
"""Characters of a text parameter. They are identifiers, never prose."""


class Entry(BaseModel):
    """No unknown keys, so that a typing mistake in the file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(Entry):
    """What one parameter may be. ``min`` and ``max`` are inclusive."""

    type: Literal["text", "integer", "number"]
    required: bool = False
    min: float | None = None
    max: float | None = None
    one_of: tuple[str, ...] = ()

    def objection(self, value: Any) -> str | None:
        """What is wrong with ``value``, or ``None``."""
        if self.type == "text":
            return self._objection_to_text(value)
        numeric = int if self.type == "integer" else (int, float)
        if isinstance(value, bool) or not isinstance(value, numeric):
            return f"must be {'a whole number' if self.type == 'integer' else 'a number'}"
        if self.min is not None and not value >= self.min:
            return f"must be at least {self.min:g}"
        if self.max is not None and not value <= self.max:
            return f"must be at most {self.max:g}"
        return None

    def _objection_to_text(self, value: Any) -> str | None:
        if not isinstance(value, str) or not value:
            return "must be text"
        if len(value) > LONGEST_TEXT or not value.isprintable():
            return f"must be printable and at most {LONGEST_TEXT} characters long"
        if self.one_of and value not in self.one_of:
            return f"must be one of {', '.join(self.one_of)}"
        return None


class ActionKind(Entry):
    """One kind of action; ``catalog.yaml`` explains each field."""

    name: str
    title: str
    system: str
    targets: tuple[str, ...] = Field(min_length=1)
    scope: tuple[str, ...]
    parameters: dict[str, Parameter]
    default: Literal["approve", "off"]
    danger: Literal["low", "medium", "high"]
    carried_out_by: Literal["crew", "people"]
    verified_by: str
    follow_hours: float = Field(gt=0)
    commit: str
    same_thing: tuple[str, ...]
    failed_code: str

    def objection(self, action: Action) -> str | None:
        """Why this proposal does not fit the catalog, as a sentence, or ``None``."""
        if action.target.system != self.system or action.target.kind not in self.targets:
            wanted = " or ".join(self.targets)
            return f"{self.name} acts on {wanted} in {self.system}, not on {action.target.kind}"
        unknown = sorted(set(action.parameters) - set(self.parameters))
        if unknown:
            return f"{self.name} has no parameter {unknown[0]}"
        for name, parameter in self.parameters.items():
            if name not in action.parameters:
                if parameter.required:
                    return f"parameter {name} is missing"
                continue
            objection = parameter.objection(action.parameters[name])
            if objection:
                return f"parameter {name} {objection}"
        return None

    def commit_of(self, action: Action) -> str:
        """The commit it is about; empty when the kind has none."""
        return str(action.parameters.get(self.commit, "")) if self.commit else ""

    def cooldown_key_of(self, action: Action) -> str:
        """Equal for two actions that the cooldown keeps apart."""
        target = action.target
        if not self.same_thing:
            return f"{self.name}/{target.key}"
        parts = (str(action.parameters.get(name, "")) for name in self.same_thing)
        return "/".join((self.name, target.system, target.scope, *parts))


@cache
def catalog() -> Mapping[str, ActionKind]:
    """Every kind by name. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return parse_catalog(read_strictly(CATALOG_FILE)[0])


def parse_catalog(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, ActionKind]:
    """Checks each entry, and that ``commit`` and ``same_thing`` name parameters that exist."""
    kinds = {name: ActionKind(name=name, **entry) for name, entry in entries.items()}
    for kind in kinds.values():
        for named in (*kind.same_thing, *([kind.commit] if kind.commit else [])):
            if named not in kind.parameters:
                raise ValueError(f"catalog.yaml: {kind.name} refers to a parameter {named} that it does not have")
    return kinds
