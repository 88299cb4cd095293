"""Pipelines, steps, test reports and runners, as Bitbucket tells of them. See ``records.py``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tools.bitbucket.shapes import (
    Answer,
    error_in,
    flat_runner,
    inner,
    items_at,
    text_at,
)
from tools.bitbucket.source_records import Moment, Person, Repository
from tools.bitbucket.states import NEVER_RAN, PipelineState, StepError, Trigger

Word = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""Ids that are a number in some answers and a string in others."""

Seconds = Annotated[int, BeforeValidator(lambda value: int(value) if isinstance(value, float) else value)]
"""Whole ones in nearly all answers; fractions are cut."""

UNNAMED_ENVIRONMENT = "an environment"


class Variable(Answer):
    """A variable passed by hand. A secured one comes without its value, so it cannot be passed again."""

    key: str = ""
    value: str = ""
    secured: bool = False


class PipelineSelector(Answer):
    """Which definition of bitbucket-pipelines.yml ran: ``type`` branches, tags, custom, default, pull-requests."""

    type: str = ""
    pattern: str = ""


class PipelineTarget(Answer):
    """What a pipeline runs on. ``type`` is pipeline_ref_target, _commit_target, _pullrequest_target or
    _merge_queue_ref_target.

    For a pull request, ``source`` and ``destination`` are branch names. A merge queue runs on a branch that lives
    once; what it is to be merged into is ``target_branch``.
    """

    type: str = ""
    ref_type: str = ""
    ref_name: str = ""
    commit: str = ""
    commit_message: str = ""
    selector: PipelineSelector | None = None
    source: str = ""
    destination: str = ""
    destination_commit: str = ""
    pull_request_id: Word = ""
    target_branch: str = ""

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:
        if not isinstance(data, dict) or isinstance(data.get("commit"), str):
            return data
        number = inner(data, "pullrequest", "id")
        return {
            **data,
            "commit": text_at(data, "commit", "hash"),
            "commit_message": text_at(data, "commit", "message"),
            "destination_commit": text_at(data, "destination_commit", "hash"),
            "pull_request_id": "" if number is None else number,
        }

    @property
    def is_pull_request(self) -> bool:
        return self.type == "pipeline_pullrequest_target"

    @property
    def is_merge_queue(self) -> bool:
        return self.type == "pipeline_merge_queue_ref_target" and bool(self.target_branch)

    @property
    def branch(self) -> str:
        """The branch that people would name: a pull request's source, what a merge queue merges into, or the branch
        itself; "" for tags."""
        if self.is_pull_request:
            return self.source
        if self.is_merge_queue:
            return self.target_branch
        return self.ref_name if self.ref_type in ("branch", "named_branch") else ""

    @property
    def key(self) -> str:
        """The same for two pipelines that run the same definition for the same branch, tag or pull request."""
        if self.is_pull_request:
            what = f"pr:{self.pull_request_id}"
        elif self.is_merge_queue:
            what = f"merge-queue:{self.target_branch}"
        else:
            what = f"{self.ref_type}:{self.ref_name}"
        selector = f"{self.selector.type}:{self.selector.pattern}" if self.selector else ""
        return f"{what if self.ref_name or self.is_pull_request else 'commit:' + self.commit}|{selector}"


class Pipeline(Answer):
    """One run. ``build_number`` counts up within its repository.

    Steps that are run again in place keep pipeline and UUIDs: then ``run_number`` or the end moves. ``error`` is
    Bitbucket's own word on why it failed as a whole. ``reading`` tells of ``unreadable``.
    """

    uuid: str
    build_number: int = 0
    run_number: int = 1
    state: PipelineState = PipelineState()
    target: PipelineTarget = PipelineTarget()
    trigger: Trigger = Trigger()
    creator: Person | None = None
    repository: Repository = Repository()
    created_on: Moment
    completed_on: Moment | None = None
    duration_in_seconds: Seconds | None = None
    build_seconds_used: Seconds | None = None
    variables: tuple[Variable, ...] = ()
    has_variables: bool = False
    html_url: str = ""
    error: StepError | None = None
    unreadable: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        html_url = data.get("html_url") or text_at(data, "links", "html", "href")
        return {**data, "html_url": html_url, "error": error_in(data)}

    @property
    def is_finished(self) -> bool:
        return self.state.is_finished

    @property
    def failed(self) -> bool:
        return self.state.failed

    @property
    def successful(self) -> bool:
        return self.state.successful

    @property
    def stopped(self) -> bool:
        """Somebody or something stopped it on purpose; never to be started again by itself."""
        return self.state.stopped

    @property
    def url(self) -> str:
        """The page for people."""
        if self.html_url:
            return self.html_url
        home = self.repository.url or f"https://bitbucket.org/{self.repository.full_name}"
        return f"{home}/pipelines/results/{self.build_number}" if self.repository.full_name else ""


