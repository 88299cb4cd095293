"""Whether an account may do what the policy allows, asked of an API server over a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crews.checks.check import Level, Result
from crews.checks.rights import OF_KUBERNETES, rights_checks
from crews.runtime.systems import Systems
from opscrew.actions.catalog import catalog
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from tests.support.kubernetes_api import Api, kubernetes_api
from tools.bitbucket.scopes import allows, read_scopes

ROLES = Path(__file__).parents[3] / "deploy" / "kubernetes"


def look(api: Api, folder: Path, policy: dict[str, Any], namespaces: tuple[str, ...] = ("*",)) -> Result:
    cluster = {"name": "prod", "kubeconfig": str(api.kubeconfig(folder)), "namespaces": namespaces}
    off = {name: "off" for name in OF_KUBERNETES if name not in policy}
    settings = Settings(kubernetes=[cluster], policy={**off, **policy})
    (check,) = rights_checks(settings)
    with Systems(settings, utc_now, Metrics()) as systems:
        return check.look(systems)


def test_an_account_with_every_right_is_fine(tmp_path: Path) -> None:
    with kubernetes_api() as api:
        assert look(api, tmp_path, dict.fromkeys(OF_KUBERNETES, "auto")).level is Level.OK


@pytest.mark.parametrize(("mode", "level"), [("auto", Level.FAILED), ("approve", Level.WARNING)])
def test_an_account_that_may_not_is_told_with_what_it_lacks(tmp_path: Path, mode: str, level: Level) -> None:
    with kubernetes_api() as api:
        api.denied.add(("patch", "deployments/scale", ""))
        found = look(api, tmp_path, {"scale_workload": mode, "expand_pvc": mode})
    assert found.level is level
    assert "scale_workload: may not patch deployments/scale in all namespaces" in found.text
    assert "expand_pvc" not in found.text


def test_only_the_namespaces_that_are_watched_or_named_are_asked_about(tmp_path: Path) -> None:
    with kubernetes_api() as api:
        api.denied |= {("delete", "pods", ""), ("delete", "pods", "stage")}
        rule = {"delete_stuck_pod": {"prod/shop": "auto", "prod/stage": "off"}}
        assert look(api, tmp_path, rule).level is Level.OK
        assert look(api, tmp_path, {"delete_stuck_pod": "auto"}, namespaces=("shop",)).level is Level.OK
        assert look(api, tmp_path, {"delete_stuck_pod": "auto"}, namespaces=("stage",)).level is Level.FAILED


def test_nothing_is_asked_where_nothing_may_be_done(tmp_path: Path) -> None:
    cluster = {"name": "prod", "kubeconfig": str(tmp_path / "none")}
    assert rights_checks(Settings(kubernetes=[cluster], policy=dict.fromkeys(OF_KUBERNETES, "off"))) == ()
    assert rights_checks(Settings(kubernetes=[cluster], dry_run=True)) == ()


def test_every_kind_of_action_on_a_cluster_is_asked_about() -> None:
    ours = {name for name, kind in catalog().items() if kind.system == "kubernetes" and kind.carried_out_by == "crew"}
    assert set(OF_KUBERNETES) == ours


def test_the_shipped_roles_give_the_rights_that_are_asked_about() -> None:
    given = set()
    for file in ROLES.glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            for rule in (document or {}).get("rules", []):
                given |= {
                    (verb, group, resource)
                    for verb in rule["verbs"]
                    for group in rule["apiGroups"]
                    for resource in rule["resources"]
                }
    assert {right for rights in OF_KUBERNETES.values() for right in rights} <= given


@pytest.mark.parametrize(
    ("header", "wanted", "allowed"),
    [
        ("repository, pipeline", "pipeline:write", False),
        ("repository, pipeline:write", "pipeline:write", True),
        ("pipeline:write", "pipeline", True),
        ("read:pipeline:bitbucket, read:repository:bitbucket", "pipeline:write", False),
        ("read:pipeline:bitbucket", "pipeline", True),
        ("write:pipeline:bitbucket,read:repository:bitbucket", "pipeline:write", True),
    ],
)
def test_scopes_are_read_in_both_spellings(header: str, wanted: str, allowed: bool) -> None:
    scopes = read_scopes(header)
    assert scopes is not None
    assert allows(scopes, wanted) is allowed


@pytest.mark.parametrize("header", [None, ""])
def test_without_the_header_nothing_is_known(header: str | None) -> None:
    assert read_scopes(header) is None
