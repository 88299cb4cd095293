"""Tools of our MCP server that list things: repositories, pipelines, steps, commits, pull requests, runners."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.mcp_shapes import (
    CommitLine,
    Commits,
    CommitsOfPipeline,
    DeploymentLine,
    Deployments,
    OfCommit,
    OfPipeline,
    OfRepository,
    OfWorkspace,
    PipelineDetail,
    PipelineLine,
    PipelineQuery,
    Pipelines,
    PullRequestLine,
    PullRequests,
    Repositories,
    RepositoryLine,
    RunnerLine,
    RunnerQuery,
    Runners,
    StepLine,
    Steps,
)
from tools.bitbucket.records import Commit, Pipeline, PipelineStep
from tools.errors import PermanentError

Record = TypeVar("Record")

FARTHEST = 1_000
"""Records from the start that paging can reach; older ones are history, for which Bitbucket's own page is better."""
LOOK_BACK = 50
SYSTEM = "bitbucket"


def list_repositories(client: BitbucketClient, arguments: OfWorkspace) -> Repositories:
    found, cursor = _page(lambda limit: client.repositories(limit=limit), lambda one: one.slug, arguments)
    lines = [
        RepositoryLine(
            slug=one.slug, name=one.name, main_branch=one.main_branch, updated_on=one.updated_on, url=one.url
        )
        for one in found
    ]
    return Repositories(repositories=lines, next_cursor=cursor)


def list_pipelines(client: BitbucketClient, arguments: PipelineQuery) -> Pipelines:
    def fetch(limit: int) -> Sequence[Pipeline]:
        return client.pipelines(
            arguments.repository, status=arguments.status or None, branch=arguments.branch or None, limit=limit
        )

    found, cursor = _page(fetch, lambda one: one.uuid, arguments)
    return Pipelines(pipelines=[PipelineLine(**_pipeline(one)) for one in found], next_cursor=cursor)


def get_pipeline(client: BitbucketClient, arguments: OfPipeline) -> PipelineDetail:
    one = find_pipeline(client, arguments)
    return PipelineDetail(
        **_pipeline(one),
        commit_message=one.target.commit_message[:500],
        pull_request=one.target.pull_request_id,
        completed_on=one.completed_on,
        error=one.state.error.message if one.state.error else "",
    )


def list_steps(client: BitbucketClient, arguments: OfPipeline) -> Steps:
    pipeline = find_pipeline(client, arguments)
    steps = client.steps(arguments.repository, pipeline.uuid)
    return Steps(steps=[_step(position, step) for position, step in enumerate(steps, start=1)])


def get_commit(client: BitbucketClient, arguments: OfCommit) -> CommitLine:
    return _commit(client.commit(arguments.repository, arguments.commit))


def list_commits(client: BitbucketClient, arguments: CommitsOfPipeline) -> Commits:
    """What is new in a pipeline: the commits since the last good one of the same target."""
    pipeline = find_pipeline(client, arguments)
    earlier = client.pipelines(arguments.repository, branch=pipeline.target.branch or None, limit=LOOK_BACK)
    good = next(
        (
            one
            for one in earlier
            if one.successful and one.build_number < pipeline.build_number and one.target.key == pipeline.target.key
        ),
        None,
    )
    if good is None:
        return Commits(commits=[_commit(client.commit(arguments.repository, pipeline.target.commit))], since="")
    found = client.commits_between(
        arguments.repository, include=pipeline.target.commit, exclude=good.target.commit, limit=arguments.limit
    )
    return Commits(commits=[_commit(one) for one in found], since=f"#{good.build_number}")


def list_pull_requests(client: BitbucketClient, arguments: OfPipeline) -> PullRequests:
    pipeline = find_pipeline(client, arguments)
    found = client.pull_requests_of_commit(arguments.repository, pipeline.target.commit)
    return PullRequests(
        pull_requests=[
            PullRequestLine(
                id=one.id,
                title=one.title,
                state=one.state,
                author=one.author.name if one.author else "",
                source=one.source,
                destination=one.destination,
                url=one.url,
            )
            for one in found
        ]
    )


def list_deployments(client: BitbucketClient, arguments: OfRepository) -> Deployments:
    found, cursor = _page(
        lambda limit: client.deployments(arguments.repository, limit=limit),
        lambda one: one.uuid,
        arguments,
    )
    lines = [
        DeploymentLine(
            environment=one.environment,
            state=one.state,
            status=one.status,
            commit=one.commit[:12],
            started_on=one.started_on,
            completed_on=one.completed_on,
        )
        for one in found
    ]
    return Deployments(deployments=lines, next_cursor=cursor)


