"""When Bitbucket limits, breaks or answers oddly, nothing unread is told as known, and the next run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crews.ci_history import job
from opscrew.ci_history.coverage import FIRST, load_coverage
from opscrew.model.run import Run, RunOutcome
from opscrew.store.tables.ci_history import ci_pipelines
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop", "python")
        for _ in range(130):
            running.world.push("shop", "passing")
            running.clock.forward(minutes=20)
        running.rounds(1)
        yield running


def history(watch: BitbucketWatch, minutes: float = 31) -> Run:
    watch.clock.forward(minutes=minutes)
    return job.run(watch.context)


def count(watch: BitbucketWatch) -> int:
    with watch.context.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(ci_pipelines)).scalar_one()


@pytest.mark.parametrize("kind", ["limited", "error", "truncated", "wrong_json", "odd_json", "html", "drop_before"])
def test_a_run_that_cannot_read_says_so_and_the_next_goes_on(watch: BitbucketWatch, kind: str) -> None:
    before = load_coverage(watch.context.engine)["acme/shop"]
    watch.world.faults.add(kind, path="/pipelines", times=-1)
    ran = history(watch)
    assert ran.outcome is RunOutcome.PARTIAL
    assert ran.read_nothing
    after = load_coverage(watch.context.engine)["acme/shop"]
    assert (after.complete_since, after.seen_until) == (before.complete_since, before.seen_until)
    assert count(watch) == 50, "what the watch has seen"
    watch.world.faults.clear()
    for _ in range(3):
        history(watch, minutes=400)
    assert count(watch) == 130
    assert load_coverage(watch.context.engine)["acme/shop"].complete_since == FIRST


def test_an_entry_that_cannot_be_read_leaves_no_silent_gap(watch: BitbucketWatch) -> None:
    def spoil(entry: dict) -> dict:
        return {name: value for name, value in entry.items() if name != "created_on" or entry.get("build_number") != 40}

    watch.world.reshape = spoil
    ran = history(watch)
    assert ran.outcome is RunOutcome.PARTIAL
    assert "created_on" in ran.summary
    known = load_coverage(watch.context.engine)["acme/shop"]
    assert known.complete_since is not None
    assert known.complete_since > watch.clock() - timedelta(minutes=20 * 135)
    assert not known.is_whole


def test_steps_that_are_gone_are_not_asked_for_for_ever(watch: BitbucketWatch) -> None:
    watch.world.faults.add("refused", path="/steps", status=404, times=-1)
    history(watch)
    history(watch)
    with watch.context.engine.connect() as connection:
        told = dict(connection.execute(select(ci_pipelines.c.steps, func.count()).group_by(ci_pipelines.c.steps)).all())
    assert "read" not in told
    assert told["refused"] > 50
