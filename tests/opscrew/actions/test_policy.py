"""Deny by default, and the most specific rule wins."""

import pytest

from opscrew.actions.catalog import catalog
from opscrew.actions.policy import check_patterns, check_rules, check_settings, decide
from opscrew.errors import UsageError
from opscrew.settings import Settings

RERUN = catalog()["rerun_pipeline"]
BY_SCOPE = {"acme/*": "auto", "acme/infra": "off", "acme/infra-*": "approve", "*": "approve"}


@pytest.mark.parametrize(
    ("scope", "mode"),
    [
        ("acme/shop", "auto"),
        ("acme/infra", "off"),
        ("acme/infra-dns", "approve"),
        ("other/shop", "approve"),
        ("", "approve"),
        ("ACME/shop", "approve"),
    ],
)
def test_the_most_specific_pattern_wins_whatever_the_order(scope: str, mode: str) -> None:
    for rules in (BY_SCOPE, dict(reversed(BY_SCOPE.items()))):
        assert decide(RERUN, scope, {"rerun_pipeline": rules}).mode == mode


def test_between_equally_specific_patterns_the_stricter_wins() -> None:
    assert decide(RERUN, "ab", {"rerun_pipeline": {"a*": "auto", "*b": "off"}}).mode == "off"


def test_without_a_rule_the_catalog_decides_and_says_so() -> None:
    for rules in ({}, {"stop_pipeline": "auto"}, {"rerun_pipeline": {"other/*": "auto"}}):
        decision = decide(RERUN, "acme/shop", rules)
        assert decision.mode == "approve"
        assert "catalog" in decision.why


def test_one_mode_holds_everywhere() -> None:
    assert decide(RERUN, "any/thing", {"rerun_pipeline": "auto"}).mode == "auto"


def test_a_rule_for_an_unknown_action_is_an_error_with_the_near_name() -> None:
    with pytest.raises(UsageError, match=r"unknown action rerun_pipelines \(did you mean rerun_pipeline\?\)"):
        check_rules({"rerun_pipelines": "auto"})
    check_rules({"rerun_pipeline": "auto"})


@pytest.mark.parametrize("pattern", ["infra", "infra-*", "other/*", "acm", "/acme/infra"])
def test_a_pattern_that_fits_nothing_is_an_error_because_it_protects_nobody(pattern: str) -> None:
    with pytest.raises(UsageError, match="fits nothing in acme") as caught:
        check_settings(
            Settings(bitbucket={"workspace": "acme"}, policy={"rerun_pipeline": {"*": "auto", pattern: "off"}})
        )
    assert "acme/" in caught.value.hint


@pytest.mark.parametrize(
    "pattern", ["*", "*/infra", "acme/*", "acme/infra", "ac*", "acme*", "acme/infra-[ab]", "?cme/*"]
)
def test_a_pattern_that_may_fit_is_none(pattern: str) -> None:
    check_patterns({"rerun_pipeline": {pattern: "off"}}, {"bitbucket": ["acme"]})


def test_patterns_of_what_is_not_connected_are_left_alone() -> None:
    check_settings(Settings(bitbucket={"workspace": "acme"}, policy={"restart_workload": {"prod": "off"}}))
    with pytest.raises(UsageError, match="fits nothing in prod, test"):
        check_settings(
            Settings(kubernetes=[{"name": "prod"}, {"name": "test"}], policy={"restart_workload": {"payments": "off"}})
        )
