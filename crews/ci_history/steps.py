"""Reads the steps of pipelines, and the test reports of those that failed: each costs a request."""

from __future__ import annotations

from collections.abc import Sequence

from crews.ci_history.requests import Asking, is_gone
from crews.runtime.context import CrewContext
from opscrew.ci_history.keeping import ReadSteps, keep_steps, mark_refused
from opscrew.ci_history.wanted import Wanted
from tools.bitbucket.records import PipelineStep, TestReportSummary
from tools.errors import TemporaryError, UpstreamError


def read_steps(context: CrewContext, asking: Asking, wanting: Sequence[Wanted]) -> None:
    """As many as there is room for. What Bitbucket no longer has is marked, so that it is not asked for for ever."""
    for one in wanting:
        if asking.left <= 0:
            return
        try:
            read = _read(asking, one)
        except UpstreamError as problem:
            asking.problems.append(f"{one.repository}#{one.number}: {problem}")
            if not isinstance(problem, TemporaryError):
                mark_refused(context.engine, one.repository, [one.uuid])
            continue
        if read is not None:
            keep_steps(context.engine, one.repository, [read])
            asking.steps += 1


def _read(asking: Asking, one: Wanted) -> ReadSteps | None:
    client, slug = asking.client, one.repository.split("/", 1)[1]
    steps = asking.try_to(client.steps, slug, one.uuid)
    if steps is None:
        return None
    return ReadSteps(one.uuid, one.created_at, steps, _tests(asking, slug, one, steps))


def _tests(asking: Asking, slug: str, one: Wanted, steps: Sequence[PipelineStep]) -> dict[int, TestReportSummary]:
    """Of failed steps alone: nine steps in ten report none, and each question costs as much as a pipeline's steps."""
    found = {}
    for place, step in enumerate(steps):
        if step.state.failed and step.uuid:
            try:
                report = asking.try_to(asking.client.test_reports, slug, one.uuid, step.uuid)
            except UpstreamError as problem:
                if not is_gone(problem):
                    asking.problems.append(f"{one.repository}#{one.number}: {problem}")
                continue
            if report is not None and report.total:
                found[place] = report
    return found
