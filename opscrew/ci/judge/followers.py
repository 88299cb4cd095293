"""What a newer pipeline says about earlier failures: only a step that has passed ends one.

Fetching is the caller's: where steps are only sometimes needed, they come by a function, since each costs a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from opscrew.ci.judge.failures import WHOLE
from opscrew.ci.rerun.outage import Outage
from opscrew.ci.watch.open_failures import Rerun, Standing
from opscrew.ci.watch.pauses import has_passed, named
from opscrew.model.finding import Finding
from tools.bitbucket.records import Pipeline, PipelineStep

Steps = Sequence[PipelineStep]

PASSES_ASKED = 3
"""Newest pipelines of a repository that may have ended an outage; each costs a request."""


def not_passed(failed: Standing, steps: Steps) -> list[Standing]:
    """What is left of a failure after a newer pipeline, which waits for a person, has passed these steps."""
    left = [one for one in failed.findings if not has_passed(steps, _steps_of(one))]
    if not left:
        return []
    rerun = failed.rerun if left[0] == failed.finding else Rerun.NOT_WANTED
    return [replace(failed, finding=left[0], behind=tuple(left[1:]), rerun=rerun)]


def not_reached(before: Standing | None, now: Finding, steps: Callable[[], Steps]) -> tuple[Finding, ...]:
    """Earlier failures of the target in steps that the pipeline which ``now`` tells of, failing elsewhere, did not get
    to: whether these would fail again is unknown."""
    earlier = before.findings if before is not None else ()
    others = [one for one in earlier if _steps_of(one) and _steps_of(one).isdisjoint(_steps_of(now))]
    if not others:
        return ()
    reached = {name for name, step in named(steps()) if step.state.successful or step.state.failed}
    return tuple(one for one in others if not _steps_of(one) <= reached)


def passed_since(
    outage: Outage, pipelines: Iterable[Pipeline], before: Iterable[Standing], steps: Callable[[Pipeline], Steps]
) -> Pipeline | None:
    """A pipeline of one repository that began after the outage's last failure and passed what had failed there."""
    wanted: set[str] = set()
    for one in before:
        if one.signature == outage.signature:
            wanted |= _steps_of(one.finding)
    later = [one for one in pipelines if one.created_on > outage.last_seen_at and _may_have_passed(one)]
    newest = sorted(later, key=lambda one: one.build_number)[-PASSES_ASKED:]
    return next((one for one in newest if has_passed(steps(one), wanted)), None)


def _may_have_passed(pipeline: Pipeline) -> bool:
    """Worth asking for its steps: it ended well, or waits for a person."""
    return pipeline.successful or pipeline.state.is_waiting


def _steps_of(told: Finding) -> set[str]:
    """The steps that failed; none where the pipeline failed as a whole."""
    return set(told.details.get("failed_steps") or [told.details["step"]]) - {WHOLE}
