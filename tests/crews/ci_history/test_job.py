"""The job over real HTTP: what is new, the past page by page, the steps, and never more requests than are left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crews.ci_history import job
from crews.ci_history.older import MOST_TRIES, page_for
from opscrew.ci_history.coverage import FIRST, load_coverage
from opscrew.model.run import Run, RunOutcome
from opscrew.store.tables.ci_history import ci_pipelines, ci_steps
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop", "python")
        yield running


def history(watch: BitbucketWatch, minutes: float = 5) -> Run:
    watch.clock.forward(minutes=minutes)
    return job.run(watch.context)


def stored(watch: BitbucketWatch, slug: str = "shop") -> list[int]:
    column = ci_pipelines.c
    query = select(column.number).where(column.repository == f"acme/{slug}").order_by(column.number)
    with watch.context.engine.connect() as connection:
        return list(connection.execute(query).scalars())


def count_steps(watch: BitbucketWatch) -> int:
    with watch.context.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(ci_steps)).scalar_one()


def push(watch: BitbucketWatch, count: int, slug: str = "shop", fate: str = "passing") -> None:
    for _ in range(count):
        watch.world.push(slug, fate)
        watch.clock.forward(minutes=20)


def test_a_repository_is_known_with_its_steps_after_a_few_runs(watch) -> None:
    push(watch, 30)
    push(watch, 3, fate="failing")
    ran = history(watch)
    assert ran.outcome is RunOutcome.OK, ran.summary
    history(watch)
    assert stored(watch) == list(range(1, 34))
    assert load_coverage(watch.context.engine)["acme/shop"].complete_since == FIRST
    with watch.context.engine.connect() as connection:
        read = connection.execute(select(ci_pipelines.c.steps, func.count()).group_by(ci_pipelines.c.steps)).all()
        tests = connection.execute(select(ci_steps.c.tests_failed).where(ci_steps.c.state == "failed")).scalars().all()
        queues = set(connection.execute(select(ci_steps.c.queue_seconds)).scalars()) - {None}
    assert [tuple(row) for row in read] == [("read", 33)]
    assert len(tests) == 3
    assert queues
    assert max(queues) <= 5, "the sandbox starts a step 4 s after what it waited for"


def test_the_past_is_read_newest_first_and_goes_on_after_a_restart(watch, monkeypatch) -> None:
    push(watch, 350)
    monkeypatch.setattr(job, "allowance", lambda *given: 2)
    known, runs = [], 0
    while len(stored(watch)) < 350:
        history(watch, minutes=1)
        known.append(stored(watch))
        runs += 1
        assert runs < 30, known[-1]
    assert known[0][-1] == 350
    assert all(numbers == list(range(numbers[0], 351)) for numbers in known), "nothing is left out in between"
    since = load_coverage(watch.context.engine)["acme/shop"]
    assert since.is_whole or since.complete_since is not None


def test_what_begins_while_the_past_is_read_leaves_no_gap(watch, monkeypatch) -> None:
    push(watch, 250)
    monkeypatch.setattr(job, "allowance", lambda *given: MOST_TRIES + 1)
    history(watch)
    push(watch, 140)
    for _ in range(12):
        history(watch, minutes=31)
    assert stored(watch) == list(range(1, 391))
    assert load_coverage(watch.context.engine)["acme/shop"].is_whole


def test_pages_that_are_shorter_than_asked_for_are_followed_too(watch, monkeypatch) -> None:
    client = watch.context.systems.bitbucket
    page = client.pipelines_page
    monkeypatch.setattr(client, "pipelines_page", lambda repo, number, length: page(repo, number, min(length, 30)))
    push(watch, 130)
    for _ in range(8):
        history(watch, minutes=31)
    assert stored(watch) == list(range(1, 131))


def test_lists_that_tell_neither_next_nor_size_are_read_to_their_end(watch) -> None:
    """As recorded, and as clients of the API report it: behind the last page comes an empty object."""
    watch.world.pages_tell_next = False
    push(watch, 200)
    for _ in range(6):
        history(watch, minutes=31)
    assert stored(watch) == list(range(1, 201))
    assert load_coverage(watch.context.engine)["acme/shop"].complete_since == FIRST


def test_steps_that_were_run_again_in_place_are_read_again(watch) -> None:
    """Bitbucket keeps pipeline, number and creation time; whoever reads only what is new would keep the failure."""
    run = watch.world.push("shop", "flaky")
    watch.clock.forward(minutes=30)
    history(watch)
    history(watch)
    assert (states_of(watch), steps_of(watch)) == (["failed"], 1)
    run.repeated_at.append(watch.clock())
    watch.clock.forward(minutes=30)
    history(watch, minutes=31)
    history(watch)
    assert states_of(watch) == ["passed"]
    assert steps_of(watch) == 1, "the run that failed stays beside the one that passed"
    with watch.context.engine.connect() as connection:
        assert connection.execute(select(ci_pipelines.c.failed_before)).scalar_one()


def states_of(watch: BitbucketWatch) -> list[str]:
    with watch.context.engine.connect() as connection:
        return list(connection.execute(select(ci_pipelines.c.state)).scalars())


def steps_of(watch: BitbucketWatch) -> int:
    """Runs of steps that failed."""
    query = select(func.count()).select_from(ci_steps).where(ci_steps.c.state == "failed")
    with watch.context.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def test_no_request_is_sent_where_the_hour_has_little_left(watch) -> None:
    push(watch, 5)
    client = watch.context.systems.bitbucket
    watch.clock.forward(hours=2)
    while client.budget.remaining > 0.35 * client.budget.limit:
        client.ping()
    before = client.budget.remaining
    ran = job.run(watch.context)
    assert client.budget.remaining == before
    assert ran.outcome is RunOutcome.OK
    assert ran.summary.startswith("0 requests")


def test_a_refused_repository_is_said_and_does_not_keep_the_others(watch) -> None:
    watch.world.add_repository("secret", "python")
    push(watch, 2)
    push(watch, 2, slug="secret")
    watch.rounds(2)
    del watch.world.repositories["secret"]
    ran = history(watch, minutes=40)
    assert ran.outcome is RunOutcome.PARTIAL
    assert "secret" in ran.summary
    assert load_coverage(watch.context.engine)["acme/secret"].refused
    push(watch, 1)
    history(watch, minutes=40)
    assert stored(watch) == [1, 2, 3]


@pytest.mark.parametrize("place", [0, 1, 49, 50, 98, 99, 100, 101, 199, 4_949, 5_049, 123_456])
def test_a_page_back_holds_what_is_known_and_much_more(place: int) -> None:
    number, length = page_for(place, 100)
    first = (number - 1) * length
    assert first <= place < first + length <= first + 100
    assert first + length - place > 45


def test_the_watch_keeps_what_it_sees_at_no_request_of_its_own(watch) -> None:
    push(watch, 3, fate="failing")
    watch.rounds(3)
    assert stored(watch) == [1, 2, 3]
    assert load_coverage(watch.context.engine)["acme/shop"].complete_since == FIRST
    assert count_steps(watch) == 0


def test_a_pipeline_that_waits_is_asked_for_again_until_it_is_over(watch) -> None:
    run = watch.world.push("shop", "waiting")
    history(watch)
    push(watch, 120)
    run.approved_at = watch.clock()
    watch.clock.forward(hours=7)
    history(watch)
    history(watch)
    with watch.context.engine.connect() as connection:
        first = connection.execute(select(ci_pipelines.c.state).where(ci_pipelines.c.number == 1)).scalar_one()
    assert first == "passed"


def test_what_is_older_than_is_kept_is_neither_read_nor_claimed(watch, tmp_path) -> None:
    push(watch, 4)
    watch.clock.forward(days=401)
    push(watch, 2)
    history(watch)
    assert stored(watch) == [5, 6]
    since = load_coverage(watch.context.engine)["acme/shop"].complete_since
    assert since is not None
    assert watch.clock() - since < timedelta(days=400, minutes=10)
