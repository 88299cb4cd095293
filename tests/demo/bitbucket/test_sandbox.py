"""The sandbox itself: fates over time, its switches over HTTP, and its texts."""

from __future__ import annotations

import httpx
import pytest

from demo.bitbucket.logs import build_log, languages
from demo.bitbucket.scenarios import scenario, scenarios
from tests.support.bitbucket import Sandbox, sandbox

KINDS = ("passing", "flaky", "failing", "persistent", "outage")
ENDS = {
    "passing": ["SUCCESSFUL"],
    "flaky": ["FAILED", "SUCCESSFUL"],
    "flaky_twice": ["FAILED", "FAILED", "SUCCESSFUL"],
    "failing": ["FAILED", "FAILED", "FAILED"],
    "persistent": ["FAILED", "FAILED"],
    "outage": ["FAILED", "FAILED"],
    "memory": ["FAILED", "FAILED"],
    "timeout": ["FAILED", "FAILED"],
    "runner_lost": ["ERROR", "SUCCESSFUL"],
    "no_definition": ["FAILED", "FAILED"],
    "deploy_flaky": ["FAILED", "SUCCESSFUL"],
    "before_deploy_flaky": ["FAILED", "SUCCESSFUL"],
    "stopped": ["STOPPED", "SUCCESSFUL"],
    "secured": ["FAILED", "FAILED"],
    "with_variables": ["FAILED", "SUCCESSFUL"],
    "running": [""],
    "stuck": [""],
    "waiting": [""],
    "flaky_then_waiting": ["FAILED", ""],
    "same_names": ["FAILED", "SUCCESSFUL"],
    "same_names_then_waiting": [""],
    "halted": [""],
    "deploy_stopped": ["STOPPED", "SUCCESSFUL"],
    "flaky_then_halted": ["FAILED", ""],
    "flaky_then_failing": ["FAILED", "FAILED"],
}


@pytest.fixture(scope="module")
def shop() -> Sandbox:
    with sandbox() as box:
        box.world.add_repository("shop")
        yield box  # type: ignore[misc]


def test_every_scenario_is_tried_here() -> None:
    assert set(ENDS) == set(scenarios())
    with pytest.raises(KeyError, match="flaky_twice"):
        scenario("unheard_of")


@pytest.mark.parametrize("fate", ENDS)
def test_each_scenario_ends_as_written_attempt_by_attempt(shop: Sandbox, fate: str) -> None:
    run = shop.world.push("shop", fate)
    results = []
    for _ in ENDS[fate]:
        assert run.result(shop.clock()) == ""
        shop.clock.forward(hours=3)
        results.append(run.result(shop.clock()))
        run = shop.world.start("shop", run.target)
    assert results == ENDS[fate]


def test_an_outage_ends_for_new_attempts(shop: Sandbox) -> None:
    first = shop.world.push("shop", "outage")
    shop.clock.forward(minutes=5)
    shop.world.end_outage()
    second = shop.world.start("shop", first.target)
    shop.clock.forward(minutes=5)
    assert [run.result(shop.clock()) for run in (first, second)] == ["FAILED", "SUCCESSFUL"]
    shop.world.outage_is_over = False


def test_a_waiting_deployment_goes_on_when_approved(shop: Sandbox) -> None:
    run = shop.world.push("shop", "waiting")
    shop.clock.forward(minutes=10)
    assert run.stage(shop.clock()) == "PAUSED"
    run.approved_at = shop.clock()
    shop.clock.forward(seconds=20)
    assert run.stage(shop.clock()) == "RUNNING"
    shop.clock.forward(minutes=1)
    assert run.result(shop.clock()) == "SUCCESSFUL"


def test_stopping_in_the_middle_keeps_what_was_done(shop: Sandbox) -> None:
    run = shop.world.push("shop", "passing")
    shop.clock.forward(seconds=110)
    assert shop.world.stop(run, "Ada")
    shop.clock.forward(hours=1)
    assert [state.result for state in run.step_states(shop.clock())] == ["SUCCESSFUL", "STOPPED"]
    assert not shop.world.stop(run, "Ada")


