"""Drops what no check reads, page by page, while a list is being decoded.

A cluster of 5,000 pods is 40 MB of JSON and several times that as Python objects; trimmed it is about 30 MB. Values of
environment variables are dropped here too: they often hold secrets, and no check needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.kubernetes.fields import mapping, mappings, text
from tools.kubernetes.records import BUILT_IN_GROUPS, group_of

_CONTAINER_FIELDS = (
    "name",
    "image",
    "resources",
    "ports",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "securityContext",
    "restartPolicy",  # of an init container: "Always" makes it a sidecar
)
_POD_SPEC_FIELDS = (
    "nodeName",
    "restartPolicy",
    "volumes",
    "nodeSelector",
    "tolerations",
    "schedulingGates",
    "imagePullSecrets",
    "serviceAccountName",
    "priorityClassName",
    "hostNetwork",
    "hostPID",
    "readinessGates",
    "activeDeadlineSeconds",
    "securityContext",
)
_CONTAINER_LISTS = ("initContainers", "containers")


def trim(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """The same object with only the fields that checks read. ``raw`` is changed in place where that saves copies."""
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        writers = mappings(metadata, "managedFields")
        metadata.pop("managedFields", None)
        if group_of(text(raw, "apiVersion")) not in BUILT_IN_GROUPS:
            metadata["managedFields"] = [_without_fields(writer) for writer in writers]
    if kind == "Pod":
        raw["spec"] = _pod_spec(mapping(raw, "spec"))
        _trim_pod_status(raw.get("status"))
    elif kind == "ConfigMap":
        return _config_map(raw)
    elif isinstance(mapping(raw, "spec", "template").get("spec"), Mapping):
        raw["spec"]["template"] = {
            "metadata": {"labels": mapping(raw, "spec", "template", "metadata", "labels")},
            "spec": _pod_spec(mapping(raw, "spec", "template", "spec")),
        }
    return raw


def _without_fields(writer: Mapping[str, Any]) -> dict[str, Any]:
    """When somebody wrote, and whether it was the status: what tells a controller that does not answer any more."""
    return {name: writer[name] for name in ("time", "subresource") if name in writer}


def config_maps_of(pod_spec: Mapping[str, Any]) -> set[str]:
    """Names of the ConfigMaps that a pod mounts or reads its environment from."""
    kept = pod_spec.get("configMapNames")
    if isinstance(kept, list):
        return set(kept)
    names = set()
    for volume in mappings(pod_spec, "volumes"):
        if "configMap" in volume:
            names.add(text(volume, "configMap", "name"))
        elif "projected" in volume:
            names.update(text(source, "configMap", "name") for source in mappings(volume, "projected", "sources"))
    for part in _CONTAINER_LISTS:
        for container in mappings(pod_spec, part):
            names.update(text(source, "configMapRef", "name") for source in mappings(container, "envFrom"))
            for variable in mappings(container, "env"):
                if "valueFrom" in variable:
                    names.add(text(variable, "valueFrom", "configMapKeyRef", "name"))
    return names - {""}


def _pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: spec[name] for name in _POD_SPEC_FIELDS if name in spec}
    for part in _CONTAINER_LISTS:
        if part in spec:
            kept[part] = [_container(container) for container in mappings(spec, part)]
    kept["configMapNames"] = sorted(config_maps_of(spec))
    return kept


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    return {name: container[name] for name in _CONTAINER_FIELDS if name in container}


def _trim_pod_status(status: Any) -> None:
    if not isinstance(status, dict):
        return
    for part in ("containerStatuses", "initContainerStatuses"):
        for container in mappings(status, part):
            if isinstance(container, dict):
                for name in ("imageID", "containerID", "volumeMounts", "allocatedResources"):
                    container.pop(name, None)


def _config_map(raw: dict[str, Any]) -> dict[str, Any]:
    """Keeps how much is in it and never what: ConfigMaps are often misused for secrets."""
    size = sum(len(str(value)) for part in ("data", "binaryData") for value in mapping(raw, part).values())
    keys = sum(len(mapping(raw, part)) for part in ("data", "binaryData"))
    return {
        "apiVersion": raw.get("apiVersion"),
        "kind": "ConfigMap",
        "metadata": raw.get("metadata"),
        "dataBytes": size,
        "dataKeys": keys,
    }
