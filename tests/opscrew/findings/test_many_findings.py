"""Past any limit nothing vanishes: the database counts and orders, and what is left out is what matters least."""

from datetime import timedelta

import pytest

from opscrew.findings.ledger import NEVER_LISTED_AT_ONCE, Ledger
from opscrew.findings.life import OPEN, FindingState
from opscrew.model.finding import Severity
from tests.support.databases import on_sqlite_alone
from tests.support.multitudes import write_findings
from tests.support.tampering import tamper

MANY = 12_000
GRAVEST = [f"{number:016x}" for number in range(MANY - 3, MANY)]


@pytest.fixture
def ledger(database, clock) -> Ledger:
    write_findings(database, MANY, clock())
    return Ledger(database, clock)


def test_the_gravest_come_before_the_limit_and_all_are_counted(ledger) -> None:
    assert MANY > NEVER_LISTED_AT_ONCE
    assert [one.fingerprint for one in ledger.list(limit=3)] == GRAVEST
    listed = ledger.list()
    assert (len(listed), [one.fingerprint for one in listed[:3]]) == (NEVER_LISTED_AT_ONCE, GRAVEST)
    assert {one.finding.severity for one in listed[3:1203]} == {Severity.WARNING}
    assert ledger.count(OPEN) == {Severity.INFO: 10_797, Severity.WARNING: 1_200, Severity.CRITICAL: 3}
    assert len(ledger.open()) == MANY
    assert ledger.get(GRAVEST[0]).fingerprint == GRAVEST[0]
    assert set(ledger.find([*GRAVEST, "ffffffffffffffff"])) == set(GRAVEST)


@on_sqlite_alone
def test_a_few_open_ones_show_beside_many_that_are_over(database, clock) -> None:
    ledger = Ledger(database, clock)
    write_findings(database, MANY, clock(), state="resolved", present=False, resolved_at=clock())
    tamper(database, f"UPDATE findings SET state = 'new', resolved_at = NULL WHERE name = 'feature-{MANY - 1}'")
    assert [one.fingerprint for one in ledger.open()] == GRAVEST[-1:]
    assert [one.fingerprint for one in ledger.list(limit=1)] == GRAVEST[:1]
    assert sum(ledger.count([FindingState.RESOLVED]).values()) == MANY - 1


@on_sqlite_alone
def test_muted_ones_are_told_apart_by_the_moment(ledger, clock) -> None:
    ledger.suppress(GRAVEST[0], clock() + timedelta(hours=1), "known", "ada")
    assert [one.fingerprint for one in ledger.list([FindingState.SUPPRESSED])] == GRAVEST[:1]
    assert ledger.list(OPEN, limit=1)[0].fingerprint == GRAVEST[1]
    assert ledger.count(OPEN, severities=[Severity.CRITICAL])[Severity.CRITICAL] == 2
    clock.forward(hours=1)
    assert ledger.list([FindingState.SUPPRESSED]) == []
    assert ledger.list(OPEN, limit=1)[0].fingerprint == GRAVEST[0]


@on_sqlite_alone
def test_filters_choose_before_the_limit(ledger) -> None:
    assert ledger.list(severities=[Severity.INFO], limit=1)[0].fingerprint == f"{1:016x}"
    assert ledger.list(code="CI_OUTAGE") == []
    assert sum(ledger.count(system="kubernetes").values()) == 0
    assert sum(ledger.count(system="bitbucket", code="CI_FAILED").values()) == MANY


@on_sqlite_alone
def test_subjects_are_each_named_once_the_latest_first(ledger) -> None:
    subjects = ledger.subjects()
    assert len(subjects) == MANY
    assert (subjects[0].name, subjects[-1].name) == ("feature-0", f"feature-{MANY - 1}")


@on_sqlite_alone
def test_what_nothing_has_seen_for_a_year_goes_also_when_it_is_open(ledger, clock) -> None:
    clock.forward(days=365)
    ledger.unsuppress(GRAVEST[0], "ada")  # a person's step is no sighting
    assert ledger.forget_old() == MANY - 1, "the latest was seen exactly a year ago"
    assert [one.finding.subject.name for one in ledger.list()] == ["feature-0"]
