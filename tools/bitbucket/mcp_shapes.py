"""What the tools of our MCP server take and give. Output is small on purpose: a model reads every field.

Names of fields are Bitbucket's own. ``repository`` is the slug; ``pipeline`` a build number or a UUID.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Arguments(BaseModel):
    """Only what is named here is taken; anything else is told to the caller."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Slug = Annotated[
    str, StringConstraints(min_length=1, max_length=100), Field(description="Repository slug, as in shop.")
]
PipelineId = Annotated[
    str, StringConstraints(pattern=r"^#?(\d{1,12}|\{?[0-9A-Fa-f-]{36}\}?)$"), Field(description="Build number or UUID.")
]
StepId = Annotated[
    str, StringConstraints(min_length=1, max_length=200), Field(description="Step name, position from 1, or UUID.")
]
Limit = Annotated[int, Field(ge=1, le=100, description="At most so many.")]
Cursor = Annotated[str, StringConstraints(max_length=300), Field(description="next_cursor of the page before.")]


class OfWorkspace(Arguments):
    limit: Limit = 30
    cursor: Cursor = ""


class OfRepository(Arguments):
    repository: Slug
    limit: Limit = 20
    cursor: Cursor = ""


class PipelineQuery(OfRepository):
    status: Literal["", "FAILED", "SUCCESSFUL", "ERROR", "STOPPED", "BUILDING", "PENDING"] = Field(
        "", description="Only pipelines in this state."
    )
    branch: str = Field("", max_length=255, description="Only this branch.")


class OfPipeline(Arguments):
    repository: Slug
    pipeline: PipelineId


class OfStep(OfPipeline):
    step: StepId


class LogQuery(OfStep):
    mode: Literal["explained", "tail", "grep"] = Field(
        "tail", description="explained: lines that say why it failed; tail: the end; grep: lines with pattern."
    )
    pattern: str = Field("", max_length=200, description="RE2 pattern for grep.")
    lines: int = Field(60, ge=1, le=500, description="At most so many lines.")


class OfCommit(Arguments):
    repository: Slug
    commit: str = Field(pattern=r"^[0-9A-Fa-f]{7,40}$", description="Commit hash.")


class CommitsOfPipeline(OfPipeline):
    limit: Limit = 20


class RunnerQuery(Arguments):
    repository: str = Field(
        "", max_length=100, description="Runners of this repository; the workspace's own when empty."
    )


class ProposalArguments(OfPipeline):
    reason: str = Field(min_length=10, max_length=500, description="Why, in a sentence for the person who approves.")


class Output(BaseModel):
    """Part of an answer."""


class RepositoryLine(Output):
    slug: str
    name: str
    main_branch: str
    updated_on: datetime | None
    url: str


class Repositories(Output):
    repositories: list[RepositoryLine]
    next_cursor: str = ""


class PipelineLine(Output):
    build_number: int
    uuid: str
    state: str
    result: str
    branch: str
    commit: str
    trigger: str
    creator: str
    created_on: datetime
    duration_in_seconds: int | None
    url: str


class Pipelines(Output):
    pipelines: list[PipelineLine]
    next_cursor: str = ""


class PipelineDetail(PipelineLine):
    commit_message: str
    pull_request: str
    completed_on: datetime | None
    error: str


class StepLine(Output):
    position: int
    name: str
    uuid: str
    state: str
    result: str
    error: str
    image: str
    environment: str
    started_on: datetime | None
    duration_in_seconds: int | None


class Steps(Output):
    steps: list[StepLine]


class LogLine(Output):
    number: int | None
    text: str


class StepLog(Output):
    step: str
    mode: str
    lines: list[LogLine]
    left_out: int = Field(description="Lines that fit the question and are not shown; -1 when not counted.")
    note: str = ""


class TestCaseLine(Output):
    __test__ = False

    name: str
    status: str


class TestReports(Output):
    __test__ = False

    reported: bool
    total: int
    successful: int
    failed: int
    skipped: int
    failing: list[TestCaseLine]


class CommitLine(Output):
    hash: str
    message: str
    author: str
    date: datetime | None
    url: str


class Commits(Output):
    commits: list[CommitLine]
    since: str = Field(description="Build number of the last good pipeline of the branch; empty when none was found.")


class PullRequestLine(Output):
    id: int
    title: str
    state: str
    author: str
    source: str
    destination: str
    url: str


class PullRequests(Output):
    pull_requests: list[PullRequestLine]


class DeploymentLine(Output):
    environment: str
    state: str
    status: str
    commit: str
    started_on: datetime | None
    completed_on: datetime | None


class Deployments(Output):
    deployments: list[DeploymentLine]
    next_cursor: str = ""


class RunnerLine(Output):
    name: str
    state: str
    labels: list[str]
    busy: bool
    seen_on: datetime | None


class Runners(Output):
    runners: list[RunnerLine]
    available: bool = Field(description="False when the account may not list runners.")


class Proposal(Output):
    """What became of a wish to change something: it is recorded, judged by policy, and maybe waits for a person."""

    action: str = Field(description="Id; `crew actions show` tells more.")
    state: str
    note: str
