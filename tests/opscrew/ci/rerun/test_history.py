"""Sightings and rescues survive, count once, and grow old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from opscrew.ci.rerun.history import (
    RESCUES_COUNT_FOR,
    forget_before,
    host_stays_broken,
    record_rescue,
    record_sighting,
    rescue_record,
    sightings_since,
)
from opscrew.ci.rerun.outage import Sighting
from opscrew.ci.rerun.success_rate import RescueRecord

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def test_a_sighting_counts_once_and_keeps_its_first_time(database: Engine) -> None:
    for minute in (0, 1, 2):
        record_sighting(database, Sighting("npm-network", "acme/shop#42", NOON + timedelta(minutes=minute)))
    record_sighting(database, Sighting("npm-network", "acme/shop#43", NOON + timedelta(minutes=5)))
    record_sighting(database, Sighting("git-network", "acme/shop#43", NOON + timedelta(minutes=4)))
    assert sightings_since(database, NOON) == [
        Sighting("npm-network", "acme/shop#42", NOON),
        Sighting("git-network", "acme/shop#43", NOON + timedelta(minutes=4)),
        Sighting("npm-network", "acme/shop#43", NOON + timedelta(minutes=5)),
    ]
    assert len(sightings_since(database, NOON + timedelta(minutes=1))) == 2


def test_rescues_are_kept_by_signature_and_repository(database: Engine) -> None:
    def rescue(signature: str, repository: str, number: int, passed: bool) -> None:
        record_rescue(database, signature, repository, pipeline_key=f"{repository}#{number}", passed=passed, at=NOON)

    rescue("npm-network", "acme/shop", 1, True)
    rescue("npm-network", "acme/shop", 1, True)
    rescue("npm-network", "acme/shop", 2, False)
    rescue("npm-network", "acme/shop", 3, True)
    rescue("npm-network", "acme/till", 4, False)
    rescue("git-network", "acme/shop", 5, False)
    assert rescue_record(database, "npm-network", "acme/shop", NOON) == RescueRecord(passed=2, failed=1)
    assert rescue_record(database, "npm-network", "acme/till", NOON) == RescueRecord(passed=0, failed=1)
    assert rescue_record(database, "pip-network", "acme/shop", NOON) == RescueRecord(passed=0, failed=0)


def test_old_rescues_no_longer_count(database: Engine) -> None:
    record_rescue(database, "npm-network", "acme/shop", pipeline_key="acme/shop#1", passed=False, at=NOON)
    later = NOON + RESCUES_COUNT_FOR
    assert rescue_record(database, "npm-network", "acme/shop", later - timedelta(seconds=1)).failed == 1
    assert rescue_record(database, "npm-network", "acme/shop", later).failed == 0


def test_forgetting_deletes_only_what_is_older(database: Engine) -> None:
    record_sighting(database, Sighting("npm-network", "acme/shop#1", NOON))
    record_sighting(database, Sighting("npm-network", "acme/shop#2", NOON + timedelta(days=2)))
    record_rescue(database, "npm-network", "acme/shop", pipeline_key="acme/shop#1", passed=True, at=NOON)
    assert forget_before(database, NOON + timedelta(days=1)) == 2
    assert [sighting.pipeline_key for sighting in sightings_since(database, NOON)] == ["acme/shop#2"]
    assert rescue_record(database, "npm-network", "acme/shop", NOON) == RescueRecord(passed=0, failed=0)


def test_a_host_that_no_re_run_got_past_is_known_in_the_whole_workspace(database: Engine) -> None:
    def rescue(repository: str, number: int, passed: bool, host: str) -> None:
        at = NOON + timedelta(minutes=number)
        key = f"{repository}#{number}"
        record_rescue(database, "maven-network", repository, pipeline_key=key, passed=passed, at=at, host=host)

    later = NOON + timedelta(hours=1)
    rescue("acme/shop", 1, True, "nexus.acme-corp.net")
    assert not host_stays_broken(database, "acme", "nexus.acme-corp.net", later)
    rescue("acme/shop", 2, False, "nexus.acme-corp.net")
    assert host_stays_broken(database, "acme", "nexus.acme-corp.net", later)
    assert not host_stays_broken(database, "other", "nexus.acme-corp.net", later)
    assert not host_stays_broken(database, "acme", "git.acme-corp.net", later)
    assert not host_stays_broken(database, "acme", "", later)
    assert not host_stays_broken(database, "acme", "nexus.acme-corp.net", later + RESCUES_COUNT_FOR)
    rescue("acme/till", 3, True, "nexus.acme-corp.net")
    assert not host_stays_broken(database, "acme", "nexus.acme-corp.net", later)


def test_a_public_service_is_not_held_to_its_bad_hour(database: Engine) -> None:
    key = "acme/shop#1"
    record_rescue(
        database, "npm-network", "acme/shop", pipeline_key=key, passed=False, at=NOON, host="registry.npmjs.org"
    )
    assert not host_stays_broken(database, "acme", "registry.npmjs.org", NOON + timedelta(hours=1))
