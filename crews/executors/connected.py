"""Which kinds of action can be carried out with the systems that are configured. One line per kind."""

from __future__ import annotations

from crews.executors.expand_pvc import ExpandPvc
from crews.executors.rerun_pipeline import RerunPipeline
from crews.systems import Systems
from opscrew.actions.executor import Executor


def connected_executors(systems: Systems) -> tuple[Executor, ...]:
    """An executor for each kind whose system is configured."""
    found: list[Executor] = []
    if systems.bitbucket is not None:
        found.append(RerunPipeline(systems.bitbucket))
    if systems.settings.kubernetes:
        found.append(ExpandPvc(systems))
    return tuple(found)
