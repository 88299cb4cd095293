"""Every collector by the name that ``opscrew/answer/understand/intents.yaml`` uses."""

from __future__ import annotations

from crews.ask.gather import (
    actions,
    alerts,
    changes,
    clusters,
    conversation,
    knowledge,
    ledger,
    logs,
    metrics,
    pipelines,
    runners,
)
from crews.ask.gather.collector import Collector

COLLECTORS: tuple[Collector, ...] = (
    Collector("ledger", "crew", "the findings ledger", ledger.collect),
    Collector("past", "crew", "past findings", ledger.collect_past),
    Collector("runs", "crew", "the list of runs", ledger.collect_runs),
    Collector("actions", "crew", "the record of actions", actions.collect),
    Collector("knowledge", "crew", "runbooks and incidents", knowledge.collect),
    Collector("conversation", "crew", "this conversation", conversation.collect),
    Collector("pipelines", "bitbucket", "pipelines in Bitbucket", pipelines.collect, needs=("bitbucket",)),
    Collector("changes", "bitbucket", "commits and deployments in Bitbucket", changes.collect, needs=("bitbucket",)),
    Collector("runners", "bitbucket", "runners in Bitbucket", runners.collect, needs=("bitbucket",)),
    Collector("clusters", "kubernetes", "the Kubernetes clusters", clusters.collect, needs=("kubernetes",)),
    Collector("metrics", "victoriametrics", "figures in VictoriaMetrics", metrics.collect, needs=("victoriametrics",)),
    Collector("logs", "victorialogs", "logs in VictoriaLogs", logs.collect, needs=("victorialogs",)),
    Collector(
        "alerts",
        "an alert source",
        "alerts that fire",
        alerts.collect,
        either=("alertmanager", "grafana", "vmalert"),
    ),
)


def collectors_for(names: tuple[str, ...]) -> tuple[Collector, ...]:
    """In the order of the registry. A name that does not exist is an error of ours."""
    unknown = set(names) - {one.name for one in COLLECTORS}
    if unknown:
        raise KeyError(f"no collector {', '.join(sorted(unknown))}")
    return tuple(one for one in COLLECTORS if one.name in names)
