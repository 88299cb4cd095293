"""Fetches what explains a failed pipeline from Bitbucket and judges it.

Kept apart from ``ci_watch`` because questions ("why did #42 fail?") and the daily statistics need the same look.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import BinaryIO, cast

from opscrew.ci.explain.lines import Explanation, explain
from opscrew.ci.judge.classify import Verdict, classify
from opscrew.ci.judge.deployments import Deployment, DeploymentWatch
from opscrew.ci.judge.failures import Failure, StepFailure
from opscrew.ci.judge.pipeline_errors import judge_error
from opscrew.ci.watch.pauses import named
from tools.bitbucket.client import WHOLE_LOG_BYTES, BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline, PipelineStep

LOG_BYTES = 1 << 20
"""How much of a log's end is read: the explaining lines of nearly every build, in one request."""

MOST_STEPS = 5
"""Failed steps of one pipeline that are read. More say the same, and each costs a request of the hour's budget."""


def judge_failure(client: BitbucketClient, repo: str, pipeline: Pipeline) -> Failure:
    """Steps, logs and verdict of one failed pipeline. Raises ``UpstreamError`` when Bitbucket does not answer."""
    failed = [(name, step) for name, step in named(_steps(client, repo, pipeline)) if step.state.failed]
    judged = tuple(_judge_step(client, repo, pipeline, step) for _, step in failed[:MOST_STEPS])
    return Failure(
        repository=f"{client.workspace}/{repo}",
        pipeline=pipeline,
        steps=judged or (_judge_whole(pipeline),),
        failed_steps=tuple(name for name, _ in failed),
    )


def _steps(client: BitbucketClient, repo: str, pipeline: Pipeline) -> tuple[PipelineStep, ...]:
    """None for a pipeline that has its own error and never came to have steps; not recorded: what is answered then."""
    try:
        return client.steps(repo, pipeline.uuid)
    except Refused as refusal:
        if refusal.status != 404 or pipeline.error is None:
            raise
        return ()


def _judge_step(client: BitbucketClient, repo: str, pipeline: Pipeline, step: PipelineStep) -> StepFailure:
    tail = client.step_log_tail(repo, pipeline.uuid, step.uuid, max_bytes=LOG_BYTES)
    explanation = explain(BytesIO(tail.data))
    judged = classify(explanation, error_message=step.error_message)
    if judged.verdict is Verdict.TRANSIENT and tail.truncated:
        above = _deployment_above(client, repo, pipeline, step)
        judged = classify(replace(explanation, deployment=above), error_message=step.error_message)
    return StepFailure(step, explanation, judged, tail.truncated)


def _deployment_above(client: BitbucketClient, repo: str, pipeline: Pipeline, step: PipelineStep) -> Deployment | None:
    """A deployment may have begun far above the end of a long log, so all of it is looked through, and none kept."""
    watch = DeploymentWatch()
    read = client.step_log(repo, pipeline.uuid, step.uuid, cast(BinaryIO, watch))
    if watch.found is None and read >= WHOLE_LOG_BYTES:
        return Deployment(0, "perhaps: the log is too long to be looked through")
    return watch.found


def _judge_whole(pipeline: Pipeline) -> StepFailure:
    """No step failed: the definition did not parse, or Bitbucket itself gave up. Its own message is all there is."""
    return StepFailure(None, Explanation((), 0), judge_error(pipeline.error or pipeline.state.error))
