"""Pipelines and steps as Bitbucket tells of them, in few words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tools.bitbucket.records import Pipeline, PipelineStep

RESULTS = {"passed": "SUCCESSFUL", "failed": "FAILED", "stopped": "STOPPED"}


def pipeline(
    number: int,
    created: datetime,
    state: str = "passed",
    *,
    commit: str = "c0ffee",
    branch: str = "main",
    trigger: str = "PUSH",
    seconds: float | None = 60,
    waits: float = 30,
    **more: Any,
) -> Pipeline:
    """``state`` is passed, failed, stopped or running. It ends ``seconds`` of work and ``waits`` after its creation."""
    body: dict[str, Any] = {
        "uuid": f"{{{branch}-{number}}}",
        "build_number": number,
        "target": {"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": branch, "commit": {"hash": commit}},
        "trigger": {"name": trigger},
        "creator": {"display_name": "Ada"},
        "created_on": created.isoformat(),
        "state": {"name": "IN_PROGRESS", "stage": {"name": "RUNNING"}},
    }
    if state != "running":
        body["state"] = {"name": "COMPLETED", "result": {"name": RESULTS.get(state, state)}}
        body["completed_on"] = (created + timedelta(seconds=(seconds or 0) + waits)).isoformat()
        body["duration_in_seconds"] = seconds
    return Pipeline.model_validate(body | more)


def step(
    name: str,
    started: datetime | None,
    seconds: float = 60,
    state: str = "passed",
    *,
    run_number: int = 1,
    trigger: str = "automatic",
    **more: Any,
) -> PipelineStep:
    """``state`` may also be a word of Bitbucket's such as NOT_RUN."""
    body: dict[str, Any] = {
        "uuid": f"{{{name}}}",
        "name": name,
        "run_number": run_number,
        "trigger": {"type": f"pipeline_step_trigger_{trigger}"},
        "state": {"name": "COMPLETED", "result": {"name": RESULTS.get(state, state)}},
    }
    if started is not None:
        body["started_on"] = started.isoformat()
        body["completed_on"] = (started + timedelta(seconds=seconds)).isoformat()
        body["duration_in_seconds"] = int(seconds)
    return PipelineStep.model_validate(body | more)
