"""The ranking: time, ownership, consequence; and which repair follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from opscrew.actions.catalog import catalog
from opscrew.alerts.causes import CauseRules, Clue, Ownership, cause_rules, ownership_of, rank, timing
from opscrew.alerts.groups import Group
from opscrew.alerts.repairs import proposed_repair
from opscrew.findings.codes import codes
from opscrew.model.subject import Subject

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
RULES = cause_rules()
GROUP = Group("g", "k", "PodsRestart in shop", NOW)


def thing(kind: str, name: str, scope: str = "prod/shop") -> Subject:
    return Subject(system="kubernetes", kind=kind, scope=scope, name=name)


WEB = thing("Deployment", "web")


def clue(cause: str, minutes: float, subject: Subject | None = WEB, **facts: Any) -> Clue:
    lasting = cause not in ("change", "logs")
    return Clue(cause, f"{cause} {minutes}", NOW - timedelta(minutes=minutes), subject, lasting, facts=facts)


def test_what_is_in_the_namespace_of_an_alert_that_names_no_more_is_near() -> None:
    shop = thing("Namespace", "shop", "prod")
    assert ownership_of(WEB, [shop]) is Ownership.NAMESPACE
    assert ownership_of(thing("Deployment", "web", "prod/other"), [shop]) is Ownership.CLUSTER


def test_every_code_and_action_in_the_rules_exists() -> None:
    assert set(RULES.codes) | RULES.codes_left_out <= set(codes())
    assert {kind for kind in RULES.repairs.values() if kind} <= set(catalog())
    assert set(RULES.repairs) - {"change"} <= set(codes())
    assert set(RULES.ownership) == set(Ownership)


@pytest.mark.parametrize(
    ("subject", "ownership"),
    [
        (WEB, Ownership.SAME),
        (thing("Pod", "web-5c9f-x2"), Ownership.SAME),
        (thing("Pod", "webshop-1"), Ownership.NAMESPACE),
        (thing("Deployment", "cart"), Ownership.NAMESPACE),
        (thing("Node", "n1", "prod"), Ownership.NODE),
        (thing("Node", "n1", "other"), Ownership.UNKNOWN),
        (thing("Deployment", "web", "prod/other"), Ownership.CLUSTER),
        (Subject(system="bitbucket", kind="deployment", scope="acme/web", name="u"), Ownership.SAME),
        (Subject(system="bitbucket", kind="deployment", scope="acme/infra", name="u"), Ownership.UNKNOWN),
        (None, Ownership.UNKNOWN),
    ],
)
def test_how_near_a_clue_is(subject: Subject | None, ownership: Ownership) -> None:
    assert ownership_of(subject, [WEB]) is ownership


def test_what_came_later_or_long_before_is_no_cause() -> None:
    assert rank([clue("change", -10), clue("change", 300)], NOW, [WEB], RULES) == ()
    assert timing(NOW, NOW, lasting=False, rules=RULES) == 1
    assert timing(NOW - timedelta(days=9), NOW, lasting=True, rules=RULES) == RULES.oldest_timing


def test_a_rollout_ranks_above_what_followed_from_it() -> None:
    ranked = rank([clue("POD_IMAGE_PULL_FAILED", 1), clue("change", 5)], NOW, [WEB], RULES)
    assert [one.clue.cause for one in ranked] == ["change", "POD_IMAGE_PULL_FAILED"]
    before = rank([clue("POD_IMAGE_PULL_FAILED", 9), clue("change", 30)], NOW, [WEB], RULES)
    assert before[0].score <= 1


def test_the_nearer_thing_ranks_higher() -> None:
    ranked = rank([clue("change", 5, thing("Deployment", "cart")), clue("change", 6)], NOW, [WEB], RULES)
    assert ranked[0].clue.subject == WEB


@pytest.mark.parametrize(
    ("found", "kind", "parameters"),
    [
        (clue("change", 5, to_revision=3), "roll_back_workload", {"to_revision": 3}),
        (clue("change", 5), None, {}),  # nothing to go back to
        (clue("POD_NOT_READY", 5), None, {}),  # too weak a cause
        (clue("CONTAINER_THROTTLED", 1, replicas=4), "scale_workload", {"replicas": 6}),
        (clue("CONTAINER_THROTTLED", 1, replicas=0), None, {}),
        (clue("change", 1, thing("Deployment", "cart"), to_revision=3), None, {}),  # a neighbour is left to people
        (
            clue("POD_TERMINATING_STUCK", 9, thing("Pod", "web-1-a"), uid="u1", owner="ReplicaSet/web-1"),
            "delete_stuck_pod",
            {"uid": "u1", "owner": "ReplicaSet/web-1"},
        ),
        (clue("POD_TERMINATING_STUCK", 9, thing("Pod", "web-1-a")), None, {}),
    ],
)
def test_the_repair_comes_from_the_catalog_and_known_facts(
    found: Clue, kind: str | None, parameters: dict[str, Any]
) -> None:
    action = proposed_repair(GROUP, rank([found], NOW, [WEB], RULES), RULES)
    if kind is None:
        assert action is None
        return
    assert action is not None
    assert (action.kind, action.parameters) == (kind, parameters)
    assert catalog()[kind].objection(action) is None


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (10, "10 min before"),
        (1, "1 min before"),
        (0.99, "at the same time"),
        (-0.99, "at the same time"),
        (-1, "right after"),
    ],
)
def test_how_long_before_the_alert_it_began_is_told(minutes: float, told: str) -> None:
    (found,) = rank([clue("change", minutes)], NOW, [WEB], RULES)
    assert found.why.startswith(f"{told}, ")


def test_a_silence_is_no_shorter_than_the_catalog_allows() -> None:
    shortest = catalog()["silence_alert"].parameters["minutes"].min
    CauseRules.model_validate(RULES.model_dump() | {"silence_minutes": shortest})
    with pytest.raises(ValidationError):
        CauseRules.model_validate(RULES.model_dump() | {"silence_minutes": shortest - 1})
