"""Everything that triage looks at for one group of alerts, each look with a deadline of its own, all at once.

A look that fails or takes too long costs its own clues and nothing else; the triage says what was not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from crews.alert_triage.recent_changes import deployed_in_grafana, ran_in_bitbucket, rolled_out
from crews.runtime.background import in_background
from crews.runtime.context import CrewContext
from opscrew.alerts.groups import Group
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.looks import Look, affects, clues_of_findings, log_look, value_look
from opscrew.alerts.objects import place_of
from opscrew.alerts.sentences import text_of
from opscrew.errors import CrewError
from opscrew.findings.ledger import Ledger
from opscrew.memory.library import Library
from opscrew.memory.recall import Recall
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)

HOUR = timedelta(hours=1)
MOST_FINDINGS = 50
PATTERNS = 200


@dataclass(frozen=True)
class Case:
    """What is triaged. ``affected`` are the objects that the alerts name; ``began_at`` is when the first began.

    ``cluster_note`` says why some of them cannot be looked for in a cluster, or nothing.
    """

    context: CrewContext
    group: Group
    alerts: Sequence[KnownAlert]
    affected: tuple[Subject, ...]
    began_at: datetime
    cluster_note: str = ""

    @property
    def first(self) -> KnownAlert:
        return min(self.alerts, key=lambda one: one.starts_at)


def value_then_and_now(case: Case) -> Look:
    """The rule's own expression, now and an hour before."""
    vmalert, metrics = (
        case.context.systems.vmalert,
        case.context.systems.metrics_of(case.first.labels.get("cluster", "")),
    )
    if vmalert is None or metrics is None:
        return Look(problem="vmalert or victoriametrics is not configured")
    alert = case.first
    named = [one for one in vmalert.rules() if one.name == alert.name and one.type == "alerting"]
    if not named:
        return Look(problem=f"vmalert has no rule {alert.name}")
    # One name often has several rules, a warning and a critical one: the alert carries the labels of its own.
    rule = max(named, key=lambda one: sum(alert.labels.get(name) == value for name, value in one.labels.items()))
    now = case.context.clock()
    present, earlier = metrics.instant(rule.query, now), metrics.instant(rule.query, case.began_at - HOUR)
    return value_look(rule.query, present.samples, earlier.samples, dict(alert.labels), now)


def open_findings(case: Case) -> Look:
    """What is known to be wrong with the affected objects and what they stand on."""
    found = Ledger(case.context.engine, case.context.clock).open()
    return Look(clues_of_findings([one for one in found if affects(one, case.affected)][:MOST_FINDINGS]))


def log_changes(case: Case) -> Look:
    """Failures that are written now and were not in the hour before."""
    if case.context.settings.victorialogs is None:
        return Look(problem="victorialogs is not configured")
    from tools.victorialogs.client import Period

    if case.cluster_note:
        return Look(problem=case.cluster_note)  # lines of the same namespace may be another cluster's
    subject = next((one for one in case.affected if one.kind != "Node" and place_of(one)), None)
    if subject is None:
        return Look(problem="the alert names no namespace")
    logs = case.context.systems.logs_of(subject.scope.partition("/")[0])
    assert logs is not None, "configured, as asked above"
    # A quarter of an hour before it began, since what leads to an alert is written first. At most as long as what it
    # is compared with: in many hours there are more lines of everything.
    start = case.began_at - HOUR / 4
    end = min(max(case.context.clock(), case.began_at + timedelta(minutes=1)), start + HOUR)
    fields = logs.fields(Period(start - HOUR, end))
    if not fields.namespace:
        return Look(problem="no field of the log lines tells the namespace (victorialogs.fields may name it)")
    namespace = place_of(subject).rpartition("/")[2]
    if subject.kind == "Pod":
        where = fields.of_pod(namespace, subject.name)
    elif subject.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        where = fields.of_workload(namespace, subject.name)
    else:
        where = fields.in_namespace(namespace)
    wanted = f"{where} {fields.failures()}"
    present = logs.patterns(wanted, Period(start, end), limit=PATTERNS, where=fields)
    earlier = logs.patterns(wanted, Period(start - HOUR, start), limit=PATTERNS, where=fields)
    if not present and not logs.count(where, Period(start - HOUR, end)):
        return Look(problem=f"the log store has no line of {subject.kind} {subject.name} in {namespace}")
    return log_look(present, earlier, case.began_at, subject)


def history(case: Case) -> Look:
    """Past incidents like this one, and the runbook."""
    context = case.context
    words = [case.group.title, text_of(case.first.annotations)]
    lines = []
    with Recall(
        Library(context.engine, context.clock),
        context.clock,
        context.settings.data_dir,
        context.settings.memory.embedding,
    ) as recall:
        for kind, most in (("incident", 2), ("episode", 2), ("runbook", 1)):
            for hit in recall.find(" ".join(words)[:1_000], top=most, kind=kind):
                if hit.relevant:
                    at = hit.document.happened_at or context.clock()
                    text = f"{hit.document.title}: {' '.join(hit.excerpt.split())}"
                    lines.append(Evidence(source=f"crew {kind} {hit.document.id}", text=text[:400], observed_at=at))
    url = next((alert.annotations["runbook_url"] for alert in case.alerts if alert.annotations.get("runbook_url")), "")
    if url:
        lines.append(Evidence(source="the alert's rule", text=f"runbook {url}", observed_at=case.began_at))
    return Look(evidence=tuple(lines))


def rollouts(case: Case) -> Look:
    """What the clusters rolled out lately."""
    look = rolled_out(case.context, case.affected, case.began_at)
    return replace(look, problem=case.cluster_note or look.problem)


def pipelines(case: Case) -> Look:
    """Deployments and pipelines of repositories that share a name with what is affected."""
    return ran_in_bitbucket(case.context, case.affected, case.began_at)


def grafana_marks(case: Case) -> Look:
    """Deployments that somebody marked in Grafana."""
    return deployed_in_grafana(case.context, case.began_at)


LOOKS: tuple[tuple[str, Callable[[Case], Look], float], ...] = (
    ("the alert's own query", value_then_and_now, 10),
    ("open findings", open_findings, 5),
    ("log patterns", log_changes, 15),
    ("rollouts", rollouts, 10),
    ("pipelines and deployments", pipelines, 15),
    ("deployments marked in Grafana", grafana_marks, 10),
    ("past incidents and runbook", history, 15),
)
"""Name for people, the look, and its deadline in seconds."""


def look_at_all(case: Case, looks: Sequence[tuple[str, Callable[[Case], Look], float]] = LOOKS) -> dict[str, Look]:
    """Every look by its name."""
    begun = time.monotonic()
    asked = [(name, seconds, in_background(name, partial(function, case))) for name, function, seconds in looks]
    return {name: _wait(name, answer, max(0.0, begun + seconds - time.monotonic())) for name, seconds, answer in asked}


def _wait(name: str, answer: Future[Look], seconds: float) -> Look:
    try:
        return answer.result(seconds)
    except FutureTimeout:
        return Look(problem="no answer in time")
    except (UpstreamError, CrewError) as problem:
        return Look(problem=str(problem))
    except Exception as problem:  # noqa: BLE001  one look's error must not cost the others' clues
        log.warning("alert_look_failed", look=name, error=str(problem))
        return Look(problem=f"unexpected {type(problem).__name__}")
