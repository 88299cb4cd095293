"""The shipped roles give exactly what the program uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tools.kubernetes.resource_types import SWEEP_TYPES

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"


def roles(name: str) -> dict[str, list[dict[str, Any]]]:
    documents = yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    return {raw["metadata"]["name"]: raw["rules"] for raw in documents if raw["kind"] == "ClusterRole"}


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


def test_the_actor_may_only_patch_and_delete() -> None:
    rules = [rule for role in roles("actions.yaml").values() for rule in role]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"patch", "delete"}
    assert [rule["resources"] for rule in rules if "delete" in rule["verbs"]] == [["pods"]]
