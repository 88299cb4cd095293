"""Reads the body of POST /pipelines, as strictly as Bitbucket does."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from demo.bitbucket.faults import BROKEN
from demo.bitbucket.pipelines import Target
from demo.bitbucket.world import World


def read_target(world: World, repo: str, body: Any) -> Target:
    """What to run; raises 400 with a reason for anything that is not complete."""
    wanted = body.get("target") if isinstance(body, dict) else None
    if not isinstance(wanted, dict):
        raise HTTPException(400, "target is required")
    kind = wanted.get("type")
    selector = wanted.get("selector") or {}
    pattern = selector.get("pattern") or ""
    if kind == "pipeline_pullrequest_target":
        return _pull_request(world, repo, wanted, pattern)
    if kind == "pipeline_commit_target":
        return Target("commit", _commit(world, repo, wanted, ""), "", pattern)
    if kind != "pipeline_ref_target":
        raise HTTPException(400, f"Unknown target type {kind}")
    return _reference(world, repo, wanted, selector, pattern)


def _reference(world: World, repo: str, wanted: dict[str, Any], selector: dict[str, Any], pattern: str) -> Target:
    name = wanted.get("ref_name")
    if not name or wanted.get("ref_type") not in ("branch", "tag", "named_branch", "bookmark"):
        raise HTTPException(400, "ref_type and ref_name are required")
    if wanted["ref_type"] == "tag":
        _refuse_tag_without_commit(wanted)
    commit = _commit(world, repo, wanted, name)
    if name in world.repositories[repo].without_definition:
        # The words of the pipelines service reach the caller with its key and little else.
        raise HTTPException(400, {"message": "Bad Request", "data": {"key": "result-service.pipeline.no-pipeline"}})
    if selector.get("type") == "custom":
        return Target("custom", commit, name, pattern)
    return Target("tag" if wanted["ref_type"] == "tag" else "branch", commit, name, pattern)


def _refuse_tag_without_commit(wanted: dict[str, Any]) -> None:
    """Recorded for a tag without its commit: 500, and a body that is not the error form."""
    if not (wanted.get("commit") or {}).get("hash"):
        raise HTTPException(500, BROKEN)


def read_variables(body: Any) -> tuple[dict[str, Any], ...]:
    """Variables passed by hand; each needs a key and a value."""
    given = body.get("variables") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) and {"key", "value"} <= set(one) for one in given):
        raise HTTPException(400, "variables need key and value")
    return tuple({"key": one["key"], "value": one["value"], "secured": bool(one.get("secured"))} for one in given)


def _pull_request(world: World, repo: str, wanted: dict[str, Any], pattern: str) -> Target:
    number = int((wanted.get("pullrequest") or {}).get("id") or 0)
    source = str(wanted.get("source") or "")
    if source and source not in world.repositories[repo].heads:
        words = f"branch not found: {source}"
        raise HTTPException(400, {"message": f"source: {words}", "fields": {"source": [words]}})
    known = next((one for one in world.repositories[repo].pull_requests if one.number == number), None)
    if known is None or not wanted.get("source") or not wanted.get("destination"):
        raise HTTPException(400, "pullrequest, source and destination are required")
    commit = _commit(world, repo, wanted, str(wanted["source"]))
    base = (wanted.get("destination_commit") or {}).get("hash") or known.destination_commit
    return Target("pull_request", commit, wanted["source"], pattern or "**", number, wanted["destination"], base)


def _commit(world: World, repo: str, wanted: dict[str, Any], branch: str) -> str:
    """The named commit, or the branch's newest where none is named."""
    key = (wanted.get("commit") or {}).get("hash") or branch
    commit = world.find_commit(repo, key)
    if commit is None:
        raise HTTPException(404, {"message": "Not found", "detail": "Could not find the revision"})
    if commit.hash in world.repositories[repo].without_definition:
        raise HTTPException(400, "bitbucket-pipelines.yml not found.")
    return commit.hash
