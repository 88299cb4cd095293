"""Wishes about builds: run one again, stop one."""

from __future__ import annotations

import re

from crews.collectors.collector import Request
from crews.wishes.proposal import WHY, Proposal, nothing, proposed
from opscrew.answer.name_places import is_ordinary
from opscrew.answer.subjects import branch_of
from opscrew.ci.rerun import rerun_action
from opscrew.ci.stop import stop_action
from opscrew.model.evidence import Evidence
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline

ON_BRANCH = re.compile(r"\b(?:on|branch) (?:the )?(?:branch )?(?P<branch>[\w./-]*\w)", re.IGNORECASE)
UNNAMED = 'name a repository or a workload that I know, for example "re-run shop #42"'


def run_again(request: Request, wish: str) -> Proposal:
    """The build that was named, else the newest that failed."""
    del wish
    return _about_pipeline(request, stop=False)


def stop(request: Request, wish: str) -> Proposal:
    """The build that was named, else the newest that runs."""
    del wish
    return _about_pipeline(request, stop=True)


def _about_pipeline(request: Request, *, stop: bool) -> Proposal:
    client = request.context.systems.bitbucket
    if client is None:
        return nothing("Bitbucket is not configured")
    if not request.repository or request.understood.assumed:
        # A misspelt name is good enough to read by, never to act on.
        return nothing(UNNAMED)
    pipeline = _pipeline(client, request, running=stop)
    if pipeline is None:
        branch = _branch(request)
        where = f"{request.repository} on {branch}" if branch else request.repository
        return nothing(f"I see no {'running' if stop else 'failed'} pipeline of {where}")
    repository = f"{client.workspace}/{request.repository}"
    evidence = _evidence(pipeline, repository)
    if not stop:
        return proposed(request, rerun_action(pipeline, repository, WHY, evidence, ""))
    if not pipeline.state.is_running:
        return nothing(f"#{pipeline.build_number} does not run")
    return proposed(request, stop_action(pipeline, repository, WHY, evidence))


def _pipeline(client: BitbucketClient, request: Request, *, running: bool) -> Pipeline | None:
    if request.build:
        return client.pipeline(request.repository, request.build)
    found = client.pipelines(request.repository, branch=_branch(request) or None, limit=30)
    return next((one for one in found if (one.state.is_running if running else one.failed)), None)


def _branch(request: Request) -> str:
    """The one that is named, also where no record knows it: a build of another branch is not what was asked for."""
    said = ON_BRANCH.search(request.question)
    if known := branch_of(request.understood.subjects):
        return known
    return said["branch"] if said and not is_ordinary(said["branch"].lower()) else ""


def _evidence(pipeline: Pipeline, repository: str) -> tuple[Evidence, ...]:
    state = pipeline.state.result or pipeline.state.name
    at = pipeline.completed_on or pipeline.created_on
    return (
        Evidence(
            source="bitbucket pipelines",
            text=f"{repository} #{pipeline.build_number}: {state}",
            observed_at=at,
            link=pipeline.url,
        ),
    )
