"""What the HTTP routes may use. Built once by the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crews.runtime.context import CrewContext
from server.scheduler import CrewScheduler


@dataclass(frozen=True)
class ServerContext:
    """``crews`` is the very context that the running crews were given, wake-up queue included."""

    crews: CrewContext
    scheduler: CrewScheduler
    started_at: datetime
