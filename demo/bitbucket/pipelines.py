"""A pipeline's life as a function of time: nothing runs in the background, the state is worked out when asked.

That keeps the sandbox exact under any clock: an hour can pass in a test between two requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from demo.bitbucket.scenarios import ErrorText, Outcome, Scenario, StepScript

QUEUE = timedelta(seconds=4)
"""From the push to the first step, and between two steps: Bitbucket starts a container for each."""


@dataclass(frozen=True)
class Target:
    """What a pipeline runs on. ``kind`` is branch, tag, custom, pull_request, merge_queue or commit."""

    kind: str
    commit: str
    name: str = ""
    pattern: str = ""
    pull_request: int = 0
    destination: str = ""
    destination_commit: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """Two pipelines with the same one are attempts at the same thing."""
        return self.kind, self.commit, self.name, self.pattern, self.pull_request


@dataclass(frozen=True)
class StepRun:
    """One step of one pipeline, with the fate it will have."""

    uuid: str
    script: StepScript
    outcome: Outcome


@dataclass(frozen=True)
class StepState:
    """A step at one moment. ``result`` is "" until completed; ``stage`` is RUNNING, PAUSED, PENDING, HALTED or "".

    One that was never begun because of another one has the moment in which that was clear as its start and its end.
    """

    step: StepRun
    name: str
    result: str = ""
    stage: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    run_number: int = 1

    @property
    def share_done(self) -> float:
        """How much of its log is there at the end; the caller scales it down while the step runs."""
        return self.step.outcome.cut


@dataclass
class Run:
    """One pipeline. Only ``stopped_at``, ``stopped_by``, ``approved_at`` and ``repeated_at`` change after it was made.

    ``repeated_at`` are the moments in which a person pressed "rerun failed steps": it stays the same pipeline with the
    same steps, and those that run again have a run number of their own.
    """

    uuid: str
    number: int
    repository: str
    target: Target
    scenario: Scenario
    scenario_name: str
    attempt: int
    created: datetime
    trigger: str
    creator: str
    steps: tuple[StepRun, ...]
    message: str = ""
    variables: tuple[dict[str, object], ...] = ()
    stopped_at: datetime | None = None
    stopped_by: str = ""
    approved_at: datetime | None = None
    error: ErrorText | None = field(default=None)
    repeated_at: list[datetime] = field(default_factory=list)

    def step_states(self, now: datetime) -> list[StepState]:
        """Every step as it stands at ``now``."""
        return self._walk(now)

    def ended(self, now: datetime) -> datetime | None:
        """When it completed, or None while it has not."""
        if self.error is not None:
            return self.created + QUEUE if now >= self.created + QUEUE else None
        states = self.step_states(now)
        if any(state.name != "COMPLETED" for state in states):
            return None
        if self.stopped_at is not None and any(state.result == "STOPPED" for state in states):
            return self.stopped_at
        return max((state.ended for state in states if state.ended), default=self.created)

    def result(self, now: datetime) -> str:
        """SUCCESSFUL, FAILED, ERROR or STOPPED; "" while it has not completed."""
        if self.ended(now) is None:
            return ""
        if self.error is not None:
            return "FAILED"
        results = [state.result for state in self.step_states(now)]
        return next((bad for bad in ("STOPPED", "ERROR", "FAILED") if bad in results), "SUCCESSFUL")

    def stage(self, now: datetime) -> str:
        """PENDING before the first step, PAUSED when a person is waited for, HALTED when Bitbucket holds it back, else
        RUNNING."""
        states = self.step_states(now)
        if any(state.stage == "HALTED" for state in states):
            return "HALTED"
        if any(state.stage == "PAUSED" for state in states):
            return "PAUSED"
        return "RUNNING" if any(state.started for state in states) else "PENDING"

    def _walk(self, now: datetime) -> list[StepState]:
        """Through all runs of its steps: each time those from the first failed one on run again."""
        repeats = [moment for moment in self.repeated_at if moment <= now]
        states = list(self._walk_once(self.steps, self.created + QUEUE, repeats[0] if repeats else now, 1))
        for number, moment in enumerate(repeats, 2):
            until = repeats[number - 1] if number <= len(repeats) else now
            broken = next((place for place, state in enumerate(states) if state.result not in ("", "SUCCESSFUL")), 0)
            again = tuple(
                replace(step, outcome=step.script.outcome(self.attempt + number - 1, outage_is_over=False))
                for step in self.steps[broken:]
            )
            states = states[:broken] + list(self._walk_once(again, moment + QUEUE, until, number))
        return states

    def _walk_once(
        self, steps: tuple[StepRun, ...], moment: datetime, now: datetime, number: int
    ) -> Iterator[StepState]:
        broken: datetime | None = None
        held = False
        for step in steps:
            if broken is not None:
                yield StepState(step, "COMPLETED", "NOT_RUN", started=broken, ended=broken)
                continue
            held = held or (0 < step.script.halted <= self.attempt and not self._stopped_by(now))
            if held:
                yield StepState(step, "PENDING", stage="HALTED")
                continue
            if step.script.manual and moment <= now:
                if self.approved_at is None and not self._stopped_by(now):
                    yield StepState(step, "PENDING", stage="PAUSED")
                    moment = now + QUEUE
                    continue
                moment = max(moment, self.approved_at or moment)
            state = self._step_state(step, moment, now)
            yield replace(state, run_number=number)
            broken = state.ended if state.result in ("FAILED", "ERROR", "STOPPED") else None
            moment = (state.ended or now) + QUEUE

    def _step_state(self, step: StepRun, start: datetime, now: datetime) -> StepState:
        stop = self.stopped_at if self._stopped_by(now) else None
        if stop is not None and start >= stop:
            return StepState(step, "COMPLETED", "STOPPED", started=stop, ended=stop)
        if start > now:
            return StepState(step, "PENDING", stage="PENDING")
        end = start + timedelta(seconds=step.script.seconds)
        endless = step.outcome.result == "RUNNING"
        if stop is not None and (endless or end > stop):
            return StepState(step, "COMPLETED", "STOPPED", started=start, ended=stop)
        if endless or end > now:
            return StepState(step, "IN_PROGRESS", stage="RUNNING", started=start)
        return StepState(step, "COMPLETED", step.outcome.result, started=start, ended=end)

    def _stopped_by(self, now: datetime) -> bool:
        return self.stopped_at is not None and self.stopped_at <= now
