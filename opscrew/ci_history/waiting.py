"""How long a step was queued. Derived: Bitbucket gives no time at which a step could have started (BCLOUD-24061).

It is the step's start minus the end of what it waited for: the last step before it that had ended by then, or the
pipeline's creation. Where steps run side by side and one waits for a machine until another has ended, this tells less
than the truth, never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tools.bitbucket.records import PipelineStep

BY_ITSELF = ("", "AUTOMATIC")
"""Triggers of steps that nobody had to start. The others waited for a person, which is no queue."""


def queue_seconds(created: datetime, steps: Sequence[PipelineStep], place: int) -> float | None:
    """Seconds that ``steps[place]`` was queued. None where it cannot be told: it did not start, a person started it,
    or it or a step before it ran again in place, which moves the times."""
    step, before = steps[place], steps[:place]
    started = step.started_on
    if started is None or step.never_ran or _took_no_time(step) or step.trigger.name not in BY_ITSELF:
        return None
    if any(one.run_number > 1 for one in (step, *before)):
        return None
    ends = [one.completed_on for one in before if one.completed_on is not None and not one.never_ran]
    since = max((end for end in ends if end <= started), default=created)
    return max(0.0, (started - since).total_seconds())


def _took_no_time(step: PipelineStep) -> bool:
    """Stopped before it began: Bitbucket gives the moment of the stop as its start and its end."""
    return step.state.stopped and step.started_on == step.completed_on
