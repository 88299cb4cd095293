"""Wishes about workloads and volumes: the one that is named and there, or a question back; never a guess."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crews.ask import names as known_names
from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from crews.ask.requests import objects
from crews.runtime.context import CrewContext
from opscrew.memory.conversations import Conversations
from tests.support.asking import crew_at
from tests.support.cluster_of_workloads import APPS, furnish, kubeconfig
from tests.support.http_answers import Answers, hang, http_answers, status
from tests.support.kubernetes_objects import NOW

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
def api() -> Iterator[Answers]:
    with http_answers() as running:
        furnish(running)
        yield running


@pytest.fixture
def crew(api: Answers, tmp_path: Path) -> Iterator[CrewContext]:
    with crew_at(NOW, tmp_path, kubernetes=[{"name": "prod", "kubeconfig": kubeconfig(tmp_path, api.url)}]) as made:
        yield made


def wish(crew: CrewContext, text: str, before: Answer | None = None) -> Answer:
    said = Conversations(crew.engine, crew.clock).get(before.conversation) if before else None
    return answer_question(crew, Question(text, said, "ada"))


@pytest.mark.parametrize(
    ("text", "kind", "target", "parameters"),
    [
        ("restart cart", "restart_workload", "Deployment prod/shop/cart", {}),
        ("please restart the deployment payments", "restart_workload", "Deployment prod/shop/payments", {}),
        ("bounce search db", "restart_workload", "StatefulSet prod/shop/search-db", {}),
        ("restart ci-cache", "restart_workload", "DaemonSet prod/shop/ci-cache", {}),
        ("restart web in stage", "restart_workload", "Deployment prod/stage/web", {}),
        ("restart cart because it hangs", "restart_workload", "Deployment prod/shop/cart", {}),
        ("can you restart 'Cart' in prod?", "restart_workload", "Deployment prod/shop/cart", {}),
        ("restart shop/cart", "restart_workload", "Deployment prod/shop/cart", {}),
        ("restart cart worker", "restart_workload", "Deployment prod/shop/cart-worker", {}),
        ("restart database", "restart_workload", "Deployment prod/shop/database", {}),
        ("restart test", "restart_workload", "Deployment prod/shop/test", {}),
        ("restart the build deployment", "restart_workload", "Deployment prod/shop/build", {}),
        ('restart "all"', "restart_workload", "Deployment prod/shop/all", {}),
        ("scale cart to 5", "scale_workload", "Deployment prod/shop/cart", {"replicas": 5}),
        ("scale worker 3 to 4", "scale_workload", "Deployment prod/shop/worker-3", {"replicas": 4}),
        ("scale cart 3 replicas", "scale_workload", "Deployment prod/shop/cart", {"replicas": 3}),
        ("scale the web deployment in shop to 3 pods", "scale_workload", "Deployment prod/shop/web", {"replicas": 3}),
        ("roll back cart", "roll_back_workload", "Deployment prod/shop/cart", {"to_revision": 3}),
        ("roll cart back to revision 3", "roll_back_workload", "Deployment prod/shop/cart", {"to_revision": 3}),
        ("expand data-db-0 to 50 GiB", "expand_pvc", "PersistentVolumeClaim prod/shop/data-db-0",
         {"from_gib": 10, "to_gib": 50}),
        ("enlarge the volume logs in stage to 1Ti", "expand_pvc", "PersistentVolumeClaim prod/stage/logs",
         {"from_gib": 10, "to_gib": 1024}),
    ],
)  # fmt: skip
def test_a_healthy_object_is_found_where_it_is(
    crew: CrewContext, text: str, kind: str, target: str, parameters: dict[str, int]
) -> None:
    answer = wish(crew, text)
    (record,) = answer.actions
    found = record.action
    assert (found.kind, f"{found.target.kind} {found.target.scope}/{found.target.name}") == (kind, target)
    assert found.parameters == parameters
    assert record.state == "waiting"
    assert f"crew actions approve {record.id}" in answer.text
    assert "know nothing named" not in answer.text
    for number in parameters.values():
        assert str(number) in answer.text or number == 10
    assert wish(crew, text).actions[0].id == record.id, "asked again within the hour is the same wish"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("restart web", "several are named so: Deployment prod/shop/web, Deployment prod/stage/web"),
        ("restart crat", "name a workload"),
        ("restart cart in zorbax", "name a workload"),
        ("restart cart in stage", "name a workload"),
        ("restart the shipping deployment", "name a workload"),
        ("restart asleep", "scaled to zero"),
        ("scale cart", "say to how many replicas"),
        ("scale cart to 90", "at most 50"),
        ("scale cart to 0", "at least 1"),
        ("scale ci-cache to 3", "not on DaemonSet"),
        ("roll back web in stage", "remembers no earlier revision of web"),
        ("roll back cart to revision 99", "no longer remembers revision 99"),
        ("expand data-db-0", "say to which size"),
        ("expand data-db-0 to 5 GiB", "a volume can only grow"),
        ("expand logs to 50 GiB", "several are named so"),
        ("expand the volume nothing-0 to 50 GiB", "name a volume claim"),
        ("restart #42", "Bitbucket is not configured"),
    ],
)
def test_what_is_not_clear_or_not_possible_is_said_and_not_proposed(crew: CrewContext, text: str, said: str) -> None:
    answer = wish(crew, text)
    assert said in " ".join(answer.text.split())
    assert not [one for one in answer.actions if one.state != "refused"]


@pytest.mark.parametrize(
    "text",
    """restart everything; restart all; restart all pods in shop; restart every cart; restart carts
    restart all but cart; restart cart and payments; restart cart or payments; restart cart, payments
    restart cart and scale it to 5; restart not cart; restart cart, not payments; you should not restart cart
    can you not restart cart?; restart cart?; would you restart cart?; could you explain how to restart cart?
    restart count of cart; restart cart tomorrow; restart cart at 5pm; restart cart in 10 minutes
    restart cart after the release; restart cart if it hangs; restart cart unless it is well
    restart cart because it hangs, but not before noon; restart one pod of cart; restart 2 pods of cart
    restart cart twice; restart the other cart; restart cart2; restart cart v2
    restart stage/cart; restart cart on zorbax; restart cart from stage; restart cärt
    restart the cluster prod; restart the cart statefulset; restart node cart; restart data base
    scale cart by 2; scale cart by 2 replicas; scale cart up; scale cart to 50%; scale cart to 5 percent
    scale cart to 5.5; scale cart to 1,000; scale cart to 5-10; scale cart to 5 or 6; scale cart from 2 to 5
    scale cart to 3 more replicas; scale cart to 5 cpu; scale cart to 5k; scale cart to -3; scale cart to 5 and web to 3
    scale cart and payments to 5; scale cart to 5 for 2 hours
    roll back cart?; roll back cart to 3; roll back cart by 2 revisions; roll back cart to yesterday
    roll back cart to revision 3 or 4; undo the rollback of cart; roll back everything; undo that
    expand data-db-0 to 50; expand data-db-0 to 0.5Ti; expand data-db-0 to 1,5 Ti; expand data-db-0 by 50 GiB
    expand data-db-0 from 10Gi to 50Gi; expand data-db-0 to 50Gi or 60Gi; expand data-db-0 to 50Gi-60Gi
    expand data-db-0 to 50Gi tomorrow; expand all volumes to 50Gi; expand data-db-0 and logs to 50Gi""".replace(
        "\n", ";"
    ).split(";"),
)
def test_a_wish_of_which_a_word_is_not_understood_is_asked_back(crew: CrewContext, text: str) -> None:
    answer = wish(crew, text.strip())
    assert answer.actions == (), answer.text


@pytest.mark.parametrize(
    "text",
    """did you restart cart?; can I restart cart?; should we scale cart to 5?; who restarted cart?
    is it safe to roll back cart?; don't restart cart; please do not restart cart; what would happen if I restart cart?
    please tell me why you restart cart; kill or keep cart?; restart policy of cart; start date of cart?""".replace(
        "\n", ";"
    ).split(";"),
)
def test_a_question_is_no_wish(crew: CrewContext, text: str) -> None:
    answer = wish(crew, text.strip())
    assert answer.intent != "act"
    assert answer.actions == ()


@pytest.mark.parametrize("taken_back", ["undo that", "cancel that", "stop it", "stop", "no", "no, don't", "wait, no"])
def test_to_take_a_wish_back_does_nothing_else_to_its_target(crew: CrewContext, taken_back: str) -> None:
    assert wish(crew, taken_back, wish(crew, "restart cart")).actions == ()


def test_what_stood_in_doubt_still_does_once_the_name_is_corrected(crew: CrewContext) -> None:
    for doubtful in ("restart web tomorrow", "restart everything", "restart web and zorbax unless they are well"):
        assert wish(crew, "no, cart", wish(crew, doubtful)).actions == ()
    for clear in ("restart crat", "restart web"):
        assert wish(crew, "no, cart", wish(crew, clear)).actions


def test_a_correction_says_where_and_which(crew: CrewContext) -> None:
    unclear = wish(crew, "restart web")
    (record,) = wish(crew, "in stage", unclear).actions
    assert (record.action.kind, record.action.target.scope) == ("restart_workload", "prod/stage")
    other = wish(crew, "no, the one in shop", unclear)
    assert [one.action.target.scope for one in other.actions] == ["prod/shop"]


@pytest.mark.parametrize("other", ["restart shipping", "scale the billing deployment to 9", "roll back zorbax in shop"])
def test_another_thing_that_is_not_known_is_not_the_one_that_was_talked_about(crew: CrewContext, other: str) -> None:
    first = wish(crew, "is cart healthy?")
    (record,) = wish(crew, "scale it to 5", first).actions
    assert record.action.target.name == "cart"
    assert wish(crew, other, first).actions == ()


def test_what_waits_already_is_named_again_and_not_proposed_twice(crew: CrewContext) -> None:
    first = wish(crew, "restart cart")
    again = wish(crew, "do it", first)
    assert [one.id for one in again.actions] == [one.id for one in first.actions]
    assert "crew actions approve" in again.text


def test_several_that_wait_are_listed_for_a_bare_do_it(crew: CrewContext) -> None:
    wish(crew, "restart cart")
    wish(crew, "restart payments")
    answer = wish(crew, "do it")
    assert "several wait for approval" in answer.text
    assert answer.actions == ()


def test_a_cluster_that_refuses_or_hangs_is_named_and_nothing_is_proposed(
    api: Answers, crew: CrewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.by_path[f"{APPS}/statefulsets"] = status(403, "forbidden")
    answer = wish(crew, "restart cart")
    assert answer.actions == ()
    assert "Nothing is proposed: " in answer.text
    assert "403" in answer.text
    monkeypatch.setattr(objects, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(known_names, "ASK_SECONDS", 1.0)
    api.by_path[f"{APPS}/statefulsets"] = hang
    assert "the cluster prod does not answer" in wish(crew, "restart cart").text


def test_without_a_cluster_it_is_said(tmp_path: Path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        assert "no cluster is configured" in wish(crew, "scale cart to 3").text
        assert "no cluster is configured" in wish(crew, "expand data-db-0 to 50 GiB").text
        assert "Alertmanager is not configured" in wish(crew, "silence DiskFull").text
