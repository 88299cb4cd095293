"""Repositories, commits, pull requests, statuses, deployments and runners."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from demo.bitbucket import answers
from demo.bitbucket.asked_world import AskedWorld
from demo.bitbucket.paging import page_of
from demo.bitbucket.world import CommitEntry, RepositoryEntry, World

router = APIRouter()


def entry_of(world: World, workspace: str, repo: str) -> RepositoryEntry:
    """The repository, or the 404 that Bitbucket gives for one that is absent or not to be seen."""
    entry = world.find_repository(workspace, repo)
    if entry is None:
        raise HTTPException(404, f"You may not have access to this repository or it no longer exists: {repo}")
    return entry


def commit_of(world: World, workspace: str, repo: str, key: str) -> CommitEntry:
    entry_of(world, workspace, repo)
    commit = world.find_commit(repo, key)
    if commit is None:
        raise HTTPException(404, "Changeset not found.")
    return commit


@router.get("/repositories/{workspace}")
def repositories(world: AskedWorld, request: Request, workspace: str) -> dict[str, Any]:
    if workspace != world.workspace:
        raise HTTPException(404, f"No workspace with identifier '{workspace}'.")
    entries = list(world.repositories.values())
    sort = request.query_params.get("sort", "")
    moment = {"updated_on": "updated", "created_on": "created"}.get(sort.lstrip("-"))
    if moment:
        entries.sort(key=lambda entry: getattr(entry, moment), reverse=sort.startswith("-"))
    return page_of(request, entries, lambda entry: answers.repository(world, entry))


@router.get("/repositories/{workspace}/{repo}")
def repository(world: AskedWorld, workspace: str, repo: str) -> dict[str, Any]:
    return answers.repository(world, entry_of(world, workspace, repo))


@router.get("/repositories/{workspace}/{repo}/deployments/")
def deployments(world: AskedWorld, request: Request, workspace: str, repo: str) -> dict[str, Any]:
    now = world.clock()
    found = [
        (run, state)
        for run in reversed(entry_of(world, workspace, repo).runs)
        for state in run.step_states(now)
        if state.step.script.deploys
    ]
    # Where those without a time stand is not recorded: first, where they cost a reader the most.
    found.sort(key=lambda pair: (pair[1].started is None, pair[1].started or pair[0].created), reverse=True)
    return page_of(request, found, lambda pair: answers.deployment(world, *pair))


COMMITS = "/repositories/{workspace}/{repo}"


@router.get(COMMITS + "/commit/{sha}")
def commit(world: AskedWorld, workspace: str, repo: str, sha: str) -> dict[str, Any]:
    return answers.commit(world, repo, commit_of(world, workspace, repo, sha))


@router.get(COMMITS + "/commits/{revision}")
def commits(world: AskedWorld, request: Request, workspace: str, repo: str, revision: str) -> dict[str, Any]:
    newest = commit_of(world, workspace, repo, revision)
    excluded = request.query_params.get("exclude")
    hidden = set(_ancestry(world, repo, commit_of(world, workspace, repo, excluded))) if excluded else set()
    found = [one for one in _ancestry(world, repo, newest) if one not in hidden]
    return page_of(request, found, lambda one: answers.commit(world, repo, one))


@router.get(COMMITS + "/commit/{sha}/pullrequests")
def pull_requests(world: AskedWorld, request: Request, workspace: str, repo: str, sha: str) -> dict[str, Any]:
    wanted = commit_of(world, workspace, repo, sha).hash
    found = [one for one in world.repositories[repo].pull_requests if one.commit == wanted]
    return page_of(request, found, lambda one: answers.pull_request(world, repo, one))


@router.get(COMMITS + "/commit/{sha}/statuses")
def statuses(world: AskedWorld, request: Request, workspace: str, repo: str, sha: str) -> dict[str, Any]:
    wanted = commit_of(world, workspace, repo, sha).hash
    runs = [run for run in world.repositories[repo].runs if run.target.commit == wanted]
    return page_of(request, runs, lambda run: answers.status(world, run))


def _ancestry(world: World, repo: str, commit: CommitEntry | None) -> list[CommitEntry]:
    found = []
    while commit is not None:
        found.append(commit)
        commit = world.find_commit(repo, commit.parent)
    return found


def _listed(world: World, request: Request) -> dict[str, Any]:
    if not world.runners_available:
        raise HTTPException(404, "Not found")
    return page_of(request, world.runners, lambda entry: answers.runner(world, entry))


@router.get("/workspaces/{workspace}/pipelines-config/runners")
def workspace_runners(world: AskedWorld, request: Request, workspace: str) -> dict[str, Any]:
    return _listed(world, request)


@router.get("/repositories/{workspace}/{repo}/pipelines-config/runners")
def repository_runners(world: AskedWorld, request: Request, workspace: str, repo: str) -> dict[str, Any]:
    entry_of(world, workspace, repo)
    return _listed(world, request)
