"""Deny by default, and the most specific rule wins."""

import random
from fnmatch import fnmatchcase

import pytest

from opscrew.actions.catalog import catalog
from opscrew.actions.policy import check_settings, dead_patterns, decide, unknown_kinds
from opscrew.actions.scope_patterns import can_fit
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
    (mistake,) = unknown_kinds({"rerun_pipelines": "auto", "rerun_pipeline": "auto"})
    assert mistake.text.endswith("unknown action rerun_pipelines (did you mean rerun_pipeline?)")


def test_all_mistakes_of_the_rules_are_reported_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        check_settings(
            Settings(
                bitbucket={"workspace": "acme"},
                policy={"rerun_pipelin": "auto", "stop_pipeline": {"infra": "off", "web": "off"}},
                quiet_hours="25:00-xx",
            )
        )
    for words in ("rerun_pipelin", "'infra' fits nothing", "'web' fits nothing", "quiet_hours"):
        assert words in caught.value.message


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
    assert list(dead_patterns({"rerun_pipeline": {pattern: "off"}}, {"bitbucket": ["acme"]})) == []


def test_patterns_of_what_is_not_connected_are_left_alone() -> None:
    check_settings(Settings(bitbucket={"workspace": "acme"}, policy={"restart_workload": {"prod": "off"}}))
    with pytest.raises(UsageError, match="fits nothing in prod, test"):
        check_settings(
            Settings(kubernetes=[{"name": "prod"}, {"name": "test"}], policy={"restart_workload": {"payments": "off"}})
        )


def mode(scope: str, rules: dict[str, str]) -> str:
    """The same in either order of the rules."""
    found = {
        decide(RERUN, scope, {"rerun_pipeline": dict(order)}).mode
        for order in (list(rules.items()), list(rules.items())[::-1])
    }
    assert len(found) == 1, found
    return found.pop()


@pytest.mark.parametrize(
    ("scope", "rules", "expected"),
    [
        # an exact name comes before a pattern, however much the pattern spells out
        ("acme/infra", {"acme/infra": "off", "acme/[i]nfra": "auto"}, "off"),
        ("acme/infra", {"acme/infra": "auto", "acme/[i]nfra": "approve"}, "auto"),
        # a set counts for what it matches, not for its length
        ("acme/infra", {"acme/infr*": "approve", "acme/[abcdefghijklmnop]*": "auto"}, "approve"),
        ("acme/infra", {"acme/i*": "approve", "acme/[i]nf*": "auto"}, "auto"),
        ("acme/a", {"acme/[ab]": "approve", "acme/?": "auto"}, "approve"),
        ("acme/a", {"acme/[abc]": "approve", "acme/[ab]": "auto"}, "auto"),
        ("acme/a", {"acme/[!b]": "auto", "acme/[ab]": "approve"}, "approve"),
        ("acme/a", {"acme/[!b]": "auto", "acme/?": "approve"}, "approve"),
        ("acme/a", {"acme/[a-z]": "auto", "acme/[a-c]": "approve"}, "approve"),
        # of equally specific ones the stricter
        ("ab", {"a*": "auto", "*b": "approve"}, "approve"),
        ("ab", {"a*": "approve", "*b": "off"}, "off"),
        # auto never wins over an off that fits too
        ("acme/infra", {"*": "off", "acme/infra": "auto"}, "off"),
        ("acme/infra", {"acme/*": "off", "acme/inf*": "auto"}, "off"),
        ("acme/infra", {"*/infra": "off", "acme/*": "auto", "*": "approve"}, "off"),
        ("acme/infra", {"acme/*": "auto", "?c*e/*ra": "off"}, "off"),
        ("acme/infra", {"acme/[i]nfra": "auto", "acme/infr?": "off"}, "off"),
        # but a person may be asked in a part of what is off, and nothing by itself beside that
        ("acme/infra", {"*": "off", "acme/infra": "approve"}, "approve"),
        ("acme/infra", {"*": "off", "acme/inf*": "auto", "acme/infra": "approve"}, "approve"),
        ("acme/shop", {"acme/infra": "off", "acme/*": "auto"}, "auto"),
    ],
)
def test_which_of_several_rules_holds(scope: str, rules: dict[str, str], expected: str) -> None:
    assert mode(scope, rules) == expected


def test_the_rule_that_held_is_named() -> None:
    rules = {"rerun_pipeline": {"*": "off", "acme/infra": "auto"}}
    assert decide(RERUN, "acme/infra", rules).why == "policy says off for rerun_pipeline on *"


