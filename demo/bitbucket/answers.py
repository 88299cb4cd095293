"""Writes the world's values the way Bitbucket's API does: one function per kind of object."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from demo.bitbucket.logs import language
from demo.bitbucket.pipelines import Run, StepState, Target
from demo.bitbucket.world import CommitEntry, PullRequestEntry, RepositoryEntry, RunnerEntry, World

WEB = "https://bitbucket.example"
INSIDE = "https://pipelines.bitbucket.example/rest/1.0"
"""Links of a pipeline lead to a host inside; there is none for people."""


def time_text(moment: datetime) -> str:
    """As the API writes times of repositories, commits and statuses."""
    return moment.isoformat(timespec="microseconds")


def fine_time_text(moment: datetime) -> str:
    """As it writes those of pipelines and steps: nine digits, or fewer where the last are zero."""
    digits = f"{moment.microsecond:06d}{(moment.microsecond * 7) % 1000:03d}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{digits}" if digits else "") + "Z"


def repository(world: World, entry: RepositoryEntry) -> dict[str, Any]:
    full_name = f"{world.workspace}/{entry.slug}"
    return {
        "type": "repository",
        "uuid": entry.uuid,
        "name": entry.slug,
        "full_name": full_name,
        "scm": "git",
        "is_private": True,
        "language": entry.language,
        "mainbranch": {"type": "branch", "name": "main"},
        "created_on": time_text(entry.created),
        "updated_on": time_text(entry.updated),
        "links": {"html": {"href": f"{WEB}/{full_name}"}},
    }


def person(name: str) -> dict[str, Any]:
    return {"type": "user", "display_name": name, "nickname": name.split()[0].lower(), "uuid": f"{{{name.lower()}}}"}


def commit(world: World, slug: str, entry: CommitEntry) -> dict[str, Any]:
    mail = entry.author.split()[0].lower() + "@acme.example"
    return {
        "type": "commit",
        "hash": entry.hash,
        "message": entry.message + "\n",
        "date": time_text(entry.date),
        "author": {"type": "author", "raw": f"{entry.author} <{mail}>", "user": person(entry.author)},
        "parents": [{"type": "commit", "hash": entry.parent}] if entry.parent else [],
        "links": {"html": {"href": f"{WEB}/{world.workspace}/{slug}/commits/{entry.hash}"}},
    }


def target(value: Target) -> dict[str, Any]:
    body: dict[str, Any] = {"commit": {"type": "commit", "hash": value.commit}}
    if value.kind == "pull_request":
        return body | {
            "type": "pipeline_pullrequest_target",
            "source": value.name,
            "destination": value.destination,
            "destination_commit": {"type": "commit", "hash": value.destination_commit[:12]},
            "pullrequest": {"type": "pullrequest", "id": value.pull_request, "draft": False},
            "selector": {"type": "pull-requests", "pattern": value.pattern},
        }
    if value.kind == "merge_queue":
        return body | {
            "type": "pipeline_merge_queue_ref_target",
            "ref_type": "branch",
            "ref_name": value.name,
            "target_branch": value.destination,
            "pullrequest_ids": [value.pull_request],
            "selector": {"type": "merge-queues", "pattern": value.pattern},
        }
    if value.kind == "commit":
        return body | {"type": "pipeline_commit_target", "selector": {"type": "custom", "pattern": value.pattern}}
    selector = {"branch": "branches", "tag": "tags", "custom": "custom"}[value.kind]
    return body | {
        "type": "pipeline_ref_target",
        "ref_type": "tag" if value.kind == "tag" else "branch",
        "ref_name": value.name,
        "selector": {"type": selector, "pattern": value.pattern} if value.pattern else {"type": "default"},
    }


def pipeline(world: World, run: Run) -> dict[str, Any]:
    now = world.clock()
    ended = run.ended(now)
    entry = world.repositories[run.repository]
    place = f"{INSIDE}/accounts/{world.uuid}/repositories/{entry.uuid}/pipelines/{run.uuid}"
    body: dict[str, Any] = {
        "type": "pipeline",
        "uuid": run.uuid,
        "build_number": run.number,
        "run_number": 1 + len([moment for moment in run.repeated_at if moment <= now]),
        "repository": repository(world, world.repositories[run.repository]),
        "state": _pipeline_state(run, now),
        "target": target(run.target),
        "trigger": {"type": f"pipeline_trigger_{run.trigger.lower()}", "name": run.trigger},
        "creator": person(run.creator),
        "created_on": fine_time_text(run.created),
        "duration_in_seconds": 0,
        "build_seconds_used": 0,
        "first_successful": False,
        "expired": False,
        "labels": {},
        "has_variables": bool(run.variables),
        "variables": [_variable(variable) for variable in run.variables],
        "links": {"self": {"href": place}, "steps": {"href": place + "/steps"}},
    }
    if ended is not None:
        seconds = int((ended - run.created).total_seconds())
        body |= {"completed_on": fine_time_text(ended), "duration_in_seconds": seconds, "build_seconds_used": seconds}
    return body


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    shown = {"type": "pipeline_variable", "key": variable["key"], "secured": bool(variable.get("secured"))}
    return shown if shown["secured"] else shown | {"value": variable.get("value", "")}


def _pipeline_state(run: Run, now: datetime) -> dict[str, Any]:
    result = run.result(now)
    if not result:
        stage = run.stage(now)
        if stage == "PENDING":
            return {"type": "pipeline_state_pending", "name": "PENDING"}
        inside = {"type": f"pipeline_state_in_progress_{stage.lower()}", "name": stage}
        return {"type": "pipeline_state_in_progress", "name": "IN_PROGRESS", "stage": inside}
    outcome: dict[str, Any] = {"type": f"pipeline_state_completed_{result.lower()}", "name": result}
    if run.error is not None:
        outcome["error"] = {"type": "pipeline_error", **run.error.model_dump()}
    if result == "STOPPED" and run.stopped_by:
        outcome["terminator"] = person(run.stopped_by)
    return {"type": "pipeline_state_completed", "name": "COMPLETED", "result": outcome}


def step(world: World, run: Run, state: StepState) -> dict[str, Any]:
    texts = language(world.repositories[run.repository].language)
    script = state.step.script
    trigger = "redeploy" if state.run_number > 1 else "manual" if script.manual else "automatic"
    body: dict[str, Any] = {
        "type": "pipeline_step",
        "uuid": state.step.uuid,
        "name": script.name,
        "run_number": state.run_number,
        "pipeline": {"type": "pipeline", "uuid": run.uuid},
        "image": {"name": texts.image},
        "maxTime": 120,
        "setup_commands": [],
        "script_commands": [_command(command) for command in texts.commands],
        "teardown_commands": [],
        "trigger": {"type": f"pipeline_step_trigger_{trigger}"},
        "state": _step_state(state),
        "build_seconds_used": 0,
    }
    # No environment: none of the recorded steps has one. What a step deploys to, the list of deployments tells.
    if state.started is not None:
        body["started_on"] = fine_time_text(state.started)
    if state.ended is not None and state.started is not None:
        seconds = int((state.ended - state.started).total_seconds())
        body["completed_on"] = fine_time_text(state.ended)
        body |= {"duration_in_seconds": seconds, "build_seconds_used": seconds}
    return body


def _command(text: str) -> dict[str, str]:
    return {"commandType": "script", "name": text, "command": text}


def _step_state(state: StepState) -> dict[str, Any]:
    kind = f"pipeline_step_state_{state.name.lower()}"
    if state.name != "COMPLETED":
        inside = {"type": f"{kind}_{state.stage.lower()}", "name": state.stage}
        return {"type": kind, "name": state.name, "stage": inside}
    result: dict[str, Any] = {"type": f"{kind}_{state.result.lower()}", "name": state.result}
    error = state.step.outcome.error
    if error is not None and state.result in ("FAILED", "ERROR"):
        result["error"] = {"type": "pipeline_step_error", **error.model_dump(), "arguments": {}}
    return {"type": kind, "name": "COMPLETED", "result": result}


def pull_request(world: World, slug: str, entry: PullRequestEntry) -> dict[str, Any]:
    return {
        "type": "pullrequest",
        "id": entry.number,
        "title": entry.title,
        "state": "OPEN",
        "author": person(entry.author),
        "created_on": time_text(entry.created),
        "source": {"branch": {"name": entry.source}, "commit": {"hash": entry.commit[:12]}},
        "destination": {"branch": {"name": entry.destination}, "commit": {"hash": entry.destination_commit[:12]}},
        "links": {"html": {"href": f"{WEB}/{world.workspace}/{slug}/pull-requests/{entry.number}"}},
    }


def status(world: World, run: Run) -> dict[str, Any]:
    """The commit status that Pipelines writes for each of its runs."""
    now = world.clock()
    states = {"SUCCESSFUL": "SUCCESSFUL", "FAILED": "FAILED", "ERROR": "FAILED", "STOPPED": "STOPPED"}
    return {
        "type": "build",
        "key": f"pipeline-{run.number}",
        "name": f"Pipeline #{run.number} for {run.target.name or run.target.commit[:7]}",
        "state": states.get(run.result(now), "INPROGRESS"),
        "refname": run.target.name,
        "url": f"{WEB}/{world.workspace}/{run.repository}/pipelines/results/{run.number}",
        "created_on": time_text(run.created),
        "updated_on": time_text(run.ended(now) or now),
    }


def deployment(world: World, run: Run, state: StepState) -> dict[str, Any]:
    """One that has not begun has neither times nor an address; a stopped one is completed like any other."""
    begun = state.started is not None and state.result != "NOT_RUN"
    page = f"{WEB}/{world.workspace}/{run.repository}/addon/pipelines/home#!/results/{run.number}"
    name = ("COMPLETED" if state.name == "COMPLETED" else "IN_PROGRESS") if begun else "UNDEPLOYED"
    body: dict[str, Any] = {"type": f"deployment_state_{name.lower()}", "name": name}
    if begun and state.started is not None:
        body |= {"started_on": fine_time_text(state.started), "url": f"{page}/steps/{quote(state.step.uuid)}"}
    if name == "COMPLETED" and state.ended is not None:
        kind = f"deployment_state_completed_status_{state.result.lower()}"
        body |= {"completed_on": fine_time_text(state.ended), "status": {"type": kind, "name": state.result}}
    environment = state.step.script.deploys
    return {
        "type": "deployment",
        "uuid": f"{{deployment-{state.step.uuid.strip('{}')}}}",
        "state": body,
        "environment": {
            "type": "deployment_environment",
            "name": environment,
            "environment_type": {"type": "deployment_environment_type", "name": environment},
        },
        "release": {
            "type": "deployment_release",
            "key": f"pipelines-{run.uuid}",
            "name": f"#{run.number}",
            "url": page,
            "commit": {"type": "commit", "hash": run.target.commit},
            "pipeline": {"type": "pipeline", "uuid": run.uuid},
            "created_on": fine_time_text(run.created),
        },
        "step": {"type": "pipeline_step", "uuid": state.step.uuid},
        "last_update_time": fine_time_text(state.ended or state.started or run.created),
    }


def runner(world: World, entry: RunnerEntry) -> dict[str, Any]:
    return {
        "type": "runner",
        "uuid": entry.uuid,
        "name": entry.name,
        "labels": list(entry.labels),
        "state": {"status": entry.status, "updated_on": time_text(world.clock())},
    }
