"""Runs one crew once, whatever happens inside it, and keeps what came of it.

The boundary between the schedule (or a person at the terminal) and a crew's own code: an error in a crew ends here,
as a recorded failed run and the finding CREW_FAILED, which is resolved by the next run that works.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from crews.runtime.context import CrewContext
from crews.runtime.registry import Crew
from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.finding import Finding
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.redaction import redact
from opscrew.store.runs import record_run
from opscrew.store.text import LONGEST_SENTENCE, storable
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)

LONGEST_SUMMARY = 500
"""Characters of an error's text that are kept."""


def run_crew(
    crew: Crew,
    context: CrewContext,
    *,
    deadline: timedelta | None = None,
    stopwatch: Callable[[], float] = time.monotonic,
) -> Run:
    """Never raises for what the crew does. ``deadline`` turns a slow run into CREW_OVERRUN; it stops nothing."""
    started_at, started = context.clock(), stopwatch()
    with structlog.contextvars.bound_contextvars(crew=crew.name):
        try:
            run = _fit_to_show(crew.run(context))
        except Exception as problem:  # the boundary that turns a crew's error into a finding
            log.error("crew failed", reason=redact(str(problem)), exc_info=_is_news(problem))
            run = _failed_run(crew, started_at, context.clock(), problem)
        seconds = stopwatch() - started
        context.metrics.runs.labels(crew.name, run.outcome.value).inc()
        context.metrics.run_seconds.labels(crew.name).observe(seconds)
        log.info("run ended", outcome=run.outcome.value, seconds=round(seconds, 2), summary=run.summary)
        problems = [] if run.outcome is not RunOutcome.FAILED else [crew_failed(crew, run)]
        if deadline is not None and seconds > deadline.total_seconds():
            problems.append(crew_overrun(crew, deadline, seconds, still_running=False))
        _keep(context, crew, run, problems)
    return run


def note_overrun(crew: Crew, context: CrewContext, deadline: timedelta, seconds: float) -> None:
    """Records that a run which is still going has passed its deadline. Resolved by a later run that is in time."""
    log.warning("crew overruns its deadline", crew=crew.name, deadline=str(deadline), seconds=round(seconds, 1))
    overrun = crew_overrun(crew, deadline, seconds, still_running=True)
    _observe(context, crew, [overrun], complete=False)


def crew_failed(crew: Crew, run: Run) -> Finding:
    """The finding for a run that ended in an error."""
    return finding("CREW_FAILED", _subject(crew), f"{crew.name} stopped: {run.summary}")


def crew_overrun(crew: Crew, deadline: timedelta, seconds: float, *, still_running: bool) -> Finding:
    """The finding for a run that is slower than the schedule allows."""
    so_far = "has been running for" if still_running else "took"
    cause = f"{crew.name} {so_far} {seconds:.0f} s; its deadline is {deadline.total_seconds():.0f} s"
    return finding("CREW_OVERRUN", _subject(crew), cause)


def _subject(crew: Crew) -> Subject:
    return Subject(system="crew", kind="crew", name=crew.name)


def _fit_to_show(run: Run) -> Run:
    """A crew quotes what systems answered; from here on it is logged, stored and printed."""
    told = {"summary": storable(run.summary, LONGEST_SENTENCE), "unavailable": tuple(map(storable, run.unavailable))}
    return run.model_copy(update=told)


def _failed_run(crew: Crew, started_at: datetime, ended_at: datetime, problem: Exception) -> Run:
    text = " ".join(storable(str(problem), LONGEST_SUMMARY).split()) or "no message"
    # A clock that was set back during the run must not make it end before it began.
    return Run(
        crew=crew.name,
        started_at=started_at,
        ended_at=max(started_at, ended_at),
        outcome=RunOutcome.FAILED,
        summary=f"{type(problem).__name__}: {text}"[:LONGEST_SUMMARY],
    )


def _keep(context: CrewContext, crew: Crew, run: Run, problems: list[Finding]) -> None:
    try:
        record_run(context.engine, run)
    except Exception as problem:  # a full disk must not end the daemon; /readyz and the log say so
        log.error("the run could not be recorded", reason=redact(str(problem)), exc_info=_is_news(problem))
    _observe(context, crew, problems, complete=True)


def _observe(context: CrewContext, crew: Crew, problems: list[Finding], *, complete: bool) -> None:
    try:
        Ledger(context.engine, context.clock).observe(f"run of {crew.name}", problems, complete=complete)
    except Exception as problem:  # as above
        what = "the state of the crew could not be recorded as a finding"
        log.error(what, reason=redact(str(problem)), exc_info=_is_news(problem))


def _is_news(problem: Exception) -> bool:
    """Whether a traceback tells more than the words of the error, which name what a person can mend."""
    return not isinstance(problem, CrewError | UpstreamError)