DEAD = [
    # kinds whose scope has one part, or none
    ("drain_runner", "acme/*"),
    ("drain_runner", "acme/infra"),
    ("drain_runner", "other"),
    ("drain_runner", "acme?"),
    ("silence_alert", "prod/*"),
    ("silence_alert", "DiskFull"),
    ("silence_alert", "?*"),
    ("resize_vm_group", "project/zone"),
    # kinds whose scope has two
    ("rerun_pipeline", "acme"),
    ("rerun_pipeline", "acme/"),
    ("rerun_pipeline", "acme/infra/main"),
    ("rerun_pipeline", "acme/*/*"),
    ("rerun_pipeline", "acm[x]*"),
    ("rerun_pipeline", "*x/infra"),
    ("rerun_pipeline", "acme/Infra"),
    ("rerun_pipeline", "acme/infra "),
    ("rerun_pipeline", "acme/infra,acme/dns"),
    ("rerun_pipeline", "acme/[A-Z]*"),
    ("rerun_pipeline", "acme/[z-a]*"),
    ("rerun_pipeline", "acme/[infra"),
    ("rerun_pipeline", "[!a]*"),
    ("restart_workload", "payments"),
    ("restart_workload", "*/payments/web"),
    ("restart_workload", "prod.payments"),
    ("restart_workload", ""),
    # what other tools understand
    ("rerun_pipeline", "acme/{infra,dns}"),
    ("rerun_pipeline", "!acme/infra"),
    ("rerun_pipeline", "^acme/infra$"),
    ("rerun_pipeline", "acme/(infra|dns)"),
    ("rerun_pipeline", "acme/infra+"),
    ("rerun_pipeline", "acme\\infra"),
    ("rerun_pipeline", "https://bitbucket.org/acme/infra"),
    ("rerun_pipeline", "acme/infra.git/"),
    ("restart_workload", "prod/payments.*"),
    ("restart_workload", "prod/pay_ments"),
    ("restart_workload", "prod:payments"),
    ("delete_stuck_pod", "test-*/kube-system"),
]
SETTINGS = {"bitbucket": {"workspace": "acme"}, "kubernetes": [{"name": "prod"}, {"name": "test"}]}


@pytest.mark.parametrize(("kind", "pattern"), DEAD)
def test_a_pattern_that_no_scope_of_its_kind_can_fit_is_refused_at_the_start(kind: str, pattern: str) -> None:
    with pytest.raises(UsageError, match="fits nothing") as caught:
        check_settings(Settings(**SETTINGS, policy={kind: {"*": "auto", pattern: "off"}}))
    assert "scope" in caught.value.hint.lower()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("drain_runner", "acme"),
        ("drain_runner", "ac*"),
        ("drain_runner", "*"),
        ("drain_runner", "acm[de]"),
        ("silence_alert", "*"),
        ("silence_alert", "**"),
        ("resize_vm_group", "my-project"),
        ("rerun_pipeline", "*infra"),
        ("rerun_pipeline", "*-infra"),
        ("rerun_pipeline", "acme/infra.v2_x"),
        ("rerun_pipeline", "acme/[!i]*"),
        ("rerun_pipeline", "acme?infra"),
        ("rerun_pipeline", "*acme*/*infra*"),
        ("restart_workload", "prod/kube-system"),
        ("restart_workload", "test/*"),
        ("restart_workload", "[pt]*/payments"),
    ],
)
def test_a_pattern_that_some_scope_fits_is_not(kind: str, pattern: str) -> None:
    check_settings(Settings(**SETTINGS, policy={kind: {pattern: "off"}}))


@pytest.mark.parametrize("pattern", ["acme/[^i]*", "[^b]cme/*"])
def test_a_shells_none_of_is_refused_since_it_means_the_opposite_here(pattern: str) -> None:
    assert fnmatchcase("acme/infra", "acme/[^i]*")
    with pytest.raises(UsageError, match=r"holds \[\^") as caught:
        check_settings(Settings(**SETTINGS, policy={"rerun_pipeline": {pattern: "auto"}}))
    assert "[!" in caught.value.hint


def test_whatever_may_be_said_to_fit_is_found_by_fnmatch_too() -> None:
    """Against the real matcher: of random patterns, each that fits some random scope counts as one that can."""
    chance = random.Random(5)
    scopes = ["acme/" + "".join(chance.choices("abi-", k=chance.randint(1, 3))) for _ in range(300)]
    fitting = 0
    for _ in range(3_000):
        pattern = "".join(chance.choices(["acme", "/", "*", "?", "[ab]", "[!a]", "a", "b", "i-", "[x]"], k=4))
        if any(fnmatchcase(scope, pattern) for scope in scopes):
            fitting += 1
            assert can_fit(pattern, "acme", ("workspace", "repository")), pattern
    assert fitting > 100
