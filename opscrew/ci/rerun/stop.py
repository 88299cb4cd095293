"""The proposal to stop a running pipeline, wherever it comes from: a question, or a client of our MCP server."""

from __future__ import annotations

from collections.abc import Sequence

from opscrew.ci.rerun.proposal import subject_of
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from tools.bitbucket.records import Pipeline

KIND = "stop_pipeline"


def stop_action(pipeline: Pipeline, repository: str, reason: str, evidence: Sequence[Evidence]) -> Action:
    """One pipeline gives one key, however often and by whomever it is proposed."""
    return Action(
        kind=KIND,
        target=subject_of(pipeline, repository),
        parameters={"pipeline_uuid": pipeline.uuid, "build_number": pipeline.build_number},
        reason=reason,
        evidence=tuple(evidence),
        idempotency_key=f"{KIND}:{repository}:{pipeline.uuid}",
    )
