"""A crew that ends in an error: what the log says of it."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
import structlog

from crews.runtime.context import CrewContext
from crews.runtime.registry import Crew
from crews.runtime.running import run_crew
from crews.runtime.systems import Systems
from opscrew.clock import utc_now
from opscrew.errors import CrewError
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from opscrew.store.database import open_database


@pytest.mark.parametrize(("problem", "traceback"), [(CrewError("no room", "Make some."), False), (KeyError("x"), True)])
def test_a_traceback_is_logged_only_for_what_nobody_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, traceback: bool
) -> None:
    def fail(_context: CrewContext) -> None:
        raise problem

    module = types.ModuleType("a_failing_crew")
    module.run = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings, metrics = Settings(data_dir=tmp_path), Metrics()
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    with Systems(settings, utc_now, metrics) as systems, structlog.testing.capture_logs() as logged:
        context = CrewContext(settings=settings, engine=engine, clock=utc_now, metrics=metrics, systems=systems)
        ended = run_crew(Crew("failing", "Fails", module.__name__), context)
    engine.dispose()
    assert ended.outcome == "failed"
    assert [entry["exc_info"] for entry in logged if entry["event"] == "crew failed"] == [traceback]
