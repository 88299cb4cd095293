"""Runs the job that tells people once, in a process that kills itself at the step it is told.

python -m tests.support.notify_program DATABASE FOLDER ADDRESS STEP MINUTES_LATER
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from crews.notify.job import run
from crews.runtime.context import CrewContext
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.store.database import open_database
from tests.support.telling import settings_with


def main(database: str, folder: str, address: str, die_at: str, later: float) -> None:
    def checkpoint(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = settings_with(Path(folder), {"team": address}, kinds=("findings", "actions", "alerts"))
    engine = open_database(database)
    context = CrewContext(settings, engine, lambda: utc_now() + timedelta(minutes=later), Metrics(), systems=None)  # type: ignore[arg-type]
    run(context, checkpoint)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
