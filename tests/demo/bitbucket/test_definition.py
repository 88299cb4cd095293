"""Client and sandbox are both held against Bitbucket's own definition, so they cannot agree on the same mistake."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from demo.bitbucket.scenarios import scenarios
from tests.support.bitbucket import Sandbox, http_client, sandbox
from tests.support.bitbucket_definition import Judge, definition_file
from tools.bitbucket.client import BitbucketClient
from tools.errors import PermanentError


@pytest.fixture
def judged() -> Iterator[tuple[Sandbox, BitbucketClient, Judge]]:
    """A client whose every exchange with the sandbox goes past the judge."""
    definition = definition_file()
    if definition is None:
        pytest.skip("Bitbucket's API definition is not here: set BITBUCKET_OPENAPI to a copy of it")
    with sandbox() as box:
        judge = Judge(definition, box.url + "/2.0")

        def look(response: httpx.Response) -> None:
            if "/log" not in response.request.url.path:  # logs are streams; their bodies are no JSON
                response.read()
                judge.look_at(response)

        http = http_client()
        http.event_hooks = {"response": [look]}
        with box.client(http=http) as client:
            yield box, client, judge


def test_every_exchange_of_client_and_sandbox_is_as_defined(
    judged: tuple[Sandbox, BitbucketClient, Judge],
) -> None:
    box, client, judge = judged
    world = box.world
    world.add_repository("shop", "node")
    first = world.push("shop", "passing")
    for fate in scenarios():
        world.push("shop", fate)
    world.push("shop", "flaky", tag="v1")
    request = world.open_pull_request("shop", "flaky", source="feature")
    custom = world.run_custom("shop", "with_variables", pattern="nightly")
    world.add_runner("box-1")

    for minutes in (0, 1, 300):  # in the queue, running, nearly all ended
        box.clock.forward(minutes=minutes)
        pipelines = client.pipelines("shop", limit=100)
        client.deployments("shop")
        for pipeline in pipelines[:4]:
            client.statuses("shop", pipeline.target.commit)
    for pipeline in pipelines:
        client.steps("shop", pipeline.uuid)
    client.ping()
    client.repositories()
    client.commit("shop", first.target.commit)
    client.commits_between("shop", include="main", exclude=first.target.commit)
    client.pull_requests_of_commit("shop", request.target.commit)
    client.test_reports("shop", first.uuid, first.steps[0].uuid)
    client.runners()
    for run in (first, request, custom):
        client.rerun("shop", client.pipeline("shop", run.uuid))
    client.stop("shop", client.rerun("shop", client.pipeline("shop", first.uuid)).uuid)
    client.stop("shop", first.uuid)
    client.step_log("shop", first.uuid, first.steps[0].uuid, io.BytesIO())
    with pytest.raises(PermanentError):
        client.pipeline("shop", "{nothing}")
    with pytest.raises(PermanentError):
        client.commit("shop", "0123456789")

    kinds = {line.partition(" ")[0] + " " + line.rpartition("/")[2].partition("%")[0] for line in judge.judged}
    assert len(judge.judged) > 35
    assert {"POST stopPipeline", "POST ", "GET ", "GET statuses", "GET pullrequests"} <= kinds
    assert judge.not_in_definition


def test_the_judge_does_find_mistakes(judged: tuple[Sandbox, BitbucketClient, Judge]) -> None:
    box, client, _ = judged
    box.world.add_repository("shop")
    box.world.push("shop", "passing")
    box.world.faults.add("odd_json")
    with pytest.raises(OpenAPIError):
        client.pipelines("shop")
