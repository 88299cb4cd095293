"""The sandbox's own switches over HTTP, for people who try it by hand, and its log store."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

from demo.bitbucket.asked_world import AskedWorld
from demo.bitbucket.faults import Fault
from demo.bitbucket.log_files import STORE, stored_log
from demo.bitbucket.scenarios import scenarios

router = APIRouter()


class Push(BaseModel):
    """A commit to a repository and the fate of its pipeline."""

    model_config = ConfigDict(extra="forbid")

    repository: str
    scenario: str
    branch: str = "main"


@router.get("/_sandbox/scenarios")
def list_scenarios() -> dict[str, str]:
    return {name: entry.about for name, entry in scenarios().items()}


@router.post("/_sandbox/push")
def push(world: AskedWorld, wanted: Push) -> dict[str, Any]:
    if wanted.repository not in world.repositories or wanted.scenario not in scenarios():
        raise HTTPException(404, "no such repository or scenario")
    run = world.push(wanted.repository, wanted.scenario, branch=wanted.branch)
    return {"uuid": run.uuid, "build_number": run.number, "commit": run.target.commit}


@router.post("/_sandbox/faults")
def add_fault(world: AskedWorld, fault: Fault) -> dict[str, str]:
    details = fault.model_dump(exclude={"kind"})
    world.faults.add(fault.kind, **details)
    return {"added": fault.kind}


@router.delete("/_sandbox/faults")
def clear_faults(world: AskedWorld) -> dict[str, str]:
    world.faults.clear()
    return {"faults": "none"}


@router.post("/_sandbox/end_outage")
def end_outage(world: AskedWorld) -> dict[str, str]:
    world.end_outage()
    return {"outage": "over"}


@router.get(STORE + "{run_uuid}/{step_uuid}")
def log_store(world: AskedWorld, request: Request, run_uuid: str, step_uuid: str) -> Response:
    return stored_log(world, request, run_uuid, step_uuid)
