"""Which builds a question gets to see: all of the time that it names, and of every repository that it names."""

from collections.abc import Iterator

import pytest

from tests.support.asking import ask, told
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch

pytestmark = pytest.mark.usefixtures("unhurried")

BUSY = 120
"""Builds of one day, more than a page of the API holds."""


@pytest.fixture(scope="module")
def watch(tmp_path_factory) -> Iterator[BitbucketWatch]:
    """Two failures in shop three days ago, then a very busy day; payments failed once, web passed."""
    with bitbucket_watch(tmp_path_factory.mktemp("pipelines"), memory={"embedding": "none"}) as made:
        for slug in ("shop", "payments", "web"):
            made.world.add_repository(slug)
        for _ in range(2):
            made.world.push("shop", "failing")
        made.clock.forward(minutes=3 * 24 * 60)
        for _ in range(BUSY):
            made.world.push("shop", "passing")
        made.world.push("payments", "failing")
        made.world.push("web", "passing")
        made.clock.forward(minutes=120)
        yield made


def test_builds_of_a_past_day_are_found_behind_those_of_a_busy_day(watch) -> None:
    answer = ask(watch.context, "what failed in shop 3 days ago?")
    assert "acme/shop: 2 builds, 2 failed" in told(answer)


def test_a_busy_day_is_counted_whole(watch) -> None:
    assert f"acme/shop: {BUSY} builds, {BUSY} passed" in told(ask(watch.context, "did the builds of shop pass today?"))


def test_every_repository_that_is_named_is_asked(watch) -> None:
    answer = ask(watch.context, "did payments and web pass today?")
    assert "acme/payments: 1 build, 1 failed" in told(answer)
    assert "acme/web: 1 build, 1 passed" in told(answer)
    assert "acme/shop" not in told(answer)
