"""What Bitbucket tells, as typed values: the one door to all record types of this folder.

Names follow the API's own words. Only what identifies a thing is required; everything else has a default, because
Bitbucket leaves fields out, sends null, and adds states over the years. Times are timezone-aware, UTC.
"""

from __future__ import annotations

from tools.bitbucket.deployment_records import Deployment
from tools.bitbucket.pipeline_records import (
    Pipeline,
    PipelineSelector,
    PipelineStep,
    PipelineTarget,
    Runner,
    TestCase,
    TestReportSummary,
    Variable,
)
from tools.bitbucket.source_records import Commit, CommitStatus, Person, PullRequest, Repository
from tools.bitbucket.states import PipelineState, StepError, Trigger

__all__ = [
    "Commit",
    "CommitStatus",
    "Deployment",
    "Person",
    "Pipeline",
    "PipelineSelector",
    "PipelineState",
    "PipelineStep",
    "PipelineTarget",
    "PullRequest",
    "Repository",
    "Runner",
    "StepError",
    "TestCase",
    "TestReportSummary",
    "Trigger",
    "Variable",
]
