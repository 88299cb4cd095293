"""Tells an alert's own labels from those of the exporter that was scraped; ``labels.yaml`` explains and lists them.

Most alerts of a cluster come from rules over kube-state-metrics and node-exporter. Whoever takes such an alert's pod
for its object looks into, and repairs, the exporter.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field

from opscrew.alerts.sentences import is_broken
from opscrew.strict_yaml import Expression, load_strictly

LABELS_FILE = Path(__file__).with_name("labels.yaml")
EXPORTED = "exported_"


class ObjectKind(BaseModel):
    """One label that names an object of Kubernetes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    kind: str
    scope: Literal["namespace", "cluster"] = "namespace"


class LabelRules(BaseModel):
    """``labels.yaml`` explains each value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[ObjectKind, ...]
    also_called: dict[str, tuple[str, ...]]
    target_labels: tuple[str, ...]
    exporters: dict[Literal["cluster", "node", "other"], Expression]
    of_controllers: tuple[str, ...]
    naming: tuple[str, ...]
    routing: frozenset[str]
    routing_like: Expression
    most_words: int = Field(ge=1)

    def may_name(self, name: str, value: str) -> bool:
        """Whether this label may name something, or tell two alerts apart."""
        if name in self.routing or len(value.split()) > self.most_words:
            return False
        return _compiled(self.routing_like).search(name) is None


@cache
def label_rules() -> LabelRules:
    """The shipped rules. Raises ``UsageError`` when the file was edited wrongly."""
    return load_strictly(LABELS_FILE, LabelRules)


@lru_cache(maxsize=10_000)
def exporter_kind(name: str) -> str:
    """Whether a job, service, container or pod of this name speaks of others: cluster, node, other, or empty."""
    return next((kind for kind, pattern in _patterns() if pattern.search(name.lower())), "")


def own_labels(labels: Mapping[str, str], text: str = "") -> dict[str, str]:
    """The labels of what the alert is about, under the usual names. ``text`` are the alert's sentences.

    A pod that its own sentences name is the object even where it is an exporter's: then the exporter itself is ill.
    """
    rules = label_rules()
    told = {name: value for name, value in labels.items() if value and not is_broken(value)}
    exported = {name.removeprefix(EXPORTED): told.pop(name) for name in list(told) if name.startswith(EXPORTED)}
    if exported.keys() & set(rules.target_labels):
        # Renamed by the scraper: whatever still has a target's label has it from the target.
        told = {name: value for name, value in told.items() if name not in rules.target_labels}
    else:
        told = _without_controller(_without_exporter(told, text), text)
    told |= exported
    for name in [other for other in told if other in _usual_names()]:
        told.setdefault(_usual_names()[name], told.pop(name))
    return told


def _without_exporter(told: dict[str, str], text: str) -> dict[str, str]:
    """Leaves out what names the exporter and not what its sentences name. Its namespace is the object's with
    honor_labels, except where the object has none."""
    pod, service, container = (told.get(name, "") for name in ("pod", "service", "container"))
    kinds = [exporter_kind(told.get(name, "")) for name in ("job", "service", "container", "pod")]
    kind = next((one for one in ("cluster", "node", "other") if one in kinds), "")
    if not kind:
        return told
    out = {"endpoint", "metrics_path", "scheme", "uid"}
    # A sidecar's pod is called after what it stands beside, as its service is.
    its_own = pod.startswith(f"{service}-") and kind != "other"
    if exporter_kind(pod) == kind or its_own:
        out |= {"pod", "container", "service"}
    out |= {"container"} if exporter_kind(container) else set()
    out |= {"service"} if exporter_kind(service) else set()
    out |= {"job", "instance"} if kind == "cluster" else set()
    kept = {name: value for name, value in told.items() if name not in out or value in text}
    if kind == "node":
        return _about_its_node(kept)
    scopes = {one.scope for one in label_rules().kinds if one.label in kept}
    if kind == "cluster" and scopes == {"cluster"}:
        kept.pop("namespace", None)
    return kept if _names_anything(kept) else told


def _without_controller(told: dict[str, str], text: str) -> dict[str, str]:
    """Leaves out the pod of a controller that tells of one of its objects."""
    named = any(told.get(name) and told[name] in text for name in label_rules().of_controllers)
    if not named or not told.get("pod") or told["pod"] in text:
        return told
    return {name: value for name, value in told.items() if name not in {"pod", "container", "service"}}


def _about_its_node(told: dict[str, str]) -> dict[str, str]:
    """What an exporter of machines says is about its machine, unless it names a pod or another object."""
    machine = {"node", "instance", "job", "service", "namespace"}
    if any(one.label in told for one in label_rules().kinds if one.label not in machine):
        return {name: value for name, value in told.items() if name not in {"instance", "job"}}
    called = ("node", *label_rules().also_called["node"], "instance")
    node = next((told[name] for name in called if told.get(name)), "")
    if not node:
        return told
    kept = {name: value for name, value in told.items() if name not in machine and name not in called}
    return kept | {"node": host_of(node)}


def host_of(address: str) -> str:
    """Without scheme and port; an address of IPv6 keeps its colons."""
    host = address.partition("://")[2] or address
    name, colon, port = host.rpartition(":")
    return name.strip("[]") if colon and port.isdecimal() and (":" not in name or name.startswith("[")) else host


def _names_anything(told: Mapping[str, str]) -> bool:
    """An alert about nothing but a scraped target: then its labels are all there is."""
    return any(label_rules().may_name(name, value) for name, value in told.items())


@cache
def _usual_names() -> Mapping[str, str]:
    return {other: name for name, others in label_rules().also_called.items() for other in others}


@cache
def _patterns() -> tuple[tuple[str, Any], ...]:
    return tuple((kind, re2.compile(pattern)) for kind, pattern in label_rules().exporters.items())


@cache
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)