def list_runners(client: BitbucketClient, arguments: RunnerQuery) -> Runners:
    found = client.runners(arguments.repository or None)
    lines = [
        RunnerLine(name=one.name, state=one.state, labels=list(one.labels), busy=one.is_busy, seen_on=one.seen_on)
        for one in found or ()
    ]
    return Runners(runners=lines, available=found is not None)


def find_pipeline(client: BitbucketClient, arguments: OfPipeline) -> Pipeline:
    """By build number or UUID, as people write them: 42, #42, with or without braces."""
    wanted = arguments.pipeline.removeprefix("#")
    if not wanted.isdigit():
        wanted = "{" + wanted.strip("{}") + "}"
    return client.pipeline(arguments.repository, wanted)


def find_step(client: BitbucketClient, arguments: OfPipeline, wanted: str) -> tuple[Pipeline, PipelineStep]:
    """A step by UUID, name (letter case aside) or position. Raises ``PermanentError`` that lists what there is."""
    pipeline = find_pipeline(client, arguments)
    steps = client.steps(arguments.repository, pipeline.uuid)
    named = [step for step in steps if wanted.casefold() == step.name.casefold()]
    found = [step for step in steps if wanted.strip("{}") == step.uuid.strip("{}")] or named
    if not found and wanted.isdecimal() and 1 <= int(wanted) <= len(steps):
        found = [steps[int(wanted) - 1]]
    if len(found) == 1:
        return pipeline, found[0]
    listed = "; ".join(
        f"{position} {step.name} {step.state.result}".rstrip() for position, step in enumerate(steps, start=1)
    )
    what = f"{len(found)} steps called" if found else "no step"  # steps that run side by side may share a name
    raise PermanentError(
        f"#{pipeline.build_number} has {what} {wanted!r}", system=SYSTEM, hint=f"Its steps are: {listed or 'none'}."
    )


def _page(
    fetch: Callable[[int], Sequence[Record]], key: Callable[[Record], str], arguments: OfWorkspace | OfRepository
) -> tuple[Sequence[Record], str]:
    """One page, and the cursor of the next. A cursor names the last record that was shown, because new ones arrive
    in front of it between two pages."""
    question, limit = _digest(arguments), arguments.limit
    seen, last = _read(arguments.cursor, question)
    # A few more than counted, since what has arrived meanwhile has moved the rest back.
    reach = min(seen + limit + 1 + (limit if last else 0), FARTHEST)
    found = fetch(reach)
    start = next((number for number, one in enumerate(found, start=1) if key(one) == last), seen)
    page = found[start : start + limit]
    more = len(found) > start + limit and start + limit < FARTHEST
    return page, _written(question, start + len(page), key(page[-1])) if more and page else ""


def _digest(arguments: OfWorkspace | OfRepository) -> str:
    """Of the question without its page: a cursor of another one would silently skip what it never showed."""
    asked = f"{type(arguments).__name__} {arguments.model_dump_json(exclude={'limit', 'cursor'})}"
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def _written(question: str, seen: int, last: str) -> str:
    return base64.urlsafe_b64encode(f"{question} {seen} {last}".encode()).decode().rstrip("=")


def _read(cursor: str, question: str) -> tuple[int, str]:
    if not cursor:
        return 0, ""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        asked, seen, last = text.split(" ", 2)
        number = int(seen)
        if asked != question or not 0 < number <= FARTHEST or not last:
            raise ValueError("of another question, or out of range")
    except (ValueError, binascii.Error) as problem:
        hint = "Ask without a cursor, or with next_cursor of the same question."
        raise PermanentError("this cursor is not one of ours", system=SYSTEM, hint=hint) from problem
    return number, last


def _pipeline(one: Pipeline) -> dict[str, object]:
    return {
        "build_number": one.build_number,
        "uuid": one.uuid,
        "state": one.state.stage or one.state.name,
        "result": one.state.result,
        "branch": one.target.branch or one.target.ref_name,
        "commit": one.target.commit[:12],
        "trigger": one.trigger.name,
        "creator": one.creator.name if one.creator else "",
        "created_on": one.created_on,
        "duration_in_seconds": one.duration_in_seconds,
        "url": one.url,
    }


def _step(position: int, step: PipelineStep) -> StepLine:
    return StepLine(
        position=position,
        name=step.name,
        uuid=step.uuid,
        state=step.state.stage or step.state.name,
        result=step.state.result,
        error=step.error_message,
        image=step.image,
        environment=step.environment,
        started_on=step.started_on,
        duration_in_seconds=step.duration_in_seconds,
    )


def _commit(one: Commit) -> CommitLine:
    return CommitLine(
        hash=one.hash[:12], message=one.message.strip()[:500], author=one.author, date=one.date, url=one.url
    )
