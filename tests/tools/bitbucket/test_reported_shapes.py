"""Shapes that people reported of Bitbucket's API and that nobody here had tried, each made small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from tests.support.bitbucket import START, Reply, as_json, http_client, scripted
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Deployment, PipelineStep
from tools.errors import UpstreamError

WHEN = START.isoformat()


def deployments(*entries: Any) -> tuple[Deployment, ...]:
    with scripted(lambda path, headers: as_json({"values": list(entries)})) as server, http_client() as http:
        return BitbucketClient(server.url, "acme", clock=lambda: START, http=http).deployments("shop")


def steps(*entries: Any) -> tuple[PipelineStep, ...]:
    with scripted(lambda path, headers: as_json({"values": list(entries)})) as server, http_client() as http:
        return BitbucketClient(server.url, "acme", clock=lambda: START, http=http).steps("shop", "{1}")


def test_times_of_deployments_by_the_names_of_the_definition() -> None:
    state = {"name": "COMPLETED", "start_date": WHEN, "completion_date": WHEN, "status": {"name": "FAILED"}}
    (found,) = deployments({"uuid": "{d}", "state": state, "step": {"uuid": "{s}"}})
    assert (found.started_on, found.completed_on, found.status, found.unreadable) == (START, START, "FAILED", ())


@pytest.mark.parametrize(
    ("state", "word", "status", "has_started"),
    [
        ({"type": "deployment_state_undeployed", "trigger_url": "x"}, "UNDEPLOYED", "", False),
        ({"type": "deployment_state_in_progress", "start_date": WHEN}, "IN_PROGRESS", "", True),
        (
            {"type": "deployment_state_completed", "status": {"type": "deployment_state_completed_status_stopped"}},
            "COMPLETED",
            "STOPPED",
            True,
        ),
    ],
)
def test_states_of_deployments_by_their_types_alone(state: Any, word: str, status: str, has_started: bool) -> None:
    (found,) = deployments({"uuid": "{d}", "state": state, "release": {"pipeline": {"uuid": "{p}"}}})
    assert (found.state, found.status, found.has_started, found.unreadable) == (word, status, has_started, ())


@pytest.mark.parametrize(
    ("state", "inside", "word"),
    [
        ("completed", "result", "NOT_RUN"),
        ("completed", "result", "EXPIRED"),
        ("pending", "stage", "HALTED"),
        ("pending", "stage", "PAUSED"),
        ("in_progress", "stage", "RUNNING"),
    ],
)
def test_states_of_steps_by_their_types_alone(state: str, inside: str, word: str) -> None:
    kind = f"pipeline_step_state_{state}"
    (found,) = steps({"uuid": "{1}", "state": {"type": kind, inside: {"type": f"{kind}_{word.lower()}"}}})
    assert (found.state.name, getattr(found.state, inside), found.unreadable) == (state.upper(), word, ())


def test_a_step_with_the_runner_that_took_it_and_another_time_limit() -> None:
    runner = {"uuid": "{r}", "name": "box-1", "labels": ["self.hosted", "linux"]}
    (found,) = steps(
        {
            "uuid": "{1}",
            "state": {"name": "PENDING"},
            "runner": runner,
            "max_time": 60,
            "trigger": {"type": "automatic"},
        }
    )
    assert (found.trigger.name, found.unreadable) == ("AUTOMATIC", ())


def test_an_environment_of_which_only_the_uuid_is_given_is_one() -> None:
    odd = [{"uuid": "{e}", "type": "deployment_environment"}, ["staging"], True, 3]
    found = steps(*({"uuid": "{1}", "state": {"name": "PENDING"}, "environment": one} for one in odd))
    assert [step.environment for step in found] == ["an environment"] * 4


@pytest.mark.parametrize(
    "following",
    [
        "https://api.bitbucket.org/2.0/repositories/acme/shop/commits/main&page=2",
        "/2.0/repositories/acme/shop/commits/main?ctx=abc&page=2",
        "?page=2",
        "https://api.bitbucket.org/2.0/x/?q=state%3D%22OPEN%22&page=2#top",
    ],
)
def test_a_next_that_is_written_oddly_still_names_its_page(following: str) -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        second = parse_qs(urlsplit(path).query).get("page") == ["2"]
        body: dict[str, Any] = {"values": [{"hash": "b" if second else "a"}]}
        return as_json(body if second else body | {"next": following})

    with scripted(reply) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, http=http)
        assert [one.hash for one in client.commits_between("shop", include="main", exclude="v1")] == ["a", "b"]
        assert "exclude=v1" in server.requests[1][1]


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (403, {"message": "Lacks a scope.", "detail": {"required": "pipeline:write"}}, "(required: pipeline:write)"),
        (403, {"message": "Forbidden"}, "403 Forbidden"),
        (400, {"message": "Bad Request", "detail": {"reason": {"deep": 1}}}, "400 Bad Request"),
        (
            422,
            {
                "message": "Request entity cannot be processed",
                "detail": "Unexpected response body",
                "data": {"key": "unexpected.response.body", "arguments": {}},
            },
            "Unexpected response body - (unexpected.response.body)",
        ),
        (400, {"fields": {"target": "required", "other": [1, None]}, "message": "Bad request"}, "required"),
        (404, "gone", "404 Not Found"),
    ],
)
def test_errors_of_every_form_are_told(status: int, error: Any, told: str) -> None:
    reply = as_json({"type": "error", "error": error}, status)
    with scripted(lambda path, headers: reply) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, http=http)
        with pytest.raises(UpstreamError) as problem:
            client.pipelines("shop")
    assert told in str(problem.value)
    assert "Forbidden: Forbidden" not in str(problem.value)


def listed(order: list[int], *, since: int) -> int:
    """How many of these deployments, by the minute in which they began, the client asks for; -1 began at no time."""
    entries = [
        {"uuid": f"{{{n}}}", "step": {"uuid": f"{{s{n}}}"}, "state": {"name": "COMPLETED"} | _began(minute)}
        for n, minute in enumerate(order)
    ]

    def reply(path: str, headers: dict[str, str]) -> Reply:
        page = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        return as_json({"pagelen": 100, "values": entries[(page - 1) * 100 : page * 100]})

    with scripted(reply) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, http=http)
        client.deployments("shop", limit=300, since=START + timedelta(minutes=since))
    return len(server.requests)


def _began(minute: int) -> dict[str, str]:
    return {} if minute < 0 else {"started_on": (START + timedelta(minutes=minute)).isoformat()}


def test_later_pages_of_deployments_are_left_out_only_where_the_order_is_sure() -> None:
    falling = list(range(250, 0, -1))
    assert listed(falling, since=200) == 1
    assert listed(falling, since=100) == 2
    assert listed(falling[::-1], since=200) == 3, "a list in rising order says nothing before its end"
    assert listed([-1] * 120 + falling[:120], since=200) == 2, "those without a time are no end"


def test_what_cannot_be_read_is_logged_once() -> None:
    odd = {"uuid": "{1}", "created_on": WHEN, "duration_in_seconds": "long", "labels": 3}
    with scripted(lambda path, headers: as_json({"values": [odd, odd, "?"]})) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, http=http)
        with capture_logs() as told:
            client.pipelines("shop")
            client.pipelines("shop")
    assert sorted((one["record"], one["field"]) for one in told) == [
        ("Pipeline", "all of it"),
        ("Pipeline", "duration_in_seconds"),
        ("Pipeline", "state"),
    ]