def test_its_switches_work_over_http(shop: Sandbox) -> None:
    with httpx.Client(base_url=shop.url, timeout=60, trust_env=False) as http:
        assert "flaky" in http.get("/_sandbox/scenarios").json()
        pushed = http.post("/_sandbox/push", json={"repository": "shop", "scenario": "failing"}).json()
        assert shop.world.find_run("shop", pushed["uuid"]) is not None
        assert http.post("/_sandbox/push", json={"repository": "shop", "scenario": "x"}).status_code == 404
        assert http.post("/_sandbox/faults", json={"kind": "no such"}).status_code == 422
        http.post("/_sandbox/faults", json={"kind": "error", "times": -1, "status": 502})
        assert http.get("/2.0/repositories/acme").status_code == 502
        http.delete("/_sandbox/faults")
        assert http.get("/2.0/repositories/acme").status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "target is required"),
        ({"target": {"type": "pipeline_ref_target"}}, "ref_name"),
        ({"target": {"type": "pipeline_moon_target"}}, "Unknown target"),
        ({"target": {"type": "pipeline_pullrequest_target", "pullrequest": {"id": 99}}}, "pullrequest"),
    ],
)
def test_it_refuses_what_bitbucket_refuses(shop: Sandbox, body: dict[str, object], words: str) -> None:
    headers = {"Authorization": "Bearer sandbox-token"}
    url = f"{shop.url}/2.0/repositories/acme/shop/pipelines/"
    answer = httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def post(shop: Sandbox, **target: object) -> httpx.Response:
    headers = {"Authorization": "Bearer sandbox-token"}
    body = {"target": {"type": "pipeline_ref_target"} | target}
    url = f"{shop.url}/2.0/repositories/acme/shop/pipelines/"
    return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)


def test_it_refuses_in_the_recorded_forms(shop: Sandbox) -> None:
    entry = shop.world.repositories["shop"]
    bare = shop.world.push("shop", "passing", branch="bare").target.commit
    entry.without_definition |= {bare, "quiet"}
    shop.world.push("shop", "passing", branch="quiet")
    gone = post(shop, ref_type="branch", ref_name="gone")
    assert (gone.status_code, gone.json()["error"]["detail"]) == (404, "Could not find the revision")
    broken = post(shop, ref_type="tag", ref_name="v1")
    assert (broken.status_code, broken.json()["key"]) == (500, "Internal Server Error")
    tag = post(shop, ref_type="tag", ref_name="v1", commit={"hash": bare})
    assert (tag.status_code, tag.json()["error"]["message"]) == (400, "bitbucket-pipelines.yml not found.")
    none = post(shop, ref_type="branch", ref_name="quiet")
    assert none.json()["error"]["data"]["key"] == "result-service.pipeline.no-pipeline"
    left = post(shop, type="pipeline_pullrequest_target", source="dummy", destination="main", pullrequest={"id": 1})
    assert left.json()["error"]["fields"] == {"source": ["branch not found: dummy"]}


def test_two_worlds_of_one_seed_are_alike() -> None:
    logs = []
    for _ in range(2):
        with sandbox(seed=3) as box:
            box.world.add_repository("shop", "go")
            run = box.world.push("shop", "flaky")
            logs.append((run.uuid, run.target.commit, build_log("go", "flaky", run.target.commit, "main", 3)))
    assert logs[0] == logs[1]


@pytest.mark.parametrize("language", languages())
def test_every_language_has_logs_of_every_kind(language: str) -> None:
    texts = {kind: build_log(language, kind, "a" * 40, "main", 1) for kind in KINDS}
    assert len(set(texts.values())) == len(KINDS)
    for text in texts.values():
        assert text.startswith(b"+ umask 000\n"), "raw logs have no headings"
        assert text.endswith(b"\nMerged test suites, total number tests is 0, with 0 failures and 0 errors.\n")
        assert b"<esc>" not in text
    assert b"503" in texts["outage"]
