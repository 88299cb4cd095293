"""Outages over real HTTP: what they name, what they hold back, and that only a pass ends them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opscrew.ci.rerun.outage import QUIET
from opscrew.model.finding import Finding
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch

SLUGS = tuple(f"service{number}" for number in range(8))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        for slug in SLUGS:
            running.world.add_repository(slug, "python")
        running.round()
        yield running


def begin(watch: BitbucketWatch) -> None:
    for slug in SLUGS:
        watch.world.push(slug, "outage")
    watch.rounds(4)
    assert codes(watch) == ["CI_OUTAGE"]


def codes(watch: BitbucketWatch) -> list[str]:
    return sorted(entry.finding.code for entry in watch.ledger.open())


def told(watch: BitbucketWatch, code: str) -> Finding:
    (entry,) = watch.ledger.list(code=code)
    return entry.finding


def reruns(watch: BitbucketWatch) -> int:
    runs = [run for slug in SLUGS for run in watch.world.repositories[slug].runs]
    return sum(run.creator == "Crew" for run in runs)


def test_a_failure_of_its_signature_that_it_does_not_name_stays_a_finding(tmp_path) -> None:
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "off"}) as watch:
        for slug in (*SLUGS, "older"):
            watch.world.add_repository(slug, "python")
        watch.world.push("older", "outage")
        watch.rounds(3)
        assert codes(watch) == ["CI_RERUN_IMPOSSIBLE"]
        watch.clock.forward(hours=1)
        for slug in SLUGS:
            watch.world.push(slug, "outage")
        watch.rounds(5)
        assert codes(watch) == ["CI_OUTAGE", "CI_RERUN_IMPOSSIBLE"]
        assert told(watch, "CI_RERUN_IMPOSSIBLE").subject.scope == "acme/older"
        outage = told(watch, "CI_OUTAGE")
        assert len(outage.details["pipelines"]) == 8
        assert "acme/older#1" not in str(outage)
        assert all(f"acme/{slug}#1" in outage.evidence[0].text for slug in SLUGS)


def test_pipelines_beyond_those_that_it_names_stay_findings(watch, monkeypatch) -> None:
    monkeypatch.setattr("crews.ci_watch.decisions.PIPELINES_NAMED", 6)
    for slug in SLUGS:
        watch.world.push(slug, "outage")
    watch.rounds(4)
    assert codes(watch) == ["CI_OUTAGE", "CI_TRANSIENT_NETWORK", "CI_TRANSIENT_NETWORK"]
    for entry in watch.ledger.list(code="CI_TRANSIENT_NETWORK"):
        assert "Not run again while" in entry.finding.cause
    assert reruns(watch) == 0


def test_it_ends_as_soon_as_what_follows_passes_and_the_re_runs_go_out(watch) -> None:
    begin(watch)
    watch.world.end_outage()
    watch.world.push("service3", "passing")
    watch.rounds(4)
    assert "CI_OUTAGE" not in codes(watch)
    assert reruns(watch) == 7, "all but the one that a newer push has replaced"
    watch.rounds(4)
    assert codes(watch) == []


def test_what_passes_elsewhere_or_before_the_step_that_failed_ends_nothing(watch) -> None:
    begin(watch)
    watch.world.add_repository("elsewhere")
    watch.world.push("elsewhere", "passing")
    watch.world.push("service1", "no_definition", branch="docs")
    watch.rounds(6)
    assert codes(watch).count("CI_OUTAGE") == 1
    assert reruns(watch) == 0


def test_silence_ends_nothing_and_one_re_run_at_a_time_tries(watch) -> None:
    begin(watch)
    for _ in range(3):
        before = reruns(watch)
        watch.clock.forward(seconds=QUIET.total_seconds())
        watch.rounds(8)
        assert "CI_OUTAGE" in codes(watch)
        assert reruns(watch) == before + 1, "the one that tries fails again, and the others wait"
    watch.world.end_outage()
    watch.clock.forward(seconds=QUIET.total_seconds())
    watch.rounds(8)
    assert "CI_OUTAGE" not in codes(watch)
    assert reruns(watch) == 8


def test_a_weekend_without_any_pipeline_ends_nothing(watch) -> None:
    begin(watch)
    watch.clock.forward(hours=60)
    watch.rounds(4)
    assert codes(watch).count("CI_OUTAGE") == 1
    assert reruns(watch) == 0, "by now nobody waits for them"
    watch.world.push("service0", "passing")
    watch.rounds(5)
    assert "CI_OUTAGE" not in codes(watch)
