"""What to send so that Bitbucket runs the same pipeline again, and when that cannot be said in full.

There is no "re-run" in the public API: a new pipeline is created with the target, selector and variables of the old.
https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/ describes the bodies per kind of target.
"""

from __future__ import annotations

from typing import Any

from tools.bitbucket.records import Pipeline, PipelineSelector, PipelineTarget


def missing_for_rerun(pipeline: Pipeline) -> str | None:
    """Why the pipeline cannot be started again in full, in words for people; None when it can."""
    target = pipeline.target
    secured = [variable.key for variable in pipeline.variables if variable.secured]
    if secured:
        return f"secured variables were passed by hand ({', '.join(secured)}) and Bitbucket does not give their values"
    if pipeline.has_variables and not pipeline.variables:
        return "variables were passed by hand and Bitbucket does not list them"
    if not target.commit:
        return "Bitbucket does not say which commit it ran on"
    if target.type == "pipeline_ref_target":
        return None if target.ref_type and target.ref_name else "Bitbucket does not say which branch or tag it ran on"
    if target.is_pull_request:
        complete = target.source and target.destination and target.pull_request_id
        return None if complete else "Bitbucket does not say which pull request it ran for"
    if target.type == "pipeline_commit_target":
        return None
    return f"its kind of target is unknown ({target.type or 'not given'})"


def rerun_body(pipeline: Pipeline) -> dict[str, Any]:
    """The JSON to POST. Call only when ``missing_for_rerun`` is None."""
    body: dict[str, Any] = {"type": "pipeline", "target": _target(pipeline.target)}
    if pipeline.variables:
        body["variables"] = [{"key": v.key, "value": v.value, "secured": False} for v in pipeline.variables]
    return body


def _target(target: PipelineTarget) -> dict[str, Any]:
    # "type" is required on every object by the API's definition, even where its examples leave it out.
    body: dict[str, Any] = {"type": target.type, "commit": {"type": "commit", "hash": target.commit}}
    if target.is_pull_request:
        body |= {
            "source": target.source,
            "destination": target.destination,
            "pullrequest": {"type": "pullrequest", "id": int(target.pull_request_id)},
        }
        if target.destination_commit:
            body["destination_commit"] = {"type": "commit", "hash": target.destination_commit}
    elif target.type == "pipeline_ref_target":
        body |= {"ref_type": target.ref_type, "ref_name": target.ref_name}
    if target.selector is not None and target.selector.type:
        body["selector"] = _selector(target.selector)
    return body


def _selector(selector: PipelineSelector) -> dict[str, str]:
    # The default pipeline has no pattern; an empty one is refused.
    return {"type": selector.type} | ({"pattern": selector.pattern} if selector.pattern else {})
