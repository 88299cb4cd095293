"""What every crew is given. Built once by the daemon, or once per `crew run`."""

from __future__ import annotations

from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from opscrew.actions.uptime import UptimeSource, machine_uptime, no_uptime
from opscrew.clock import Clock, utc_now
from opscrew.metrics import Metrics
from opscrew.settings import Settings

if TYPE_CHECKING:
    from crews.runtime.systems import Systems


@dataclass(frozen=True)
class CrewContext:
    """``woken_by`` holds what webhooks announced since the last run: for CI, repository slugs to look at first."""

    settings: Settings
    engine: Engine
    clock: Clock
    metrics: Metrics
    systems: Systems
    woken_by: SimpleQueue[str] = field(default_factory=SimpleQueue)

    @property
    def uptime(self) -> UptimeSource:
        """Where the clock is the machine's own, budgets also measure by its uptime, which nobody can set."""
        return machine_uptime if self.clock is utc_now else no_uptime
