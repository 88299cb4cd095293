"""What is kept of a pipeline and of a step: one row each, as plain values. Pure.

Bitbucket's words become a few of ours, so that a state which nobody has seen before counts as neither passed nor
failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from opscrew.ci_history.waiting import queue_seconds
from opscrew.store.text import storable
from tools.bitbucket.records import Pipeline, PipelineState, PipelineStep, TestReportSummary

DECIDED = ("passed", "failed")
"""States that say something about the commit."""

FINISHED = ("passed", "failed", "stopped", "other")
"""States that change only when somebody runs steps again in place."""

OWN_RUNNERS = "bitbucket"
"""What stands for Bitbucket's own machines, whose steps name no labels."""

UNNAMED = "(no name)"
"""A step without a name in the definition. Bitbucket's page shows it as "Step 1", which says no more."""


def pipeline_facts(repository: str, pipeline: Pipeline, read_at: datetime) -> dict[str, Any]:
    """The row of ``ci_pipelines`` as far as the pipeline itself tells it; ``repository`` is "workspace/slug"."""
    target = pipeline.target
    selector = target.selector
    variables = "&".join(sorted(f"{one.key}={one.value}" for one in pipeline.variables))
    return {
        "repository": repository,
        "uuid": pipeline.uuid[:64],
        "number": pipeline.build_number,
        "run_number": pipeline.run_number,
        "target": _digest(target.key),
        "build": _digest(target.key, target.commit, variables),
        "branch": storable(target.branch, 255),
        "tag": storable(target.ref_name, 255) if target.ref_type == "tag" else "",
        "pull_request": storable(target.pull_request_id, 32),
        "selector": storable(": ".join(filter(None, (selector.type, selector.pattern))), 255) if selector else "",
        "commit_id": storable(target.commit, 64),
        "trigger": storable(pipeline.trigger.name.lower(), 32),
        "author": storable(pipeline.creator.name, 128) if pipeline.creator else "",
        "state": _word(pipeline.state),
        "created_at": pipeline.created_on,
        "ended_at": pipeline.completed_on if pipeline.is_finished else None,
        "duration_seconds": _worked(pipeline),
        "build_seconds": float(pipeline.build_seconds_used or 0) or _worked(pipeline),
        "read_at": read_at,
    }


def step_facts(
    repository: str, created_at: datetime, steps: Sequence[PipelineStep], tests: Mapping[int, TestReportSummary]
) -> list[dict[str, Any]]:
    """The rows of ``ci_steps`` without the pipeline's id. ``created_at`` is the pipeline's, ``tests`` are by place."""
    return [
        {
            "position": place,
            "run_number": step.run_number,
            "repository": repository,
            "name": storable(step.name, 255) or UNNAMED,
            "at": step.started_on or created_at,
            "state": "not_run" if step.never_ran else _word(step.state),
            "ended_at": step.completed_on if step.state.is_finished else None,
            "duration_seconds": _step_worked(step),
            "queue_seconds": queue_seconds(created_at, steps, place),
            "queue_derived": True,
            "runner": storable(", ".join(step.labels), 255) or OWN_RUNNERS,
            "tests": tests[place].total if place in tests else None,
            "tests_failed": tests[place].failed + tests[place].errors if place in tests else None,
            "tests_skipped": tests[place].skipped if place in tests else None,
        }
        for place, step in enumerate(steps)
    ]


def _word(state: PipelineState) -> str:
    if state.successful:
        return "passed"
    if state.failed:
        return "failed"
    if state.stopped:
        return "stopped"
    if state.is_waiting:
        return "waiting"
    return "running" if state.is_running else "other"


def _worked(pipeline: Pipeline) -> float | None:
    """Seconds at work. Bitbucket's own number leaves the waits out; some answers have none, and then the whole time
    from start to end is the nearest there is. None while it is not over, and where nothing ran: a definition that
    does not parse fails in no time."""
    if not pipeline.is_finished:
        return None
    if pipeline.duration_in_seconds is not None:
        return float(pipeline.duration_in_seconds) or None
    if pipeline.completed_on is None:
        return None
    return max(0.0, (pipeline.completed_on - pipeline.created_on).total_seconds()) or None


def _step_worked(step: PipelineStep) -> float | None:
    if not step.state.is_finished or step.never_ran or not step.has_started:
        return None
    if step.duration_in_seconds is not None:
        return float(step.duration_in_seconds)
    if step.started_on is None or step.completed_on is None:
        return None
    return max(0.0, (step.completed_on - step.started_on).total_seconds())


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:16]
