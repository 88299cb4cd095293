"""Reads a snapshot from a file: a Kubernetes List, an array, or one object, in JSON or YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from opscrew.cluster.moment import newest_time
from opscrew.cluster.snapshot import Snapshot
from opscrew.errors import CrewError
from tools.kubernetes.fields import mapping, text
from tools.kubernetes.records import Event, Resource, read_event, read_resource

_DEEPEST_LIST = 8
_DEEPEST_YAML = 100


@dataclass(frozen=True)
class SnapshotFile:
    """``malformed`` counts members that are no Kubernetes objects; they were left out."""

    snapshot: Snapshot
    malformed: int


def read_snapshot(path: Path, now: datetime | None = None) -> SnapshotFile:
    """Without ``now`` the newest time in the file stands for it. Raises ``CrewError`` for an unreadable file."""
    decoded = _decode(path)
    members = list(_members(decoded, 0))
    objects = [member for member in members if isinstance(member, dict) and text(member, "kind")]
    if not objects and not _is_empty_answer(decoded):
        raise CrewError(
            f"{path} holds no Kubernetes object", "Give what `kubectl get ... -o json` or `-o yaml` prints."
        )
    resources: list[Resource] = []
    events: list[Event] = []
    for raw in objects:
        if text(raw, "kind") == "Event":
            events.append(read_event(raw))
        elif text(raw, "kind") != "Secret":  # never read, not even from a file
            resources.append(read_resource(raw))
    moment = now or newest_time(objects)
    # Events tell of what went wrong and never of what is well.
    gaps = {"Every object": "the file holds nothing but events"} if events and not resources else {}
    snapshot = Snapshot(resources, moment, events=events, dated=now is not None, not_checked=gaps)
    return SnapshotFile(snapshot, malformed=len(members) - len(objects))


def _decode(path: Path) -> list[Any]:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise CrewError(f"{path} cannot be read: {problem.strerror}", "Give the path of an existing file.") from problem
    try:
        return [orjson.loads(data)]
    except orjson.JSONDecodeError:
        return _decode_yaml(path, data)


def _decode_yaml(path: Path, data: bytes) -> list[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # The fast loader recurses in C, and deep nesting would take the whole process down with it.
        depth = 0
        for event in yaml.parse(data, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST_YAML:
                raise ValueError(f"it is nested more than {_DEEPEST_YAML} levels deep")
        return [_with_text_keys(document) for document in yaml.load_all(data, Loader=loader)]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        reason = str(problem).splitlines()[0]
        raise CrewError(
            f"{path} is neither JSON nor YAML: {reason}", "Was it cut off while it was written?"
        ) from problem


def _with_text_keys(value: Any) -> Any:
    """As JSON would have it: in YAML a name such as 1, true or 2026-01-31 is none, and every check reads names."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def _members(decoded: Any, depth: int) -> Iterator[Any]:
    """Single objects out of arrays, Lists (also lists of one kind, "PodList") and several YAML documents."""
    if isinstance(decoded, list) and depth < _DEEPEST_LIST:
        for member in decoded:
            yield from _members(member, depth + 1)
    elif isinstance(decoded, dict) and isinstance(decoded.get("items"), list) and _is_list(decoded):
        kind = text(decoded, "kind").removesuffix("List")
        for member in decoded["items"]:
            # A list of one kind leaves kind and version of its items out.
            if isinstance(member, dict) and kind and not text(member, "kind"):
                member = {"kind": kind, "apiVersion": text(decoded, "apiVersion"), **member}
            yield from _members(member, depth + 1)
    elif decoded is not None:
        yield decoded


def _is_empty_answer(documents: list[Any]) -> bool:
    """Whether this is what kubectl prints where there are no such objects: a List with nothing in it."""
    return bool(documents) and all(
        isinstance(one, dict) and text(one, "kind").endswith("List") and one.get("items") == [] for one in documents
    )


def _is_list(decoded: dict[str, Any]) -> bool:
    return text(decoded, "kind").endswith("List") or not mapping(decoded, "metadata").get("name")
