"""What cannot be read never makes a re-run safer than it is: every field of a deployment that has begun, spoilt."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from opscrew.ci.rerun.proposal import RerunCase, why_not_rerun
from tools.bitbucket.reading import Reader
from tools.bitbucket.records import Deployment, Pipeline, PipelineStep
from tools.bitbucket.rerun_request import rerun_body

WHEN = "2026-10-06T12:00:00.123456789Z"
GONE = object()
ODD = (GONE, None, 3, 1.5, True, "odd", "", [], ["odd"], {}, {"name": 3}, {"name": "odd"}, {"uuid": ["odd"]})

PIPELINE = {
    "type": "pipeline",
    "uuid": "{p}",
    "build_number": 7,
    "created_on": WHEN,
    "completed_on": WHEN,
    "state": {"name": "COMPLETED", "type": "pipeline_state_completed", "result": {"name": "FAILED"}},
    "target": {
        "type": "pipeline_ref_target",
        "ref_type": "branch",
        "ref_name": "main",
        "commit": {"type": "commit", "hash": "c0ffee"},
        "selector": {"type": "branches", "pattern": "main"},
    },
    "trigger": {"name": "PUSH", "type": "pipeline_trigger_push"},
    "has_variables": False,
    "labels": {},
}
TEST = {
    "type": "pipeline_step",
    "uuid": "{test}",
    "name": "Test",
    "run_number": 1,
    "state": {"name": "COMPLETED", "type": "pipeline_step_state_completed", "result": {"name": "FAILED"}},
    "started_on": WHEN,
    "completed_on": WHEN,
    "duration_in_seconds": 5,
    "labels": {},
}
DEPLOY = TEST | {
    "uuid": "{deploy}",
    "name": "Deploy",
    "state": {"name": "COMPLETED", "type": "pipeline_step_state_completed", "result": {"name": "FAILED"}},
    "image": {"name": "alpine"},
    "script_commands": [{"name": "ship", "command": "ship"}],
    "trigger": {"type": "pipeline_step_trigger_automatic"},
}
DEPLOYMENT = {
    "type": "deployment",
    "uuid": "{d}",
    "state": {"name": "COMPLETED", "status": {"name": "FAILED"}, "started_on": WHEN, "completed_on": WHEN},
    "environment": {"name": "Production", "uuid": "{e}"},
    "release": {"commit": {"hash": "c0ffee"}, "pipeline": {"uuid": "{p}"}},
    "step": {"uuid": "{deploy}"},
}


def paths(data: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths(value, (*above, key))


def spoilt(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    around = changed
    for key in path[:-1]:
        around = around[key]
    if value is GONE:
        del around[path[-1]]
    else:
        around[path[-1]] = value
    return changed


def judged(pipeline: Any, steps: list[Any], deployments: list[Any]) -> str | None:
    reader = Reader()
    run = reader.read(Pipeline, pipeline)
    return why_not_rerun(
        RerunCase(
            pipeline=run,
            steps=tuple(reader.read_any(PipelineStep, one) for one in steps),
            newest=run,
            deployments=tuple(reader.read_any(Deployment, one) for one in deployments),
        )
    )


def test_the_case_itself() -> None:
    assert judged(PIPELINE, [TEST], []) is None
    assert judged(PIPELINE, [TEST, DEPLOY], [DEPLOYMENT]) == "the deployment to Production in step 'Deploy' had started"


@pytest.mark.parametrize("path", list(paths(DEPLOY)), ids=".".join)
def test_a_spoilt_step_does_not_hide_its_deployment(path: tuple[str, ...]) -> None:
    named = DEPLOY | {"environment": {"name": "Production"}}
    for value in ODD:
        assert judged(PIPELINE, [TEST, spoilt(DEPLOY, path, value)], [DEPLOYMENT]), json.dumps(value, default=str)
        assert judged(PIPELINE, [TEST, spoilt(named, path, value)], []), json.dumps(value, default=str)


@pytest.mark.parametrize("path", list(paths(DEPLOYMENT)), ids=".".join)
def test_a_spoilt_deployment_is_still_one(path: tuple[str, ...]) -> None:
    for value in ODD:
        assert judged(PIPELINE, [TEST, DEPLOY], [spoilt(DEPLOYMENT, path, value)]), json.dumps(value, default=str)


@pytest.mark.parametrize("odd", [None, 3, "odd", [], ["odd"]])
def test_an_entry_that_is_no_object_may_be_the_deployment(odd: Any) -> None:
    assert judged(PIPELINE, [TEST, odd], [])
    assert judged(PIPELINE, [TEST], [odd])


@pytest.mark.parametrize(
    "path", [one for one in paths(PIPELINE) if one[0] not in ("labels", "completed_on")], ids=".".join
)
def test_a_spoilt_pipeline_is_not_run_as_another_one(path: tuple[str, ...]) -> None:
    """It is refused, or what would be sent is what ran. A field that is not there at all, or holds another word, is
    what Bitbucket says."""
    sent = rerun_body(Reader().read(Pipeline, PIPELINE))
    for value in ODD:
        if value in (GONE, None, "odd", "", {}) or isinstance(value, dict):
            continue
        try:
            read = Reader().read(Pipeline, spoilt(PIPELINE, path, value))
        except ValueError:
            continue  # not read at all
        if judged(spoilt(PIPELINE, path, value), [TEST], []) is None:
            assert rerun_body(read) == sent, (path, value)
