"""Catching up after a pause, and surviving a wall clock that is set."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from crews.runtime.context import CrewContext
from crews.runtime.registry import Crew
from crews.runtime.schedule import Appointment
from crews.runtime.systems import Systems
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.model.run import Run, RunOutcome
from opscrew.settings import Settings
from opscrew.store.database import open_database
from opscrew.store.runs import latest_runs, record_run
from server.scheduler import CrewScheduler
from tests.support.daemon import until
from tests.support.daemon_crews import Named, ended

DEADLINE = timedelta(minutes=1)


@pytest.fixture
def context(tmp_path: Path):
    settings, metrics = Settings(data_dir=tmp_path), Metrics()
    engine = open_database(settings.database_url)
    yield CrewContext(settings, engine, utc_now, metrics, Systems(settings, utc_now, metrics))
    engine.dispose()


class Counting:
    """A crew that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, context: CrewContext) -> Run:
        self.runs += 1
        return ended(context, "report", context.clock(), "counted")


def scheduler(context: CrewContext, crew: Counting, **appointment: object) -> CrewScheduler:
    entry = Appointment("report", DEADLINE, **appointment)
    return CrewScheduler(context, [Named("report", crew)], [entry])


@pytest.mark.parametrize(("last_run", "expected"), [(None, 0), (timedelta(days=3), 1), (timedelta(seconds=5), 0)])
def test_missed_times_of_a_stopped_daemon_are_made_up_for_once(context, last_run, expected: int) -> None:
    noon = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
    if last_run is not None:
        then = noon - last_run
        record_run(
            context.engine,
            Run(crew="report", started_at=then, ended_at=then, outcome=RunOutcome.OK, summary="earlier"),
        )
    crew = Counting()
    with time_machine.travel(noon, tick=True):
        timer = scheduler(context, crew, cron="0 7 * * *")
        timer.start()
        if expected:
            until(lambda: crew.runs == expected)
        else:
            threading.Event().wait(0.3)
        assert timer.stop(60) == ()
    assert crew.runs == expected


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(hours=5)])
def test_an_interval_goes_on_after_the_clock_was_set(context, jump: timedelta) -> None:
    crew = Counting()
    noon = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
    with time_machine.travel(noon, tick=True) as traveller:
        timer = scheduler(context, crew, every=timedelta(minutes=10))
        timer.start()
        until(lambda: crew.runs == 1 and timer.states()[0].running_seconds is None)
        timer.watch()
        assert crew.runs == 1
        traveller.shift(jump)
        timer.watch()
        until(lambda: crew.runs == 2)
        timer.stop(60)
    assert crew.runs == 2


def test_a_crew_off_the_schedule_cannot_be_woken(context) -> None:
    timer = scheduler(context, Counting(), cron="0 7 * * *")
    assert timer.wake("report") is False
    timer.start()
    assert timer.wake("ci_watch") is False
    timer.stop(60)
    assert timer.wake("report") is False
    assert timer.running is False


def test_crews_are_loaded_one_after_another_before_the_first_runs(context, tmp_path: Path, monkeypatch) -> None:
    """Threads that import together may be handed half of a module (numpy's, once, from two crews)."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("first", "second"):
        (tmp_path / f"crew_{name}.py").write_text(
            "import threading\nfrom tests.support.daemon_crews import ended\n"
            "loaded_by = threading.current_thread()\n"
            f"run = lambda context: ended(context, '{name}', context.clock(), 'ran')\n"
        )
    crews = [Crew(name, name, f"crew_{name}") for name in ("first", "second", "broken")]
    timer = CrewScheduler(context, crews, [Appointment(crew.name, DEADLINE, every=DEADLINE) for crew in crews])
    timer.start()
    try:
        until(lambda: len(latest_runs(context.engine)) == 3)
    finally:
        timer.stop(60)
    loaded_by = {sys.modules[f"crew_{name}"].loaded_by for name in ("first", "second")}
    assert loaded_by == {threading.current_thread()}
    outcomes = {run.crew: run.outcome for run in latest_runs(context.engine)}
    assert outcomes == {"first": RunOutcome.OK, "second": RunOutcome.OK, "broken": RunOutcome.FAILED}
