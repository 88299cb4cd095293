"""Reads ``tests/opscrew/cluster/data/operators/*.yaml``: custom resources of many operators, and how each of them is.

The notation: ``Kind.group``, below it how the object is, below that one status each. ``"Ready=False Reason - message"``
stands for a condition, and "its spec", "its annotations", "its generation" and "its top" for what is not in the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.kubernetes_objects import thing

_CONDITION = re.compile(r"(?P<type>\S+?)=(?P<status>\S+)(?: (?P<reason>.*?))??(?: - (?P<message>.*))?", re.DOTALL)
_LISTS_OF_CONDITIONS = ("conditions", "constraints")


@dataclass(frozen=True)
class OperatorObject:
    """``how`` is fine, in_progress, unclear (told when it lasts) or failed."""

    label: str
    how: str
    notation: dict[str, Any]
    kind: str
    group: str

    def built(self, since: str) -> dict[str, Any]:
        """The object, made then, and every condition unchanged since."""
        status = _expanded({k: v for k, v in self.notation.items() if not k.startswith("its ")}, since)
        metadata = {"annotations": self.notation.get("its annotations", {}), "creationTimestamp": since}
        if "its generation" in self.notation:
            metadata["generation"] = self.notation["its generation"]
        top = {"spec": self.notation.get("its spec", {}), "status": status, **self.notation.get("its top", {})}
        return thing(self.kind, version=f"{self.group}/v1", metadata=metadata, **top)


def operator_objects(folder: Path) -> list[OperatorObject]:
    """All of them, in the order of the files."""
    return [found for path in sorted(folder.glob("*.yaml")) for found in _read(path)]


def _read(path: Path) -> Iterator[OperatorObject]:
    for name, groups in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items():
        kind, _, group = name.partition(".")
        for how, notations in groups.items():
            for index, notation in enumerate(notations):
                yield OperatorObject(f"{name} {how} {index}", how, notation, kind, group)


def _expanded(value: Any, since: str) -> Any:
    if isinstance(value, dict):
        return {
            str(key): [_condition(one, since) for one in inner]
            if key in _LISTS_OF_CONDITIONS and isinstance(inner, list)
            else _expanded(inner, since)
            for key, inner in value.items()
        }
    return [_expanded(inner, since) for inner in value] if isinstance(value, list) else value


def _condition(notation: Any, since: str) -> Any:
    if not isinstance(notation, str):
        return {"lastTransitionTime": since, **notation} if "type" in notation else notation
    found = _CONDITION.fullmatch(notation)
    assert found, f"{notation!r} is no condition"
    return {key: text or "" for key, text in found.groupdict().items()} | {"lastTransitionTime": since}
