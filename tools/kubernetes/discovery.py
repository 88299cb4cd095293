"""Which custom types a cluster serves, read from the discovery documents of its API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.kubernetes.fields import mapping, mappings, text, texts
from tools.kubernetes.records import BUILT_IN_GROUPS, ResourceType

# https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery
DISCOVERY_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

# Groups of add-ons that hold measurements or records and no state to judge, and are large or always changing.
_NOT_JUDGED = frozenset({"metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io", "wgpolicyk8s.io"})


def is_judged(group: str) -> bool:
    """Whether types of the group are custom resources whose health means something."""
    return group not in BUILT_IN_GROUPS and group not in _NOT_JUDGED


def custom_types(discovery: Mapping[str, Any]) -> list[ResourceType]:
    """Listable custom types in their preferred version, from an aggregated document."""
    found = []
    for entry in mappings(discovery, "items"):
        group = text(entry, "metadata", "name")
        versions = mappings(entry, "versions")
        if is_judged(group) and versions:  # the first version is the preferred one
            found += list(_types(group, versions[0]))
    return found


def _types(group: str, version: Mapping[str, Any]) -> Iterator[ResourceType]:
    for resource in mappings(version, "resources"):
        if "list" in texts(resource, "verbs"):
            yield ResourceType(
                group,
                text(version, "version"),
                text(resource, "resource"),
                text(resource, "responseKind", "kind"),
                namespaced=text(resource, "scope") == "Namespaced",
            )


def group_versions(groups: Mapping[str, Any]) -> list[str]:
    """ "group/version" of each custom group, from the older document of an API server before 1.30."""
    return [
        text(group, "preferredVersion", "groupVersion")
        for group in mappings(groups, "groups")
        if is_judged(text(group, "name"))
    ]


def types_of_group(group_version: str, document: Mapping[str, Any]) -> list[ResourceType]:
    """Listable types of one group, from the older document."""
    group, _, version = group_version.partition("/")
    return [
        ResourceType(group, version, text(entry, "name"), text(entry, "kind"), mapping(entry).get("namespaced") is True)
        for entry in mappings(document, "resources")
        if "list" in texts(entry, "verbs") and "/" not in text(entry, "name")
    ]
