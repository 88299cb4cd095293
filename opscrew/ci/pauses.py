"""Has a pipeline that waits for a person passed what failed before?

Many pipelines end in a manual deployment. They stay paused for days and are never "successful", although everything
that runs by itself has passed: for a re-run that is the outcome, and for a failing branch the end of the trouble.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tools.bitbucket.records import PipelineStep


def has_passed(steps: Iterable[PipelineStep], failed_before: Collection[str]) -> bool | None:
    """True when every step named in ``failed_before`` has passed, False when one stands behind the pause and has not.

    None while a step still runs. A step without a name cannot be told from others, and counts as not passed.
    """
    known = list(steps)
    if any(step.state.is_running and step.has_started for step in known):
        return None
    passed = {step.name for step in known if step.state.successful and step.name}
    return bool(passed) and passed.issuperset(failed_before)


def failed_steps(steps: Iterable[PipelineStep]) -> set[str]:
    """The names of those that failed, for ``has_passed``."""
    return {step.name for step in steps if step.state.failed}
