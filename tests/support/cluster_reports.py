"""Reads ``tests/opscrew/cluster/data/reports/*.yaml``: small clusters after public reports, and what must be told.

The notation: objects are written ``Kind.group namespace/name`` (the group left out for Kubernetes' own, the namespace
for what has none). ``"Ready=False Reason - message @10m"`` is a condition that is ten minutes old, ``age`` how old the
object is, ``owner`` an object above ("web" or "Service web"), and ``events`` its warnings ("Reason x5 @2m - message").
What is told stands as ``CODE Kind name``, with the words that a person needs (``says``) and what is listed under it
(``affects``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from opscrew.cluster.assessment import Assessment
from tests.support.kubernetes_objects import ago, assessed, owned_by

_CONDITION = re.compile(
    r"(?P<type>\S+?)=(?P<status>\w+)(?: (?P<reason>[^\s@]+))?(?: - (?P<message>.*?))?(?: @(?P<age>\w+))?", re.DOTALL
)
_EVENT = re.compile(r"(?P<reason>\w+)(?: x(?P<count>\d+))?(?: @(?P<age>\w+))? - (?P<message>.*)", re.DOTALL)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_VERSIONS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1"} | {
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "APIService": "apiregistration.k8s.io/v1",
    "VolumeAttachment": "storage.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "Job": "batch/v1",
    "Ingress": "networking.k8s.io/v1",
}
_TIME = re.compile(r"@(-?)(\d+)([smhd])")


@dataclass(frozen=True)
class Report:
    """``told`` lists every warning and critical; nothing else may be told."""

    name: str
    source: str
    told: list[dict[str, Any]]
    objects: list[dict[str, Any]]

    def judged(self) -> Assessment:
        return assessed(*self.objects)


def reports(folder: Path) -> list[Report]:
    """All of them, in the order of the files."""
    return [found for path in sorted(folder.glob("*.yaml")) for found in _read(path)]


def _read(path: Path) -> Iterator[Report]:
    for name, entry in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items():
        told = [_told(one) for one in entry["told"]]
        yield Report(name, entry["source"], told, list(_objects(entry["objects"])))


def _told(entry: Any) -> dict[str, Any]:
    """ "CODE Kind name", alone or as the key of what else is asked of it."""
    if isinstance(entry, str):
        entry = {entry: {}}
    ((head, wanted),) = entry.items()
    code, kind, name = head.split()
    return {"code": code, "kind": kind, "name": name, **wanted}


def _objects(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    for head, given in entries.items():
        body = dict(given or {})
        raw = _reference(head)
        metadata = raw["metadata"]
        if age := body.pop("age", "1d"):
            metadata["creationTimestamp"] = _before(age)
        if deleting := body.pop("deleting", ""):
            metadata["deletionTimestamp"] = _before(deleting)
        if owner := body.pop("owner", ""):
            metadata["ownerReferences"] = [owned_by(seen[owner])]
        for key in ("labels", "annotations", "generation", "finalizers"):
            if key in body:
                metadata[key] = body.pop(key)
        events = body.pop("events", [])
        raw |= _expanded(body)
        seen |= {metadata["name"]: raw, f"{raw['kind']} {metadata['name']}": raw}
        yield raw
        yield from (_event(raw, text) for text in events)


def _reference(head: str) -> dict[str, Any]:
    full_kind, where = head.split()
    kind, _, group = full_kind.partition(".")
    namespace, _, name = where.rpartition("/")
    metadata = {"name": name, "uid": f"{kind}-{namespace}-{name}"} | ({"namespace": namespace} if namespace else {})
    version = f"{group}/v1" if group else _VERSIONS.get(kind, "v1")
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: [_condition(one) for one in inner] if key == "conditions" else _expanded(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_expanded(inner) for inner in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        return _before(value[1:])
    return value


def _condition(notation: Any) -> Any:
    if not isinstance(notation, str):
        return _expanded(notation)
    found = _CONDITION.fullmatch(notation)
    assert found, f"{notation!r} is no condition"
    parts = {key: text or "" for key, text in found.groupdict().items()}
    age = parts.pop("age")
    return parts | ({"lastTransitionTime": _before(age)} if age else {})


def _event(subject: dict[str, Any], notation: str) -> dict[str, Any]:
    found = _EVENT.fullmatch(notation)
    assert found, f"{notation!r} is no event"
    metadata = subject["metadata"]
    return {
        "kind": "Event",
        "type": "Warning",
        "involvedObject": {
            "kind": subject["kind"],
            **{key: metadata.get(key, "") for key in ("namespace", "name", "uid")},
        },
        "reason": found["reason"],
        "message": found["message"],
        "count": int(found["count"] or 5),
        "firstTimestamp": _before("40m"),
        "lastTimestamp": _before(found["age"] or "2m"),
    }


def _before(age: str) -> str:
    """ "5m" before now; "-5m" after."""
    sign, amount, unit = re.fullmatch(r"(-?)(\d+)([smhd])", age).groups()  # type: ignore[union-attr]
    return ago(seconds=timedelta(**{_UNITS[unit]: int(f"{sign}{amount}")}).total_seconds())
