"""A finding of the CI watch is one failure's life: its own start, its appearances, and an end that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opscrew.findings.life import FindingState
from opscrew.findings.records import LedgerEntry
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop", "python")
        yield running


def only_open(watch: BitbucketWatch) -> LedgerEntry:
    (entry,) = watch.ledger.open()
    return entry


def push(watch: BitbucketWatch, fate: str, rounds: int = 4) -> None:
    watch.world.push("shop", fate)
    watch.rounds(rounds)


def test_the_same_failure_in_the_next_build_is_the_same_finding_and_appears_once_more(watch) -> None:
    push(watch, "failing", rounds=10)
    first = only_open(watch)
    assert first.occurrences == 1, "ten looks at one failed build"
    push(watch, "failing", rounds=10)
    later = only_open(watch)
    assert (later.fingerprint, later.first_seen, later.occurrences) == (first.fingerprint, first.first_seen, 2)
    assert later.finding.details["build_number"] == 2


def test_another_failure_of_the_branch_is_a_new_finding_with_its_own_start(watch) -> None:
    push(watch, "failing")
    first = only_open(watch)
    push(watch, "persistent")
    second = only_open(watch)
    assert second.fingerprint != first.fingerprint
    assert second.first_seen > first.last_seen
    assert second.occurrences == 1
    assert watch.ledger.get(first.fingerprint).state is FindingState.RESOLVED


def test_a_blip_whose_re_run_fails_is_one_finding_from_the_first_failed_build_on(watch) -> None:
    push(watch, "flaky_twice", rounds=2)
    blip = only_open(watch)
    assert blip.finding.code == "CI_TRANSIENT_NETWORK"
    watch.rounds(8)
    failed = only_open(watch)
    assert failed.finding.code == "CI_RERUN_FAILED"
    assert (failed.fingerprint, failed.first_seen, failed.occurrences) == (blip.fingerprint, blip.first_seen, 2)
    assert watch.ledger.list([FindingState.RESOLVED]) == [], "nothing was over in between"


def test_what_returns_after_a_pass_begins_anew_and_in_the_end_flaps(watch) -> None:
    push(watch, "failing")
    first = only_open(watch)
    push(watch, "passing", rounds=5)
    assert watch.ledger.open() == []
    push(watch, "failing")
    second = only_open(watch)
    assert second.fingerprint == first.fingerprint
    assert second.state is FindingState.ONGOING
    assert (second.first_seen > first.last_seen, second.occurrences) == (True, 1)
    push(watch, "passing", rounds=5)
    push(watch, "failing")
    assert only_open(watch).state is FindingState.FLAPPING


def test_a_pass_between_two_looks_ends_a_failure_as_well(watch) -> None:
    push(watch, "failing")
    first = only_open(watch)
    watch.world.push("shop", "passing")
    watch.clock.forward(minutes=10)
    watch.world.push("shop", "failing")
    watch.clock.forward(minutes=10)
    watch.rounds(2)
    again = only_open(watch)
    assert again.fingerprint == first.fingerprint
    assert again.first_seen > first.last_seen
    changes = [one.change for one in watch.ledger.history(first.fingerprint)]
    assert changes == ["appeared", "gone", "appeared"]


def test_what_fails_anew_and_cannot_be_read_yet_does_not_bring_back_what_is_over(watch) -> None:
    push(watch, "failing")
    first = only_open(watch)
    watch.world.push("shop", "passing")
    watch.clock.forward(minutes=10)
    watch.world.push("shop", "persistent")
    watch.clock.forward(minutes=10)
    watch.world.faults.add("error", path="/steps/", times=6)
    watch.rounds(2)
    assert watch.ledger.open() == []
    watch.rounds(2)
    assert only_open(watch).fingerprint != first.fingerprint
    assert [one.change for one in watch.ledger.history(first.fingerprint)] == ["appeared", "gone"]


def test_a_failure_in_a_step_that_the_next_build_did_not_get_to_is_not_over(watch) -> None:
    push(watch, "deploy_flaky")
    deploy = only_open(watch)
    assert deploy.finding.details["step"] == "Deploy"
    push(watch, "failing")
    both = {entry.finding.details["step"]: entry for entry in watch.ledger.open()}
    assert set(both) == {"Deploy", "Test"}
    assert both["Deploy"].fingerprint == deploy.fingerprint
    push(watch, "failing")
    assert len(watch.ledger.open()) == 2, "and it is kept from build to build"
    push(watch, "deploy_flaky")
    again = only_open(watch)
    assert (again.fingerprint, again.first_seen, again.occurrences) == (deploy.fingerprint, deploy.first_seen, 2)
    push(watch, "failing")
    push(watch, "waiting")
    assert only_open(watch).fingerprint == deploy.fingerprint, "it passed the test, and waits before the deployment"
    push(watch, "passing", rounds=6)
    assert watch.ledger.open() == []


def test_what_could_not_be_read_ends_nothing(watch) -> None:
    push(watch, "failing")
    first = only_open(watch)
    watch.world.push("shop", "persistent")
    watch.clock.forward(minutes=2)
    watch.world.faults.add("error", path="/steps/", times=3)
    watch.round()
    assert only_open(watch).fingerprint == first.fingerprint
    watch.rounds(3)
    assert only_open(watch).fingerprint != first.fingerprint
