"""A crew's context over a Bitbucket sandbox on loopback, with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crews.runtime.context import CrewContext
from crews.runtime.registry import find_crew
from crews.runtime.systems import Systems
from demo.bitbucket.app import create_app
from demo.bitbucket.world import TOKEN, World
from demo.clock import FastClock
from demo.serving import serve
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.run import Run
from opscrew.settings import BitbucketSettings, Settings
from opscrew.store.database import open_database
from tests.support.databases import migrated_sqlite

START = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class BitbucketWatch:
    """The world, and a CI watch that looks at it."""

    world: World
    clock: FastClock
    context: CrewContext

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.context.engine, self.context.clock)

    def round(self, minutes: float = 1) -> Run:
        """Lets time pass, then runs the crew once."""
        self.clock.forward(minutes=minutes)
        crew = find_crew("ci_watch")
        assert crew is not None
        return crew.run(self.context)

    def rounds(self, count: int) -> list[Run]:
        return [self.round() for _ in range(count)]


@contextmanager
def bitbucket_watch(folder: Path, **settings: Any) -> Iterator[BitbucketWatch]:
    """``settings`` go on top of a policy that lets the crew re-run by itself."""
    clock = FastClock(START, speed=0)
    world = World(clock)
    with serve(create_app(world)) as url:
        part = BitbucketSettings(url=f"{url}/2.0", workspace="acme", token=TOKEN, requests_per_hour=900)
        values = {"bitbucket": part, "policy": {"rerun_pipeline": "auto"}, "data_dir": folder} | settings
        built = Settings(**values)
        metrics = Metrics()
        engine = open_database(migrated_sqlite(built.data_dir / "crew.db"))
        with Systems(built, clock, metrics) as systems:
            yield BitbucketWatch(
                world, clock, CrewContext(settings=built, engine=engine, clock=clock, metrics=metrics, systems=systems)
            )
        engine.dispose()
