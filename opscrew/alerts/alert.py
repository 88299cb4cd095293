"""One alert as it was told to us, from whichever system, and what it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from opscrew.alerts.rules import alert_rules
from opscrew.model.finding import Severity
from opscrew.model.subject import Subject
from opscrew.store.text import storable

MOST_LABELS = 40
LONGEST_NAME, LONGEST_LABEL, LONGEST_ANNOTATION = 100, 200, 1_000
"""Characters. Labels are identifiers and annotations a few sentences; a whole log in one is cut."""

KINDS_BY_LABEL = (
    ("pod", "Pod"),
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("job_name", "Job"),
    ("cronjob", "CronJob"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("node", "Node"),
)
"""Labels of kube-state-metrics and the kubelet, the most exact object first."""


class AlertState(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Alert:
    """``upstream_id`` is the source's own fingerprint; ``ends_at`` is set where the source says that it is over.

    ``silenced`` is None where the source does not know about silences: a webhook, and vmalert.
    """

    source: str
    state: AlertState
    labels: Mapping[str, str]
    starts_at: datetime
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: datetime | None = None
    upstream_id: str = ""
    url: str = ""
    silenced: bool | None = None

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "unnamed alert")

    @property
    def severity(self) -> Severity:
        return alert_rules().severity_of(self.labels.get("severity") or self.labels.get("priority", ""))

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over the labels that say what is wrong: the same whoever tells it."""
        return fingerprint_of(self.labels)


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """See ``Alert.fingerprint``."""
    out = alert_rules().labels_left_out
    told = "\n".join(f"{name}\t{value}" for name, value in sorted(labels.items()) if name not in out)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def clean_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Without secrets and control characters, capped in number and length."""
    kept = sorted(labels.items())[:MOST_LABELS]
    # The name decides about grouping, so it is kept even when forty others come first.
    if "alertname" in labels:
        kept = [("alertname", labels["alertname"]), *(pair for pair in kept if pair[0] != "alertname")][:MOST_LABELS]
    return {storable(name, LONGEST_NAME): storable(value, LONGEST_LABEL) for name, value in kept}


def clean_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """The same for the sentences beside an alert."""
    kept = sorted(annotations.items())[:MOST_LABELS]
    return {storable(name, LONGEST_NAME): storable(value, LONGEST_ANNOTATION) for name, value in kept}


def subject_of(labels: Mapping[str, str], cluster: str = "") -> Subject | None:
    """The Kubernetes object that labels name, or None. ``cluster`` is used where no label names one."""
    where = labels.get("cluster") or cluster
    namespace = labels.get("namespace") or labels.get("exported_namespace", "")
    for label, kind in KINDS_BY_LABEL:
        name = labels.get(label, "")
        if not name:
            continue
        inner = "" if kind == "Node" else namespace
        if kind != "Node" and not namespace:
            continue
        return Subject(system="kubernetes", kind=kind, scope="/".join(filter(None, (where, inner))), name=name)
    return None
