"""Pipelines, steps, logs and test reports; starting and stopping."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from demo.bitbucket import answers
from demo.bitbucket.asked_world import AskedWorld
from demo.bitbucket.log_files import log_response, step_log
from demo.bitbucket.paging import page_of
from demo.bitbucket.pipelines import Run, StepState
from demo.bitbucket.requests import read_target, read_variables
from demo.bitbucket.source_routes import entry_of
from demo.bitbucket.tests_reported import reported_cases, reported_summary
from demo.bitbucket.world import World

BASE = "/repositories/{workspace}/{repo}/pipelines"
STEP = BASE + "/{pipeline}/steps/{step}"
STATUS_WORDS = {"PASSED": "SUCCESSFUL", "BUILDING": "RUNNING"}
"""The query's words for states, where they differ from the words inside an answer."""


router = APIRouter()


def run_of(world: World, workspace: str, repo: str, key: str) -> Run:
    """The pipeline, or Bitbucket's 404."""
    run = world.find_run(entry_of(world, workspace, repo).slug, key)
    if run is None:
        raise HTTPException(404, f"No pipeline {key} in this repository")
    return run


def step_of(world: World, run: Run, uuid: str) -> StepState:
    """The step as it stands now, or Bitbucket's 404."""
    for state in run.step_states(world.clock()):
        if state.step.uuid.strip("{}") == uuid.strip("{}"):
            return state
    raise HTTPException(404, f"No step {uuid} in this pipeline")


@router.get(BASE + "/")
@router.get(BASE)
def pipelines(world: AskedWorld, request: Request, workspace: str, repo: str) -> dict[str, Any]:
    every, now = entry_of(world, workspace, repo).runs, world.clock()
    runs = [run for run in every if not world.faults.hides(run.uuid, now)]
    if request.query_params.get("sort") == "-created_on":
        runs.reverse()
    wanted = request.query_params.getlist("status")
    if wanted:
        runs = [run for run in runs if _status(world, run) in {STATUS_WORDS.get(word, word) for word in wanted}]
    branch = request.query_params.get("target.branch")
    if branch:
        runs = [run for run in runs if run.target.name == branch and run.target.kind != "tag"]
    return page_of(request, runs, lambda run: answers.pipeline(world, run))


@router.get(BASE + "/{pipeline}")
def one(world: AskedWorld, workspace: str, repo: str, pipeline: str) -> dict[str, Any]:
    return answers.pipeline(world, run_of(world, workspace, repo, pipeline))


@router.get(BASE + "/{pipeline}/steps/")
@router.get(BASE + "/{pipeline}/steps")
def steps(world: AskedWorld, request: Request, workspace: str, repo: str, pipeline: str) -> dict[str, Any]:
    run = run_of(world, workspace, repo, pipeline)
    states = [] if run.error else run.step_states(world.clock())
    return page_of(request, states, lambda state: answers.step(world, run, state))


def _status(world: World, run: Run) -> str:
    now = world.clock()
    return run.result(now) or run.stage(now)


@router.get(STEP)
def step(world: AskedWorld, workspace: str, repo: str, pipeline: str, step: str) -> dict[str, Any]:
    run = run_of(world, workspace, repo, pipeline)
    return answers.step(world, run, step_of(world, run, step))


@router.get(STEP + "/log")
def log(world: AskedWorld, request: Request, workspace: str, repo: str, pipeline: str, step: str) -> Response:
    if request.headers.get("accept") == "application/json":
        raise HTTPException(406, "Not Acceptable")
    run = run_of(world, workspace, repo, pipeline)
    state = step_of(world, run, step)
    if state.started is None or state.result == "NOT_RUN":
        raise HTTPException(404, "There is no log for this step yet")
    return log_response(request, step_log(world, run, state), key=f"{run.uuid}/{state.step.uuid}")


@router.get(STEP + "/test_reports")
def test_reports(world: AskedWorld, workspace: str, repo: str, pipeline: str, step: str) -> dict[str, Any]:
    run = run_of(world, workspace, repo, pipeline)
    summary = reported_summary(world, run, step_of(world, run, step))
    if summary is None:
        raise HTTPException(404, "No test reports for this step")
    return summary


@router.get(STEP + "/test_reports/test_cases")
def test_cases(
    world: AskedWorld, request: Request, workspace: str, repo: str, pipeline: str, step: str
) -> dict[str, Any]:
    run = run_of(world, workspace, repo, pipeline)
    cases = reported_cases(world, run, step_of(world, run, step))
    if cases is None:
        raise HTTPException(404, "No test reports for this step")
    return page_of(request, cases, lambda case: case)


@router.post(BASE + "/")
@router.post(BASE)
async def create(world: AskedWorld, request: Request, workspace: str, repo: str) -> Response:
    entry_of(world, workspace, repo)
    try:
        body = await request.json()
    except ValueError:
        raise HTTPException(400, "The request body is not valid JSON") from None
    with world.lock:
        run = world.start(repo, read_target(world, repo, body), read_variables(body))
    shown = answers.pipeline(world, run)
    location = str(request.url_for("one", workspace=workspace, repo=repo, pipeline=run.uuid))
    return JSONResponse(shown, status_code=201, headers={"Location": location})


@router.post(BASE + "/{pipeline}/stopPipeline")
def stop(world: AskedWorld, workspace: str, repo: str, pipeline: str) -> Response:
    if not world.stop(run_of(world, workspace, repo, pipeline), who="Crew"):
        raise HTTPException(400, "The pipeline has already completed")
    return Response(status_code=204)