class PipelineStep(Answer):
    """One container of a pipeline. ``labels`` name the runners that may take it; empty means Bitbucket's own.

    Names are not unique, and one that runs again in place keeps its UUID. ``reading`` tells of ``unreadable``.
    """

    uuid: str = ""
    name: str = ""
    state: PipelineState = PipelineState()
    trigger: Trigger = Trigger()
    image: str = ""
    commands: tuple[str, ...] = ()
    started_on: Moment | None = None
    completed_on: Moment | None = None
    duration_in_seconds: Seconds | None = None
    run_number: int = 1
    labels: tuple[str, ...] = Field(default=(), alias="runs_on")
    environment: str = ""
    unreadable: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        commands = [text_at(one, "command") or text_at(one, "name") for one in items_at(data, "script_commands")]
        return {
            **data,
            "image": text_at(data, "image", "name") or text_at(data, "image"),
            "commands": data.get("commands") or tuple(filter(None, commands)),
            "environment": _environment(data.get("environment")),
        }

    @field_validator("labels", mode="before")
    @classmethod
    def _one_label_or_many(cls, value: Any) -> Any:
        """A list, one word, or an object as pipelines have it, mostly an empty one."""
        if isinstance(value, dict):
            return tuple(f"{key}={inside}" if inside else str(key) for key, inside in value.items())
        return (value,) if isinstance(value, str) else value

    @property
    def error(self) -> StepError | None:
        return self.state.error

    @property
    def error_message(self) -> str:
        """ "" where Bitbucket says nothing beside the log."""
        return self.state.error.message if self.state.error else ""

    @property
    def never_ran(self) -> bool:
        """Bitbucket says so. Steps behind a failed or stopped one carry times too: start and end are the same."""
        return not NEVER_RAN.isdisjoint((self.state.name, self.state.result))

    @property
    def has_started(self) -> bool:
        """In any of its runs: one that was run again in place and was then left out had run before."""
        # Not recorded: what run_number a step has that was left out again when only failed steps were repeated.
        # A result without a start is a start that was left out, except where nothing ran.
        has_run = self.started_on is not None or bool(self.state.result)
        return self.run_number > 1 or (has_run and not self.never_ran)


def _environment(data: Any) -> str:
    """Its name; a word in its place where there is an environment whose name cannot be read."""
    # Not recorded: how a step names its environment. Anything that stands there means that the step deploys.
    if not data:
        return ""
    return (data if isinstance(data, str) else text_at(data, "name")) or UNNAMED_ENVIRONMENT


class TestReportSummary(Answer):
    """Numbers of test cases that a step reported."""

    __test__ = False  # pytest would take it for a test class by its name

    total: int = Field(default=0, alias="number_of_test_cases")
    successful: int = Field(default=0, alias="number_of_successful_test_cases")
    failed: int = Field(default=0, alias="number_of_failed_test_cases")
    errors: int = Field(default=0, alias="number_of_error_test_cases")
    skipped: int = Field(default=0, alias="number_of_skipped_test_cases")


class TestCase(Answer):
    """``status``: SUCCESSFUL, FAILED, ERROR or SKIPPED."""

    __test__ = False

    uuid: str = ""
    name: str = ""
    fully_qualified_name: str = ""
    package_name: str = ""
    status: str = ""


class Runner(Answer):
    """A machine of our own that runs steps. ``step_uuid`` names what it works on, "" when idle."""

    uuid: str = ""
    name: str = ""
    labels: tuple[str, ...] = ()
    state: str = ""
    step_uuid: str = ""
    seen_on: Moment | None = None

    _flat = model_validator(mode="before")(flat_runner)

    @property
    def is_online(self) -> bool:
        return self.state == "ONLINE"

    @property
    def is_busy(self) -> bool:
        return self.is_online and bool(self.step_uuid)
