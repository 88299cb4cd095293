"""What rules and Alertmanager do not know at present."""

from datetime import UTC, datetime, timedelta

import pytest

from opscrew.alerts.unknown import RESENT, alert_subject, rule_coverage, unknown_after_start, unknown_to_rules
from opscrew.model.coverage import Basis, in_words, is_hidden
from tools.victoriametrics.records import Rule

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def rule(name: str, **fields: object) -> Rule:
    whole = {"type": "alerting", "health": "ok", "lastEvaluation": NOW.isoformat()} | fields
    return Rule.model_validate({"name": name, **whole})


def test_alerts_of_a_rule_that_fails_or_was_not_evaluated_yet_are_not_known() -> None:
    rules = [
        rule("Fine"),
        rule("Broken", health="err", lastError="datasource answered 401"),
        rule("Young", lastEvaluation="0001-01-01T00:00:00Z"),
        rule("Recorded", type="recording", health="err"),
    ]
    gaps = unknown_to_rules("vmalert", rules)
    hidden = {one.name for one in rules if is_hidden(alert_subject("vmalert", one.name), gaps)}
    assert hidden == {"Broken", "Young"}
    assert in_words(gaps) == "1 of 3 alerting rules of vmalert not measured (Broken): datasource answered 401"
    assert not is_hidden(alert_subject("grafana", "Broken"), gaps)
    assert rule_coverage(gaps).basis is Basis.PARTLY
    assert rule_coverage(unknown_to_rules("vmalert", rules[1:2])).basis is Basis.NOT_MEASURED
    assert rule_coverage(unknown_to_rules("vmalert", rules[:1])).basis is Basis.MEASURED
    assert rule_coverage(unknown_to_rules("vmalert", [])).basis is Basis.PARTLY


@pytest.mark.parametrize(
    "fields",
    [
        {"lastSeriesFetched": 0},  # the exporter is gone, so that nothing exceeds the limit any more
        {"alerts": [{"state": "pending", "labels": {"namespace": "shop"}}]},  # vmalert was started anew
        {"lastEvaluation": "0001-01-01T00:00:00Z"},
    ],
)
def test_an_alert_that_nobody_can_judge_is_not_over_and_no_reason_to_speak(fields: dict[str, object]) -> None:
    gaps = unknown_to_rules("vmalert", [rule("MemoryHigh", **fields), rule("Fine", lastSeriesFetched=3)])
    assert is_hidden(alert_subject("vmalert", "MemoryHigh"), gaps)
    assert not is_hidden(alert_subject("vmalert", "Fine"), gaps)
    assert in_words(gaps) == ""


def test_an_alertmanager_that_was_just_started_knows_nothing_of_before() -> None:
    gaps = unknown_after_start("alertmanager", NOW - timedelta(minutes=1), NOW)
    assert is_hidden(alert_subject("alertmanager", "Any"), gaps)
    assert unknown_after_start("alertmanager", NOW - RESENT, NOW) == []
    assert unknown_after_start("alertmanager", None, NOW) == []
