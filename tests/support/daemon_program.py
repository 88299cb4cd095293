"""A daemon with one obedient crew every second: run as a program by ``tests/support/daemon.py``.

``--seldom`` runs the crew once an hour; ``--overrun`` calls a run of more than a second late.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from crews.runtime.schedule import Appointment
from opscrew import logs, settings_file
from opscrew.errors import CrewError
from server import daemon
from tests.support.daemon_crews import Named, obedient

INTERVAL = timedelta(seconds=1)


def main() -> int:
    loaded = settings_file.load()
    logs.configure("json", "info")
    interval = timedelta(hours=1) if "--seldom" in sys.argv else INTERVAL
    # Ordinary runs are far below a second, but a busy machine may hold one up: only the test of lateness is strict.
    deadline = timedelta(seconds=1) if "--overrun" in sys.argv else timedelta(minutes=2)
    crews = (Named("ci_watch", obedient),)
    appointments = (Appointment("ci_watch", deadline=deadline, every=interval),)
    try:
        return daemon.serve(loaded, crews=crews, appointments=appointments)  # type: ignore[arg-type]
    except CrewError as problem:
        sys.stderr.write(f"{problem.message} | {problem.hint}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
