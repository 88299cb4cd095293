"""Short spellings for Kubernetes objects in tests, and a snapshot of them at a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from opscrew.cluster.assessment import Assessment, assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.snapshot import Snapshot
from tools.kubernetes.records import read_event, read_resource

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def ago(**amount: float) -> str:
    """A time before ``NOW`` as Kubernetes writes it."""
    return (NOW - timedelta(**amount)).isoformat().replace("+00:00", "Z")


def thing(
    kind: str, name: str = "shop", *, version: str = "v1", namespace: str = "team", **fields: Any
) -> dict[str, Any]:
    """An object that is a day old. ``metadata`` is added to, everything else is a top-level field."""
    metadata = {"name": name, "namespace": namespace, "uid": f"{kind}-{name}", "creationTimestamp": ago(days=1)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata | fields.pop("metadata", {}), **fields}


def pod(name: str = "shop-1", *, owner: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A running pod of one container "app", with ``status`` on top."""
    metadata: dict[str, Any] = {"labels": {"app": "shop"}}
    if owner is not None:
        metadata["ownerReferences"] = [owned_by(owner)]
    spec = {"nodeName": "node-1", "containers": [{"name": "app", "image": "shop/app:1"}]}
    return thing("Pod", name, metadata=metadata, spec=spec, status={"phase": "Running"} | status)


def ready(value: bool = True, **more: Any) -> list[dict[str, Any]]:
    """The Ready condition, an hour old."""
    return [condition("Ready", value, **more)]


def condition(kind: str, value: bool | str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    since = more.pop("since", ago(hours=1))
    return {
        "type": kind,
        "status": str(value),
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
        **more,
    }


def container(restarts: int = 0, *, waiting: str = "", message: str = "", **status: Any) -> list[dict[str, Any]]:
    """``containerStatuses`` of the container "app"."""
    state = {"waiting": {"reason": waiting, "message": message}} if waiting else {"running": {}}
    return [{"name": "app", "image": "shop/app:1", "restartCount": restarts, "state": state, **status}]


def owned_by(owner: dict[str, Any]) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {"kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"], "controller": True}


def event(subject: dict[str, Any], reason: str, message: str, *, count: int = 5, minutes: float = 5) -> dict[str, Any]:
    """A warning about ``subject`` that began an hour ago."""
    metadata = subject["metadata"]
    reference = {
        "kind": subject["kind"],
        **{key: metadata[key] for key in ("namespace", "name", "uid") if key in metadata},
    }
    return {
        "kind": "Event",
        "involvedObject": reference,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": ago(hours=1),
        "lastTimestamp": ago(minutes=minutes),
    }


def snapshot(*raws: dict[str, Any], listed: frozenset[str] | None = None, dated: bool = True) -> Snapshot:
    resources = [read_resource(raw) for raw in raws if raw["kind"] != "Event"]
    events = [read_event(raw) for raw in raws if raw["kind"] == "Event"]
    return Snapshot(resources, NOW, events=events, listed=listed, dated=dated)


def assessed(*raws: dict[str, Any], listed: frozenset[str] | None = None, dated: bool = True) -> Assessment:
    return assess(snapshot(*raws, listed=listed, dated=dated), load_noise(), "prod")


def codes_of(*raws: dict[str, Any], listed: frozenset[str] | None = None, dated: bool = True) -> list[str]:
    """Codes of the problems (not of hints), gravest first."""
    return [finding.code for finding in assessed(*raws, listed=listed, dated=dated).problems]
