"""Has a pipeline that waits for a person passed what failed before?

Many pipelines end in a manual deployment. They stay paused for days and are never "successful", although everything
that runs by itself has passed: for a re-run that is the outcome, and for a failing branch the end of the trouble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from tools.bitbucket.records import PipelineStep


def has_passed(steps: Iterable[PipelineStep], failed_before: Collection[str]) -> bool | None:
    """True when every step named in ``failed_before`` has passed, False when one stands behind the pause and has not.

    None while a step still runs, or while one cannot be read. A step without a name cannot be told from others, and
    counts as not passed.
    """
    known = list(steps)
    if any(step.unreadable or (step.state.is_running and step.has_started) for step in known):
        return None
    passed = {name for name, step in named(known) if step.state.successful and step.name}
    return bool(passed) and passed.issuperset(failed_before)


def failed_steps(steps: Iterable[PipelineStep]) -> set[str]:
    """The names of those that failed, for ``has_passed``."""
    return {name for name, step in named(steps) if step.state.failed}


def named(steps: Iterable[PipelineStep]) -> list[tuple[str, PipelineStep]]:
    """Each step with a name of its own: "Test", and "Test (2. of this name)" where an earlier one has it too.

    Bitbucket lets several steps of a pipeline have one name. Their UUIDs are new in each pipeline, so the place among
    those of one name is what two pipelines of one definition have in common.
    """
    counts: Counter[str] = Counter()
    result = []
    for step in steps:
        counts[step.name] += 1
        place = counts[step.name]
        result.append((step.name if place == 1 else f"{step.name} ({place}. of this name)", step))
    return result
