"""How far a pipeline or a step is, as Bitbucket tells of it, and what started it. See ``records.py``."""

from __future__ import annotations

from pydantic import model_validator

from tools.bitbucket.shapes import Answer, flat_state, flat_trigger
from tools.bitbucket.source_records import Person

NEVER_RAN = frozenset({"NOT_RUN", "SKIPPED", "UNDEPLOYED"})
"""Results of steps and states of deployments that nothing ever ran for. Bitbucket gives them times all the same."""


class StepError(Answer):
    """Bitbucket's own word on why a step or a pipeline failed, beside the log: "Container 'Build' exceeded memory
    limit.". ``key`` names the kind: plan-service.parse.… for a definition that does not parse."""

    key: str = ""
    message: str = ""


class PipelineState(Answer):
    """Of a pipeline or a step. ``name``: PENDING, IN_PROGRESS, COMPLETED, HALTED, PAUSED, READY, …

    ``result`` is only there when completed: SUCCESSFUL, FAILED, ERROR, STOPPED, EXPIRED, NOT_RUN, …; ``stage`` only
    while in progress: RUNNING, PENDING, PAUSED, HALTED. Unknown words are kept as they come and mean none of ours.
    """

    name: str = ""
    stage: str = ""
    result: str = ""
    error: StepError | None = None
    stopped_by: Person | None = None

    _flat = model_validator(mode="before")(flat_state)

    @property
    def is_finished(self) -> bool:
        return self.name == "COMPLETED"

    @property
    def failed(self) -> bool:
        """ERROR is a failure too: the configuration did not parse, or Bitbucket itself broke."""
        return self.is_finished and self.result in ("FAILED", "ERROR")

    @property
    def successful(self) -> bool:
        return self.is_finished and self.result == "SUCCESSFUL"

    @property
    def stopped(self) -> bool:
        return self.is_finished and self.result == "STOPPED"

    @property
    def is_paused(self) -> bool:
        """A person is to start the next step, which is manual. Nothing before it has failed."""
        return "PAUSED" in (self.name, self.stage)

    @property
    def is_halted(self) -> bool:
        """Bitbucket holds it back, mostly because its environment is taken or locked, until a person resumes it."""
        return "HALTED" in (self.name, self.stage)

    @property
    def is_waiting(self) -> bool:
        """For a person to start a manual step, or for one to resume it: that can take days."""
        return self.is_paused or self.is_halted

    @property
    def is_running(self) -> bool:
        """Queued or at work: it will change by itself."""
        return bool(self.name) and not self.is_finished and not self.is_waiting and self.name not in NEVER_RAN


class Trigger(Answer):
    """``name``: PUSH, MANUAL, SCHEDULE, PULL_REQUEST, PARENT_STEP; for steps AUTOMATIC or MANUAL."""

    name: str = ""

    _flat = model_validator(mode="before")(flat_trigger)
