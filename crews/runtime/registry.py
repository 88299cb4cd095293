"""Every crew that can be scheduled or run by hand.

Crews are named by module, and the module is imported when the crew is loaded or first runs: `crew --help` and a small
daemon do not pay for crews they do not use.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from crews.runtime.context import CrewContext
from opscrew.model.run import Run


@dataclass(frozen=True)
class Crew:
    """``module`` has ``run(context) -> Run``. ``needs`` names the settings without which it has nothing to do."""

    name: str
    title: str
    module: str
    needs: tuple[str, ...] = ()

    def load(self) -> Callable[[CrewContext], Run]:
        """Imports the crew's module, the first time. One thread at a time: see ``CrewScheduler``."""
        return cast("Callable[[CrewContext], Run]", importlib.import_module(self.module).run)

    def run(self, context: CrewContext) -> Run:
        return self.load()(context)


CREWS: tuple[Crew, ...] = (
    Crew("action_upkeep", "Send approved actions, follow them, say what waits", "crews.upkeep.follow_actions"),
    Crew("alert_triage", "Take in alerts, find their likeliest cause, propose a repair", "crews.alert_triage.job"),
    Crew("ci_watch", "Find failed pipelines, re-run what a re-run rescues", "crews.ci_watch.job", needs=("bitbucket",)),
    Crew("ci_history", "Keep every pipeline and step, to be counted", "crews.ci_history.job", needs=("bitbucket",)),
    Crew("cluster_health", "Find what is wrong in the clusters", "crews.cluster_health.job", needs=("kubernetes",)),
    Crew("housekeeping", "Forget old runs and long resolved findings", "crews.upkeep.housekeeping"),
    Crew("notify", "Tell people what is new, and what waits for them", "crews.notify.job"),
    Crew(
        "storage_growth",
        "Find volumes that will be full",
        "crews.storage_growth.job",
        needs=("kubernetes", "victoriametrics"),
    ),
    Crew("remembering", "Keep what is over as episodes that recall finds", "crews.upkeep.episodes"),
)


def find_crew(name: str) -> Crew | None:
    """The crew of that name, or None."""
    return next((crew for crew in CREWS if crew.name == name), None)
