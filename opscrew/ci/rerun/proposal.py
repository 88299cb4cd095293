"""May this failed pipeline be run again, and as what action?

Pure rules over what Bitbucket said a moment ago. They are asked twice: when the action is proposed, and again right
before it is sent, because minutes and a person's click may lie between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opscrew.ci.judge.deployments import deployment_in
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from tools.bitbucket.records import Deployment, Pipeline, PipelineStep
from tools.bitbucket.rerun_request import missing_for_rerun

KIND = "rerun_pipeline"

REBUILDABLE_SELECTORS = ("branches", "tags", "custom", "default", "pull-requests", "bookmarks")
"""Definitions that `POST /pipelines` accepts. An unknown one would silently run another definition."""

REPEATED_IN_PLACE = "its steps were run again in place since it was judged"


@dataclass(frozen=True)
class RerunCase:
    """One failed pipeline with everything that speaks for or against running it again.

    ``newest`` is the newest pipeline of the same target (maybe this one), ``None`` when Bitbucket listed none.
    ``judged_end`` is when the pipeline ended that was judged, where that is known: steps that were run again in place
    since have another end.
    """

    pipeline: Pipeline
    steps: tuple[PipelineStep, ...]
    newest: Pipeline | None
    deployments: tuple[Deployment, ...] = ()
    knows_all_deployments: bool = True
    judged_end: str = ""


def why_not_rerun(case: RerunCase) -> str | None:
    """The first reason against it as a sentence for people, or None. Deny by default: what is unknown says no."""
    for rule in _RULES:
        reason = rule(case)
        if reason:
            return reason
    return None


def newest_of(target_key: str, pipelines: Iterable[Pipeline]) -> Pipeline | None:
    """The pipeline with the highest build number among those of one target."""
    same = [one for one in pipelines if one.target.key == target_key]
    return max(same, key=lambda one: one.build_number, default=None)


def rerun_action(
    pipeline: Pipeline, repository: str, reason: str, evidence: Sequence[Evidence], finding: str
) -> Action:
    """The proposal. One commit of one target gives one key, however often and by whomever it is proposed."""
    return Action(
        kind=KIND,
        target=subject_of(pipeline, repository),
        parameters={
            "pipeline_uuid": pipeline.uuid,
            "build_number": pipeline.build_number,
            "commit": pipeline.target.commit,
            "target_key": pipeline.target.key,
            "ended_at": end_of(pipeline),
        },
        reason=reason,
        evidence=tuple(evidence),
        finding=finding,
        idempotency_key=f"{KIND}:{repository}:{pipeline.target.key}:{pipeline.target.commit}",
    )


def subject_of(pipeline: Pipeline, repository: str) -> Subject:
    """``repository`` is "workspace/slug". The subject is the build, as people name it: acme/shop #42."""
    return Subject(
        system="bitbucket", kind="pipeline", scope=repository, name=f"#{pipeline.build_number}", url=pipeline.url
    )


def end_of(pipeline: Pipeline) -> str:
    """When it ended and in which of its runs, as one word. Steps that run again in place keep every UUID."""
    ended = pipeline.completed_on.isoformat() if pipeline.completed_on else ""
    return f"{ended}/{pipeline.run_number}"


def _was_stopped(case: RerunCase) -> str | None:
    return "it was stopped on purpose" if case.pipeline.stopped else None


def _has_not_failed(case: RerunCase) -> str | None:
    return None if case.pipeline.failed else "it has not failed"


def _is_a_child(case: RerunCase) -> str | None:
    # What the parent passed to it is gone, and the parent, which failed with it, is what people wait for.
    return "a step of another pipeline started it" if "PARENT" in case.pipeline.trigger.name else None


def _is_not_newest(case: RerunCase) -> str | None:
    if case.newest is None:
        return "Bitbucket lists no pipeline for its target any more"
    if case.newest.uuid == case.pipeline.uuid:
        return None
    return f"#{case.newest.build_number} is newer for the same target"


def _was_repeated_in_place(case: RerunCase) -> str | None:
    if not case.judged_end or case.judged_end == end_of(case.pipeline):
        return None
    return REPEATED_IN_PLACE


def _a_step_still_runs(case: RerunCase) -> str | None:
    running = next((step for step in case.steps if step.state.is_running), None)
    return f"step {running.name!r} still runs" if running else None


def _a_deployment_has_started(case: RerunCase) -> str | None:
    step = next((step for step in case.steps if step.environment and step.has_started), None)
    if step:
        return f"the deployment to {step.environment} in step {step.name!r} had started"
    deploying = next(((step, command) for step in case.steps if (command := _deploying_command(step))), None)
    if deploying:
        return f"step {deploying[0].name!r} had started, and it deploys: {deploying[1]}"
    # The steps themselves do not always name their environment; the list of deployments does.
    found = next((one for one in case.deployments if _is_of(case, one) and _has_begun(case, one)), None)
    if found is None:
        return None
    of_deployment = _step_of(case, found)
    where = f" in step {of_deployment.name!r}" if of_deployment and of_deployment.name else ""
    return f"the deployment to {found.environment or 'an environment'}{where} had started"


def _deploying_command(step: PipelineStep) -> str:
    """Of a step that has begun, whether it passed or not: a re-run would do it once more. "" where there is none."""
    return deployment_in(step.commands) if step.has_started else ""


def _is_of(case: RerunCase, deployment: Deployment) -> bool:
    """One that does not say whose it is may be this pipeline's."""
    if not deployment.pipeline_uuid and not deployment.step_uuid:
        return True
    return deployment.pipeline_uuid == case.pipeline.uuid or _step_of(case, deployment) is not None


def _step_of(case: RerunCase, deployment: Deployment) -> PipelineStep | None:
    return next((step for step in case.steps if step.uuid and step.uuid == deployment.step_uuid), None)


def _has_begun(case: RerunCase, deployment: Deployment) -> bool:
    step = _step_of(case, deployment)
    if step is None:
        return deployment.has_started
    return step.has_started or (deployment.has_started and not step.never_ran)


def _something_is_unreadable(case: RerunCase) -> str | None:
    if case.pipeline.unreadable:
        return f"part of what Bitbucket says about it cannot be read ({', '.join(case.pipeline.unreadable)})"
    step = next((step for step in case.steps if step.unreadable), None)
    if step:
        what = f"step {step.name!r}" if step.name else "one of its steps"
        return f"{what} cannot be read ({', '.join(step.unreadable)}), and it may be one that deploys"
    if any(one.unreadable and _is_of(case, one) for one in case.deployments):
        return "one of the deployments cannot be read, and it may be this pipeline's"
    return None if case.knows_all_deployments else "too many deployments began since it did to look through"


def _definition_is_unknown(case: RerunCase) -> str | None:
    selector = case.pipeline.target.selector
    if selector is None or selector.type in REBUILDABLE_SELECTORS or not (selector.type or selector.pattern):
        return None
    return f"its definition is of the kind {selector.type!r}, which the API may not start"


def _request_is_incomplete(case: RerunCase) -> str | None:
    # What a request must hold is Bitbucket's matter; the same words come back if it is sent all the same.
    return missing_for_rerun(case.pipeline)


_RULES = (
    _was_stopped,
    _has_not_failed,
    _is_a_child,
    _is_not_newest,
    _was_repeated_in_place,
    _a_step_still_runs,
    _something_is_unreadable,
    _a_deployment_has_started,
    _definition_is_unknown,
    _request_is_incomplete,
)
"""In the order in which people would want to hear the reason."""
