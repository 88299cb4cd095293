"""The shipped roles give exactly what the program uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from opscrew.actions.catalog import catalog
from tools.kubernetes.resource_types import SWEEP_TYPES

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"


WHAT_EACH_SENDS = {
    "restart_workload": {("apps", kind, "patch") for kind in ("daemonsets", "deployments", "statefulsets")},
    "roll_back_workload": {("apps", kind, "patch") for kind in ("daemonsets", "deployments", "statefulsets")},
    "scale_workload": {("apps", kind, "patch") for kind in ("deployments/scale", "statefulsets/scale")},
    "delete_stuck_pod": {("", "pods", "delete")},
    "expand_pvc": {("", "persistentvolumeclaims", "patch")},
}
"""By kind of action, as the executors send it."""


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def roles(name: str) -> dict[str, list[dict[str, Any]]]:
    return {raw["metadata"]["name"]: raw["rules"] for raw in documents(name) if raw["kind"] == "ClusterRole"}


def action_of(raw: dict[str, Any]) -> str:
    return str(raw["metadata"]["labels"]["crew.io/action"])


def test_the_reader_may_list_what_is_read_and_nothing_more() -> None:
    allowed = {
        (group, resource)
        for rule in roles("reader.yaml")["crew-reader-built-in"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    # Old revisions are read before a roll back alone.
    assert allowed == {(kind.group, kind.plural) for kind in SWEEP_TYPES} | {("apps", "controllerrevisions")}


def test_the_reader_changes_nothing_and_no_role_reaches_secrets() -> None:
    rules = [rule for role in roles("reader.yaml").values() for rule in role]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    rules += [rule for role in roles("actions.yaml").values() for rule in role]
    assert not [rule for rule in rules if "secrets" in rule["resources"] or "*" in rule["apiGroups"]]
    assert not [rule for rule in rules if "*" in rule["resources"] and "" in rule["apiGroups"]]


def test_each_kind_of_action_has_a_role_of_its_own_that_gives_what_it_sends() -> None:
    kinds = {name for name, kind in catalog().items() if kind.system == "kubernetes" and kind.carried_out_by == "crew"}
    assert kinds == set(WHAT_EACH_SENDS)
    given = {
        action_of(raw): {
            (group, resource, verb)
            for rule in raw["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        for raw in documents("actions.yaml")
    }
    assert given == WHAT_EACH_SENDS


def test_actions_are_bound_by_namespace_and_never_for_the_whole_cluster() -> None:
    assert {raw["kind"] for raw in documents("actions.yaml")} == {"ClusterRole"}
    bindings = documents("actions-in-namespace.yaml")
    assert {raw["kind"] for raw in bindings} == {"RoleBinding"}
    names = {action_of(raw): raw["metadata"]["name"] for raw in documents("actions.yaml")}
    assert {action_of(raw): raw["roleRef"]["name"] for raw in bindings} == names
    account = {"kind": "ServiceAccount", "name": "crew", "namespace": "crew"}
    assert [raw["subjects"] for raw in bindings] == [[account]] * len(names)
    # The namespace is chosen by whoever applies it.
    assert not [raw for raw in bindings if "namespace" in raw["metadata"]]
