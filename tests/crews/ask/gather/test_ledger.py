"""What the crew knows of itself: when it looked."""

from datetime import UTC, datetime, timedelta

import pytest

from opscrew.findings.ledger import Ledger
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.store.runs import record_run
from tests.support.asking import ask, crew_at, told

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def finding(repository: str) -> Finding:
    subject = Subject(system="bitbucket", kind="branch", scope=f"acme/{repository}", name="main")
    seen = Evidence(source="log", text="it broke", observed_at=NOW)
    return Finding(
        code="CI_GENUINE_FAILURE", severity=Severity.WARNING, subject=subject, cause="a test fails", evidence=(seen,)
    )


def test_findings_of_either_thing_are_told_where_two_are_named(tmp_path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        Ledger(crew.engine, crew.clock).observe("ci", map(finding, ("shop", "payments", "web")), complete=True)
        text = told(ask(crew, "any problems in shop and payments right now?"))
    assert "acme/shop" in text
    assert "acme/payments" in text
    assert "acme/web" not in text


def run(crew: str, minutes_ago: int, outcome: RunOutcome = RunOutcome.OK) -> Run:
    at = NOW - timedelta(minutes=minutes_ago)
    return Run(crew=crew, started_at=at, ended_at=at, outcome=outcome, summary=f"{crew} looked.")


def test_the_latest_look_of_each_crew_is_told(tmp_path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        assert "No crew has looked yet" in told(ask(crew, "is everything fine?"))
        for one in (run("ci_watch", 30), run("ci_watch", 1), run("cluster_health", 5, RunOutcome.FAILED)):
            record_run(crew.engine, one)
        text = told(ask(crew, "is everything fine?"))
    assert "ci_watch last looked at 11:59 (ok): ci_watch looked." in text
    assert "cluster_health last looked at 11:55 (failed)" in text
    assert "11:30" not in text
    assert "No crew has looked yet" not in text
