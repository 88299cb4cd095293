"""Wishes about builds of which a word may change what is meant: asked back, and never about another build instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from demo.bitbucket.hour import furnish, play
from opscrew.memory.conversations import Conversations
from tests.support import cluster_of_workloads
from tests.support.http_answers import http_answers
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch

pytestmark = pytest.mark.usefixtures("unhurried")

MINUTES = 14


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BitbucketWatch]:
    """payments has failed on main (#1) and on refunds (#2), infra on main."""
    with bitbucket_watch(tmp_path_factory.mktemp("builds"), policy={"rerun_pipeline": "approve"}) as made:
        furnish(made.world)
        for minute in range(MINUTES):
            play(made.world, minute)
            made.round()
        yield made


def wish(watch: BitbucketWatch, text: str, before: Answer | None = None) -> Answer:
    book = Conversations(watch.context.engine, watch.context.clock)
    return answer_question(watch.context, Question(text, book.get(before.conversation) if before else None, "ada"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("re-run payments", 2),
        ("please re-run the failed build of acme/payments", 2),
        ("re-run payments on main", 1),
        ("re-run payments main", 1),
        ("could you run payments #1 again?", 1),
        ("run payments 1 again, it was a blip", 1),
    ],
)
def test_a_wish_that_is_clear_is_proposed(watch: BitbucketWatch, text: str, number: int) -> None:
    (record,) = wish(watch, text).actions
    assert (record.action.target.scope, record.action.parameters["build_number"]) == ("acme/payments", number)


@pytest.mark.parametrize(
    "text",
    """re-run payments and infra; re-run payments #1 and #2; re-run payments 1 and 2; re-run payments twice
    re-run payments 3 times; re-run every failed build of payments; re-run payments develop; re-run payments step 1
    re-run the tests of payments; re-run the passed build of payments; re-run the first build of payments
    re-run payments tomorrow; re-run payments if infra passes; re-run payments?; re-run zorbax/payments
    run payments locally; run a query on payments; run the numbers for payments; start a new build of payments
    delete payments run; stop the payments deployment; run the payments pods again; restart all deployments in payments
    restart something in payments; never re-run payments; you should not re-run payments; re-run all failed
    run time of payments?; start time of payments; why was payments re-run?""".replace("\n", ";").split(";"),
)
def test_a_wish_of_which_a_word_is_not_understood_is_asked_back(watch: BitbucketWatch, text: str) -> None:
    assert wish(watch, text.strip()).actions == ()


@pytest.mark.parametrize(
    "next_turn", ["re-run them", "re-run all", "re-run infra and it", "re-run it and infra", "don't re-run it"]
)
def test_in_a_conversation_too(watch: BitbucketWatch, next_turn: str) -> None:
    assert wish(watch, next_turn, wish(watch, "why did payments #1 fail?")).actions == ()


def test_the_build_beside_the_one_that_was_spoken_of_can_be_meant(watch: BitbucketWatch) -> None:
    (record,) = wish(watch, "re-run the next one", wish(watch, "why did payments #1 fail?")).actions
    assert record.action.parameters["build_number"] == 2


def test_a_repository_a_namespace_and_a_workload_of_one_name_are_told_apart(tmp_path: Path) -> None:
    with http_answers() as api:
        cluster_of_workloads.furnish(api)
        cluster = {"name": "prod", "kubeconfig": cluster_of_workloads.kubeconfig(tmp_path, api.url)}
        with bitbucket_watch(tmp_path / "builds", kubernetes=[cluster]) as made:
            furnish(made.world)
            made.round()
            assert "shop is a repository and a namespace" in wish(made, "restart shop").text
            assert "payments is a repository and Deployment prod/shop/payments" in wish(made, "restart payments").text
            for text, name in (("restart cart in shop", "cart"), ("restart the payments deployment", "payments")):
                (record,) = wish(made, text).actions
                assert (record.action.kind, record.action.target.name) == ("restart_workload", name)
            assert wish(made, "restart cart and infra").actions == ()
            assert wish(made, "stop the payments deployment").actions == ()
