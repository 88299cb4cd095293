"""One container of a pod as judgement sees it: its role, its present state and how its last run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.kubernetes.fields import mapping, mappings, number, text
from tools.kubernetes.records import Resource


@dataclass(frozen=True, slots=True)
class Container:
    """The parts of a container's status and spec that judgement needs, safely read. ``is_early`` is one of the init
    containers; those that are always restarted are sidecars, which run beside the main ones."""

    name: str
    status: Mapping[str, Any]
    spec: Mapping[str, Any]
    is_early: bool = False

    @property
    def is_sidecar(self) -> bool:
        return self.is_early and text(self.spec, "restartPolicy") == "Always"

    @property
    def title(self) -> str:
        """ "Init container migrate"."""
        kind = "Sidecar" if self.is_sidecar else "Init container" if self.is_early else "Container"
        return f"{kind} {self.name}"

    @property
    def waiting(self) -> Mapping[str, Any]:
        return mapping(self.status, "state", "waiting")

    @property
    def terminated(self) -> Mapping[str, Any]:
        return mapping(self.status, "state", "terminated")

    @property
    def last_end(self) -> Mapping[str, Any]:
        return mapping(self.status, "lastState", "terminated")

    @property
    def restarts(self) -> int:
        return number(self.status, "restartCount") or 0

    @property
    def memory_limit(self) -> str:
        return text(self.spec, "resources", "limits", "memory")


def containers_of(pod: Resource) -> list[Container]:
    """Init containers first, as they run; then the main ones, and the sidecars last."""
    specs = {
        text(spec, "name"): spec
        for part in ("initContainers", "containers", "ephemeralContainers")
        for spec in mappings(pod.spec, part)
    }
    found = [
        Container(text(status, "name"), status, specs.get(text(status, "name"), {}), part == "initContainerStatuses")
        for part in ("initContainerStatuses", "containerStatuses")
        for status in mappings(pod.status, part)
    ]
    return sorted(found, key=lambda container: container.is_sidecar)
