"""Which kinds of action can be carried out with the systems that are configured. One line per kind."""

from __future__ import annotations

from crews.actions.delete_stuck_pod import DeleteStuckPod
from crews.actions.expand_pvc import ExpandPvc
from crews.actions.rerun_pipeline import RerunPipeline
from crews.actions.rerun_results import RescueLearning
from crews.actions.restart_workload import RestartWorkload
from crews.actions.roll_back_workload import RollBackWorkload
from crews.actions.scale_workload import ScaleWorkload
from crews.actions.silence_alert import SilenceAlert
from crews.actions.stop_pipeline import StopPipeline
from crews.runtime.context import CrewContext
from opscrew.actions.executor import Executor


def connected_executors(context: CrewContext) -> tuple[Executor, ...]:
    """An executor for each kind whose system is configured."""
    systems = context.systems
    found: list[Executor] = []
    if systems.bitbucket is not None:
        found.append(RerunPipeline(systems.bitbucket, RescueLearning(context.engine, context.clock)))
        found.append(StopPipeline(systems.bitbucket))
    if systems.settings.kubernetes:
        found.append(ExpandPvc(systems))
        found.append(RestartWorkload(systems.kubernetes, systems.clock))
        found.append(RollBackWorkload(systems.kubernetes))
        found.append(ScaleWorkload(systems.kubernetes))
        found.append(DeleteStuckPod(systems.kubernetes, systems.clock))
    if systems.alertmanager is not None:
        found.append(SilenceAlert(systems.alertmanager, systems.clock))
    return tuple(found)
