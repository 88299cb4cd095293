"""Runs the job that tells people once, in a process that kills itself at the step it is told.

Forked from a process that has imported everything: a run takes a fraction of a second and not two.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import timedelta
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import apprise  # noqa: F401  the largest part of what a run imports

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


@cache
def _forks() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def start(database: str, folder: str, address: str, die_at: str, later: float) -> BaseProcess:
    """In a process of its own, which can be killed."""
    process: BaseProcess = _forks().Process(target=main, args=(database, folder, address, die_at, later))
    process.start()
    return process
